#include "tidepool/proxy/proof_queue.h"

#include <algorithm>
#include <utility>

namespace tidepool::proxy {
namespace {

constexpr std::chrono::seconds kRateInterval{1};

}  // namespace

bool ProofQueue::add(session::PasswordProofs::Question question) {
  const auto same = std::find_if(jobs_.begin(), jobs_.end(), [&](const Job& job) {
    return job.user == question.user && job.password == question.password;
  });
  if (same != jobs_.end()) {
    same->ids.push_back(question.id);
    return true;
  }
  const auto of_user = std::count_if(jobs_.begin(), jobs_.end(),
                                     [&](const Job& job) { return job.user == question.user; });
  if (jobs_.size() >= kMaxJobs || static_cast<std::size_t>(of_user) >= kMaxJobsOfUser) return false;
  jobs_.push_back({std::move(question.user), std::move(question.password), {question.id}});
  return true;
}

void ProofQueue::leave(Id id) {
  for (auto job = jobs_.begin(); job != jobs_.end(); ++job) {
    if (std::erase(job->ids, id) == 0) continue;
    if (job->ids.empty() && !job->is_running) jobs_.erase(job);
    return;
  }
}

std::optional<ProofQueue::Handle> ProofQueue::next(TimePoint now) {
  if (running_ >= limits_.at_once || rate_allows_at(now) > now) return std::nullopt;
  for (auto job = jobs_.begin(); job != jobs_.end(); ++job) {
    if (job->is_running || is_running(job->user) || user_allows_at(job->user, now) > now) continue;
    job->is_running = true;
    ++running_;
    while (!begun_.empty() && begun_.front() + kRateInterval <= now)
      begun_.pop_front();
    begun_.push_back(now);
    return job;
  }
  return std::nullopt;
}

std::optional<TimePoint> ProofQueue::next_at(TimePoint now) const {
  if (running_ >= limits_.at_once) return std::nullopt;
  std::optional<TimePoint> earliest;
  for (const Job& job : jobs_) {
    if (job.is_running || is_running(job.user)) continue;
    const TimePoint at = std::max(user_allows_at(job.user, now), rate_allows_at(now));
    if (!earliest || at < *earliest) earliest = at;
  }
  return earliest;
}

std::vector<ProofQueue::Id> ProofQueue::end(Handle job, bool is_refused, TimePoint now) {
  if (is_refused) {
    pause(job->user, now);
  } else {
    pauses_.erase(job->user);
  }
  std::vector<Id> ids = std::move(job->ids);
  jobs_.erase(job);
  --running_;
  return ids;
}

bool ProofQueue::is_running(const std::string& user) const {
  return std::any_of(jobs_.begin(), jobs_.end(),
                     [&](const Job& job) { return job.is_running && job.user == user; });
}

TimePoint ProofQueue::rate_allows_at(TimePoint now) const {
  if (begun_.size() < limits_.in_a_second) return now;
  return std::max(now, begun_[begun_.size() - limits_.in_a_second] + kRateInterval);
}

TimePoint ProofQueue::user_allows_at(const std::string& user, TimePoint now) const {
  const auto found = pauses_.find(user);
  return found == pauses_.end() ? now : std::max(now, found->second.until);
}

// A pause counts for as long again as it has lasted: then the next one is the first.
void ProofQueue::pause(const std::string& user, TimePoint now) {
  if (pauses_.size() >= kMaxPauses)
    std::erase_if(pauses_, [now](const auto& one) { return one.second.until <= now; });
  const auto found = pauses_.find(user);
  std::chrono::milliseconds length = kFirstPause;
  if (found != pauses_.end() && now < found->second.until + found->second.length)
    length = std::min(found->second.length * 2, kLongestPause);
  // When so many users are guessed at, the rate of all is what bounds it.
  if (found == pauses_.end() && pauses_.size() >= kMaxPauses) return;
  pauses_.insert_or_assign(user, Pause{now + length, length});
}

}  // namespace tidepool::proxy

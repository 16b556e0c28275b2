#include "proof_queue.h"

#include <algorithm>
#include <utility>

namespace tidepool::proxy {
namespace {

constexpr std::chrono::seconds kRateInterval{1};

}  // namespace

bool ProofQueue::has_room(const session::PasswordProofs::Question& question) const {
  const auto count = [this](auto is) {
    return static_cast<std::size_t>(std::count_if(jobs_.begin(), jobs_.end(), is));
  };
  if (jobs_.size() >= kMaxJobs) return false;
  if (count([&](const Job& job) { return job.user == question.user; }) >= kMaxJobsOfUser)
    return false;
  return question.network.empty() ||
         count([&](const Job& job) { return job.network == question.network; }) < kMaxJobsOfNetwork;
}

bool ProofQueue::try_add(session::PasswordProofs::Question question, Likelihood likelihood) {
  const bool was_right = likelihood == Likelihood::kProbablyRight;
  const auto same = std::find_if(jobs_.begin(), jobs_.end(), [&](const Job& job) {
    return job.user == question.user && job.password == question.password;
  });
  if (same != jobs_.end()) {
    same->ids.push_back(question.id);
    return true;
  }
  if (!was_right && !has_room(question)) return false;
  // One of each user at most.
  jobs_.insert(was_right ? jobs_.begin() : jobs_.end(),
               Job{.user = std::move(question.user),
                   .password = std::move(question.password),
                   .ids = {question.id},
                   .network = std::move(question.network),
                   .was_right = was_right});
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
    if (job->is_running || is_running(job->user) || allowed_at(*job, now) > now) continue;
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
    const TimePoint at = std::max(allowed_at(job, now), rate_allows_at(now));
    if (!earliest || at < *earliest) earliest = at;
  }
  return earliest;
}

std::vector<ProofQueue::Id> ProofQueue::end(Handle job, Outcome outcome, TimePoint now) {
  if (outcome == Outcome::kRefused) {
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

TimePoint ProofQueue::allowed_at(const Job& job, TimePoint now) const {
  if (job.was_right) return now;
  const auto found = pauses_.find(job.user);
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

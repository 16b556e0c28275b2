#include "tidepool/session/failed_logins.h"

#include <algorithm>
#include <string>

#include "tidepool/base/stream_hash.h"

namespace tidepool::session {
namespace {

Duration delay_after(unsigned failures, Duration longest) {
  constexpr unsigned kMostDoublings = 20;
  if (failures <= FailedLogins::kFree) return {};
  const unsigned doublings = std::min(failures - FailedLogins::kFree - 1, kMostDoublings);
  return std::min<Duration>(FailedLogins::kFirstDelay * (1U << doublings), longest);
}

}  // namespace

Duration FailedLogins::add(std::string_view network, std::string_view user, Duration longest,
                           TimePoint now) {
  // A keyed number: nobody can look for a name that shares another one's entry.
  const std::uint64_t key = keyed_number(std::string(network) + '\0' + std::string(user));
  const std::lock_guard lock(mutex_);
  while (!entries_.empty() && now - entries_.front().last >= kMemory) {
    index_.erase(entries_.front().key);
    entries_.pop_front();
  }
  const auto found = index_.find(key);
  if (found != index_.end()) {
    entries_.splice(entries_.end(), entries_, found->second);
  } else {
    if (entries_.size() >= max_entries_) {
      index_.erase(entries_.front().key);
      entries_.pop_front();
    }
    index_[key] = entries_.insert(entries_.end(), {key, 0, now});
  }
  Entry& entry = entries_.back();
  entry.last = now;
  return delay_after(++entry.failures, longest);
}

std::size_t FailedLogins::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace tidepool::session

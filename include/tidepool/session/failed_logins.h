// Wrong passwords of late, by user and by where they came from: each further one is answered later,
// so that passwords cannot be tried at the speed of the network. A right one never waits.
//
// One for the process, owned by the shared state; locks itself. Bounded: the names that failed
// longest ago go first, and all are forgotten after a while.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <string_view>
#include <unordered_map>

#include "tidepool/base/clock.h"

namespace tidepool::session {

class FailedLogins {
 public:
  static constexpr std::size_t kMaxEntries = 4096;
  // Typing errors, and a program that tries its old password once more.
  static constexpr unsigned kFree = 3;
  static constexpr std::chrono::milliseconds kFirstDelay{100};
  static constexpr std::chrono::minutes kMemory{1};

  explicit FailedLogins(std::size_t max_entries = kMaxEntries) : max_entries_(max_entries) {}

  // Counts one more. Answers how long its refusal is to wait: nothing at first, then twice as long
  // each time, up to `longest`. `network` may be empty: this machine.
  Duration add(std::string_view network, std::string_view user, Duration longest, TimePoint now);

  std::size_t size() const;

 private:
  struct Entry {
    std::uint64_t key;
    unsigned failures;
    TimePoint last;
  };
  using Entries = std::list<Entry>;

  const std::size_t max_entries_;
  mutable std::mutex mutex_;
  Entries entries_;  // under the mutex, as its index; the one that failed last is the last
  std::unordered_map<std::uint64_t, Entries::iterator> index_;
};

}  // namespace tidepool::session

// When the heap is gone through for pages that can go back to the kernel: what was freed in small
// blocks stays in it otherwise. Pure; on the main thread.
// It holds up all threads that allocate for some milliseconds, and so is rare: after statements and
// commands have given back a good part of what they took at most, and not again soon.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "tidepool/base/clock.h"

namespace tidepool::proxy {

class MemoryTrim {
 public:
  static constexpr std::uint64_t kGivenBack = std::uint64_t{16} << 20U;
  static constexpr std::chrono::seconds kPause{10};

  // `taken`: the bytes that statements and commands take now.
  bool is_due(std::uint64_t taken, TimePoint now) {
    most_taken_ = std::max(most_taken_, taken);
    if (most_taken_ - taken < kGivenBack || now < next_) return false;
    most_taken_ = taken;
    next_ = now + kPause;
    return true;
  }

 private:
  std::uint64_t most_taken_ = 0;  // since the last time
  TimePoint next_{};
};

}  // namespace tidepool::proxy

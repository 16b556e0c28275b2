// Time as the whole program sees it: monotonic, and handed in wherever a decision depends on it, so
// that tests script it.
#pragma once

#include <chrono>

namespace tidepool {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Duration = Clock::duration;

}  // namespace tidepool

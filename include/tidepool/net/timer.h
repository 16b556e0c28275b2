// Timer: one callback after a delay, on the loop's thread. Destroying or stopping it means that the
// callback never runs. Costs nothing but its own bytes until it is first started, and no system
// call at all. Resolution: one millisecond, counted from the beginning of the turn and rounded up.
#pragma once

#include <functional>

#include "tidepool/base/clock.h"
#include "tidepool/net/loop.h"

namespace tidepool::net {

class Timer {
 public:
  explicit Timer(Loop& loop) : loop_(loop) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() = default;

  // Runs `callback` once after `delay` (a negative one counts as zero), never inline. Replaces what
  // was to run before. The callback may start this timer again, or destroy it.
  void start(Duration delay, std::function<void()> callback);
  void stop();
  bool is_active() const { return static_cast<bool>(callback_); }

 private:
  void fire();

  Loop& loop_;
  std::function<void()> callback_;
  Handle<uv_timer_s> handle_;
};

}  // namespace tidepool::net

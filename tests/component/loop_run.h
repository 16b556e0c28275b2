// Runs a loop until something is so, or a generous limit is reached; for component tests.
#pragma once

#include <functional>

#include "tidepool/net/loop.h"
#include "tidepool/net/process.h"
#include "tidepool/net/timer.h"

namespace tidepool::testing {

// Once for the test program, before main.
inline const bool kPrepared = (net::prepare_process(8), true);

// False: `done` was not so within a minute. Looks again after every turn that did something, and
// every few milliseconds.
inline bool run_until(net::Loop& loop, const std::function<bool()>& done) {
  bool late = false;
  net::Timer limit(loop);
  net::Timer look(loop);
  limit.start(std::chrono::seconds(60), [&] { late = true; });
  const std::function<void()> check = [&] {
    if (done() || late) return loop.stop();
    look.start(std::chrono::milliseconds(1), check);
  };
  look.start(Duration::zero(), check);
  loop.run();
  return !late;
}

}  // namespace tidepool::testing

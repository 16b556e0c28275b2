// Signals of the process. hold_signals() is the first thing that main does: from there on they wait
// in the kernel, in every thread, and end nothing; a Signal takes one of them. So none is lost
// between the start and the loop, or ends a process that is ending already.
#pragma once

#include <functional>

#include "tidepool/base/error.h"
#include "tidepool/net/fd.h"
#include "tidepool/net/loop.h"

namespace tidepool::net {

// Before any other thread exists: SIGTERM, SIGINT, SIGHUP and SIGUSR2 wait for their Signal.
// Programs that are started do not inherit that.
void hold_signals();
// For a program that serves no clients and may end at any time: signals do what they do to any
// program.
void release_signals();

// Calls back on the loop's thread when the process has got a signal, since it was held at the
// latest; as with all signals, several that came before the loop saw the first are one. One loop,
// the main thread's, watches each signal. The callback may destroy other objects, this one through
// Loop::retire only.
class Signal {
 public:
  // Holds the signal in the calling thread, if it is not held yet.
  Signal(Loop& loop, int number, std::function<void()> callback);
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;
  ~Signal() = default;

 private:
  bool take();

  std::function<void()> callback_;
  UniqueFd fd_;
  Handle<uv_poll_s> poll_;  // last: closed before the descriptor
};

}  // namespace tidepool::net

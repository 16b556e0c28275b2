// MemoryWatch: looks at the process's memory now and then. While it is short, new clients wait in
// the kernel's queue; what was freed in small blocks goes back to the kernel. Owned by the server;
// on the main thread.
#pragma once

#include <functional>

#include "memory_gate.h"
#include "memory_trim.h"
#include "shared_state.h"
#include "tidepool/net/timer.h"

namespace tidepool::proxy {

class MemoryWatch {
 public:
  // Lets new clients in, or no more.
  using SetAccepting = std::function<void(bool)>;

  MemoryWatch(net::Loop& loop, SharedState& shared, SetAccepting set_accepting)
      : loop_(loop), shared_(shared), set_accepting_(std::move(set_accepting)), timer_(loop) {}

  // Looks at once, and again until stop().
  void start();
  void stop() { timer_.stop(); }

 private:
  void look();

  net::Loop& loop_;
  SharedState& shared_;
  const SetAccepting set_accepting_;
  net::Timer timer_;
  MemoryGate gate_;
  MemoryTrim trim_;
};

}  // namespace tidepool::proxy

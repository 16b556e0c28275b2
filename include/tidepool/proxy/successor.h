// The old process's side of a takeover: the new process, from its start until it is gone. See
// handover.h for the words.
//
// Owned by the server; on the main thread. The callbacks may destroy it through Loop::retire only.
// Destroyed before it has taken over, it is killed; afterwards it is on its own.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tidepool/base/error.h"
#include "tidepool/net/child_process.h"
#include "tidepool/net/loop.h"
#include "tidepool/net/message_channel.h"
#include "tidepool/net/timer.h"

namespace tidepool::proxy {

// How this program was started.
struct Program {
  std::vector<std::string> arguments;    // the first one is the program
  std::vector<std::string> environment;  // NAME=value

  static Program of(int argc, const char* const* argv);  // with the environment as it is now
};

// What listens at one place; the descriptors stay whose they are.
struct Passed {
  std::string key;
  std::vector<int> descriptors;
};

// What the new process is told first.
struct Greeting {
  std::vector<Passed> sockets;
  std::map<std::string, unsigned> held;  // by pool
  std::vector<std::string> unavailable;  // pools
};

class Successor {
 public:
  struct Events {
    std::function<void()> on_ready;                         // it waits for try_go()
    std::function<void(const std::string& why)> on_failed;  // it is gone, before try_go()
    std::function<void()> on_drain;                         // it ends, so this process ends too
    std::function<void(int exit_code)> on_ended;            // after try_go()
  };
  using Held = std::map<std::string, unsigned>;  // by pool

  // An error: it could not be started.
  static Result<std::unique_ptr<Successor>> start(net::Loop& loop, const Program& program,
                                                  const Greeting& greeting, Events events);
  Successor(const Successor&) = delete;
  Successor& operator=(const Successor&) = delete;
  ~Successor();

  // What this process may have open at most from now on; says what has changed.
  void hold(const Held& held);
  // It lets clients in from now on. Returns whether it was there to be told.
  [[nodiscard]] bool try_go(std::uint32_t first_session);
  // This process has no client and no backend any more.
  void leave() { channel_.reset(); }

  bool has_gone_live() const { return has_gone_live_; }
  bool is_running() const { return child_ != nullptr && child_->is_running(); }
  int pid() const { return child_->pid(); }
  void signal(int number) { child_->signal(number); }

 private:
  Successor(net::Loop& loop, Events events);
  Result<void> greet(const Greeting& greeting);
  void on_message(const net::MessageChannel::Message& message);
  void on_exit(int code);

  Events events_;
  Held told_;
  bool has_gone_live_ = false;
  std::string failure_;  // not empty: it is being killed
  net::Timer deadline_;
  std::unique_ptr<net::MessageChannel> channel_;
  std::unique_ptr<net::ChildProcess> child_;
};

}  // namespace tidepool::proxy

// ChildProcess: a program that this process has started, on the main thread's loop. It has this
// process's standard input, output and error, one more descriptor, and a session of its own: the
// terminal's signals do not reach it.
// Destroying it leaves the program running, and its end unheard.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tidepool/base/error.h"
#include "tidepool/net/loop.h"

namespace tidepool::net {

class ChildProcess {
 public:
  // The exit code; of one that a signal has ended 128 and the signal's number, as shells have it.
  // May destroy the ChildProcess through Loop::retire only.
  using OnExit = std::function<void(int code)>;

  // The number that `descriptor` has in the child.
  static constexpr int kDescriptor = 3;

  // `arguments` begins with the program, which is looked for in PATH unless it has a slash;
  // `environment` is "NAME=value" each. An error: it could not be started.
  static Result<std::unique_ptr<ChildProcess>> start(Loop& loop, std::vector<std::string> arguments,
                                                     std::vector<std::string> environment,
                                                     int descriptor, OnExit on_exit);
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ~ChildProcess() = default;

  int pid() const;
  bool is_running() const { return is_running_; }
  void signal(int number);  // does nothing once it has ended

 private:
  explicit ChildProcess(OnExit on_exit) : on_exit_(std::move(on_exit)) {}

  OnExit on_exit_;
  bool is_running_ = true;
  Handle<uv_process_s> handle_;
};

}  // namespace tidepool::net

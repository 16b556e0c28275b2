// A loop on a thread of its own.
#pragma once

#include <functional>
#include <future>
#include <thread>

#include "tidepool/net/loop.h"

namespace tidepool::testing {

class RunningLoop {
 public:
  RunningLoop() : thread_([this] { loop.run(); }) {}
  RunningLoop(const RunningLoop&) = delete;
  RunningLoop& operator=(const RunningLoop&) = delete;
  ~RunningLoop() {
    loop.stop();
    thread_.join();
  }
  void call(const std::function<void()>& task) {
    std::promise<void> done;
    loop.post([&] {
      task();
      done.set_value();
    });
    done.get_future().wait();
  }

  net::Loop loop;

 private:
  std::thread thread_;
};

}  // namespace tidepool::testing

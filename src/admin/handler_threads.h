// A few threads that run handlers, and a short queue before them.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace tidepool::admin {

class HandlerThreads {
 public:
  HandlerThreads(std::size_t threads, std::size_t queue);
  HandlerThreads(const HandlerThreads&) = delete;
  HandlerThreads& operator=(const HandlerThreads&) = delete;
  // Waits for what runs; what is queued is dropped.
  ~HandlerThreads();

  // Any thread. Returns false if the queue is full.
  bool run(std::function<void()> task);

 private:
  void work();

  const std::size_t queue_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;  // under mutex_
  bool ended_ = false;                       // under mutex_
  std::vector<std::thread> threads_;
};

}  // namespace tidepool::admin

// run_blocking: work that blocks (a dial, a name look-up, a file), on libuv's thread pool.
//
// `work` runs on a pool thread and shares nothing with the loop but what it was given; `done` runs
// on the loop's thread with its result. Destroying the returned handle on the loop's thread means
// that `done` never runs: its captures go at once, the result (or the work, if it has not begun) is
// destroyed on the loop's thread when the pool is through with it. The loop itself waits for work
// under way when it closes.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "tidepool/net/loop.h"

namespace tidepool::net {

// What runs; made by run_blocking below.
class BlockingTask {
 public:
  BlockingTask() = default;
  BlockingTask(const BlockingTask&) = delete;
  BlockingTask& operator=(const BlockingTask&) = delete;
  virtual ~BlockingTask() = default;
  virtual void work() noexcept = 0;  // pool thread
  virtual void finish() = 0;         // loop's thread
  virtual void forget() = 0;         // loop's thread: the result is not wanted any more
};

struct BlockingRequest;  // the libuv request and its task; private to blocking.cc

// Owner's end of one piece of work. Move-only; an empty one is fine.
class Blocking {
 public:
  Blocking() = default;
  explicit Blocking(BlockingRequest* request);
  Blocking(const Blocking&) = delete;
  Blocking& operator=(const Blocking&) = delete;
  Blocking(Blocking&& other) noexcept;
  Blocking& operator=(Blocking&& other) noexcept;
  ~Blocking() { cancel(); }

  void cancel();
  bool is_pending() const { return request_ != nullptr; }

 private:
  friend struct BlockingRequest;
  BlockingRequest* request_ = nullptr;
};

[[nodiscard]] Blocking start_blocking(Loop& loop, std::unique_ptr<BlockingTask> task);

template <class T>
[[nodiscard]] Blocking run_blocking(Loop& loop, std::function<T()> work,
                                    std::function<void(T)> done) {
  class Task : public BlockingTask {
   public:
    Task(std::function<T()> work, std::function<void(T)> done)
        : work_(std::move(work)), done_(std::move(done)) {}
    void work() noexcept override { result_.emplace(work_()); }
    void finish() override { done_(std::move(*result_)); }
    void forget() override { done_ = nullptr; }

   private:
    std::function<T()> work_;
    std::function<void(T)> done_;
    std::optional<T> result_;
  };
  return start_blocking(loop, std::make_unique<Task>(std::move(work), std::move(done)));
}

}  // namespace tidepool::net

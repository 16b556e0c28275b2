#include "tidepool/net/loop.h"

#include <cstdio>
#include <string>

#include <uv.h>

#include "tidepool/base/check.h"

namespace tidepool::net {
namespace {

constexpr std::size_t kScratchBytes = std::size_t{128} * 1024;

void report_open_handle(uv_handle_t* handle, void* count) {
  if (uv_is_closing(handle) != 0) return;
  ++*static_cast<int*>(count);
  std::fprintf(stderr, "tidepool: a %s handle outlives its loop\n",
               uv_handle_type_name(uv_handle_get_type(handle)));
}

}  // namespace

void Loop::LoopFree::operator()(uv_loop_s* loop) const noexcept {
  delete loop;
}

Loop::Loop() : loop_(new uv_loop_t), scratch_(kScratchBytes) {
  TIDEPOOL_CHECK(uv_loop_init(loop_.get()) == 0);
  auto* async = new uv_async_t;
  TIDEPOOL_CHECK(uv_async_init(loop_.get(), async, [](uv_async_t* handle) noexcept {
                   if (handle->data != nullptr) static_cast<Loop*>(handle->data)->run_posted();
                 }) == 0);
  async->data = this;
  async_.reset(async);
  auto* idle = new uv_idle_t;
  TIDEPOOL_CHECK(uv_idle_init(loop_.get(), idle) == 0);
  idle->data = this;
  idle_.reset(idle);
}

Loop::~Loop() {
  close();
}

void Loop::close() {
  TIDEPOOL_CHECK(is_current_thread());
  while (!retired_.empty())
    std::exchange(retired_, {}).clear();
  local_tasks_.clear();
  posted_.clear();  // no thread may post to a loop that is being destroyed
  while (!retired_.empty())
    std::exchange(retired_, {}).clear();
  TIDEPOOL_CHECK(deferred_ == nullptr);
  async_.reset();
  idle_.reset();
  int open = 0;
  uv_walk(loop_.get(), report_open_handle, &open);
  TIDEPOOL_CHECK(open == 0);
  uv_run(loop_.get(), UV_RUN_DEFAULT);  // close callbacks, and blocking work until it ends
  TIDEPOOL_CHECK(uv_loop_close(loop_.get()) == 0);
}

void Loop::run() {
  thread_ = std::this_thread::get_id();
  uv_run(loop_.get(), UV_RUN_DEFAULT);
  thread_ = std::thread::id();
}

void Loop::stop() {
  post([this] { uv_stop(loop_.get()); });
}

bool Loop::is_current_thread() const {
  const std::thread::id runner = thread_.load(std::memory_order_relaxed);
  return runner == std::thread::id() || runner == std::this_thread::get_id();
}

void Loop::post(std::function<void()> task) {
  if (thread_.load(std::memory_order_relaxed) == std::this_thread::get_id()) {
    local_tasks_.push_back(std::move(task));
    wake_next_turn();
    return;
  }
  bool was_empty = false;
  {
    const std::lock_guard lock(mutex_);
    was_empty = posted_.empty();
    posted_.push_back(std::move(task));
    // Under the lock, so that a task which ends the loop's life cannot run before the send is
    // through.
    if (was_empty) uv_async_send(async_.get());
  }
}

TimePoint Loop::now() const {
  // uv_now() counts CLOCK_MONOTONIC in milliseconds, which is steady_clock's epoch.
  return TimePoint(std::chrono::milliseconds(uv_now(loop_.get())));
}

void Loop::retire_erased(Erased object) {
  TIDEPOOL_CHECK(is_current_thread());
  retired_.push_back(std::move(object));
  wake_next_turn();
}

void Loop::run_posted() {
  std::vector<std::function<void()>> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(posted_);
  }
  for (std::function<void()>& task : tasks)
    std::exchange(task, nullptr)();
}

// An idle handle runs in every turn and keeps the loop from waiting; it is on only while there is
// something to do, and neither starting nor stopping it is a system call.
void Loop::wake_next_turn() {
  if (idle_running_) return;
  idle_running_ = true;
  uv_idle_start(idle_.get(), [](uv_idle_t* handle) noexcept {
    if (handle->data != nullptr) static_cast<Loop*>(handle->data)->run_turn();
  });
}

void Loop::run_turn() {
  // What is added from here on is for the next turn.
  std::vector<std::function<void()>> tasks;
  tasks.swap(local_tasks_);
  std::vector<Erased> retired;
  retired.swap(retired_);
  Deferred* due = std::exchange(deferred_, nullptr);
  if (due != nullptr) due->link_ = &due;
  uv_idle_stop(idle_.get());
  idle_running_ = false;

  retired.clear();
  while (due != nullptr) {
    const std::function<void()> callback = std::exchange(due->callback_, nullptr);
    due->cancel();  // moves `due` on
    callback();
  }
  for (std::function<void()>& task : tasks)
    std::exchange(task, nullptr)();
}

void Deferred::schedule(std::function<void()> callback) {
  TIDEPOOL_CHECK(loop_.is_current_thread());
  callback_ = std::move(callback);
  if (scheduled_) return;
  scheduled_ = true;
  next_ = loop_.deferred_;
  if (next_ != nullptr) next_->link_ = &next_;
  link_ = &loop_.deferred_;
  loop_.deferred_ = this;
  loop_.wake_next_turn();
}

void Deferred::cancel() {
  if (!scheduled_) return;
  scheduled_ = false;
  *link_ = next_;
  if (next_ != nullptr) next_->link_ = link_;
  next_ = nullptr;
  link_ = nullptr;
  callback_ = nullptr;
}

}  // namespace tidepool::net

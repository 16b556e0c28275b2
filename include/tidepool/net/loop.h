// Loop: one libuv event loop, run by one thread; everything of one worker lives on it.
//
// Owned by the worker and declared before all that uses it: every Timer, Stream, Listener and
// Deferred must be gone before its Loop. Then the destructor waits for blocking work under way and
// checks that uv_loop_close() succeeds; a handle left open is a bug and aborts with its name. Only
// post(), stop() and is_current_thread() may be called from other threads.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "tidepool/base/clock.h"
#include "tidepool/net/handle.h"

namespace tidepool::net {

class Deferred;

class Loop {
 public:
  Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  // Runs callbacks on the calling thread until stop(). May be called again afterwards.
  void run();
  // Makes run() return after the callbacks of the current turn; if it does not run yet, run() then
  // returns at once.
  void stop();

  // Runs `task` on the loop's thread on a later turn, in the order posted by one thread; never
  // inline. Not cancellable: what refers to an object that may go first uses Deferred. Tasks that
  // the loop did not get to are destroyed with it. Costs no system call on the loop's own thread,
  // at most one elsewhere.
  void post(std::function<void()> task);

  // Destroys `object` on a later turn, when no callback of its own is on the stack. The one
  // deferred delete of the program.
  template <class T>
  void retire(std::unique_ptr<T> object) {
    if (object) retire_erased({object.release(), [](void* p) { delete static_cast<T*>(p); }});
  }

  // The time at which the current turn began. On the loop's thread.
  TimePoint now() const;

  // Bytes for a callback's own use, at least 64 KiB; their content is lost when the callback
  // returns.
  std::span<char> scratch() { return scratch_; }

  // Whether the caller may use what lives on this loop: it is the thread in run(), or no thread is.
  bool is_current_thread() const;

  // For the net layer.
  uv_loop_s* raw() { return loop_.get(); }

 private:
  friend class Deferred;
  using Erased = std::unique_ptr<void, void (*)(void*)>;
  struct LoopFree {
    void operator()(uv_loop_s* loop) const noexcept;
  };

  void retire_erased(Erased object);
  void run_posted();  // what other threads posted
  void run_turn();    // what this thread posted, deferred and retired
  void wake_next_turn();
  void close();

  std::unique_ptr<uv_loop_s, LoopFree> loop_;
  Handle<uv_async_s> async_;
  Handle<uv_idle_s> idle_;
  bool idle_running_ = false;
  std::atomic<std::thread::id> thread_;  // none: no thread runs the loop
  std::vector<std::function<void()>> local_tasks_;
  Deferred* deferred_ = nullptr;  // doubly linked, newest first
  std::vector<Erased> retired_;
  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;  // under mutex_
  std::vector<char> scratch_;
};

// A callback that is to run once on the next turn, and does not if this object goes first. Costs no
// allocation beyond what `callback` captures. On the loop's thread.
class Deferred {
 public:
  explicit Deferred(Loop& loop) : loop_(loop) {}
  Deferred(const Deferred&) = delete;
  Deferred& operator=(const Deferred&) = delete;
  ~Deferred() { cancel(); }

  // Replaces a callback that is still due. The callback may destroy this object.
  void schedule(std::function<void()> callback);
  void cancel();
  bool is_scheduled() const { return scheduled_; }

 private:
  friend class Loop;
  Loop& loop_;
  std::function<void()> callback_;
  Deferred* next_ = nullptr;
  Deferred** link_ = nullptr;  // what points at this one
  bool scheduled_ = false;
};

}  // namespace tidepool::net

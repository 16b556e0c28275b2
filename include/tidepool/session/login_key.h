// LoginKey: the RSA key of caching_sha2_password over plain TCP, one a process. It is made on a
// thread of its own when the first client asks for it, for that takes up to seconds; whoever asks
// meanwhile waits for the same one.
//
// Owned by the shared state, which outlives the workers that use it. Any thread; a Wait belongs to
// a loop.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "tidepool/net/loop.h"
#include "tidepool/protocol/auth.h"

namespace tidepool::session {

class LoginKey {
 public:
  // Makes the key, unless it is no longer wanted.
  using Maker = std::function<Result<protocol::RsaKey>(const std::atomic<bool>& is_unwanted)>;

  explicit LoginKey(Maker maker = protocol::RsaKey::generate) : maker_(std::move(maker)) {}
  LoginKey(const LoginKey&) = delete;
  LoginKey& operator=(const LoginKey&) = delete;
  ~LoginKey();

  // Null: there is none yet.
  const protocol::RsaKey* get() const { return ready_.load(std::memory_order_acquire); }

 private:
  struct Waiter {
    net::Loop& loop;
    std::function<void()> on_made;
  };

 public:
  // Somebody who waits for the key. Destroying it on the loop's thread means that nothing runs any
  // more.
  class Wait {
   public:
    Wait(LoginKey& key, std::shared_ptr<Waiter> waiter) : key_(key), waiter_(std::move(waiter)) {}
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;
    ~Wait() { key_.forget(waiter_); }

   private:
    LoginKey& key_;
    std::shared_ptr<Waiter> waiter_;
  };

  // `on_made` runs once on a later turn of the loop, when get() has the key, or when there is none:
  // it cannot be made. It may destroy the Wait. On the loop's thread.
  [[nodiscard]] std::unique_ptr<Wait> wait(net::Loop& loop, std::function<void()> on_made);

 private:
  void make();
  void tell(const std::shared_ptr<Waiter>& waiter);
  void forget(const std::shared_ptr<Waiter>& waiter);

  const Maker maker_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<Waiter>> waiters_;  // under the mutex, as the next three
  bool is_making_ = false;
  std::optional<protocol::RsaKey> key_;  // constant once it is there
  std::thread thread_;
  std::atomic<const protocol::RsaKey*> ready_ = nullptr;
  std::atomic<bool> is_unwanted_ = false;
};

}  // namespace tidepool::session

#include "tidepool/session/login_key.h"

#include <algorithm>
#include <utility>

#include "tidepool/base/log.h"

namespace tidepool::session {

LoginKey::~LoginKey() {
  is_unwanted_ = true;
  if (thread_.joinable()) thread_.join();
}

std::unique_ptr<LoginKey::Wait> LoginKey::wait(net::Loop& loop, std::function<void()> on_made) {
  auto waiter = std::make_shared<Waiter>(Waiter{loop, std::move(on_made)});
  const std::lock_guard lock(mutex_);
  if (key_) {
    tell(waiter);
  } else {
    waiters_.push_back(waiter);
    if (!std::exchange(is_making_, true)) {
      if (thread_.joinable()) thread_.join();  // it could not make one, and has said so
      thread_ = std::thread([this] { make(); });
    }
  }
  return std::make_unique<Wait>(*this, std::move(waiter));
}

void LoginKey::make() {
  auto made = maker_(is_unwanted_);
  if (!made && !is_unwanted_) log::error("no RSA key", {{"error", made.error().message}});
  const std::lock_guard lock(mutex_);
  is_making_ = false;
  if (made) {
    key_ = std::move(*made);
    ready_.store(&*key_, std::memory_order_release);
  }
  for (const auto& waiter : waiters_)
    tell(waiter);
  // Under the lock: so that the last who knows a waiter, and destroys its callback, is its loop.
  waiters_.clear();
}

void LoginKey::tell(const std::shared_ptr<Waiter>& waiter) {
  waiter->loop.post([weak = std::weak_ptr(waiter)] {
    const auto there = weak.lock();
    if (there == nullptr) return;  // it has left
    const std::function<void()> on_made = std::exchange(there->on_made, nullptr);
    on_made();
  });
}

void LoginKey::forget(const std::shared_ptr<Waiter>& waiter) {
  const std::lock_guard lock(mutex_);
  std::erase(waiters_, waiter);
}

}  // namespace tidepool::session

#include "tidepool/session/password_checks.h"

#include <utility>

namespace tidepool::session {

PasswordChecks::~PasswordChecks() {
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  has_work_.notify_one();
  if (thread_.joinable()) thread_.join();
}

std::unique_ptr<PasswordChecks::Wait> PasswordChecks::add(
    net::Loop& loop, protocol::Passwords passwords, Secret password,
    std::function<void(Proof proof)> on_checked) {
  auto job = std::make_shared<Job>(
      Job{loop, std::move(passwords), std::move(password), std::move(on_checked)});
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= max_queued_) return nullptr;
    queue_.push_back(job);
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  }
  has_work_.notify_one();
  return std::make_unique<Wait>(*this, std::move(job));
}

void PasswordChecks::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    has_work_.wait(lock, [this] { return is_ending_ || !queue_.empty(); });
    if (is_ending_) return;
    running_ = std::move(queue_.front());
    queue_.pop_front();
    // Of its own: who waits may leave meanwhile.
    const protocol::Passwords passwords = running_->passwords;
    const Secret password = std::move(running_->password);
    lock.unlock();
    const Proof proof = check_(passwords, password);
    lock.lock();
    // Under the lock: a loop whose wait is still there cannot go meanwhile.
    if (running_ != nullptr) tell(running_, proof);
    running_ = nullptr;
  }
}

void PasswordChecks::tell(const std::shared_ptr<Job>& job, Proof proof) {
  job->loop.post([weak = std::weak_ptr(job), proof] {
    const auto there = weak.lock();
    if (there == nullptr) return;  // it has left
    const auto on_checked = std::exchange(there->on_checked, nullptr);
    on_checked(proof);
  });
}

void PasswordChecks::forget(const std::shared_ptr<Job>& job) {
  const std::lock_guard lock(mutex_);
  std::erase(queue_, job);
  if (running_ == job) running_ = nullptr;
}

}  // namespace tidepool::session

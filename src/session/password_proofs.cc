#include "tidepool/session/password_proofs.h"

#include <utility>

namespace tidepool::session {

void PasswordProofs::set_judge(Ask ask, Leave leave) {
  ask_ = std::move(ask);
  leave_ = std::move(leave);
}

std::unique_ptr<PasswordProofs::Wait> PasswordProofs::add(
    net::Loop& loop, Question question, std::function<void(const Answer&)> on_answer) {
  {
    const std::lock_guard lock(mutex_);
    question.id = ++last_id_;
    waiters_.emplace(question.id, std::make_shared<Waiter>(Waiter{loop, std::move(on_answer)}));
  }
  auto wait = std::make_unique<Wait>(*this, question.id);
  ask_(std::move(question));
  return wait;
}

void PasswordProofs::answer(Id id, const Answer& answer) {
  // Under the lock: a loop whose wait is still there cannot go meanwhile.
  const std::lock_guard lock(mutex_);
  const auto found = waiters_.find(id);
  if (found == waiters_.end()) return;
  const std::weak_ptr<Waiter> waiter = found->second;
  found->second->loop.post([waiter, answer] {
    const auto there = waiter.lock();
    if (there == nullptr) return;  // it has left
    if (const auto on_answer = std::exchange(there->on_answer, nullptr)) on_answer(answer);
  });
}

void PasswordProofs::forget(Id id) {
  {
    const std::lock_guard lock(mutex_);
    waiters_.erase(id);
  }
  leave_(id);
}

}  // namespace tidepool::session

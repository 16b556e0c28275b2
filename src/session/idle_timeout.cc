#include "tidepool/session/idle_timeout.h"

#include "tidepool/base/log.h"

namespace tidepool::session {

std::optional<IdleLimit> idle_limit(const Timeouts& timeouts,
                                    std::optional<std::chrono::seconds> wait_timeout,
                                    bool keeps_lease, bool in_transaction) {
  std::optional<IdleLimit> limit;
  const auto bound = [&limit](Duration after, TimeoutKind kind) {
    if (after > Duration::zero() && (!limit || after < limit->after)) limit = {after, kind};
  };
  if (in_transaction) bound(timeouts.idle_transaction, TimeoutKind::kIdleTransaction);
  bound(timeouts.client_idle, TimeoutKind::kClientIdle);
  if (!keeps_lease) bound(wait_timeout.value_or(std::chrono::seconds(0)), TimeoutKind::kClientIdle);
  return limit;
}

std::optional<IdleLimit> IdleTimeout::limit() const {
  const tracking::SessionModel& model = context_.model;
  return idle_limit(context_.account->timeouts, model.desired.wait_timeout(), model.keeps_lease(),
                    model.in_transaction);
}

// TiDB closes a connection that is silent for wait_timeout, counted from the end of a command
// (conn.go, getWaitTimeout). Its default of 8 hours is not enforced on clients, which cost nothing.
void IdleTimeout::watch() {
  const auto limit = this->limit();
  if (!limit) return timer_.reset();
  if (timer_ == nullptr) timer_ = std::make_unique<net::Timer>(context_.environment.loop);
  timer_->start(limit->after, [this] { on_time_up(); });
}

void IdleTimeout::watch_again() {
  if (timer_ != nullptr) watch();
}

void IdleTimeout::on_time_up() {
  const auto limit = this->limit();
  const bool is_turn = context_.status.is_idle() || context_.status.state() == State::kCapturing;
  if (!is_turn || !limit) return;
  context_.stats().timeouts[limit->kind].add();
  log::info("client silent for too long",
            {{"session", context_.id}, {"limit", to_string(limit->kind)}});
  host_.close();
}

}  // namespace tidepool::session

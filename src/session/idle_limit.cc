#include "tidepool/session/idle_limit.h"

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

}  // namespace tidepool::session

#include "tidepool/session/kill_reach.h"

#include "tidepool/base/clock.h"

namespace tidepool::session {

KillReach::Meaning KillReach::of(std::uint64_t number) const {
  if (const Meaning session = of_session(number); session.kind != Kind::kUnknown) return session;
  // The numbers of two clusters may be the same: those of the client's own come first.
  if (const Meaning own = of_backend(*killer_.pool, number); own.kind != Kind::kUnknown) return own;
  for (const auto& access : environment_.pools) {
    if (access.get() == killer_.pool) continue;
    if (of_backend(*access, number).kind != Kind::kUnknown) return {Kind::kDenied};
  }
  return {};
}

KillReach::Meaning KillReach::of_session(std::uint64_t session) const {
  const auto user = environment_.registry->user_of(session);
  if (!user) return {};
  return may_end_those_of(*user) ? Meaning{Kind::kSession, session} : Meaning{Kind::kDenied};
}

bool KillReach::may_end_those_of(const std::string& user) const {
  if (user == user_) return true;
  const Account* account = environment_.find_account(user);
  return killer_.may_kill && account != nullptr && account->pool == killer_.pool;
}

KillReach::Meaning KillReach::of_backend(PoolAccess& access, std::uint64_t number) const {
  pool::SharedBroker& broker = access.pool->broker();
  const auto holder =
      broker.with([&](pool::Broker& known, pool::Orders&) { return known.holder_of(number); });
  if (!holder) return {};
  // The session that had it last may be gone, and the backend be on its way back to the pool.
  const Meaning meaning = of_session(*holder);
  return meaning.kind == Kind::kUnknown ? Meaning{Kind::kNobody, 0, &broker} : meaning;
}

void KillReach::carry_out(const sql::KillTarget& target) const {
  carry_out(target, of(target.id));
}

void KillReach::carry_out(const sql::KillTarget& target, const Meaning& meaning) const {
  if (meaning.kind == Kind::kSession) {
    return environment_.registry->kill(
        meaning.session, target.query_only ? KillKind::kQuery : KillKind::kConnection);
  }
  if (meaning.kind != Kind::kNobody || target.query_only) return;
  meaning.broker->with([&](pool::Broker& broker, pool::Orders& orders) {
    broker.end_idle(target.id, environment_.loop.now(), orders);
  });
}

}  // namespace tidepool::session

#include "tidepool/session/login_check.h"

#include "tidepool/base/check.h"

namespace tidepool::session {

void LoginCheck::start(Account& account, const std::string& database, std::uint64_t profile) {
  account_ = &account;
  command_ = std::make_unique<tracking::Command>(protocol::Command::kInitDb,
                                                 std::string(1, '\x02') + database, Clock::now());
  command_->purpose = tracking::CommandPurpose::kLoginCheck;
  context_.backend.set_user(*this);
  const bool same_pool = context_.account != nullptr && account.pool == context_.account->pool;
  if (context_.has_lease() && same_pool)
    return on_lease();  // a COM_CHANGE_USER that may fail: nothing is given up yet
  if (context_.has_lease()) context_.release_lease();
  context_.profile = profile;
  acquire();
}

void LoginCheck::acquire() {
  if (context_.backend.acquire(*account_->pool, context_.request(*account_, command_->argument())))
    return on_lease();
  context_.status.enter(State::kAcquiring);
}

void LoginCheck::on_lease() {
  context_.backend.begin_turn();
  context_.status.enter(State::kExecuting);
  const bool can_be = context_.plan(*command_);
  TIDEPOOL_CHECK(can_be);  // a USE, whatever state the backend is in
  context_.model.diagnostics.leave_backend();
  context_.backend.model().last_session = context_.id;
  runner_.begin(*command_, *account_->pool, *this);
  runner_.write_steps();
}

void LoginCheck::on_no_lease(const Error& error) {
  end();
  sink_.on_database_refused(error);
}

void LoginCheck::on_restore_failed() {
  const Error error = *command_->attempt.exchange.failure();
  if (context_.account == nullptr) {
    context_.end_lease(pool::Release::kClean);  // USE has changed nothing
  }
  end();
  sink_.on_database_refused(error);
}

void LoginCheck::on_over() {
  const std::string database(command_->argument());
  context_.backend.model().actual.apply({.kind = sql::ChangeKind::kUseDatabase, .name = database});
  account_->pool->databases.add(database, context_.environment.loop.now());
  end();
  sink_.on_database_usable();
}

void LoginCheck::on_backend_lost(const Error& error) {
  context_.drop_lease();
  const bool was_bound = context_.model.is_bound();
  const Decision decision =
      judge_failure(context_, FailureKind::kLost,
                    {.command = *command_,
                     .account = *account_,
                     .is_pinned = was_bound,
                     .is_to_end = context_.client.has_left() || runner_.is_killing()});
  if (decision.verdict == Verdict::kRetry) return retry(decision.delay);
  const Error lost = lost_error(error, decision.verdict);
  end();
  if (was_bound) return sink_.on_session_lost(lost);
  sink_.on_database_refused(lost);
}

void LoginCheck::retry(Duration delay) {
  account_->pool->stats->retries[reason_of(FailureKind::kLost)].add();
  ++command_->retries;
  command_->attempt = {};
  runner_.end();
  if (delay <= Duration::zero()) return acquire();
  context_.status.enter(State::kAcquiring);
  if (pause_ == nullptr) pause_ = std::make_unique<net::Timer>(context_.environment.loop);
  pause_->start(delay, [this] { acquire(); });
}

void LoginCheck::end() {
  runner_.end();
  command_.reset();
}

}  // namespace tidepool::session

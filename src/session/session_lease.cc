// A session's way through a lease: get it, bring the backend to the session's state, relay, settle,
// give it back.
#include <utility>

#include "tidepool/base/check.h"
#include "tidepool/base/log.h"
#include "tidepool/base/stream_hash.h"
#include "tidepool/session/session.h"
#include "tidepool/sql/lost_database.h"
#include "tidepool/sql/restore.h"
#include "tidepool/tracking/effects.h"
#include "tidepool/tracking/next_isolation.h"
#include "tidepool/tracking/plan_diagnostics.h"
#include "tidepool/tracking/planner.h"

namespace tidepool::session {
namespace {

// So many backends in a row that cannot be brought to the session's state mean that none can.
constexpr unsigned kMaxMisfits = 4;

}  // namespace

void Session::acquire() {
  PoolAccess& access = command_->is_login_check() ? *login_account_->pool : *account_->pool;
  pool::WorkerPool& pool = *access.pool;
  const pool::Want wanted = want();
  if (auto lease = pool.try_acquire(wanted)) {
    lease_ = std::move(*lease);
    return execute();
  }
  enter(State::kAcquiring);
  ticket_ = pool.wait(wanted, access.timeout, *this);
}

pool::Want Session::want() const {
  const Account& account = command_->is_login_check() ? *login_account_ : *account_;
  const std::string_view database = command_->is_login_check()
                                        ? command_->argument()
                                        : std::string_view(model_.desired.database());
  pool::Want want{.variant = variant_, .state = model_.desired.hash(), .last = last_backend_};
  want.user = account.key;
  want.holder = id_;
  want.max_leases = account.max_leases;
  if (account.pool->limits_leases_by_database && !database.empty()) {
    want.database = keyed_number(database);
  }
  return want;
}

void Session::on_lease(pool::Lease lease) {
  ticket_ = {};
  lease_ = std::move(lease);
  execute();
}

void Session::on_no_lease(const Error& error) {
  ticket_ = {};
  if (replay_is_due()) return replay_in_vain(ReplayResult::kLostAgain);
  if (command_->is_login_check()) return refuse_login(error);
  enter(State::kIdle);
  send_error(error, answer_sequence_);
  // What a client had sent before it left is not to wait once more for each command: there may be
  // thousands, and a BEGIN that failed among them.
  if (departure_ != nullptr && departure_->has_ended()) departure_->leave();
  end_command(Source::kProxy, true);
}

void Session::execute() {
  ++turn_;
  enter(State::kExecuting);
  lease_.stream().set_sink(&backend_side_);
  last_backend_ = lease_.id();
  if (replay_is_due()) return replay_next();
  if (ask_first()) return write_steps();
  prepare_recording();
  if (command_->effects().facts().contains(sql::Fact::kStatus))
    command_->status.emplace(net::encryption_of(channel_.stream().tls()));
  if (!plan_steps()) {
    // No commands can bring this backend to the session's state: another one is needed.
    end_lease(pool::Release::kReset);
    if (++command_->misfits < kMaxMisfits) return acquire();
    return on_no_lease({Code::kBackend, "no TiDB connection can be brought to this session's state",
                        1105, "HY000"});
  }
  if (!command_->attempt.knows_facts)
    model_.facts.leave_backend();  // unless the command leaves some of its own
  lease_.memory().last_session = id_;
  watch_query();
  write_steps();
}

tracking::CommandContext Session::command_context() {
  return {.model = model_,
          .backend = lease_.memory(),
          .command = *command_,
          .tidb_connection = lease_.tidb_connection(),
          .client_capabilities = capabilities_};
}

// False: no commands can bring this backend to the session's state.
bool Session::plan_steps() {
  if (command_->type == protocol::Command::kQuery) plan_kills();
  tracking::CommandContext plan = command_context();
  const bool can_be = tracking::add_steps(plan);
  if (plan.restore_statements > 0) {
    pool::PoolStats& stats = account_->pool->pool->broker().stats();
    stats.restores.add();
    stats.restore_statements.add(plan.restore_statements);
  }
  return can_be;
}

// True: the command has questions of its own, and follows their answers.
bool Session::ask_first() {
  tracking::CommandContext plan = command_context();
  if (!tracking::add_prefetch(plan)) return false;
  count_captures();
  return true;
}

void Session::plan_captures() {
  tracking::CommandContext plan = command_context();
  tracking::add_captures(plan);
  count_captures();
}

void Session::count_captures() {
  account_->pool->pool->broker().stats().captures.add(command_->attempt.captures.size());
}

// True: the command is on its way again, on the same backend.
bool Session::retry_lost_database(const Error& error) {
  if (command_->lost_database || model_.is_bound() || command_->is_login_check()) return false;
  if (!sql::is_lost_database(error.mysql_errno)) return false;
  if (model_.desired.database().empty() ||
      !sql::enter_lost_database(model_.desired.database(), model_.desired))
    return false;
  command_->lost_database = error;
  command_->attempt = {};
  execute();
  return true;
}

// The backend could not be brought to the session's state, or the statement not be prepared on it.
void Session::fail_exchange() {
  if (is_replaying()) return replay_in_vain(ReplayResult::kDifferent, pool::Release::kReset);
  if (retry_lost_database(*command_->attempt.exchange.failure())) return;
  const Error error =
      command_->lost_database ? *command_->lost_database : *command_->attempt.exchange.failure();
  if (command_->is_login_check()) {
    if (account_ == nullptr) end_lease(pool::Release::kClean);  // USE has changed nothing
    return refuse_login(error);
  }
  const bool was_bound = model_.is_bound();
  end_lease(pool::Release::kReset);
  send_error(error, answer_sequence_);
  if (was_bound) return close();
  enter(State::kIdle);
  end_command(Source::kBackend, true);
}

// The client leaves or starts anew: what its session carries must not reach the next one.
void Session::release_lease() {
  const bool carries = model_.is_bound();
  end_lease(carries ? pool::Release::kReset : pool::Release::kClean);
  model_.in_transaction = false;
  set_pins({});
}

// The next session must find both streams flowing.
void Session::end_lease(pool::Release how) {
  ++turn_;
  if (waits_for_infile_) end_infile();
  channel_.stream().resume(net::PauseReason::kPeerFull);
  if (std::exchange(model_.shows_read_time, false) && how == pool::Release::kClean) {
    how = pool::Release::kReset;
  }
  lease_.release(how);
}

// TiDB is gone at its other end, and with it what only that backend knew.
void Session::drop_lease() {
  lease_.set_broken();
  end_lease(pool::Release::kDiscard);
  last_backend_ = 0;
  model_.facts.note_backend_gone();
}

void Session::on_backend_lost(const Error& error) {
  log::info("backend lost",
            {{"session", id_}, {"state", to_string(state_)}, {"error", error.message}});
  if (replays_after_loss(error)) return;
  drop_lease();
  const bool was_bound = model_.is_bound();
  // As TiDB would have done: the session's state is gone.
  if (was_bound && (command_ == nullptr || command_->is_capture())) return close();
  if (command_ == nullptr) return state_ == State::kHandshake ? void() : rest();
  end_by_loss(error, was_bound);
}

void Session::on_asked() {
  command_->attempt.asks_first = false;
  command_->attempt.exchange = {};
  lease_.memory().last_session = 0;
  model_.facts.leave_backend();
  model_.pins.insert(model_.desired.pins());
  count_pins();
  if (command_->type != protocol::Command::kQuery || !answer_captured(*command_)) return execute();
  command_->attempt.is_relayed = true;
  enter(State::kStreaming);
  settle();
}

}  // namespace tidepool::session

// A session's way through a lease: get it, bring the backend to the session's state, relay, settle,
// give it back.
#include <utility>

#include "tidepool/base/check.h"
#include "tidepool/base/log.h"
#include "tidepool/base/stream_hash.h"
#include "tidepool/session/effects.h"
#include "tidepool/session/next_isolation.h"
#include "tidepool/session/session.h"
#include "tidepool/sql/lost_database.h"
#include "tidepool/sql/restore.h"

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
    command_->attempt.status.emplace(net::encryption_of(channel_.stream().tls()));
  if (!add_steps()) {
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

bool Session::add_steps() {
  if (command_->is_login_check()) return add_login_check();
  if (command_->type == protocol::Command::kStmtClose) {
    command_->attempt.exchange.add({.kind = StepKind::kSilent,
                                    .command = protocol::Command::kStmtClose,
                                    .bytes = framed(command_->payload)});
    command_->attempt.knows_facts = knows_facts_here();
    return true;
  }
  if (command_->statement != nullptr) return add_statement_steps();
  const bool can_be =
      command_->chooses_database() ? add_restore(wanted_for_use()) : add_restore(model_.desired);
  if (!can_be) return false;
  note_other_use();
  if (sets_resource_group(command_->effects())) add_login_group_capture();
  const bool is_prepare = command_->type == protocol::Command::kStmtPrepare;
  bool must_succeed = !command_->attempt.exchange.is_over();
  must_succeed = add_text_steps() || must_succeed;
  if (!may_keep_text_plans()) must_succeed = stop_plan_cache() || must_succeed;
  add_fact_restores();
  must_succeed = add_next_isolation() || must_succeed;
  command_->attempt.knows_facts = knows_facts_here();
  const bool may_follow = is_prepare || is_harmless(command_->effects()) || !must_succeed;
  const std::string& text = command_->attempt.substituted;
  add_relay(text.empty() ? framed(command_->payload) : framed(command_->type, text), !may_follow,
            command_->holds_answer());
  return true;
}

// Last before the relay: the next statement takes it, whoever sends it.
bool Session::add_next_isolation() {
  if (model_.next_isolation.empty() || !takes_next_isolation(*command_)) return false;
  keep_warnings();
  command_->attempt.exchange.add(
      {.kind = StepKind::kRestore,
       .command = protocol::Command::kQuery,
       .bytes = framed(protocol::Command::kQuery, next_isolation_text(model_.next_isolation))});
  return true;
}

// Whether the login's database is there and open to this account: USE, whatever state the backend
// is in, but with the roles of a login.
bool Session::add_login_check() {
  sql::SessionState& actual = lease_.memory().actual;
  if (!actual.role().is_fresh() && !model_.is_bound()) {
    command_->attempt.exchange.add(
        {.kind = StepKind::kRestore,
         .bytes = framed(protocol::Command::kQuery, "SET ROLE DEFAULT")});
    actual.apply({.kind = sql::ChangeKind::kSetRole});
  }
  command_->attempt.exchange.add(
      {.kind = StepKind::kRestore,
       .command = protocol::Command::kQuery,
       .bytes = framed(protocol::Command::kQuery, use_text(command_->argument()))});
  return true;
}

// Whoever chooses another database need not be in the old one first, which may be gone.
sql::SessionState Session::wanted_for_use() {
  sql::SessionState wanted = model_.desired;
  const std::string& here = lease_.memory().actual.database();
  wanted.apply({.kind = sql::ChangeKind::kUseDatabase, .name = here});
  return wanted;
}

// The steps from the backend's state to `target`; false if there is no way.
bool Session::add_restore(const sql::SessionState& target) {
  pool::Memory& memory = lease_.memory();
  if (command_->lost_database) add_lost_database(target.database());
  if (memory.actual == target) {
    memory.actual.share(target);
    return true;
  }
  if (!target.is_exact()) return true;  // its state is here, and nowhere else
  if (memory.actual.resource_group() != target.resource_group()) add_login_group_capture();
  const sql::RestorePlan plan = sql::plan_restore(memory.actual, target);
  if (!plan.is_possible) return false;
  if (plan.steps.empty()) return true;
  pool::PoolStats& stats = account_->pool->pool->broker().stats();
  stats.restores.add();
  stats.restore_statements.add(plan.steps.size());
  if (plan.needs_reset()) {
    memory.forget_prepared();
    memory.insert_id = 0;
  }
  for (const sql::RestoreStep& step : plan.steps) {
    Step added{.kind = StepKind::kRestore, .may_fail = step.may_fail};
    switch (step.kind) {
      case sql::RestoreStep::Kind::kResetConnection:
        added.command = protocol::Command::kResetConnection;
        added.bytes = framed(added.command);
        break;
      case sql::RestoreStep::Kind::kSetOption:
        added.command = protocol::Command::kSetOption;
        added.bytes = framed(added.command, step.multi_statements ? std::string_view("\0\0", 2)
                                                                  : std::string_view("\1\0", 2));
        break;
      case sql::RestoreStep::Kind::kQuery: added.bytes = framed(added.command, step.text); break;
    }
    command_->attempt.exchange.add(std::move(added));
  }
  memory.actual = sql::state_after_restore(memory.actual, target);
  return true;
}

// A reset, because the state is not known after a restore that failed; then the name alone.
void Session::add_lost_database(const std::string& name) {
  pool::Memory& memory = lease_.memory();
  memory.reset();
  const auto text = sql::enter_lost_database(name, memory.actual);
  TIDEPOOL_CHECK(text);  // retry_lost_database() has looked
  command_->attempt.exchange.add({.kind = StepKind::kRestore,
                                  .command = protocol::Command::kResetConnection,
                                  .bytes = framed(protocol::Command::kResetConnection)});
  command_->attempt.exchange.add(
      {.kind = StepKind::kRestore, .bytes = framed(protocol::Command::kQuery, *text)});
  memory.actual.apply({.kind = sql::ChangeKind::kUseDatabase, .name = name});
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

void Session::add_relay(std::string bytes, bool after_success, bool hold) {
  const auto type =
      command_->type == protocol::Command::kInitDb ? protocol::Command::kQuery : command_->type;
  const bool has_file = (capabilities_ & protocol::capability::kLocalFiles) != 0 &&
                        command_->script.requests_local_file();
  command_->attempt.exchange.add(
      {.kind = StepKind::kRelay,
       .command = type,
       .bytes = std::move(bytes),
       .after_success = after_success,
       .hold_answer = hold,
       .hold_refusal = !command_->attempt.substituted.empty() || !command_->texts.uses.empty() ||
                       (command_->attempt.answer != nullptr && command_->executes()),
       .may_request_file = has_file});
  if (protocol::has_certain_end(type)) return;
  command_->attempt.exchange.add({.kind = StepKind::kFence,
                                  .command = protocol::Command::kPing,
                                  .bytes = framed(protocol::Command::kPing)});
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

}  // namespace tidepool::session

// A session's way through a lease: get it, bring the backend to the session's state, relay, settle,
// give it back.
#include <algorithm>
#include <utility>

#include "tidepool/base/log.h"
#include "tidepool/protocol/packet.h"
#include "tidepool/protocol/reply_messages.h"
#include "tidepool/protocol/statement_messages.h"
#include "tidepool/protocol/text_result.h"
#include "tidepool/session/effects.h"
#include "tidepool/session/session.h"
#include "tidepool/sql/restore.h"

namespace tidepool::session {
namespace {

// Above this much unsent, the client is not read.
constexpr std::size_t kHighWatermark = std::size_t{256} << 10U;

// So many backends in a row that cannot be brought to the session's state mean that none can.
constexpr unsigned kMaxMisfits = 4;

// What a client is told when the backend went away in the middle of its command; drivers take the
// number for a lost connection.
Error lost_error(const Error& cause, bool was_sent) {
  std::string text = "Lost connection to TiDB during query (";
  text += was_sent ? "outcome unknown" : "not executed";
  text += "): " + cause.message;
  return Error{Code::kClosed, std::move(text), 2013, "HY000"};
}

// TiDB answers with the figures of the last statement, which on this backend may be one of the
// proxy's own.
bool repeats_last_ok(protocol::Command command) {
  return command == protocol::Command::kPing || command == protocol::Command::kStmtReset;
}

}  // namespace

void Session::acquire() {
  const pool::Want want{.variant = variant_, .state = desired_.hash(), .last = last_backend_};
  PoolAccess& access = command_->is_login ? *login_account_->pool : *account_->pool;
  pool::WorkerPool& pool = *access.pool;
  if (auto lease = pool.try_acquire(want)) {
    lease_ = std::move(*lease);
    return execute();
  }
  enter(State::kAcquiring);
  ticket_ = pool.wait(want, access.timeout, *this);
}

void Session::on_lease(pool::Lease lease) {
  ticket_ = {};
  lease_ = std::move(lease);
  execute();
}

void Session::on_no_lease(const Error& error) {
  ticket_ = {};
  if (command_->is_login) return refuse_login(error);
  enter(State::kIdle);
  if (send_error(error, answer_sequence_)) end_command(Source::kProxy, true);
}

void Session::execute() {
  enter(State::kExecuting);
  lease_.stream().set_sink(&backend_side_);
  last_backend_ = lease_.id();
  if (!add_steps()) {
    // No commands can bring this backend to the session's state: another one is needed.
    end_lease(pool::Release::kReset);
    if (++command_->misfits < kMaxMisfits) return acquire();
    return on_no_lease({Code::kBackend, "no TiDB connection can be brought to this session's state",
                        1105, "HY000"});
  }
  lease_.memory().last_session = id_;
  write_steps();
}

bool Session::add_steps() {
  if (command_->is_login) return add_login_check();
  if (command_->type == protocol::Command::kStmtClose) {
    command_->exchange.add({.kind = StepKind::kSilent,
                            .command = protocol::Command::kStmtClose,
                            .bytes = framed(command_->payload)});
    return true;
  }
  if (command_->statement != nullptr) return add_statement_steps();
  if (!add_restore(desired_)) return false;
  add_fact_restores();
  const bool is_prepare = command_->type == protocol::Command::kStmtPrepare;
  const bool may_follow = is_prepare || is_harmless(command_->script);
  add_relay(framed(command_->payload), !may_follow, is_prepare || repeats_last_ok(command_->type));
  return true;
}

// Whether the login's database is there and open to this account: USE, whatever state the backend
// is in.
bool Session::add_login_check() {
  command_->exchange.add(
      {.kind = StepKind::kRestore,
       .command = protocol::Command::kQuery,
       .bytes = framed(protocol::Command::kQuery, use_text(command_->argument()))});
  return true;
}

// The steps from the backend's state to `target`; false if there is no way.
bool Session::add_restore(const sql::SessionState& target) {
  pool::Memory& memory = lease_.memory();
  if (needs_insert_id_reset()) {
    command_->exchange.add({.kind = StepKind::kRestore,
                            .command = protocol::Command::kResetConnection,
                            .bytes = framed(protocol::Command::kResetConnection)});
    memory.reset();
  }
  if (memory.actual.hash() == target.hash()) return true;
  if (!target.is_exact() && keeps_lease()) return true;  // pinned to where its state is
  const sql::RestorePlan plan = sql::plan_restore(memory.actual, target);
  if (!plan.is_possible) return false;
  if (plan.steps.empty()) return true;
  pool::PoolStats& stats = account_->pool->pool->broker().stats();
  stats.restores.add();
  stats.restore_statements.add(plan.steps.size());
  if (plan.needs_reset()) memory.prepared.clear();
  for (const sql::RestoreStep& step : plan.steps) {
    Step added{.kind = StepKind::kRestore};
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
    command_->exchange.add(std::move(added));
  }
  memory.actual = sql::state_after_restore(memory.actual, target);
  return true;
}

void Session::add_relay(std::string bytes, bool after_success, bool hold) {
  const auto type =
      command_->type == protocol::Command::kInitDb ? protocol::Command::kQuery : command_->type;
  command_->exchange.add({.kind = StepKind::kRelay,
                          .command = type,
                          .bytes = std::move(bytes),
                          .after_success = after_success,
                          .hold_answer = hold});
}

void Session::write_steps() {
  const std::string bytes = command_->exchange.take_writable();
  if (!bytes.empty()) {
    command_->sent = Clock::now();
    if (!write_to_backend(bytes)) return;
  }
  if (command_->exchange.is_over()) settle();
}

// False: the backend is lost, and its client told. What it cannot take is queued; then the client
// is not read.
bool Session::write_to_backend(std::string_view bytes) {
  stats().backend.sent.add(bytes.size());
  if (const auto written = lease_.stream().write(bytes); !written) {
    on_backend_lost(written.error());
    return false;
  }
  if (lease_.stream().queued_bytes() > kHighWatermark) {
    channel_.stream().pause(net::PauseReason::kPeerFull);
  }
  return true;
}

void Session::on_backend_drained() {
  channel_.stream().resume(net::PauseReason::kPeerFull);
}

void Session::on_backend_readable() {
  while (lease_) {
    const auto result = lease_.stream().read(environment_.loop.scratch());
    if (!result) return on_backend_lost(result.error());
    if (result->status == net::ReadResult::Status::kEnd) {
      return on_backend_lost({Code::kClosed, "TiDB closed the connection"});
    }
    if (result->status == net::ReadResult::Status::kWouldBlock) return;
    stats().backend.received.add(result->bytes);
    const bool maybe_more = result->bytes == environment_.loop.scratch().size();
    if (!on_backend_bytes({environment_.loop.scratch().data(), result->bytes})) return;
    if (!maybe_more && !lease_.stream().has_buffered()) return;
    if (lease_.stream().is_paused()) return;
  }
}

// The backend is out of step. Always false.
bool Session::lose_backend(const std::string& reason) {
  on_backend_lost({Code::kProtocol, reason});
  return false;
}

// False: the command is over, or the backend gone.
bool Session::on_backend_bytes(std::string_view bytes) {
  while (!bytes.empty()) {
    if (command_ == nullptr) return lose_backend("TiDB sent bytes that nobody asked for");
    const auto progress = command_->exchange.feed(bytes);
    if (!progress) return lose_backend(progress.error().message);
    if (progress->relay && progress->consumed > 0) {
      enter(State::kStreaming);
      if (!send(bytes.substr(0, progress->consumed))) return false;
    }
    bytes.remove_prefix(progress->consumed);
    if (progress->ended) {
      if (command_->exchange.is_over() && !bytes.empty()) {
        return lose_backend("TiDB sent bytes that nobody asked for");
      }
      on_step_ended(*progress->ended);
      if (bytes.empty()) return false;
      if (command_ == nullptr || !lease_) return false;
      continue;
    }
    if (command_->exchange.wants_local_infile()) begin_local_infile();
  }
  return true;
}

void Session::begin_local_infile() {
  waits_for_infile_ = true;
  channel_.continue_command(true);
  channel_.expect_sequence(command_->exchange.next_sequence());
  resume_input();
}

void Session::on_step_ended(StepKind kind) {
  Exchange& exchange = command_->exchange;
  if (exchange.failure()) {
    if (exchange.is_over()) fail_exchange();
    return;
  }
  switch (kind) {
    case StepKind::kPrepare: on_prepared(); break;
    case StepKind::kRelay: on_relayed(); break;
    case StepKind::kProbe:
      // Nobody knows whether the transaction lives on; the client has its answer, so only its
      // connection can tell it.
      if (exchange.summary().has_error()) return on_backend_lost(error_of(exchange.summary()));
      learn_status(exchange.summary().status);
      note_failure_facts();
      break;
    case StepKind::kCapture: on_captured(); break;
    case StepKind::kRestore:
    case StepKind::kSilent: break;
  }
  if (command_ != nullptr && lease_) write_steps();
}
void Session::on_relayed() {
  ClientCommand& command = *command_;
  command.is_relayed = true;
  command.summary = command.exchange.summary();
  const protocol::ResponseSummary& answer = command.summary;
  if (command.type == protocol::Command::kStmtPrepare) return on_client_prepared();
  const bool executes = command.type == protocol::Command::kQuery ||
                        command.type == protocol::Command::kInitDb ||
                        command.type == protocol::Command::kStmtExecute;
  sql::PinReasons pins = pins_;
  bool probes = false;
  if (executes) {
    probes = answer.has_error();
    pins = apply_effects(command.effects(), answer, pins, desired_, lease_.memory().actual);
    note_facts();
  }
  if (command.type == protocol::Command::kInitDb && !answer.has_error()) {
    for (const sql::StateChange& change : command.script.front().changes) {
      desired_.apply(sql::init_database(change.name));
    }
  }
  if (command.type == protocol::Command::kSetOption && !answer.has_error()) {
    const bool on = command.payload.size() > 1 && command.payload[1] == 0;
    desired_.apply(sql::multi_statements(on));
    lease_.memory().actual.apply(sql::multi_statements(on));
  }
  set_pins(pins);
  if (command.statement != nullptr) note_statement_use();
  if (repeats_last_ok(command.type)) on_repeating_ok();
  if (answer.has_status && !answer.has_error()) learn_status(answer.status);
  if (probes) {
    command.exchange.add({.kind = StepKind::kProbe,
                          .command = protocol::Command::kPing,
                          .bytes = framed(protocol::Command::kPing)});
    // When the lease surely ends here, the captures need not wait for the ping.
    command.captured =
        pins.empty() && !must_probe(command.effects(), answer, in_transaction_, desired_);
    if (command.captured) add_captures();
  }
}
void Session::on_repeating_ok() {
  const std::string answer = command_->exchange.take_held();
  enter(State::kStreaming);
  if (command_->summary.has_error()) {
    send(answer);
    return;
  }
  learn_status(command_->summary.status);
  send_last_ok();
}

// Everything of the command is answered. What has no answer comes here too.
void Session::settle() {
  if (command_->type == protocol::Command::kStmtSendLongData) note_statement_use();
  if (!keeps_lease() && !command_->captured && lease_) {
    command_->captured = true;
    if (add_captures()) return write_steps();
  }
  const bool failed = command_->summary.has_error();
  if (command_->is_login) {
    const std::string database(command_->argument());
    lease_.memory().actual.apply({.kind = sql::ChangeKind::kUseDatabase, .name = database});
    login_account_->pool->databases.add(database, environment_.loop.now());
    if (!keeps_lease()) end_lease(pool::Release::kClean);
    command_.reset();
    begin_session();
    return resume_input();
  }
  if (!keeps_lease()) end_lease(pool::Release::kClean);
  enter(keeps_lease() ? State::kIdlePinned : State::kIdle);
  if (has_left_) return close();
  end_command(Source::kBackend, failed);
}

// The backend could not be brought to the session's state, or the statement not be prepared on it.
void Session::fail_exchange() {
  const Error error = *command_->exchange.failure();
  const bool was_pinned = keeps_lease();
  if (command_->is_login) {
    if (!was_pinned) end_lease(pool::Release::kClean);  // USE has changed nothing
    return refuse_login(error);
  }
  end_lease(pool::Release::kReset);
  if (!send_error(error, answer_sequence_)) return;
  if (was_pinned) return close();
  enter(State::kIdle);
  end_command(Source::kBackend, true);
}

// The client leaves or starts anew: what its session carries must not reach the next one.
void Session::release_lease() {
  const bool carries = keeps_lease();
  end_lease(carries ? pool::Release::kReset : pool::Release::kClean);
  in_transaction_ = false;
  set_pins({});
}

// The next session must find both streams flowing.
void Session::end_lease(pool::Release how) {
  if (waits_for_infile_) end_infile();
  channel_.stream().resume(net::PauseReason::kPeerFull);
  lease_.release(how);
}

void Session::learn_status(std::uint16_t status) {
  in_transaction_ = (status & protocol::status::kInTransaction) != 0;
  sql::PinReasons pins = pins_;
  if (in_transaction_) {
    pins.insert(sql::Pin::kTransaction);
  } else {
    pins.erase(sql::Pin::kTransaction);
  }
  set_pins(pins);
}

void Session::on_backend_lost(const Error& error) {
  log::info("backend lost",
            {{"session", id_}, {"state", to_string(state_)}, {"error", error.message}});
  lease_.set_broken();
  end_lease(pool::Release::kDiscard);
  last_backend_ = 0;
  insert_id_on_backend_ = false;
  warnings_on_backend_ = false;
  if (command_ == nullptr) return close();  // as TiDB would have done; the session's state is gone
  const Exchange& exchange = command_->exchange;
  const bool was_pinned = keeps_lease();
  if (command_->is_login) {
    refuse_login(lost_error(error, false));
    return was_pinned ? close() : void();
  }
  if (command_->is_relayed && !was_pinned) {
    // The client has its answer; only what the proxy asked on its own is lost.
    const bool failed = command_->summary.has_error();
    enter(State::kIdle);
    return has_left_ ? close() : end_command(Source::kBackend, failed);
  }
  if (exchange.relay_answered()) return close();  // half an answer cannot be taken back
  if (!send_error(lost_error(error, exchange.relay_written()), answer_sequence_)) return;
  if (was_pinned) return close();
  enter(State::kIdle);
  end_command(Source::kBackend, true);
}

}  // namespace tidepool::session

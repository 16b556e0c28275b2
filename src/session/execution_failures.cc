// A command that fails on its backend: sent there once more, run again on another, or its failure
// told.
#include <utility>

#include "own_errors.h"
#include "tidepool/base/log.h"
#include "tidepool/protocol/packet.h"
#include "tidepool/session/execution.h"
#include "tidepool/session/prepare_answer.h"
#include "tidepool/sql/restore/inaccessible_database.h"
#include "tidepool/tracking/retry_here.h"
#include "tidepool/tracking/settle_named.h"
#include "tidepool/tracking/settler.h"
#include "tidepool/tracking/warnings.h"

namespace tidepool::session {
namespace {

// Between the KILL of a statement and its end; then its backend is closed.
constexpr std::chrono::seconds kStopTimeout{5};

// A failed SET or USE may have changed the session there before it failed, and an expression may
// have taken a lock.
bool leaves_backend_clean(const sql::Script& script) {
  if (!script.pins().empty()) return false;
  for (std::size_t i = 0; i < script.size(); ++i)
    if (!script[i].changes.empty()) return false;
  return true;
}

}  // namespace

// Returns whether what is to be the client's answer is still to come.
bool Execution::retries_here() {
  ClientCommand& command = *command_;
  if (!command.attempt.exchange.summary().has_error()) return false;
  tracking::CommandContext context = context_.command_context(command);
  switch (tracking::resend_original(context)) {
    case tracking::Resent::kOriginal: return true;
    case tracking::Resent::kAnswered: pass_on(command.attempt.exchange.take_held()); break;
    case tracking::Resent::kNo: break;
  }
  if (command.type != protocol::Command::kStmtExecute) return makes_room();
  const tracking::RetryHere retry = tracking::retry_execute(context);
  context_.close_on_backend(retry.drop);
  return retry.is_due && plan();
}

// TiDB has as many prepared statements as it may have. Returns whether what was to be prepared is
// on its way again, or its lease gone and the next awaited.
bool Execution::makes_room() {
  switch (statements_.make_room(*command_)) {
    case SessionStatements::Room::kThere: return false;
    case SessionStatements::Room::kMade: return statements_.plan_again(*command_);
    case SessionStatements::Room::kNotMade: return waits_for_room();
  }
  return false;
}

// Those that others keep make way with their backends.
bool Execution::waits_for_room() {
  constexpr unsigned kMostTries = 5;
  constexpr Duration kPause = std::chrono::milliseconds(200);
  if (command_->retries >= kMostTries) return false;
  if (command_->retries == 0) {
    context_.access().pool->broker().with([this](pool::Broker& broker, pool::Orders& orders) {
      broker.replace_all(context_.environment.loop.now(), orders);
    });
  }
  if (context_.model.is_bound()) {
    wait_here(kPause);
    return true;
  }
  context_.end_lease(context_.model.next_isolation.empty() ? pool::Release::kClean
                                                           : pool::Release::kReset);
  retry(FailureKind::kUnavailable, kPause);
  return true;
}

// The refused prepare has changed nothing: the transaction lives on, and so does the lease.
void Execution::wait_here(Duration pause) {
  context_.stats().retries[RetryReason::kUnavailable].add();
  ++command_->retries;
  command_->attempt.is_paused = true;
  command_->attempt.exchange = {};
  if (pause_ == nullptr) pause_ = std::make_unique<net::Timer>(context_.environment.loop);
  pause_->start(pause, [this] { go_on_here(); });
}

void Execution::go_on_here() {
  // The timer may outlive the command that it was set for.
  if (command_ == nullptr || !std::exchange(command_->attempt.is_paused, false)) return;
  if (!statements_.plan_again(*command_))
    return (void)context_.backend.lose({Code::kBackend, "it cannot be restored any more"});
  runner_.write_steps();
}

// The backend could not be brought to the session's state, or the statement not be prepared on it.
void Execution::on_restore_failed() {
  const Error failure = *command_->attempt.exchange.failure();
  if (retries_without_database(failure)) return;
  const Error error = command_->inaccessible_database.value_or(failure);
  const bool was_bound = context_.model.is_bound();
  runner_.end();
  context_.end_lease(pool::Release::kReset);
  context_.client.answer_error(error);
  if (was_bound) return host_.close();
  context_.status.enter(State::kIdle);
  finish(true);
  host_.end_turn();
}

// Returns whether the command is on its way again, on the same backend.
bool Execution::retries_without_database(const Error& error) {
  sql::SessionState& desired = context_.model.desired;
  if (command_->inaccessible_database || context_.model.is_bound()) return false;
  if (!sql::is_inaccessible_database(error.mysql_errno)) return false;
  if (desired.database().empty() || !sql::enter_inaccessible_database(desired.database(), desired))
    return false;
  command_->inaccessible_database = error;
  command_->attempt = {};
  execute();
  return true;
}

// What the client prepared cannot be prepared any more. Nothing of its command was executed, and
// the backend is in the state that it should be in.
void Execution::on_prepare_failed() {
  const Error failure = *command_->attempt.exchange.prepare_error();
  if (makes_room()) return context_.has_lease() ? runner_.write_steps() : void();
  ClientCommand& command = *command_;
  tracking::CommandContext context = context_.command_context(command);
  const Error error = execute_error(failure);
  tracking::settle_next_isolation(context);
  context_.count_pins();
  command.attempt.is_relayed = true;
  command.attempt.summary = {};
  command.attempt.summary.outcome = protocol::ResponseSummary::Outcome::kError;
  command.attempt.summary.error_number = error.mysql_errno;
  context_.note_local_statement();
  tracking::forget_failed_named(context, error);
  if (command.type == protocol::Command::kStmtExecute) {
    statements_.note_schema_use(command);
    note_statement_use();
  }
  if (!protocol::has_no_reply(command.type)) {
    context_.status.enter(State::kStreaming);
    context_.client.answer_error(error);
  }
  on_over();
}

Decision Execution::judge(FailureKind kind, bool is_pinned) const {
  const bool is_to_end = context_.client.has_left() || runner_.is_killing() || command_->is_overdue;
  return judge_failure(context_, kind,
                       {.command = *command_,
                        .account = *context_.account,
                        .is_pinned = is_pinned,
                        .is_to_end = is_to_end});
}

// Returns whether the answer was an error that the client need not see, and the command waits for
// its next run.
bool Execution::retries_after_error(const tracking::Exchange::Progress& progress) {
  const tracking::Exchange& exchange = command_->attempt.exchange;
  if (progress.ended != tracking::StepKind::kRelay || !progress.is_first || !exchange.is_over())
    return false;
  if (!exchange.summary().has_error()) return false;
  tracking::SessionModel& model = context_.model;
  // A prepare leaves the warnings of the statement before, which are only there.
  if (command_->type == protocol::Command::kStmtPrepare && model.diagnostics.warnings_on_backend())
    return false;
  const FailureKind kind = failure_kind(exchange.summary().error_number);
  if (kind == FailureKind::kFinal) return false;
  const Decision decision = judge(kind, model.is_bound());
  if (decision.verdict != Verdict::kRetry) return false;
  model.diagnostics.forget_backend_warnings();
  context_.backend.model().last_session = 0;
  context_.backend.model().insert_id.reset();
  // An error may have left there what SET TRANSACTION has set.
  const bool clean =
      model.next_isolation.empty() && leaves_backend_clean(command_->executed_script());
  context_.end_lease(clean ? pool::Release::kClean : pool::Release::kReset);
  retry(kind, decision.delay);
  return true;
}

// The lease is gone. The client may leave meanwhile: that ends the command.
void Execution::retry(FailureKind kind, Duration delay) {
  context_.stats().retries[reason_of(kind)].add();
  ++command_->retries;
  command_->attempt = {};
  runner_.end();
  if (delay <= Duration::zero()) return acquire();
  context_.status.enter(State::kAcquiring);
  if (pause_ == nullptr) pause_ = std::make_unique<net::Timer>(context_.environment.loop);
  pause_->start(delay, [this] { acquire(); });
}

void Execution::on_backend_lost(const Error& error) {
  if (command_->attempt.is_deferred && !context_.client.has_left()) {
    const bool nobody_knows = context_.model.in_transaction;  // the ping has not told
    context_.drop_lease();
    return replay_.begin_after_error(*command_, nobody_knows);
  }
  if (replay_.begins_after_loss(error, command_.get())) return;
  context_.drop_lease();
  end_by_loss(error);
}

// The backend is gone, and with it what the session had pinned to it.
void Execution::end_by_loss(const Error& cause) {
  const bool was_pinned = context_.model.is_bound();
  if (command_->attempt.is_relayed && !was_pinned) {
    // The client has its answer; only what the proxy asked on its own is lost.
    finish(command_->attempt.summary.has_error());
    return host_.rest();
  }
  const Decision decision = judge(FailureKind::kLost, was_pinned);
  if (decision.verdict == Verdict::kRetry) return retry(FailureKind::kLost, decision.delay);
  if (decision.verdict == Verdict::kHangUp) return host_.close();
  if (decision.verdict == Verdict::kOutcomeUnknown) context_.stats().unknown_outcomes.add();
  context_.client.answer_error(lost_error(cause, decision.verdict));
  if (was_pinned) return host_.close();
  context_.status.enter(State::kIdle);
  finish(true);
  host_.end_turn();
}

// While it waits for a lease.
void Execution::on_interrupted(const Error& error) {
  context_.backend.stop_waiting();
  pause_.reset();
  tracking::SessionModel& model = context_.model;
  model.diagnostics.note_local_answer();
  model.diagnostics.note_own_error(tracking::warnings_of(error, model.status_flags()));
  on_no_lease(error);
}

// Stopped by KILL QUERY where that can be; else, and if that does not end it in time, its backend
// is closed, of which the client is told what is known.
void Execution::on_time_up() {
  if (command_ == nullptr || !command_->is_timed || command_->attempt.is_relayed) return;
  const bool was_overdue = std::exchange(command_->is_overdue, true);
  if (!was_overdue) {
    context_.stats().timeouts[TimeoutKind::kQuery].add();
    log::info("statement takes too long",
              {{"session", context_.id}, {"state", to_string(context_.status.state())}});
  }
  if (context_.status.state() == State::kAcquiring)  // to be run again
    return on_interrupted(took_too_long());
  if (!context_.has_lease()) return;
  if (!was_overdue && runner_.can_kill()) {
    runner_.kill();
    return runner_.watch_time_again(kStopTimeout);
  }
  (void)context_.backend.lose(
      {Code::kTimeout, "the statement took longer than query_timeout allows"});
}

// The whole answer is TiDB's word that the statement was killed, because it took too long.
bool Execution::tells_of_stop(std::string_view bytes) const {
  if (!command_->is_overdue) return false;
  const protocol::ResponseSummary& answer = command_->attempt.exchange.summary();
  if (!answer.has_error() || answer.error_number != interrupted().mysql_errno) return false;
  const auto byte = [&](std::size_t at) {
    return std::size_t{static_cast<std::uint8_t>(bytes[at])};
  };
  return bytes.size() > protocol::kHeaderBytes &&
         bytes.size() == protocol::kHeaderBytes + (byte(0) | byte(1) << 8U | byte(2) << 16U);
}

void Execution::note_stopped() {
  tracking::SessionModel& model = context_.model;
  model.diagnostics.note_own_error(tracking::warnings_of(took_too_long(), model.status_flags()));
}

}  // namespace tidepool::session

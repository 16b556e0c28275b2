// What becomes of a command whose backend failed: run again where that is certain to be harmless,
// else told.
#include <random>

#include "tidepool/session/session.h"
#include "tidepool/sql/directive.h"
#include "tidepool/tracking/effects.h"

namespace tidepool::session {
namespace {

RetryReason reason_of(FailureKind kind) {
  switch (kind) {
    case FailureKind::kConflict: return RetryReason::kConflict;
    case FailureKind::kUnavailable: return RetryReason::kUnavailable;
    case FailureKind::kLost:
    case FailureKind::kFinal: break;
  }
  return RetryReason::kLost;
}

// A failed SET or USE may have changed the session there before it failed, and an expression may
// have taken a lock.
bool leaves_backend_clean(const sql::Script& script) {
  if (!script.pins().empty()) return false;
  for (std::size_t i = 0; i < script.size(); ++i)
    if (!script[i].changes.empty()) return false;
  return true;
}

std::string_view text_of(const ClientCommand& command) {
  if (command.statement != nullptr) return command.statement->text();
  return command.script.empty() ? std::string_view() : command.argument();
}

}  // namespace

Decision Session::judge(FailureKind kind, bool is_pinned) {
  const ClientCommand& command = *command_;
  const Account& account = command.is_login_check() ? *login_account_ : *account_;
  const bool commits_itself = model_.desired.autocommit() && !model_.in_transaction;
  const bool is_to_end = has_left() || killer_ != nullptr || command.is_overdue;
  const Failure failure{
      .kind = kind,
      .statement = repeatability(command.type, command.effects(), commits_itself),
      .was_sent = command.attempt.exchange.relay_written(),
      .was_answered = kind == FailureKind::kLost && command.attempt.exchange.relay_answered(),
      .is_pinned = is_pinned,
      .is_allowed = account.retries && !is_to_end && !sql::forbids_retry(text_of(command)),
      .attempt = command.retries,
      .elapsed = Clock::now() - command.received,
  };
  std::uniform_real_distribution<double> jitter(0.0, 1.0);
  return decide(failure, account.pool->retry_budget, jitter(environment_.random));
}

// True: the answer was an error that the client need not see, and the command waits for its next
// run.
bool Session::repeats(const tracking::Exchange::Progress& progress) {
  const tracking::Exchange& exchange = command_->attempt.exchange;
  if (progress.ended != tracking::StepKind::kRelay || !progress.is_first || !exchange.is_over())
    return false;
  if (!exchange.summary().has_error()) return false;
  // A prepare leaves the warnings of the statement before, which are only there.
  if (command_->type == protocol::Command::kStmtPrepare && model_.facts.warnings_on_backend())
    return false;
  const FailureKind kind = failure_kind(exchange.summary().error_number);
  if (kind == FailureKind::kFinal) return false;
  const Decision decision = judge(kind, model_.is_bound());
  if (decision.verdict != Verdict::kRepeat) return false;
  model_.facts.forget_backend_warnings();
  tracking::BackendModel& memory = lease_.memory();
  memory.last_session = 0;
  memory.insert_id.reset();
  // An error may have left there what SET TRANSACTION has set.
  const bool clean = model_.next_isolation.empty() && leaves_backend_clean(command_->effects());
  end_lease(clean ? pool::Release::kClean : pool::Release::kReset);
  repeat(kind, decision.delay);
  return true;
}

// The lease is gone. The client may leave meanwhile: that ends the command.
void Session::repeat(FailureKind kind, Duration delay) {
  stats().retries[reason_of(kind)].add();
  ++command_->retries;
  command_->attempt = {};
  if (delay <= Duration::zero()) return acquire();
  enter(State::kAcquiring);
  if (pause_ == nullptr) pause_ = std::make_unique<net::Timer>(environment_.loop);
  pause_->start(delay, [this] { acquire(); });
}

// The backend is gone, and with it what the session had pinned to it.
void Session::end_by_loss(const Error& cause, bool was_pinned) {
  if (command_->attempt.is_relayed && !was_pinned && !command_->is_login_check()) {
    // The client has its answer; only what the proxy asked on its own is lost.
    if (!command_->is_capture())
      count_command(Source::kBackend, command_->attempt.summary.has_error());
    command_.reset();
    return rest();
  }
  const Decision decision = judge(FailureKind::kLost, was_pinned);
  if (decision.verdict == Verdict::kRepeat) return repeat(FailureKind::kLost, decision.delay);
  if (decision.verdict == Verdict::kHangUp) return close();
  if (decision.verdict == Verdict::kOutcomeUnknown) stats().unknown_outcomes.add();
  const Error error = lost_error(cause, decision.verdict);
  if (command_->is_login_check()) {
    if (!was_pinned) return refuse_login(error);
    tell_refusal(error);
    return close();  // what the old session had pinned went with the backend
  }
  send_error(error, answer_sequence_);
  if (was_pinned) return close();
  enter(State::kIdle);
  end_command(Source::kBackend, true);
}

}  // namespace tidepool::session

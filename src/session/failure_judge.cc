#include "tidepool/session/failure_judge.h"

#include <random>

#include "tidepool/sql/parse/directive.h"

namespace tidepool::session {
namespace {

std::string_view text_of(const tracking::Command& command) {
  if (command.statement != nullptr) return command.statement->text();
  return command.script.empty() ? std::string_view() : command.argument();
}

double jitter(const SessionContext& context) {
  std::uniform_real_distribution<double> distribution(0.0, 1.0);
  return distribution(context.environment.random);
}

}  // namespace

Decision judge_failure(const SessionContext& context, FailureKind kind,
                       const FailedCommand& failed) {
  const tracking::Command& command = failed.command;
  const bool commits_itself = context.model.desired.autocommit() && !context.model.in_transaction;
  const tracking::Exchange& exchange = command.attempt.exchange;
  const Failure failure{
      .kind = kind,
      .statement = retryability(command.type, command.executed_script(), commits_itself),
      .was_sent = exchange.relay_written(),
      .was_answered = kind == FailureKind::kLost && exchange.relay_answered(),
      .is_pinned = failed.is_pinned,
      .is_allowed =
          failed.account.retries && !failed.is_to_end && !sql::forbids_retry(text_of(command)),
      .attempt = command.retries,
      .elapsed = Clock::now() - command.received,
  };
  return decide(failure, failed.account.pool->retry_budget, jitter(context));
}

Decision judge_harmless(const SessionContext& context, FailureKind kind, unsigned attempt,
                        TimePoint received) {
  const Failure failure{.kind = kind,
                        .statement = Retryability::kHarmless,
                        .attempt = attempt,
                        .elapsed = Clock::now() - received};
  return decide(failure, context.access().retry_budget, jitter(context));
}

RetryReason reason_of(FailureKind kind) {
  switch (kind) {
    case FailureKind::kConflict: return RetryReason::kConflict;
    case FailureKind::kUnavailable: return RetryReason::kUnavailable;
    case FailureKind::kLost:
    case FailureKind::kFinal: break;
  }
  return RetryReason::kLost;
}

}  // namespace tidepool::session

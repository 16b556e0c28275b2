#include "tidepool/session/retry.h"

#include <algorithm>

namespace tidepool::session {
namespace {

using Milliseconds = std::chrono::duration<double, std::milli>;

// An error comes at once, so waiting is what mends it; a lost connection is mended by another one.
constexpr Milliseconds kFirstDelay{20};
constexpr Milliseconds kLongestDelay{1000};

Duration delay_of(const Failure& failure, double jitter) {
  if (failure.kind == FailureKind::kLost && failure.attempt == 0) return {};
  const unsigned doublings = std::min(failure.attempt, 10U);
  const Milliseconds ceiling = std::min(kFirstDelay * (1U << doublings), kLongestDelay);
  return std::chrono::duration_cast<Duration>(ceiling * jitter);
}

// Whether the first time surely had no effect, or one that the second time only repeats.
bool is_repeatable(const Failure& failure) {
  if (failure.was_answered || failure.is_pinned) return false;
  switch (failure.kind) {
    case FailureKind::kLost:
      return !failure.was_sent || failure.statement == Retryability::kHarmless;
    case FailureKind::kConflict:
      return failure.statement == Retryability::kHarmless ||
             failure.statement == Retryability::kWrite;
    case FailureKind::kUnavailable: return failure.statement == Retryability::kHarmless;
    case FailureKind::kFinal: return false;
  }
  return false;
}

// What is told when a connection was lost. A transaction that was not being committed is rolled
// back by TiDB, whatever of it was executed.
Verdict verdict_of_loss(const Failure& failure) {
  if (failure.was_answered) return Verdict::kHangUp;
  const bool may_have_effect = failure.was_sent && failure.statement != Retryability::kHarmless &&
                               failure.statement != Retryability::kUncommitted;
  return may_have_effect ? Verdict::kOutcomeUnknown : Verdict::kNotExecuted;
}

// An insert id that the first time set is set anew by the second.
bool is_whole(const sql::Statement& statement) {
  return statement.pins.empty() && statement.changes.empty() && !statement.changes_server &&
         !statement.requests_local_file;
}

Retryability retryability_of(const sql::Statement& statement, bool commits_itself) {
  using Kind = sql::StatementKind;
  if (statement.is_read) return Retryability::kHarmless;
  const bool stays_in_session = statement.pins.empty() && !statement.changes_server;
  switch (statement.kind) {
    case Kind::kWrite:
      if (!commits_itself) return Retryability::kUncommitted;
      return is_whole(statement) ? Retryability::kWrite : Retryability::kOther;
    case Kind::kUse: return Retryability::kHarmless;
    case Kind::kBegin:
      return commits_itself && stays_in_session ? Retryability::kHarmless : Retryability::kCommits;
    case Kind::kSet: {
      const bool commits = statement.transaction != sql::TransactionEffect::kNone;
      if (commits) return Retryability::kCommits;
      return stays_in_session ? Retryability::kHarmless : Retryability::kOther;
    }
    case Kind::kEnd:
    case Kind::kDdl: return Retryability::kCommits;
    case Kind::kPrepared: return stays_in_session ? Retryability::kHarmless : Retryability::kOther;
    case Kind::kRead:
    case Kind::kOther:
    case Kind::kUnknown: return Retryability::kOther;
  }
  return Retryability::kOther;
}

}  // namespace

// TiDB's numbers: errno/errcode.go; which of them TiDB's own tools repeat: util/dbutil/retry.go.
FailureKind failure_kind(std::uint16_t error_number) {
  switch (error_number) {
    case 8005:  // write conflict, found by a latch
    case 8022:  // a lock was gone at commit
    case 8027:  // the information schema is out of date
    case 8028:  // the information schema has changed
    case 9001:  // PD answers no timestamp
    case 9003:  // TiKV is busy
    case 9004:  // locks could not be resolved in time
    case 9007:  // write conflict
      return FailureKind::kConflict;
    case 9002:  // TiKV does not answer
    case 9005:  // a region is unavailable
    case 9008:  // too many requests to a store
    case 9010:  // TiKV refuses a stale command
    case 9011:  // TiKV's clock is ahead
    case 9012:  // TiFlash does not answer
    case 9013:  // TiFlash is busy
    case 8252:  // the resource group's quota is used up for the moment
      return FailureKind::kUnavailable;
    default: return FailureKind::kFinal;
  }
}

Retryability retryability(protocol::Command command, const sql::Script& script,
                          bool commits_itself) {
  using protocol::Command;
  switch (command) {
    case Command::kQuery:
    case Command::kStmtExecute: break;
    case Command::kInitDb:
    case Command::kFieldList:
    case Command::kStatistics:
    case Command::kPing:
    case Command::kStmtPrepare:
    case Command::kStmtReset:
    case Command::kStmtClose:
    case Command::kSetOption: return Retryability::kHarmless;
    default: return Retryability::kOther;
  }
  if (script.empty() || script.is_read()) return Retryability::kHarmless;
  if (script.size() > 1) return Retryability::kOther;
  return retryability_of(script.front(), commits_itself);
}

Error lost_error(const Error& cause, Verdict verdict) {
  std::string text = "Lost connection to TiDB during query (";
  text += verdict == Verdict::kOutcomeUnknown ? "outcome unknown" : "not executed";
  text += "): " + cause.message;
  return Error{Code::kClosed, std::move(text), 2013, "HY000"};
}

Decision decide(const Failure& failure, Duration budget, double jitter) {
  const bool may = failure.is_allowed && is_repeatable(failure);
  const Duration delay = delay_of(failure, jitter);
  if (may && failure.elapsed + delay < budget) return {Verdict::kRetry, delay};
  if (failure.kind != FailureKind::kLost) return {Verdict::kPassOn, {}};
  return {verdict_of_loss(failure), {}};
}

}  // namespace tidepool::session

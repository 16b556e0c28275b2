// What becomes of a command that its backend failed: run again, or told to the client. Pure: one
// table, in words in docs/retries.md.
//
// The rule behind it: a statement is sent twice only if it is certain that the first time had no
// effect. TiDB helps: an ERR to an autocommit statement or to a COMMIT means "not committed"; when
// it does not know itself, it answers nothing and closes (server/conn.go, ErrResultUndetermined).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "tidepool/base/clock.h"
#include "tidepool/base/error.h"
#include "tidepool/protocol/commands.h"
#include "tidepool/sql/parse/statement.h"

namespace tidepool::session {

enum class FailureKind : std::uint8_t {
  kLost,         // the connection ended before the answer did
  kConflict,     // an ERR that says: nothing was done, try again; safe even for writes
  kUnavailable,  // an ERR of a storage that is away: repeated for reads only
  kFinal,        // any other ERR
};

// Of TiDB's error numbers, and of the texts that its 1105 carries.
FailureKind failure_kind(std::uint16_t error_number);

enum class Retryability : std::uint8_t {
  kHarmless,     // twice is the same as once: reads, prepares, what changes only the session
  kWrite,        // changes data and nothing else, all of it or nothing, and commits itself
  kUncommitted,  // a write that lasts only if a later COMMIT says so
  kCommits,      // ends a transaction, or may
  kOther,        // anything else, and what is not understood
};

// `commits_itself`: autocommit is on, and no transaction is open.
Retryability retryability(protocol::Command command, const sql::Script& script,
                          bool commits_itself);

struct Failure {
  FailureKind kind = FailureKind::kLost;
  Retryability statement = Retryability::kOther;
  bool was_sent = false;      // a byte of the command was handed to the backend's socket
  bool was_answered = false;  // a byte of the answer has gone to the client
  bool is_pinned = false;     // to this backend, by a transaction or for another reason
  bool is_allowed = true;     // by the user's configuration and the statement's own comment
  unsigned attempt = 0;       // times that it was repeated so far
  Duration elapsed{};         // since the command arrived
};

enum class Verdict : std::uint8_t {
  kRetry,           // on any backend, after `delay`
  kPassOn,          // TiDB's error is the answer
  kNotExecuted,     // the client is told that nothing was done
  kOutcomeUnknown,  // the client is told that nobody knows
  kHangUp,          // half an answer is out: only the end of the connection can tell
};

struct Decision {
  Verdict verdict = Verdict::kPassOn;
  Duration delay{};
};

// `budget`: how long after the command's arrival it may still be repeated; zero: never.
// `jitter`: from 0 to 1, spreads the delays.
Decision decide(const Failure& failure, Duration budget, double jitter);

// What the client is told of a lost connection. Drivers take the number for one.
Error lost_error(const Error& cause, Verdict verdict);

}  // namespace tidepool::session

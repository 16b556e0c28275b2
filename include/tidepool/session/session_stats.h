// What the sessions of one pool count, and what is counted before a client belongs to a pool.
//
// Written by worker threads, read by the metrics layer at any time. A pool may have one
// SessionStats a worker, so that workers do not contend for cache lines: the metrics layer adds
// them up. Labels in the comments are stable names.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tidepool/base/counter.h"
#include "tidepool/base/enum_array.h"
#include "tidepool/base/histogram.h"
#include "tidepool/session/pin_reason.h"
#include "tidepool/session/user_logins.h"

namespace tidepool::session {

// What a session is doing, of those past their login. Every session is in exactly one state.
enum class SessionActivity : std::uint8_t {
  kIdle,       // the client's turn; no lease
  kWaiting,    // queued for a lease
  kExecuting,  // a command is under way, on a lease
  kPinned,     // the client's turn; the lease is kept
};
inline constexpr std::size_t kSessionActivities = 4;

enum class LoginFailure : std::uint8_t {
  kPassword,       // also an unknown user: the client is not told which
  kDatabase,       // unknown, or not this user's
  kTooMany,        // max_clients
  kDescriptors,    // the process has none left
  kLimit,          // of a user's or a database's sessions
  kTls,            // required and not asked for, or its handshake failed
  kProtocol,       // bytes that are no login
  kTimeout,        // no login within the connect timeout
  kClosed,         // the client went away
  kBackend,        // the pool could not serve the login
  kPasswordQueue,  // too many passwords waited to be checked
  kPendingLogins,  // too many clients had not logged in yet
  kAddress,        // too many of them were at one address
  kMemory,         // what clients had sent before their login was too much
  kNetwork,        // the user may not log in from that address; the client is not told
  kProxyHeader,    // a load balancer's connection did not begin with a PROXY header
};
inline constexpr std::size_t kLoginFailures = 16;

// What became of a password that TiDB is to judge.
enum class ProofResult : std::uint8_t {
  kRight,
  kWrong,
  kFailed,      // TiDB could not be asked
  kBusy,        // too many waited for that
  kRemembered,  // TiDB was not asked again
};
inline constexpr std::size_t kProofResults = 5;

constexpr const char* to_string(ProofResult result) {
  switch (result) {
    case ProofResult::kRight: return "right";
    case ProofResult::kWrong: return "wrong";
    case ProofResult::kFailed: return "failed";
    case ProofResult::kBusy: return "busy";
    case ProofResult::kRemembered: return "remembered";
  }
  return "?";
}

enum class CommandKind : std::uint8_t { kQuery, kExecute, kPrepare, kOther };
inline constexpr std::size_t kCommandKinds = 4;

// Why a command was run again; see retry.h.
enum class RetryReason : std::uint8_t { kLost, kConflict, kUnavailable };
inline constexpr std::size_t kRetryReasons = 3;

// Which limit ended a statement or a connection.
enum class TimeoutKind : std::uint8_t { kQuery, kIdleTransaction, kClientIdle, kClientStall };
inline constexpr std::size_t kTimeoutKinds = 4;

// What became of a transaction that was to be replayed; see transaction_replay.h.
enum class ReplayResult : std::uint8_t {
  kReplayed,
  kDifferent,      // an answer was not the same
  kTooLarge,       // for the user's replay_memory
  kNotReplayable,  // something in it has effects beyond the transaction
  kLostAgain,      // no backend lived long enough
};
inline constexpr std::size_t kReplayResults = 5;

enum class Outcome : std::uint8_t { kOk, kError };  // what the client was told
inline constexpr std::size_t kOutcomes = 2;

// Who answered a COM_STMT_PREPARE.
enum class PrepareSource : std::uint8_t { kMemory, kTidb };
inline constexpr std::size_t kPrepareSources = 2;

// Why a command was refused for the memory that it takes.
enum class CommandRefusal : std::uint8_t {
  kTooLarge,    // for command_memory by itself
  kStalled,     // it did not go on while others waited for what it held
  kLargest,     // none of those that held some could go on
  kStatements,  // its text has too many, or there is no room for what they take here
};
inline constexpr std::size_t kCommandRefusals = 4;

constexpr const char* to_string(CommandRefusal refusal) {
  switch (refusal) {
    case CommandRefusal::kTooLarge: return "too_large";
    case CommandRefusal::kStalled: return "stalled";
    case CommandRefusal::kLargest: return "largest";
    case CommandRefusal::kStatements: return "statements";
  }
  return "?";
}

constexpr const char* to_string(PrepareSource source) {
  return source == PrepareSource::kMemory ? "memory" : "tidb";
}

constexpr const char* to_string(TimeoutKind kind) {
  switch (kind) {
    case TimeoutKind::kQuery: return "query";
    case TimeoutKind::kIdleTransaction: return "idle_transaction";
    case TimeoutKind::kClientIdle: return "client_idle";
    case TimeoutKind::kClientStall: return "client_stall";
  }
  return "?";
}

constexpr const char* to_string(SessionActivity state) {
  switch (state) {
    case SessionActivity::kIdle: return "idle";
    case SessionActivity::kWaiting: return "waiting";
    case SessionActivity::kExecuting: return "executing";
    case SessionActivity::kPinned: return "pinned";
  }
  return "?";
}

constexpr const char* to_string(LoginFailure failure) {
  switch (failure) {
    case LoginFailure::kPassword: return "password";
    case LoginFailure::kDatabase: return "database";
    case LoginFailure::kTooMany: return "too_many";
    case LoginFailure::kDescriptors: return "descriptors";
    case LoginFailure::kLimit: return "limit";
    case LoginFailure::kTls: return "tls";
    case LoginFailure::kProtocol: return "protocol";
    case LoginFailure::kTimeout: return "timeout";
    case LoginFailure::kClosed: return "closed";
    case LoginFailure::kBackend: return "backend";
    case LoginFailure::kPasswordQueue: return "password_queue";
    case LoginFailure::kPendingLogins: return "pending_logins";
    case LoginFailure::kAddress: return "address";
    case LoginFailure::kMemory: return "memory";
    case LoginFailure::kNetwork: return "network";
    case LoginFailure::kProxyHeader: return "proxy_header";
  }
  return "?";
}

constexpr const char* to_string(CommandKind kind) {
  switch (kind) {
    case CommandKind::kQuery: return "query";
    case CommandKind::kExecute: return "execute";
    case CommandKind::kPrepare: return "prepare";
    case CommandKind::kOther: return "other";
  }
  return "?";
}

constexpr const char* to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::kOk: return "ok";
    case Outcome::kError: return "error";
  }
  return "?";
}

constexpr const char* to_string(ReplayResult result) {
  switch (result) {
    case ReplayResult::kReplayed: return "replayed";
    case ReplayResult::kDifferent: return "different";
    case ReplayResult::kTooLarge: return "too_large";
    case ReplayResult::kNotReplayable: return "not_replayable";
    case ReplayResult::kLostAgain: return "lost_again";
  }
  return "?";
}

constexpr const char* to_string(RetryReason reason) {
  switch (reason) {
    case RetryReason::kLost: return "lost";
    case RetryReason::kConflict: return "conflict";
    case RetryReason::kUnavailable: return "unavailable";
  }
  return "?";
}

// Bytes of one side, as the proxy sees them: received from the peer, sent to it. Without TLS and
// TCP overhead.
struct Traffic {
  Counter received;
  Counter sent;
};

struct SessionStats {
  EnumArray<SessionActivity, Gauge, kSessionActivities> sessions;
  Counter opened;  // logins that succeeded
  Counter closed;

  EnumArray<PinReason, Counter, kPinReasons> pins;  // times that a reason arose
  EnumArray<PinReason, Gauge, kPinReasons> pinned;  // sessions that have the reason now

  EnumArray<CommandKind, EnumArray<Outcome, Counter, kOutcomes>, kCommandKinds> queries;
  Counter answered_locally;                                     // of those, without a backend
  EnumArray<PrepareSource, Counter, kPrepareSources> prepares;  // answered, errors too
  Counter prepares_refused_by_session;                          // its limit of memory
  Counter prepares_refused_by_pool;                             // likewise
  Histogram query_duration;  // command received until the last byte of its answer is handed to the
                             // client's socket
  Histogram backend_duration;  // command handed to the backend's socket until its answer is
                               // complete; not if local

  EnumArray<RetryReason, Counter, kRetryReasons> retries;    // commands run again
  EnumArray<ReplayResult, Counter, kReplayResults> replays;  // transactions
  Counter unknown_outcomes;  // clients told that nobody knows whether their statement was executed

  EnumArray<TimeoutKind, Counter, kTimeoutKinds> timeouts;

  Traffic client;
  Traffic backend;

  // Moves one session from a state to the next.
  void move(SessionActivity from, SessionActivity to) {
    sessions[from].sub();
    sessions[to].add();
  }
  void pin(PinReason reason) {
    pins[reason].add();
    pinned[reason].add();
  }
  void unpin(PinReason reason) { pinned[reason].sub(); }
};

// One for the whole process: commands that are too large for a place in their session's ordinary
// buffers.
struct CommandStats {
  Gauge bytes;    // that they take
  Gauge waiting;  // clients that are not read on until there is room
  Counter waits;  // times that one had to
  EnumArray<CommandRefusal, Counter, kCommandRefusals> refused;
};

// One for the whole process: a client that has not logged in has no pool.
struct LoginStats {
  Counter accepted;  // connections, whatever became of them
  EnumArray<LoginFailure, Counter, kLoginFailures> failures;
  Counter delayed;    // refusals, because there had been others of late
  Gauge pending;      // clients that have not logged in yet
  Gauge max_pending;  // of those; set once, or by a reload
  LoginsByUser users;
};

// Of users that the configuration does not list.
struct ProofStats {
  EnumArray<ProofResult, Counter, kProofResults> proofs;
  Gauge users;  // who have a pool
};

}  // namespace tidepool::session

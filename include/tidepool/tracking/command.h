// A client's command under way: its bytes, what is known of its meaning, and its exchange with a
// backend.
//
// Never moved: the script points into the text. Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tidepool/base/clock.h"
#include "tidepool/base/stream_hash.h"
#include "tidepool/protocol/commands.h"
#include "tidepool/protocol/response_tracker.h"
#include "tidepool/sql/parse/statement.h"
#include "tidepool/tracking/exchange.h"
#include "tidepool/tracking/held_resources.h"
#include "tidepool/tracking/named_statements.h"
#include "tidepool/tracking/prepared.h"
#include "tidepool/tracking/schema_view.h"
#include "tidepool/tracking/shown_warnings.h"

namespace tidepool::tracking {

// What the proxy asks a backend for.
enum class CaptureKind : std::uint8_t {
  kErrors,  // ahead of kWarnings, since a limit may hide some warnings
  kWarnings,
  kPrepareWarnings,
  kFoundRows,
  kLastInsertId,
  kSystemVariables,
  kUserVariables,
  kRole,
  kNamedSource,
  kLoginGroup
};

// A KILL of a session here, as one of several statements of a text.
struct PlannedKill {
  std::size_t index = 0;  // of the statement
  sql::KillTarget target;
};

// TiDB takes one zero byte at the end of a text for its terminator (conn.go, dispatch), and so for
// no part of it. Where there are two it is left to TiDB, which would take the other one too.
std::string_view without_terminator(protocol::Command command, std::string_view packet);

// Why a command goes to a backend.
enum class CommandPurpose : std::uint8_t {
  kClient,      // the client sent it, or a replay repeats what the client sent
  kLoginCheck,  // the check of the login's database: no answer of TiDB goes to the client
  kCapture      // the proxy's own questions between two commands of the client
};

// One run of a command: what its backend gets and has answered. A retry starts from a new one.
struct CommandAttempt {
  Exchange exchange;
  std::vector<CaptureKind> captures;  // in the order of the exchange's capture steps

  // What goes to the backend in the place of the command's text, because the proxy knows what it
  // asks.
  std::string substituted{};
  // To be carried out as soon as TiDB has come to the statement after, or through; in order.
  std::vector<PlannedKill> kills{};
  // In the answer to SHOW WARNINGS ahead of others, in the place of what the backend has.
  std::optional<ShownWarnings> shown{};

  bool prefetch_done = false;    // the questions of add_prefetch() were sent
  bool prefetching = false;      // their answers are awaited; then the command is planned
  bool has_diagnostics = false;  // the backend has what may be asked about the statement before
  bool may_have_parser_warnings = false;  // see prepare_for_parser_warnings()
  unsigned prepares = 0;                  // that the proxy has sent ahead of the command
  std::uint32_t guessed_id = 0;           // that the statement will have on the backend
  bool has_other_id = false;              // it got another one, and was not executed
  bool is_retried = false;  // the backend did not know the statement, or an outdated one
  bool is_paused = false;   // on its backend, until others have made way

  bool is_relayed = false;   // the client has its whole answer
  bool is_deferred = false;  // its answer, an ERR, waits for what a replay brings
  // What the client was answered, for a replay to compare with; null: not recorded.
  std::unique_ptr<StreamHash> answer;
  protocol::ResponseSummary summary;  // of the client's answer, once it is complete
};

struct Command {
  Command(protocol::Command command, std::string_view packet, TimePoint now)
      : type(command), payload(without_terminator(command, packet)), received(now) {}
  // Of a packet that is not copied.
  struct Large {
    std::string packet;
  };
  Command(protocol::Command command, Large large, TimePoint now)
      : type(command), payload(std::move(large.packet)), received(now) {
    payload.resize(without_terminator(command, payload).size());
  }
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;
  ~Command() = default;

  std::string_view argument() const { return std::string_view(payload).substr(1); }
  // Returns the statements that TiDB executes for it: those of its text, an EXECUTE replaced by its
  // statement, or those of its prepared statement.
  const sql::Script& executed_script() const {
    if (statement != nullptr) return statement->script;
    return named.refs.empty() ? script : named.executed;
  }
  // Whether TiDB executes statements for it.
  bool executes() const {
    return type == protocol::Command::kQuery || type == protocol::Command::kInitDb ||
           type == protocol::Command::kStmtExecute || refreshes_privileges();
  }
  bool is_login_check() const { return purpose == CommandPurpose::kLoginCheck; }
  bool is_capture() const { return purpose == CommandPurpose::kCapture; }
  // Whether it is a USE and nothing else.
  bool chooses_database() const {
    return script.size() == 1 && script.front().kind == sql::StatementKind::kUse &&
           (type == protocol::Command::kQuery || type == protocol::Command::kInitDb);
  }
  // Whether TiDB's OK to it has the figures of the last statement, which on this backend may be one
  // of the proxy's own.
  bool repeats_last_ok() const {
    return type == protocol::Command::kPing || type == protocol::Command::kStmtReset ||
           (type == protocol::Command::kRefresh && !refreshes_privileges());
  }
  // COM_REFRESH that TiDB takes for a FLUSH PRIVILEGES (handleRefresh).
  bool refreshes_privileges() const {
    return type == protocol::Command::kRefresh && argument().starts_with('\1');
  }
  // Whether TiDB's EOF to it has the number of warnings of the last statement, which on this
  // backend may be one of the proxy's own.
  bool repeats_last_warnings() const {
    return type == protocol::Command::kFieldList || type == protocol::Command::kSetOption;
  }
  // Whether it is a GET_LOCK(): only the row in the answer tells whether the session got the lock.
  bool asks_for_lock() const {
    return type == protocol::Command::kQuery && tracking::asks_for_lock(script);
  }
  // Whether the answer must be complete before it goes to the client.
  bool holds_answer() const {
    return type == protocol::Command::kStmtPrepare || repeats_last_ok() ||
           repeats_last_warnings() || asks_for_lock();
  }

  const protocol::Command type;
  std::string payload;  // whole, with the command byte
  sql::Script script;   // of a COM_QUERY or COM_STMT_PREPARE; views into payload
  StatementRefs named;  // what a COM_QUERY does with PREPARE, EXECUTE and DEALLOCATE
  // That it executes, fetches from, …; owned by the session.
  PreparedStatement* statement = nullptr;
  CommandPurpose purpose = CommandPurpose::kClient;

  CommandAttempt attempt;
  unsigned retries = 0;                // attempts but the first
  unsigned incompatible_backends = 0;  // backends that could not be brought to the session's state
  // Why USE could not bring a backend to the session's database: another way must be taken.
  std::optional<Error> inaccessible_database;
  bool is_timed = false;    // the query timer is its own
  bool is_overdue = false;  // query_timeout has passed

  // Of the session before it, for a replay.
  bool was_in_transaction = false;
  bool was_replayable = false;
  bool may_open_log = false;  // should it begin a transaction

  SchemaView view{};  // of the schema, when the command came
  TimePoint received;
  TimePoint sent{};  // to the backend
};

// COM_INIT_DB goes to the backend as USE: what COM_RESET_CONNECTION goes back to stays the
// backend's own.
std::string use_text(std::string_view database);

}  // namespace tidepool::tracking

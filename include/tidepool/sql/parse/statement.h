// What a client's SQL text does, as far as a proxy must know: the text of a COM_QUERY or of a
// prepared statement.
//
// classify() is total and never guesses: what it does not understand is kUnknown and pins. It does
// not check syntax; what TiDB would refuse may come out as anything, because a refused statement
// has no effect. An ordinary single SELECT, INSERT, UPDATE or DELETE costs no allocation. It
// follows the grammar of TiDB release-8.5 (pkg/parser/parser.y).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tidepool/sql/parse/verb.h"
#include "tidepool/sql/state/flags.h"
#include "tidepool/sql/state/lex_mode.h"
#include "tidepool/sql/state/pin.h"
#include "tidepool/sql/state/state_change.h"

namespace tidepool::sql {

enum class StatementKind : std::uint8_t {
  kRead,   // SELECT, TABLE, VALUES, WITH … SELECT, SHOW, DESC, EXPLAIN, HELP, DO; see is_read for
           // side effects
  kWrite,  // INSERT, REPLACE, UPDATE, DELETE, LOAD DATA, IMPORT INTO, BATCH …, EXPLAIN ANALYZE of
           // these
  kBegin,  // BEGIN, START TRANSACTION
  kEnd,    // COMMIT, ROLLBACK (not to a savepoint)
  kSet,    // SET in every form
  kUse,
  kDdl,       // definitions, accounts and privileges: TiDB commits the open transaction first
  kPrepared,  // PREPARE, EXECUTE, DEALLOCATE as text
  kOther,  // understood, none of the above: SAVEPOINT, KILL, ANALYZE, ADMIN, FLUSH, LOCK TABLES, …
  kUnknown,
};

const char* to_string(StatementKind kind);

// On the transaction that is open when the statement starts, if any.
enum class TransactionEffect : std::uint8_t {
  kNone,
  kBegin,  // commits it, opens another
  kCommit,
  kRollback,
  kImplicitCommit,
  kUnknown,  // EXECUTE of a text, SET autocommit: the status flags of the answer tell
};

// Of BEGIN; without a word it is tidb_txn_mode.
enum class TransactionMode : std::uint8_t { kDefault, kOptimistic, kPessimistic };

// What a statement asks for besides data and session state: MySQL's information functions, and
// variables and SHOW statements that tell the same.
enum class InfoFunction : std::uint8_t {
  kLastInsertId,     // LAST_INSERT_ID() without argument, @@last_insert_id, @@identity
  kRowCount,         // ROW_COUNT()
  kFoundRows,        // FOUND_ROWS()
  kWarnings,         // SHOW WARNINGS, SHOW COUNT(*) WARNINGS, @@warning_count
  kErrors,           // SHOW ERRORS, SHOW COUNT(*) ERRORS, @@error_count
  kConnectionId,     // CONNECTION_ID(), @@pseudo_thread_id
  kLastPlan,         // @@last_plan_from_cache, @@last_plan_from_binding, …
  kLastTransaction,  // @@tidb_last_txn_info, @@tidb_last_query_info, @@tidb_last_ddl_info, …
  kUserVariable,     // @x
  kSequence,         // LASTVAL()
  kTransactionTime,  // @@tidb_current_ts
  kStatus,           // SHOW STATUS, which tells of the connection's encryption
};

using InfoFunctions = Flags<InfoFunction>;

// SHOW [COUNT(*)] WARNINGS or ERRORS, without LIKE and WHERE.
struct ShownDiagnostics {
  bool errors = false;
  bool counts = false;
};

struct KillTarget {
  std::uint64_t id = 0;
  bool query_only = false;      // KILL QUERY: the connection lives on
  bool own_connection = false;  // KILL … CONNECTION_ID(): id is not set
};

struct Statement {
  StatementKind kind = StatementKind::kUnknown;
  Verb verb = Verb::kNone;
  TransactionEffect transaction = TransactionEffect::kNone;
  TransactionMode begin_mode = TransactionMode::kDefault;
  // Proven free of effects on data, session and server: sending it twice is the same as once.
  bool is_read = false;
  bool selects = false;     // a SELECT, TABLE, VALUES or WITH … SELECT, also an explained one
  bool locks_rows = false;  // a query FOR UPDATE: what it reads, if it is in a transaction
  // Calls what no rollback undoes and pins nothing (SETVAL, RELEASE_LOCK), or writes a file.
  bool acts_outside_transaction = false;
  bool may_set_last_insert_id = false;
  bool changes_server = false;  // such as SET GLOBAL: what new sessions start with
  // The backend may ask for a file (LOAD DATA LOCAL, LOAD STATS, PLAN REPLAYER LOAD).
  bool requests_local_file = false;
  // SHOW WARNINGS or SHOW ERRORS: the warnings of the statement before stay.
  bool keeps_diagnostics = false;
  // It is SELECT LAST_INSERT_ID(), ROW_COUNT() or FOUND_ROWS(), and nothing else.
  std::optional<InfoFunction> lone_info_function{};
  std::optional<ShownDiagnostics> shown{};  // it is that, and nothing else
  InfoFunctions info_functions{};           // that it asks for
  PinReasons pins{};                        // from its OK on
  PinReasons releases{};   // surely no longer needed after its OK; applied after `pins`
  StateChanges changes{};  // in order of execution, from its OK on
  std::vector<std::string> global_names{};  // variables of its SET GLOBAL, canonical
  std::optional<KillTarget> kill{};
  std::string_view text{};  // its part of the classified text
};

// What classify() makes of a text, beyond all that applications send: dumps have some ten thousand
// statements, and each is some 100 bytes here, however short it is.
inline constexpr std::size_t kMostStatements = 100'000;
inline constexpr std::size_t kMostChanges = 100'000;  // of all statements; names of globals count

// Which of these a text has more of.
enum class Excess : std::uint8_t { kNone, kStatements, kChanges };

// The statements of one text, in order; none for an empty or comment-only text (to which TiDB
// answers OK).
class Script {
 public:
  bool empty() const { return count_ == 0; }
  std::size_t size() const { return count_; }
  const Statement& operator[](std::size_t index) const {
    return index == 0 ? first_ : rest_[index - 1];
  }
  const Statement& front() const { return first_; }
  void append(Statement statement);

  bool is_read() const;                  // every statement is; false for an empty text
  PinReasons pins() const;               // of all of them
  InfoFunctions info_functions() const;  // of all of them
  bool requests_local_file() const;      // any of them

  // Unless it is kNone, nothing is known of the text: one statement, kUnknown, stands for it.
  Excess excess() const { return excess_; }
  void set_excess(Excess excess) { excess_ = excess; }
  std::size_t bytes() const;  // of the heap, about

 private:
  Statement first_{};
  std::vector<Statement> rest_{};
  std::size_t count_ = 0;
  Excess excess_ = Excess::kNone;
};

// Views in the result point into `text`.
Script classify(std::string_view text, LexMode mode);

}  // namespace tidepool::sql

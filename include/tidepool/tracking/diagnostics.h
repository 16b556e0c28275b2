// Diagnostics of the last statement: LAST_INSERT_ID(), ROW_COUNT(), FOUND_ROWS(), the warnings, and
// what TiDB repeats in an OK. Also which of them only the backend knows, until they are read back.
// Pure.
//
// Owned by its session, which tells it of each answer; copied when a transaction is replayed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tidepool/protocol/commands.h"
#include "tidepool/protocol/reply_messages.h"
#include "tidepool/protocol/response_tracker.h"
#include "tidepool/protocol/text_result.h"
#include "tidepool/sql/parse/statement.h"
#include "tidepool/tracking/pre_execution_error.h"
#include "tidepool/tracking/shown_warnings.h"

namespace tidepool::tracking {

// A command that TiDB has answered.
struct CompletedCommand {
  protocol::Command command;
  const sql::Script& script;  // what it executed or prepared
  const protocol::ResponseSummary& answer;
};

class Diagnostics {
 public:
  // ---- What happened ----

  // The proxy has executed a statement, without warnings; the last backend knows nothing of it.
  void note_local_answer();
  // The proxy has answered with an error of its own; `warnings` is the answer to SHOW WARNINGS
  // after it.
  void note_own_error(std::string warnings);
  // A statement of the client has run. `locks_rows`: in a transaction that locks what FOR UPDATE
  // reads. Returns whether LAST_INSERT_ID() on the backend is surely another one now.
  bool note_answer(const CompletedCommand& done, bool locks_rows);
  // It failed; `ping` is an OK that TiDB sent after that. `text`: what was to be prepared, if the
  // command is a prepare.
  void note_failure(const CompletedCommand& done, const protocol::ResponseSummary& ping,
                    std::string_view text);
  // TiDB has refused it before it began. `had_diagnostics`: on a backend that knew the statement
  // before.
  void note_pre_execution_error(PreExecutionError error, bool had_diagnostics);
  // TiDB's parser has warned of what it then refused; `count`: of the backend's warnings now.
  void note_parser_warnings(std::uint16_t count, bool had_diagnostics);
  // `text` was prepared, by TiDB or from memory: a statement of its own, which the backend that
  // comes next has not seen. One that asks for LAST_INSERT_ID(n) has set it while it was planned.
  void note_prepare(std::shared_ptr<const std::string> text, const sql::Script& script,
                    std::uint16_t warnings, bool had_diagnostics);
  void note_fetch(bool is_found);
  // The statement with that text is gone.
  void note_close(const std::shared_ptr<const std::string>& text);
  // The text that would have executed `statement` could not be prepared.
  void note_lost_text(const sql::Statement& statement);

  // ---- What became of the backend ----

  void note_backend_gone();
  // Other statements have run on it.
  void leave_backend() { is_on_backend_ = false; }
  void disturb_found_rows() { found_rows_here_ = false; }
  void forget_backend_warnings() { warnings_on_backend_ = false; }
  void forget_backend_insert_id() { insert_id_on_backend_ = false; }

  // ---- What was read back, the answers as TiDB gave them ----

  void note_errors(const std::string& answer) { errors_answer_ = answer; }  // to SHOW ERRORS
  // To SHOW WARNINGS, which shows at most `most` (sql_select_limit). With such a limit SHOW ERRORS
  // is asked first.
  void note_warnings(const std::string& answer, std::uint64_t most = kAllWarnings);
  void note_prepare_warnings(const std::string& answer);       // after last_prepare() once more
  void note_found_rows(const std::string& answer);             // to SELECT FOUND_ROWS()
  void begin_found_rows() { found_rows_on_backend_ = false; }  // they are being read
  // To SELECT LAST_INSERT_ID(); `there` is what the backend had before the session's last
  // statements, if that is known, and afterwards what it has.
  void note_insert_id(const std::string& answer, std::optional<std::uint64_t>& there);

  // ---- What is known ----

  // The answer to a statement that asks nothing else, and what it does to the diagnostics itself;
  // nothing if it is no such statement. The status is left to the caller.
  std::optional<protocol::TextResult> answer(const sql::Statement& statement);
  // The same of SHOW WARNINGS, SHOW ERRORS and their COUNT(*), whatever is on a backend.
  std::optional<protocol::TextResult> answer_about_warnings(const sql::Statement& statement);

  std::uint64_t last_insert_id() const { return last_insert_id_; }
  std::int64_t row_count() const { return row_count_; }
  std::uint64_t found_rows() const { return found_rows_; }
  // TiDB's own, but for the status.
  const protocol::OkMessage& last_ok() const { return last_ok_; }
  // Those of the statement before, if they are not on a backend.
  protocol::TextResult warnings() const;
  std::uint64_t most_shown() const { return most_shown_; }  // of warnings(), by SHOW WARNINGS
  std::uint64_t warning_count() const;
  std::uint64_t error_count() const;
  // The text, if preparing it was the last statement; else empty.
  std::string_view last_prepare() const {
    return last_prepare_ == nullptr ? std::string_view() : std::string_view(*last_prepare_);
  }

  // The last statement ran on the session's last backend, not in the proxy.
  bool is_on_backend() const { return is_on_backend_; }
  // Newer than last_insert_id(): to be captured before the lease ends.
  bool insert_id_on_backend() const { return insert_id_on_backend_; }
  bool warnings_on_backend() const { return warnings_on_backend_; }
  // Of the backend's warnings only the last ones are this session's: they come after those that it
  // had before.
  bool has_added_warnings() const { return added_warnings_ > 0; }
  // Whether only the backend knows them: of a cursor that TiDB has read to its end.
  bool found_rows_on_backend() const { return found_rows_on_backend_; }
  // Whether the last backend has them, if no other session has used it since.
  bool found_rows_here() const { return found_rows_here_; }

 private:
  void note_prepared_diagnostics(bool had_diagnostics);
  void note_executed_diagnostics(const CompletedCommand& done);
  void note_warning_of(bool prepares, const CompletedCommand& done, const sql::Statement* last);
  void note_rows(const protocol::ResponseSummary& answer, bool has_rows);
  void keep(const protocol::TextResult& warnings);

  std::uint64_t last_insert_id_ = 0;
  bool insert_id_on_backend_ = false;
  bool warnings_on_backend_ = false;  // newer than warnings_answer_
  unsigned added_warnings_ = 0;       // see has_added_warnings()
  // The last statement is SHOW WARNINGS or SHOW ERRORS, after which TiDB's OK and EOF tell of no
  // warnings (StmtCtx.InShowWarning).
  bool counts_no_warnings_ = false;
  bool last_sets_insert_id_ = false;  // the last statement is a SELECT LAST_INSERT_ID(n)
  std::string warnings_answer_;       // to SHOW WARNINGS, if the last statement left any
  std::uint64_t most_shown_ = kAllWarnings;
  std::string errors_answer_;  // until SHOW WARNINGS is answered
  protocol::OkMessage last_ok_;
  std::int64_t row_count_ = 0;
  std::uint64_t found_rows_ = 0;
  bool found_rows_on_backend_ = false;
  bool found_rows_here_ = false;
  std::shared_ptr<const std::string> last_prepare_;  // shared with the statement
  std::uint16_t prepare_warnings_ = 0;               // that it left
  bool is_on_backend_ = false;
};

}  // namespace tidepool::tracking

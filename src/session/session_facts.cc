// What later statements may ask about the last one: noted from its answer, captured from the
// backend before somebody else gets it, answered here or put back on another backend.
#include <algorithm>
#include <utility>

#include "tidepool/protocol/reply_messages.h"
#include "tidepool/protocol/status.h"
#include "tidepool/protocol/text_result.h"
#include "tidepool/session/effects.h"
#include "tidepool/session/refusal.h"
#include "tidepool/session/row_locks.h"
#include "tidepool/session/session.h"
#include "tidepool/session/shown_warnings.h"
#include "tidepool/session/warnings.h"

namespace tidepool::session {
namespace {

constexpr std::uint16_t kNotNullFlag = 0x01;
constexpr std::uint16_t kUnsignedFlag = 0x20;
constexpr std::uint16_t kBinaryFlag = 0x80;

// As TiDB has it (ResetContextOfStmt): -1 after a SELECT, also an explained one; 0 after what
// changes no rows.
std::int64_t row_count_after(const sql::Statement* statement, std::uint64_t affected_rows) {
  if (statement == nullptr) return static_cast<std::int64_t>(affected_rows);
  const std::string words = words_of(*statement);
  if (words.starts_with("LOAD ")) return 0;
  if (statement->kind != sql::StatementKind::kRead) {
    return static_cast<std::int64_t>(affected_rows);
  }
  const auto begins = [&](std::string_view word) { return words.starts_with(word); };
  const bool explains = begins("EXPLAIN") || begins("DESC");
  if (explains) return words.find("SELECT") == std::string::npos ? 0 : -1;
  return begins("SHOW") || begins("DO") || begins("HELP") ? 0 : -1;
}

// The statement of the text that TiDB began last: the one that failed.
const sql::Statement* last_begun(const sql::Script& script,
                                 const protocol::ResponseSummary& answer) {
  if (script.empty()) return nullptr;
  return &script[std::min(executed_of(script, answer), script.size() - 1)];
}

bool may_have_set_insert_id(const sql::Script& script, const protocol::ResponseSummary& answer) {
  const sql::Statement* last = last_begun(script, answer);
  if (last == nullptr || !answer.has_error()) {
    return last != nullptr && last->may_set_last_insert_id;
  }
  bool may_set = false;
  for (std::size_t i = 0; &script[i] != last; ++i)
    may_set = may_set || script[i].may_set_last_insert_id;
  return may_set || last->may_set_last_insert_id;
}

// Whether nothing that was executed had warnings of its own.
bool keeps_warnings(const sql::Script& script, const sql::Statement* last) {
  if (last == nullptr) return false;
  for (std::size_t i = 0; i < script.size(); ++i) {
    if (!script[i].keeps_diagnostics) return false;
    if (&script[i] == last) break;
  }
  return true;
}

// `may_set`: a statement of the text may have set it without telling.
bool concerns_insert_id(const protocol::ResponseSummary& answer, bool may_set) {
  const bool is_silent =
      answer.outcome == protocol::ResponseSummary::Outcome::kResultSet || answer.has_error();
  return answer.last_insert_id != 0 || (may_set && is_silent);
}

// LAST_INSERT_ID(n) in an UPDATE has surely set it; what an INSERT tells may be an id that the
// client gave.
bool tells_insert_id(const sql::Script& script, const protocol::ResponseSummary& answer) {
  if (answer.last_insert_id == 0) return false;
  for (std::size_t i = 0; i < script.size(); ++i)
    if (inserts(script[i])) return false;
  return true;
}

// SELECT name() and nothing else; the column is called as it is written.
std::optional<std::string> lone_function(const sql::Statement& statement, const char* name) {
  sql::Lexer lexer(statement.text, {});
  const sql::Token select = lexer.next();
  const sql::Token function = lexer.next();
  const sql::Token open = lexer.next();
  const sql::Token close = lexer.next();
  const bool matches = sql::is_keyword(select.text, "SELECT") &&
                       sql::is_keyword(function.text, name) && open.symbol == '(' &&
                       close.symbol == ')' && lexer.next().kind == sql::TokenKind::kEnd;
  if (!matches) return std::nullopt;
  return std::string(function.text.data(), close.text.data() + close.text.size());
}

}  // namespace

// About the statement before, from what its answer said.
bool Session::answer_fact_locally(const ClientCommand& command) {
  const sql::Statement& statement = command.script.front();
  if (statement.keeps_diagnostics) return answer_about_warnings(statement);
  const auto answer = [&](const std::string& name, const std::string& value, std::uint16_t flags) {
    protocol::Column column = protocol::integer_column(name);
    column.flags = flags | kBinaryFlag;
    note_local_answer();
    row_count_ = -1;
    found_rows_ = 1;
    found_rows_here_ = false;
    return send(protocol::make_text_result({column}, {{value}}, status_flags(), 0));
  };
  if (statement.facts == sql::Facts{sql::Fact::kLastInsertId}) {
    if (const auto name = lone_function(statement, "LAST_INSERT_ID")) {
      return answer(*name, std::to_string(last_insert_id_), kUnsignedFlag | kNotNullFlag);
    }
  }
  if (statement.facts == sql::Facts{sql::Fact::kRowCount}) {
    if (const auto name = lone_function(statement, "ROW_COUNT")) {
      return answer(*name, std::to_string(row_count_), kNotNullFlag);
    }
  }
  if (statement.facts == sql::Facts{sql::Fact::kFoundRows}) {
    if (const auto name = lone_function(statement, "FOUND_ROWS")) {
      return answer(*name, std::to_string(found_rows_), kUnsignedFlag);
    }
  }
  return false;
}

// SHOW WARNINGS, SHOW ERRORS and their COUNT(*), which leave the warnings as they are.
bool Session::answer_about_warnings(const sql::Statement& statement) {
  if (warnings_answer_.empty()) return false;
  auto warnings = protocol::parse_text_result(warnings_answer_);
  const auto result = warnings ? shown_by(statement, *std::move(warnings)) : std::nullopt;
  if (!result) return false;
  row_count_ = 0;
  found_rows_ = result->rows.size();
  found_rows_here_ = false;
  last_ok_ = {};
  facts_on_backend_ = false;
  counts_no_warnings_ = true;
  return send(
      protocol::make_text_result(result->columns, result->rows, status_flags(), result->warnings));
}

// A statement that the proxy answered has left no warnings, and the last backend knows nothing of
// it.
void Session::note_local_answer() {
  warnings_answer_.clear();
  last_prepare_.clear();
  last_ok_ = {};
  row_count_ = 0;
  facts_on_backend_ = false;
  counts_no_warnings_ = false;
}

// A text was prepared, by TiDB or from memory: a statement of its own, which the backend that comes
// next has not seen.
void Session::note_prepare(const ClientCommand& command, std::uint16_t warnings) {
  const sql::Script& script = command.script;
  if (!script.empty() && script.front().keeps_diagnostics) return note_prepared_diagnostics();
  note_local_answer();
  warnings_on_backend_ = false;
  last_ok_.warnings = warnings;
  row_count_ = row_count_after(script.empty() ? nullptr : &script[script.size() - 1], 0);
  last_prepare_ = command.argument();
  prepare_warnings_ = warnings;
}

// SHOW WARNINGS leaves the warnings when it is prepared too, and adds one of its own, of its plan
// that is not cached.
void Session::note_prepared_diagnostics() {
  note_refusal(Refusal::kAddsWarning);
  counts_no_warnings_ = true;
  last_ok_ = {};
  row_count_ = 0;
}

// As in a session that has just begun.
void Session::forget_facts() {
  replay_.reset();
  note_local_answer();
  insert_id_on_backend_ = false;
  warnings_on_backend_ = false;
  added_warnings_ = 0;
  found_rows_on_backend_ = false;
  last_insert_id_ = 0;
  found_rows_ = 0;
  found_rows_here_ = false;
}

// In a connection of collation `binary` no expression of the type of @@warning_count has its flags:
// there the backend is brought to have as many.
bool Session::counts_on_backend() const {
  constexpr std::uint16_t kBinary = 63;
  return desired_.lex_mode().collation == kBinary && texts_that_warn(known_warnings());
}

// Those of the statement before, if they are not on a backend.
protocol::TextResult Session::known_warnings() const {
  if (warnings_answer_.empty()) return {};
  auto warnings = protocol::parse_text_result(warnings_answer_);
  return warnings ? *std::move(warnings) : protocol::TextResult{};
}

// What the statement, or a later one of its transaction, asks about the one before it, on a backend
// that did not run that one.
void Session::add_fact_restores() {
  prepare_for_parser_warnings();
  if (restores_insert_id()) {
    keep_warnings();
    found_rows_here_ = false;
    lease_.memory().insert_id = insert_id_target();
    add_restore_query("SELECT LAST_INSERT_ID(" + std::to_string(insert_id_target()) + ")");
  }
  const sql::Script& script = command_->effects();
  const bool asks = !script.empty() && (script.front().facts.contains(sql::Fact::kWarnings) ||
                                        script.front().facts.contains(sql::Fact::kErrors));
  if (!asks || warnings_on_backend_ || knows_facts_here()) return;
  const bool shows = script.front().keeps_diagnostics;
  if (!shows && !counts_on_backend()) return;
  if (!last_prepare_.empty()) {
    command_->exchange.add({.kind = StepKind::kRestore,
                            .command = protocol::Command::kStmtPrepare,
                            .bytes = framed(protocol::Command::kStmtPrepare, last_prepare_),
                            .may_fail = true});
    return;
  }
  found_rows_here_ = false;
  const auto texts = texts_that_warn(known_warnings());
  if (shows && script.size() > 1 && texts) command_->shown.emplace(script, known_warnings());
  const bool has_counts = !shows || (command_->shown && !command_->shown->is_over());
  if (!has_counts) return add_restore_query("DO 0");
  for (const std::string& text : *texts)
    add_restore_query(text);
}

void Session::add_restore_query(const std::string& text) {
  command_->exchange.add({.kind = StepKind::kRestore,
                          .command = protocol::Command::kQuery,
                          .bytes = framed(protocol::Command::kQuery, text),
                          .may_fail = true});
}

// What later statements may ask about this one.
void Session::note_facts() {
  const protocol::ResponseSummary& answer = command_->summary;
  const bool prepares = command_->type == protocol::Command::kStmtPrepare;
  const sql::Script& script = command_->effects();
  if (const Refusal refusal =
          refusal_of(command_->type, script, answer, desired_.lex_mode().encoding);
      refusal != Refusal::kNone) {
    return note_refusal(refusal);
  }
  const sql::Statement* last = last_begun(script, answer);
  const bool has_rows = answer.outcome == protocol::ResponseSummary::Outcome::kResultSet;
  facts_on_backend_ = !prepares;
  added_warnings_ = 0;
  counts_no_warnings_ = last != nullptr && last->keeps_diagnostics;
  if (!keeps_warnings(script, last)) {
    warnings_answer_.clear();
    last_prepare_.clear();
    // What is behind a SHOW WARNINGS among several, its answer does not tell.
    warnings_on_backend_ =
        !prepares && (answer.warnings > 0 || answer.has_error() || counts_no_warnings_);
  }
  const bool may_set_id = may_have_set_insert_id(script, answer);
  last_sets_insert_id_ = may_set_id && has_rows;
  if (!prepares && concerns_insert_id(answer, may_set_id)) {
    insert_id_on_backend_ = true;
    if (last_sets_insert_id_ || tells_insert_id(script, answer)) lease_.memory().insert_id.reset();
  }
  last_ok_ = {.affected_rows = has_rows ? 0 : answer.affected_rows,
              .last_insert_id = has_rows ? 0 : answer.ok_insert_id,
              .warnings = prepares ? std::uint16_t{0} : answer.warnings,
              .info = has_rows ? std::string() : answer.info};
  row_count_ = row_count_after(last, last_ok_.affected_rows);
  const bool is_in_transaction = in_transaction_ || !desired_.autocommit();
  const bool is_pessimistic =
      in_transaction_ ? is_pessimistic_ : begins_pessimistic(nullptr, desired_);
  if (last != nullptr && is_in_transaction && is_pessimistic && locks_rows(*last)) return;
  if (answer.found_rows) found_rows_ = *answer.found_rows;
  const bool opens_cursor = has_rows && (answer.status & protocol::status::kCursorExists) != 0;
  if (opens_cursor || answer.found_rows) {
    found_rows_on_backend_ = opens_cursor;
    found_rows_here_ = true;
  }
}

// This backend may or may not be the one that ran the statement before.
void Session::note_refusal(Refusal refusal) {
  facts_on_backend_ = facts_on_backend_ && command_ != nullptr && command_->knows_facts;
  if (refusal == Refusal::kWithoutTrace) return;
  if (!warnings_on_backend_ || added_warnings_ > 0) ++added_warnings_;
  warnings_on_backend_ = true;
  if (!counts_no_warnings_) ++last_ok_.warnings;
}

// After an error: what a ping's OK repeats.
void Session::note_failure_facts() {
  const sql::Script& script = command_->effects();
  const protocol::ResponseSummary& ping = command_->exchange.summary();
  const sql::TextEncoding encoding = desired_.lex_mode().encoding;
  if (refusal_of(command_->type, script, command_->summary, encoding) != Refusal::kNone) {
    if (command_->may_have_parser_warnings) note_parser_warnings(ping.warnings);
    return;
  }
  last_ok_ = {.affected_rows = ping.affected_rows,
              .last_insert_id = ping.last_insert_id,
              .warnings = ping.warnings,
              .info = ping.info};
  row_count_ = row_count_after(last_begun(script, command_->summary), ping.affected_rows);
  const bool is_prepare = command_->type == protocol::Command::kStmtPrepare;
  if (!is_prepare || ping.warnings == 0) return;
  last_prepare_ = command_->argument();
  prepare_warnings_ = ping.warnings;
}

}  // namespace tidepool::session

#include "tidepool/tracking/diagnostics.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "tidepool/protocol/status.h"
#include "tidepool/sql/parse/own_answer.h"
#include "tidepool/tracking/script_outcome.h"
#include "tidepool/tracking/shown_warnings.h"
#include "tidepool/tracking/warnings.h"

namespace tidepool::tracking {
namespace {

constexpr std::uint16_t kNotNullFlag = 0x01;
constexpr std::uint16_t kUnsignedFlag = 0x20;
constexpr std::uint16_t kBinaryFlag = 0x80;
// Of a text that is kept although its session has no statement of it; what warnings a longer one
// has left is not known.
constexpr std::size_t kLongestAlone = std::size_t{64} << 10U;

// As TiDB has it (ResetContextOfStmt): -1 after a SELECT, also an explained one; 0 after what
// changes no rows.
std::int64_t row_count_after(const sql::Statement* statement, std::uint64_t affected_rows) {
  if (statement == nullptr) return static_cast<std::int64_t>(affected_rows);
  if (statement->verb == sql::Verb::kLoad) return 0;
  if (statement->kind != sql::StatementKind::kRead) {
    return static_cast<std::int64_t>(affected_rows);
  }
  return statement->selects ? -1 : 0;
}

// The statement of the text that TiDB began last: the one that failed.
const sql::Statement* last_begun(const CompletedCommand& done) {
  if (done.script.empty()) return nullptr;
  return &done.script[std::min(executed_of(done.script, done.answer), done.script.size() - 1)];
}

bool may_have_set_insert_id(const CompletedCommand& done, const sql::Statement* last) {
  if (last == nullptr || !done.answer.has_error()) {
    return last != nullptr && last->may_set_last_insert_id;
  }
  bool may_set = false;
  for (std::size_t i = 0; &done.script[i] != last; ++i)
    may_set = may_set || done.script[i].may_set_last_insert_id;
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
bool tells_insert_id(const CompletedCommand& done) {
  if (done.answer.last_insert_id == 0) return false;
  for (std::size_t i = 0; i < done.script.size(); ++i)
    if (inserts(done.script[i])) return false;
  return true;
}

protocol::TextResult one_number(const std::string& name, std::string value, std::uint16_t flags) {
  protocol::Column column = protocol::integer_column(name);
  column.flags = static_cast<std::uint16_t>(flags | kBinaryFlag);
  protocol::TextResult result;
  result.columns = {std::move(column)};
  result.rows = {{std::move(value)}};
  return result;
}

// The only value of an answer to a statement of the proxy's own.
std::optional<std::uint64_t> only_number(const std::string& answer) {
  const auto result = protocol::parse_text_result(answer);
  if (!result || result->rows.size() != 1 || result->rows[0].empty()) return std::nullopt;
  return std::strtoull(result->rows[0][0].value_or("0").c_str(), nullptr, 10);
}

}  // namespace

void Diagnostics::note_local_answer() {
  warnings_answer_.clear();
  last_prepare_.reset();
  last_ok_ = {};
  row_count_ = 0;
  is_on_backend_ = false;
  counts_no_warnings_ = false;
}

void Diagnostics::note_own_error(std::string warnings) {
  warnings_on_backend_ = false;
  warnings_answer_ = std::move(warnings);
  most_shown_ = kAllWarnings;
  last_ok_.warnings = 1;
}

bool Diagnostics::note_answer(const CompletedCommand& done, bool locks_rows) {
  const protocol::ResponseSummary& answer = done.answer;
  const bool prepares = done.command == protocol::Command::kStmtPrepare;
  const sql::Statement* last = last_begun(done);
  const bool has_rows = answer.outcome == protocol::ResponseSummary::Outcome::kResultSet;
  is_on_backend_ = !prepares;
  note_warning_of(prepares, done, last);
  const bool may_set_id = may_have_set_insert_id(done, last);
  last_sets_insert_id_ = may_set_id && has_rows;
  bool is_set = false;
  if (!prepares && concerns_insert_id(answer, may_set_id)) {
    insert_id_on_backend_ = true;
    is_set = last_sets_insert_id_ || tells_insert_id(done);
  }
  last_ok_ = {.affected_rows = has_rows ? 0 : answer.affected_rows,
              .last_insert_id = has_rows ? 0 : answer.ok_insert_id,
              .warnings = prepares ? std::uint16_t{0} : answer.warnings,
              .info = has_rows ? std::string() : answer.info};
  row_count_ = row_count_after(last, last_ok_.affected_rows);
  const bool keeps_found_rows = locks_rows && last != nullptr && last->locks_rows;
  if (!keeps_found_rows) note_rows(answer, has_rows);
  return is_set;
}

void Diagnostics::note_warning_of(bool prepares, const CompletedCommand& done,
                                  const sql::Statement* last) {
  added_warnings_ = 0;
  counts_no_warnings_ = last != nullptr && last->keeps_diagnostics;
  if (keeps_warnings(done.script, last)) return note_executed_diagnostics(done);
  warnings_answer_.clear();
  last_prepare_.reset();
  // What is behind a SHOW WARNINGS among several, its answer does not tell.
  warnings_on_backend_ =
      !prepares && (done.answer.warnings > 0 || done.answer.has_error() || counts_no_warnings_);
}

void Diagnostics::note_rows(const protocol::ResponseSummary& answer, bool has_rows) {
  if (answer.found_rows) found_rows_ = *answer.found_rows;
  const bool opens_cursor = has_rows && (answer.status & protocol::status::kCursorExists) != 0;
  if (!opens_cursor && !answer.found_rows) return;
  found_rows_on_backend_ = opens_cursor;
  found_rows_here_ = true;
}

void Diagnostics::note_failure(const CompletedCommand& done, const protocol::ResponseSummary& ping,
                               std::string_view text) {
  last_ok_ = {.affected_rows = ping.affected_rows,
              .last_insert_id = ping.last_insert_id,
              .warnings = ping.warnings,
              .info = ping.info};
  row_count_ = row_count_after(last_begun(done), ping.affected_rows);
  if (done.command != protocol::Command::kStmtPrepare || ping.warnings == 0) return;
  if (text.size() > kLongestAlone) return;
  last_prepare_ = std::make_shared<const std::string>(text);
  prepare_warnings_ = ping.warnings;
}

void Diagnostics::note_pre_execution_error(PreExecutionError error, bool had_diagnostics) {
  is_on_backend_ = is_on_backend_ && had_diagnostics;
  if (error == PreExecutionError::kKeepsDiagnostics) return;
  if (!warnings_on_backend_ || added_warnings_ > 0) ++added_warnings_;
  warnings_on_backend_ = true;
  if (!counts_no_warnings_) ++last_ok_.warnings;
}

void Diagnostics::note_parser_warnings(std::uint16_t count, bool had_diagnostics) {
  if (had_diagnostics) {
    warnings_on_backend_ = warnings_on_backend_ || count > 0 || counts_no_warnings_;
    if (!counts_no_warnings_) last_ok_.warnings = count;
  } else if (count > 0) {
    warnings_on_backend_ = true;
    added_warnings_ += count;
    if (!counts_no_warnings_)
      last_ok_.warnings = static_cast<std::uint16_t>(last_ok_.warnings + count);
  }
}

void Diagnostics::note_prepare(std::shared_ptr<const std::string> text, const sql::Script& script,
                               std::uint16_t warnings, bool had_diagnostics) {
  if (!script.empty() && script.front().keeps_diagnostics) {
    return note_prepared_diagnostics(had_diagnostics);
  }
  note_local_answer();
  warnings_on_backend_ = false;
  last_ok_.warnings = warnings;
  row_count_ = row_count_after(script.empty() ? nullptr : &script[script.size() - 1], 0);
  last_prepare_ = std::move(text);
  prepare_warnings_ = warnings;
  last_sets_insert_id_ = plans_insert_id(script);
  insert_id_on_backend_ = insert_id_on_backend_ || last_sets_insert_id_;
}

void Diagnostics::note_close(const std::shared_ptr<const std::string>& text) {
  if (last_prepare_ == text && text->size() > kLongestAlone) last_prepare_.reset();
}

// SHOW WARNINGS leaves the warnings when it is prepared too, and adds one of its own, of its plan
// that is not cached.
void Diagnostics::note_prepared_diagnostics(bool had_diagnostics) {
  note_pre_execution_error(PreExecutionError::kAppendsWarning, had_diagnostics);
  counts_no_warnings_ = true;
  last_ok_ = {};
  row_count_ = 0;
}

// So does each of its executes.
void Diagnostics::note_executed_diagnostics(const CompletedCommand& done) {
  if (done.command != protocol::Command::kStmtExecute || done.answer.has_error() ||
      warnings_on_backend_)
    return;
  added_warnings_ = 1;
  warnings_on_backend_ = true;
}

void Diagnostics::note_fetch(bool is_found) {
  last_ok_.warnings = 0;
  warnings_answer_.clear();
  warnings_on_backend_ = false;
  is_on_backend_ = is_on_backend_ && is_found;
}

void Diagnostics::note_lost_text(const sql::Statement& statement) {
  row_count_ = statement.kind == sql::StatementKind::kRead ? -1 : 0;
}

void Diagnostics::note_backend_gone() {
  insert_id_on_backend_ = false;
  warnings_on_backend_ = false;
  added_warnings_ = 0;
  found_rows_on_backend_ = false;
}

// A refused statement leaves the warnings before it and adds its own; the backend's before it may
// be another session's.
void Diagnostics::note_warnings(const std::string& answer, std::uint64_t most) {
  warnings_on_backend_ = false;
  most_shown_ = most;
  const std::size_t added = std::exchange(added_warnings_, 0U);
  const auto errors = protocol::parse_text_result(std::exchange(errors_answer_, {}));
  auto result = protocol::parse_text_result(answer);
  if (!result) return warnings_answer_.clear();
  const std::size_t count = added == 0 && !counts_no_warnings_ ? last_ok_.warnings : 0;
  const bool hides = errors && result->rows.size() >= most;
  if (hides) result = with_hidden(*std::move(result), *errors, count);
  if (added > 0) return keep(with_last_of(warnings(), *std::move(result), added));
  if (hides) return keep(*result);
  warnings_answer_ = answer;
}

void Diagnostics::note_prepare_warnings(const std::string& answer) {
  last_prepare_.reset();
  const auto before = protocol::parse_text_result(answer);
  protocol::TextResult added = warnings();
  const std::size_t count = added.rows.size();
  if (before) keep(with_last_of(*before, std::move(added), count));
}

void Diagnostics::keep(const protocol::TextResult& warnings) {
  const auto count = static_cast<std::uint16_t>(warnings.rows.size());
  last_ok_.warnings = counts_no_warnings_ ? std::uint16_t{0} : count;
  warnings_answer_ = protocol::make_text_result(warnings.columns, warnings.rows, warnings.status,
                                                warnings.warnings);
}

void Diagnostics::note_found_rows(const std::string& answer) {
  found_rows_ = only_number(answer).value_or(found_rows_);
}

void Diagnostics::note_insert_id(const std::string& answer, std::optional<std::uint64_t>& there) {
  insert_id_on_backend_ = false;
  const auto found = only_number(answer);
  if (!found) return;
  // A row with an id of its own leaves LAST_INSERT_ID() alone: then this is what another session
  // left there.
  const bool is_told = *found != 0 && *found == last_ok_.last_insert_id;
  if (found != there || is_told) last_insert_id_ = *found;
  there = found;
  if (last_sets_insert_id_) last_ok_.last_insert_id = last_insert_id_;
}

std::optional<protocol::TextResult> Diagnostics::answer(const sql::Statement& statement) {
  if (statement.keeps_diagnostics) return answer_about_warnings(statement);
  if (!statement.lone_info_function) return std::nullopt;
  const std::string name = sql::lone_info_function_name(statement);
  protocol::TextResult result;
  switch (*statement.lone_info_function) {
    case sql::InfoFunction::kLastInsertId:
      result = one_number(name, std::to_string(last_insert_id_), kUnsignedFlag | kNotNullFlag);
      break;
    case sql::InfoFunction::kRowCount:
      result = one_number(name, std::to_string(row_count_), kNotNullFlag);
      break;
    default: result = one_number(name, std::to_string(found_rows_), kUnsignedFlag);
  }
  note_local_answer();
  row_count_ = -1;
  found_rows_ = 1;
  found_rows_here_ = false;
  return result;
}

// They leave the warnings as they are.
std::optional<protocol::TextResult> Diagnostics::answer_about_warnings(
    const sql::Statement& statement) {
  if (warnings_answer_.empty()) return std::nullopt;
  auto result = shown_by(statement, warnings(), most_shown_);
  if (!result) return std::nullopt;
  row_count_ = 0;
  found_rows_ = result->rows.size();
  found_rows_here_ = false;
  last_ok_ = {};
  is_on_backend_ = false;
  counts_no_warnings_ = true;
  return result;
}

protocol::TextResult Diagnostics::warnings() const {
  if (warnings_answer_.empty()) return {};
  auto warnings = protocol::parse_text_result(warnings_answer_);
  return warnings ? *std::move(warnings) : protocol::TextResult{};
}

std::uint64_t Diagnostics::warning_count() const {
  if (!warnings_answer_.empty()) return warnings().rows.size();
  return last_prepare().empty() ? 0 : prepare_warnings_;
}

std::uint64_t Diagnostics::error_count() const {
  return only_errors(warnings()).rows.size();
}

}  // namespace tidepool::tracking

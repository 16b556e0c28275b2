#include "simulated_tidb.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <utility>

#include "tidepool/protocol/packet.h"
#include "tidepool/protocol/reply_messages.h"
#include "tidepool/protocol/statement_messages.h"
#include "tidepool/protocol/status.h"
#include "tidepool/protocol/text_result.h"
#include "tidepool/tracking/prepared.h"

namespace tidepool::fuzz {
namespace {

using sql::ChangeKind;
using Type = protocol::Command;

constexpr std::string_view kAllRoles = "`app`@`%`";
constexpr std::uint16_t kSyntaxError = 1064;
constexpr std::uint16_t kManyStatements = 8130;
constexpr std::uint16_t kNotPrepared = 8111;

// What TiDB computes; the model does not know it until it asks.
sql::StateChange computed(const sql::StateChange& change) {
  switch (change.kind) {
    case ChangeKind::kComputedVariable: return {ChangeKind::kSetVariable, change.name, "+05:00"};
    case ChangeKind::kComputedUserVariable: return {ChangeKind::kSetUserVariable, change.name, "2"};
    case ChangeKind::kComputedRole:
      return {ChangeKind::kSetRole, "", sql::role_names(kAllRoles).value_or("")};
    case ChangeKind::kSetResourceGroup:  // that of a login
      return {change.kind, "", change.value == "default" ? std::string() : change.value};
    default: return change;
  }
}

// The digits behind `before` in the text.
std::optional<std::string> number_behind(std::string_view text, std::string_view before) {
  const std::size_t at = text.find(before);
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view rest = text.substr(at + before.size());
  rest = rest.substr(0, rest.find_first_not_of("-0123456789"));
  return rest.empty() ? std::nullopt : std::optional(std::string(rest));
}

// A text that the proxy has put another value in says what it is; see sql/restore/substitute.h.
std::string row_count_in(std::string_view text, std::int64_t here) {
  return number_behind(text, "(ROW_COUNT()*0+").value_or(std::to_string(here));
}

std::string found_rows_in(std::string_view text, std::uint64_t here) {
  return number_behind(text, "(FOUND_ROWS()&0|").value_or(std::to_string(here));
}

std::string insert_id_in(std::string_view text, std::uint64_t here) {
  constexpr std::string_view kForeign = "(LAST_INSERT_ID()&0|IF(LAST_INSERT_ID()=";
  const auto foreign = number_behind(text, kForeign);
  if (!foreign) {
    return number_behind(text, "(LAST_INSERT_ID()&0|").value_or(std::to_string(here));
  }
  const std::string is_foreign = std::string(kForeign) + *foreign + ",";
  return std::to_string(here) == *foreign ? number_behind(text, is_foreign).value_or("")
                                          : std::to_string(here);
}

std::string warning_count_in(std::string_view text, std::size_t here) {
  return number_behind(text, "@@warning_count,'").value_or(std::to_string(here));
}

std::string numbered(std::string packets, std::uint8_t sequence) {
  for (std::size_t at = 0; at < packets.size();) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(packets[at + i]); };
    const std::size_t length = byte(0) | std::size_t{byte(1)} << 8U | std::size_t{byte(2)} << 16U;
    packets[at + 3] = static_cast<char>(sequence++);
    at += protocol::kHeaderBytes + length;
  }
  return packets;
}

}  // namespace

std::uint16_t SimulatedTidb::status() const {
  unsigned flags = 0;
  if (state_.autocommit()) flags |= protocol::status::kAutocommit;
  if (in_transaction_) flags |= protocol::status::kInTransaction;
  if (has_more_) flags |= protocol::status::kMoreResults;
  return static_cast<std::uint16_t>(flags);
}

std::string SimulatedTidb::ok(std::uint8_t sequence) const {
  return protocol::ok_packet({.affected_rows = ok_affected_,
                              .last_insert_id = ok_insert_id_,
                              .status = status(),
                              .warnings = ok_warnings_},
                             sequence);
}

std::string SimulatedTidb::answer_of(std::vector<std::vector<std::string>> rows,
                                     std::uint8_t sequence) const {
  const std::size_t width = rows.empty() ? 1 : rows.front().size();
  const std::vector<protocol::Column> columns(width, protocol::string_column("x"));
  std::vector<protocol::Row> shown;
  for (const std::vector<std::string>& row : rows)
    shown.emplace_back(row.begin(), row.end());
  return numbered(protocol::make_text_result(columns, shown, status(), ok_warnings_), sequence);
}

// What each statement forgets of the one before it.
void SimulatedTidb::begin_statement(std::int64_t row_count) {
  row_count_ = row_count;
  warnings_.clear();
  ok_affected_ = ok_insert_id_ = 0;
  ok_warnings_ = 0;
}

std::string SimulatedTidb::fail(std::uint16_t error, bool selects, std::uint8_t sequence) {
  begin_statement(selects ? -1 : 0);
  warnings_ = {"Error"};
  ok_warnings_ = 1;
  return protocol::err_packet({.number = error, .message = "no"}, sequence);
}

// It has not begun: what was there stays, but for one more warning.
std::string SimulatedTidb::refuse(std::uint16_t error) {
  if (error != kManyStatements) {
    warnings_.emplace_back("Error");
    ++ok_warnings_;
  }
  return protocol::err_packet({.number = error, .message = "no"}, 1);
}

std::string SimulatedTidb::execute(std::string_view payload, const Outcome& outcome) {
  const auto type = static_cast<Type>(payload.front());
  const std::string_view argument = payload.substr(1);
  const std::uint32_t id = protocol::parse_statement_id(payload).value_or(0);
  switch (type) {
    case Type::kQuery: return query(argument, outcome);
    case Type::kStmtPrepare:
      return outcome.error != 0 ? fail(outcome.error, false, 1) : prepare(argument);
    case Type::kStmtExecute: return execute_prepared(payload, outcome);
    case Type::kStmtClose: prepared_.erase(id); return {};
    case Type::kStmtSendLongData: ++prepared_[id].data; return {};
    case Type::kStmtReset:
      prepared_[id].data = 0;
      prepared_[id].has_cursor = false;
      return ok(1);
    case Type::kSetOption:
      state_.apply(sql::multi_statements(argument.front() == 0));
      return protocol::eof_packet({.warnings = ok_warnings_, .status = status()}, 1);
    case Type::kResetConnection: reset(); return ok(1);
    case Type::kInitDb: {
      if (outcome.error != 0) return fail(outcome.error, false, 1);
      begin_statement(0);
      next_isolation_.clear();
      state_.apply(sql::init_database(argument));
      return ok(1);
    }
    default: return ok(1);
  }
}

void SimulatedTidb::reset() {
  state_.reset();
  prepared_.clear();
  named_.clear();
  next_isolation_.clear();
  in_transaction_ = has_table_ = false;
  locks_ = 0;
  last_insert_id_ = found_rows_ = 0;
  begin_statement(0);
}

std::string SimulatedTidb::query(std::string_view text, const Outcome& outcome) {
  const sql::Script script = sql::classify(text, state_.lex_mode());
  if (script.empty()) return ok(1);
  if (script.front().verb == sql::Verb::kNone) return refuse(kSyntaxError);
  if (script.size() > 1 && !state_.multi_statements()) return refuse(kManyStatements);
  std::string answer;
  for (std::size_t i = 0; i < script.size(); ++i) {
    has_more_ = i + 1 < script.size();
    Outcome now = outcome;
    if (has_more_) now.error = 0;
    std::uint8_t packets = 0;
    for (std::size_t at = 0; at < answer.size(); ++packets)
      at += protocol::kHeaderBytes + static_cast<unsigned char>(answer[at]) +
            (std::size_t{static_cast<unsigned char>(answer[at + 1])} << 8U);
    const std::string part = run(script[i], now, static_cast<std::uint8_t>(packets + 1));
    answer += part;
    if (static_cast<std::uint8_t>(part[protocol::kHeaderBytes]) == protocol::kErrHeader) break;
  }
  has_more_ = false;
  return answer;
}

std::string SimulatedTidb::run(const sql::Statement& statement, const Outcome& outcome,
                               std::uint8_t sequence) {
  const bool sets_isolation =
      std::any_of(statement.changes.begin(), statement.changes.end(),
                  [](const auto& change) { return change.kind == ChangeKind::kNextIsolation; });
  if (statement.kind == sql::StatementKind::kPrepared)
    return run_text(statement, outcome, sequence);
  if (statement.keeps_diagnostics) return show_warnings(sequence);
  if (outcome.error != 0) {
    // A SET of several has done those before the bad one.
    if (statement.kind == sql::StatementKind::kSet && statement.changes.size() > 1)
      state_.apply(computed(statement.changes.front()));
    return fail(outcome.error, statement.selects, sequence);
  }
  if (!sets_isolation) next_isolation_.clear();
  const bool is_do = statement.verb == sql::Verb::kDo;
  switch (is_do ? sql::StatementKind::kOther : statement.kind) {
    case sql::StatementKind::kRead: return rows(statement, outcome, sequence);
    case sql::StatementKind::kWrite: return write(statement, outcome, sequence);
    default: break;
  }
  begin_statement(0);
  apply(statement);
  return ok(sequence);
}

void SimulatedTidb::apply(const sql::Statement& statement) {
  for (const sql::StateChange& change : statement.changes) {
    const bool is_role = change.kind == ChangeKind::kComputedRole;
    const bool is_default = is_role && statement.text.find("DEFAULT") != std::string_view::npos;
    state_.apply(is_default ? sql::StateChange{ChangeKind::kSetRole} : computed(change));
    if (change.kind == ChangeKind::kNextIsolation) next_isolation_ = change.value;
    if (change.kind == ChangeKind::kCreateTemporaryTable) has_table_ = true;
    if (change.kind == ChangeKind::kDropTable) has_table_ = false;
  }
  if (statement.kind == sql::StatementKind::kBegin) in_transaction_ = true;
  if (statement.verb == sql::Verb::kCommit || statement.verb == sql::Verb::kRollback)
    in_transaction_ = false;
}

std::string SimulatedTidb::rows(const sql::Statement& statement, const Outcome& outcome,
                                std::uint8_t sequence) {
  const std::string_view text = statement.text;
  std::vector<std::vector<std::string>> found(1);
  std::vector<std::string>& row = found.front();
  const auto asks = [&](std::string_view what) { return text.find(what) != text.npos; };
  std::size_t warned = outcome.warnings;
  if (asks("ROW_COUNT()")) {
    row = {row_count_in(text, row_count_)};
  } else if (asks("@@warning_count")) {
    row = {warning_count_in(text, warnings_.size())};
    warned = 0;
  } else if (asks("LAST_INSERT_ID()")) {
    row = {insert_id_in(text, last_insert_id_)};
  } else if (asks("FOUND_ROWS()")) {
    row = {found_rows_in(text, found_rows_)};
  } else if (const auto number = number_behind(text, "LAST_INSERT_ID(")) {
    last_insert_id_ = std::strtoull(number->c_str(), nullptr, 10);
    row = {*number};
  } else if (asks("@@time_zone")) {
    sql::SessionState::Item item{};
    for (const sql::SessionState::Item& one : state_.items())
      if (sql::variable(one.variable).name == std::string_view("time_zone")) item = one;
    row = {item.value.empty() ? "SYSTEM" : item.value};
  } else if (asks("CURRENT_ROLE()")) {
    row = {state_.role().is_fresh() ? std::string() : std::string(kAllRoles)};
  } else if (asks("CURRENT_RESOURCE_GROUP()")) {
    row = {state_.resource_group().empty() ? "default" : state_.resource_group()};
  } else if (asks("GET_LOCK")) {
    row = {std::to_string(outcome.rows % 2)};
    locks_ += outcome.rows % 2;
  } else if (asks("RELEASE_LOCK")) {
    if (locks_ > 0) --locks_;
    row = {"1"};
  } else if (asks("FROM t")) {
    found.assign(outcome.rows, {"a"});
  } else {
    if (asks("CAST(")) warned = static_cast<std::size_t>(std::count(text.begin(), text.end(), '('));
    row = {"1"};
  }
  begin_statement(statement.selects ? -1 : 0);
  found_rows_ = found.size();
  warnings_.assign(warned, "Warning");
  ok_warnings_ = static_cast<std::uint16_t>(warned);
  return answer_of(found, sequence);
}

std::string SimulatedTidb::write(const sql::Statement& statement, const Outcome& outcome,
                                 std::uint8_t sequence) {
  const bool inserts = statement.verb == sql::Verb::kInsert;
  begin_statement(static_cast<std::int64_t>(outcome.rows));
  ok_affected_ = outcome.rows;
  if (inserts) ok_insert_id_ = outcome.insert_id;
  if (inserts && outcome.is_generated) last_insert_id_ = outcome.insert_id;
  if (!state_.autocommit()) in_transaction_ = true;
  warnings_.assign(outcome.warnings, "Warning");
  ok_warnings_ = outcome.warnings;
  return ok(sequence);
}

std::string SimulatedTidb::show_warnings(std::uint8_t sequence) {
  next_isolation_.clear();
  row_count_ = 0;
  found_rows_ = warnings_.size();
  ok_affected_ = ok_insert_id_ = 0;
  ok_warnings_ = 0;
  std::vector<std::vector<std::string>> shown;
  for (const std::string& level : warnings_)
    shown.push_back({level, "1", "m"});
  if (shown.empty()) {
    std::vector<protocol::Column> columns(3, protocol::string_column("x"));
    return numbered(protocol::make_text_result(columns, {}, status(), 0), sequence);
  }
  return answer_of(shown, sequence);
}

// PREPARE … FROM, EXECUTE, DEALLOCATE PREPARE.
std::string SimulatedTidb::run_text(const sql::Statement& statement, const Outcome& outcome,
                                    std::uint8_t sequence) {
  const sql::StateChange& change = statement.changes.front();
  const auto found = named_.find(change.name);
  const bool is_there = found != named_.end();
  if (change.kind == ChangeKind::kExecuteNamed) {
    if (!is_there && sequence == 1 && !has_more_) return refuse(kNotPrepared);
    if (!is_there) return fail(kNotPrepared, false, sequence);
    const std::string text = found->second.text;
    const sql::Script script = sql::classify(text, found->second.context.lex_mode());
    return run(script.front(), outcome, sequence);
  }
  if (outcome.error != 0) return fail(outcome.error, false, sequence);
  next_isolation_.clear();
  begin_statement(0);
  if (change.kind == ChangeKind::kPrepareNamed) {
    named_[change.name] = {change.value, state_};
    ++last_id_;
  } else if (!is_there) {
    return fail(kNotPrepared, false, sequence);
  } else {
    named_.erase(found);
  }
  return ok(sequence);
}

std::string SimulatedTidb::prepare(std::string_view text) {
  const sql::Script script = sql::classify(text, state_.lex_mode());
  begin_statement(script.front().selects ? -1 : 0);
  prepared_[++last_id_] = {std::string(text), state_};
  const auto params = static_cast<std::uint16_t>(std::count(text.begin(), text.end(), '?'));
  std::string packets;
  std::uint8_t sequence = 1;
  protocol::append_packet(
      packets, sequence,
      protocol::encode_stmt_prepare_ok({.statement_id = last_id_, .params = params}));
  for (int i = 0; i < params; ++i)
    protocol::append_packet(packets, sequence,
                            protocol::encode_column(protocol::string_column("?")));
  if (params > 0) packets += protocol::eof_packet({.status = status()}, sequence);
  return packets;
}

std::string SimulatedTidb::execute_prepared(std::string_view payload, const Outcome& outcome) {
  const auto found = prepared_.find(protocol::parse_statement_id(payload).value_or(0));
  if (found == prepared_.end()) return fail(1243, false, 1);
  Prepared& statement = found->second;
  const bool has_param = statement.text.find('?') != std::string::npos;
  const auto execute = protocol::parse_stmt_execute(payload, has_param ? 1 : 0);
  if (execute && execute->has_types) statement.types = execute->types;
  statement.data = 0;
  statement.has_cursor = false;
  const sql::Script script = sql::classify(statement.text, statement.context.lex_mode());
  std::string answer = run(script.front(), outcome, 1);
  const bool opens = outcome.opens_cursor && outcome.error == 0 && script.front().selects &&
                     execute && execute->cursor_flags != protocol::kCursorNone;
  if (!opens) return answer;
  statement.has_cursor = true;
  const auto with_cursor = static_cast<std::uint16_t>(status() | protocol::status::kCursorExists);
  std::string head =
      protocol::make_text_result({protocol::string_column("x")}, {}, with_cursor, ok_warnings_);
  head.resize(head.size() - protocol::kHeaderBytes - 5);
  return head;
}

}  // namespace tidepool::fuzz

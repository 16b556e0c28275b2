#include "tidepool/sql/parse/own_answer.h"

#include <algorithm>

#include "parse/select_fields.h"
#include "tidepool/sql/state/collation.h"

namespace tidepool::sql {
namespace {

bool is_switch(std::string_view value) {
  return value == "0" || value == "1" || is_keyword(value, "ON") || is_keyword(value, "OFF");
}

bool is_certain(const StateChange& change) {
  if (change.kind == ChangeKind::kNextIsolation) return is_ordinary_isolation(change.value);
  if (change.kind == ChangeKind::kSetVariable) {
    return change.name == "autocommit" && is_switch(change.value);
  }
  if (change.kind != ChangeKind::kSetNames) return false;
  const Collation* charset = default_collation(change.value);
  if (charset == nullptr) return false;
  if (change.collation.empty()) return true;
  if (is_keyword(change.collation, "BINARY")) return false;  // TiDB wants quotes around it
  const Collation* collation = collation_by_name(change.collation);
  return collation != nullptr && collation->charset == charset->charset;
}

bool is_certain_setting(const Statement& statement) {
  PinReasons pins = statement.pins;
  pins.erase(Pin::kOneShotTransaction);  // held by the session
  const bool is_plain = pins.empty() && !statement.changes_server &&
                        statement.info_functions.empty() && !statement.changes.empty();
  return is_plain && std::all_of(statement.changes.begin(), statement.changes.end(), is_certain);
}

OwnAnswer of_kind(const Statement& statement) {
  switch (statement.kind) {
    case StatementKind::kEnd: return OwnAnswer::kEnd;
    case StatementKind::kSet:
      return is_certain_setting(statement) ? OwnAnswer::kSetting : OwnAnswer::kNone;
    case StatementKind::kRead:
      if (statement.keeps_diagnostics) {
        return statement.shown ? OwnAnswer::kShown : OwnAnswer::kNone;
      }
      return statement.lone_info_function ? OwnAnswer::kInfoFunction : OwnAnswer::kNone;
    default: return statement.kill ? OwnAnswer::kKill : OwnAnswer::kNone;
  }
}

}  // namespace

bool is_ordinary_isolation(std::string_view level) {
  return level == "REPEATABLE-READ" || level == "READ-COMMITTED";
}

OwnAnswer own_answer(const Script& script, std::string_view text) {
  if (script.size() != 1) return OwnAnswer::kNone;
  const OwnAnswer answer = of_kind(script.front());
  // TiDB's parser warns of a hint in a place that takes none.
  const bool may_warn = answer != OwnAnswer::kNone && text.find("/*+") != std::string_view::npos;
  return may_warn ? OwnAnswer::kNone : answer;
}

std::string lone_info_function_name(const Statement& statement) {
  Lexer lexer(statement.text, {});  // words, which are the same in all modes
  Token token = lexer.next();
  while (token.kind != TokenKind::kEnd && !is_keyword(token.text, "SELECT"))
    token = lexer.next();
  const Token function = lexer.next();
  return field_name(statement.text.substr(lexer.offset() - function.text.size()));
}

}  // namespace tidepool::sql

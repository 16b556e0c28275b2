#include "parse/side_effects.h"

#include <array>

#include "parse/names.h"

namespace tidepool::sql {
namespace {

enum class FunctionKind : std::uint8_t { kInfo, kPin, kAct, kBriefAct, kActingInfo, kLastInsertId };

struct Function {
  std::string_view name;
  FunctionKind kind;
  InfoFunction function = InfoFunction::kLastInsertId;
  Pin pin = Pin::kLock;
};

// Of all functions of TiDB (pkg/parser/ast/functions.go) the ones that do more than compute.
constexpr std::array<Function, 13> kFunctions = {{
    {"LAST_INSERT_ID", FunctionKind::kLastInsertId},
    {"ROW_COUNT", FunctionKind::kInfo, InfoFunction::kRowCount},
    {"FOUND_ROWS", FunctionKind::kInfo, InfoFunction::kFoundRows},
    {"CONNECTION_ID", FunctionKind::kInfo, InfoFunction::kConnectionId},
    {"LASTVAL", FunctionKind::kInfo, InfoFunction::kSequence},
    {"TIDB_CURRENT_TSO", FunctionKind::kInfo, InfoFunction::kTransactionTime},
    {"GET_LOCK", FunctionKind::kPin, InfoFunction::kLastInsertId, Pin::kLock},
    {"NEXTVAL", FunctionKind::kPin, InfoFunction::kLastInsertId, Pin::kSequence},
    {"SETVAL", FunctionKind::kAct},  // LASTVAL does not change
    {"RELEASE_LOCK", FunctionKind::kAct},
    {"RELEASE_ALL_LOCKS", FunctionKind::kAct},
    // These two take the lock for a moment; the one tells who holds it.
    {"IS_USED_LOCK", FunctionKind::kActingInfo, InfoFunction::kConnectionId},
    {"IS_FREE_LOCK", FunctionKind::kBriefAct},
}};

struct InfoVariable {
  std::string_view name;
  InfoFunction function;
};

constexpr std::array<InfoVariable, 14> kInfoVariables = {{
    {"last_insert_id", InfoFunction::kLastInsertId},
    {"identity", InfoFunction::kLastInsertId},
    {"warning_count", InfoFunction::kWarnings},
    {"error_count", InfoFunction::kErrors},
    {"pseudo_thread_id", InfoFunction::kConnectionId},
    {"last_plan_from_cache", InfoFunction::kLastPlan},
    {"last_plan_from_binding", InfoFunction::kLastPlan},
    {"last_sql_use_alloc", InfoFunction::kLastPlan},
    {"tidb_last_plan_replayer_token", InfoFunction::kLastPlan},
    {"tidb_last_txn_info", InfoFunction::kLastTransaction},
    {"tidb_last_query_info", InfoFunction::kLastTransaction},
    {"tidb_last_ddl_info", InfoFunction::kLastTransaction},
    {"tidb_current_ts", InfoFunction::kTransactionTime},
    {"tx_read_ts", InfoFunction::kTransactionTime},
}};

bool is_name(const Token& token) {
  return token.kind == TokenKind::kWord || token.kind == TokenKind::kQuotedName;
}

}  // namespace

void SideEffectWatch::pass(const Token& token) {
  if (in_last_insert_id_) {
    in_last_insert_id_ = false;
    if (token.symbol == ')') {
      side_effects_.info_functions.insert(InfoFunction::kLastInsertId);
    } else {
      side_effects_.acts = side_effects_.sets_insert_id = true;
    }
  }
  if (depth_ == 0 && is_name(token) && previous_.kind == TokenKind::kWord &&
      is_keyword(previous_.text, "FROM") && !is_keyword(token.text, "DUAL")) {
    side_effects_.reads_table = true;
  }
  switch (token.kind) {
    case TokenKind::kWord: pass_word(token); break;
    case TokenKind::kSymbol: pass_symbol(token); break;
    case TokenKind::kUserVariable:
      side_effects_.info_functions.insert(InfoFunction::kUserVariable);
      break;
    case TokenKind::kSystemVariable: {
      const std::string name = lower(unscoped(token.text));
      for (const InfoVariable& known : kInfoVariables) {
        if (known.name == name) side_effects_.info_functions.insert(known.function);
      }
      break;
    }
    case TokenKind::kInvalid: side_effects_.is_invalid = true; break;
    default: break;
  }
  previous_ = token;
}

void SideEffectWatch::pass_word(const Token& token) {
  const bool after_next_value = next_value_;
  next_value_ = false;
  side_effects_.has_with = side_effects_.has_with || is_keyword(token.text, "WITH");
  if (previous_.kind != TokenKind::kWord) return;
  const std::string_view word = token.text;
  const std::string_view before = previous_.text;
  if (is_keyword(before, "FOR")) {
    side_effects_.is_for_update = side_effects_.is_for_update || is_keyword(word, "UPDATE");
    side_effects_.locks_rows =
        side_effects_.locks_rows || side_effects_.is_for_update || is_keyword(word, "SHARE");
  } else if (is_keyword(before, "IN")) {
    side_effects_.locks_rows = side_effects_.locks_rows || is_keyword(word, "SHARE");
  } else if (is_keyword(before, "INTO")) {
    side_effects_.writes_file =
        side_effects_.writes_file || is_keyword(word, "OUTFILE") || is_keyword(word, "DUMPFILE");
  } else if (is_keyword(before, "NEXT")) {
    next_value_ = is_keyword(word, "VALUE");
  } else if (after_next_value && is_keyword(word, "FOR")) {
    side_effects_.pins.insert(Pin::kSequence);
    side_effects_.acts = true;
  }
}

void SideEffectWatch::pass_symbol(const Token& token) {
  if (token.symbol == '(') ++depth_;
  if (token.symbol == ')') --depth_;
  if (token.symbol == '(' && is_name(previous_)) {
    call(previous_.kind == TokenKind::kWord ? previous_.text
                                            : previous_.text.substr(1, previous_.text.size() - 2));
  } else if (token.text == ":=" && previous_.kind == TokenKind::kUserVariable) {
    side_effects_.pins.insert(Pin::kUserVariable);
    side_effects_.acts = true;
    if (side_effects_.assigned.size() <= kMostChanges)
      side_effects_.assigned.push_back(user_variable_name(previous_));
  }
}

void SideEffectWatch::call(std::string_view function) {
  if (function.size() < 6) return;  // no name below is shorter
  for (const Function& known : kFunctions) {
    if (!is_keyword(function, known.name)) continue;
    in_last_insert_id_ = known.kind == FunctionKind::kLastInsertId;
    const bool is_info =
        known.kind == FunctionKind::kInfo || known.kind == FunctionKind::kActingInfo;
    if (is_info) side_effects_.info_functions.insert(known.function);
    if (known.kind == FunctionKind::kPin) side_effects_.pins.insert(known.pin);
    const bool only_tells =
        known.kind == FunctionKind::kInfo || known.kind == FunctionKind::kLastInsertId;
    side_effects_.acts = side_effects_.acts || !only_tells;
    side_effects_.acts_for_good = side_effects_.acts_for_good || known.kind == FunctionKind::kAct;
    return;
  }
}

}  // namespace tidepool::sql

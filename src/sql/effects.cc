#include "effects.h"

#include <array>

#include "names.h"

namespace tidepool::sql {
namespace {

enum class Role : std::uint8_t { kFact, kPin, kAct, kBriefAct, kActingFact, kLastInsertId };

struct Function {
  std::string_view name;
  Role role;
  Fact fact = Fact::kLastInsertId;
  Pin pin = Pin::kLock;
};

// Of all functions of TiDB (pkg/parser/ast/functions.go) the ones that do more than compute.
constexpr std::array<Function, 13> kFunctions = {{
    {"LAST_INSERT_ID", Role::kLastInsertId},
    {"ROW_COUNT", Role::kFact, Fact::kRowCount},
    {"FOUND_ROWS", Role::kFact, Fact::kFoundRows},
    {"CONNECTION_ID", Role::kFact, Fact::kConnectionId},
    {"LASTVAL", Role::kFact, Fact::kSequence},
    {"TIDB_CURRENT_TSO", Role::kFact, Fact::kTransactionTime},
    {"GET_LOCK", Role::kPin, Fact::kLastInsertId, Pin::kLock},
    {"NEXTVAL", Role::kPin, Fact::kLastInsertId, Pin::kSequence},
    {"SETVAL", Role::kAct},  // LASTVAL does not change
    {"RELEASE_LOCK", Role::kAct},
    {"RELEASE_ALL_LOCKS", Role::kAct},
    // These two take the lock for a moment; the one tells who holds it.
    {"IS_USED_LOCK", Role::kActingFact, Fact::kConnectionId},
    {"IS_FREE_LOCK", Role::kBriefAct},
}};

struct SystemFact {
  std::string_view name;
  Fact fact;
};

constexpr std::array<SystemFact, 14> kSystemFacts = {{
    {"last_insert_id", Fact::kLastInsertId},
    {"identity", Fact::kLastInsertId},
    {"warning_count", Fact::kWarnings},
    {"error_count", Fact::kErrors},
    {"pseudo_thread_id", Fact::kConnectionId},
    {"last_plan_from_cache", Fact::kLastPlan},
    {"last_plan_from_binding", Fact::kLastPlan},
    {"last_sql_use_alloc", Fact::kLastPlan},
    {"tidb_last_plan_replayer_token", Fact::kLastPlan},
    {"tidb_last_txn_info", Fact::kLastTransaction},
    {"tidb_last_query_info", Fact::kLastTransaction},
    {"tidb_last_ddl_info", Fact::kLastTransaction},
    {"tidb_current_ts", Fact::kTransactionTime},
    {"tx_read_ts", Fact::kTransactionTime},
}};

bool is_name(const Token& token) {
  return token.kind == TokenKind::kWord || token.kind == TokenKind::kQuotedName;
}

}  // namespace

void EffectWatch::pass(const Token& token) {
  if (in_last_insert_id_) {
    in_last_insert_id_ = false;
    if (token.symbol == ')') {
      effects_.facts.insert(Fact::kLastInsertId);
    } else {
      effects_.acts = effects_.sets_insert_id = true;
    }
  }
  if (depth_ == 0 && is_name(token) && previous_.kind == TokenKind::kWord &&
      is_keyword(previous_.text, "FROM") && !is_keyword(token.text, "DUAL")) {
    effects_.reads_table = true;
  }
  switch (token.kind) {
    case TokenKind::kWord: pass_word(token); break;
    case TokenKind::kSymbol: pass_symbol(token); break;
    case TokenKind::kUserVariable: effects_.facts.insert(Fact::kUserVariable); break;
    case TokenKind::kSystemVariable: {
      const std::string name = lower(unscoped(token.text));
      for (const SystemFact& known : kSystemFacts) {
        if (known.name == name) effects_.facts.insert(known.fact);
      }
      break;
    }
    case TokenKind::kInvalid: effects_.is_invalid = true; break;
    default: break;
  }
  previous_ = token;
}

void EffectWatch::pass_word(const Token& token) {
  const bool after_next_value = next_value_;
  next_value_ = false;
  effects_.has_with = effects_.has_with || is_keyword(token.text, "WITH");
  if (previous_.kind != TokenKind::kWord) return;
  const std::string_view word = token.text;
  const std::string_view before = previous_.text;
  if (is_keyword(before, "FOR")) {
    effects_.is_for_update = effects_.is_for_update || is_keyword(word, "UPDATE");
    effects_.locks_rows =
        effects_.locks_rows || effects_.is_for_update || is_keyword(word, "SHARE");
  } else if (is_keyword(before, "IN")) {
    effects_.locks_rows = effects_.locks_rows || is_keyword(word, "SHARE");
  } else if (is_keyword(before, "INTO")) {
    effects_.writes_file =
        effects_.writes_file || is_keyword(word, "OUTFILE") || is_keyword(word, "DUMPFILE");
  } else if (is_keyword(before, "NEXT")) {
    next_value_ = is_keyword(word, "VALUE");
  } else if (after_next_value && is_keyword(word, "FOR")) {
    effects_.pins.insert(Pin::kSequence);
    effects_.acts = true;
  }
}

void EffectWatch::pass_symbol(const Token& token) {
  if (token.symbol == '(') ++depth_;
  if (token.symbol == ')') --depth_;
  if (token.symbol == '(' && is_name(previous_)) {
    call(previous_.kind == TokenKind::kWord ? previous_.text
                                            : previous_.text.substr(1, previous_.text.size() - 2));
  } else if (token.text == ":=" && previous_.kind == TokenKind::kUserVariable) {
    effects_.pins.insert(Pin::kUserVariable);
    effects_.acts = true;
    if (effects_.assigned.size() <= kMostChanges)
      effects_.assigned.push_back(user_variable_name(previous_));
  }
}

void EffectWatch::call(std::string_view function) {
  if (function.size() < 6) return;  // no name below is shorter
  for (const Function& known : kFunctions) {
    if (!is_keyword(function, known.name)) continue;
    in_last_insert_id_ = known.role == Role::kLastInsertId;
    const bool is_fact = known.role == Role::kFact || known.role == Role::kActingFact;
    if (is_fact) effects_.facts.insert(known.fact);
    if (known.role == Role::kPin) effects_.pins.insert(known.pin);
    const bool only_tells = known.role == Role::kFact || known.role == Role::kLastInsertId;
    effects_.acts = effects_.acts || !only_tells;
    effects_.acts_for_good = effects_.acts_for_good || known.role == Role::kAct;
    return;
  }
}

}  // namespace tidepool::sql

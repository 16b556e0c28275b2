// SET in all its forms (parser.y, SetStmt and VariableAssignment; executor/set.go).
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "parse/literal.h"
#include "parse/names.h"
#include "parse/statement_rules.h"
#include "tidepool/sql/state/collation.h"
#include "tidepool/sql/state/resource_group.h"
#include "tidepool/sql/state/variable.h"

namespace tidepool::sql {
namespace {

enum class Scope : std::uint8_t { kSession, kGlobal };

void compute(Statement& statement, Pin reason, ChangeKind kind, std::string name) {
  statement.pins.insert(reason);
  statement.changes.push_back({kind, std::move(name)});
}

bool is_repeatable(const Variable& known, const Literal& literal) {
  return known.group != VariableClass::kCharset || !literal.is_default;
}

void set_session_variable(Statement& statement, const std::string& name,
                          std::optional<Literal> literal) {
  const VariableId id = find_variable(name);
  if (id == kNoVariable) {
    compute(statement, Pin::kSessionVariable, ChangeKind::kComputedVariable, lower(name));
    return;
  }
  const Variable& known = variable(id);
  if (known.name == "autocommit") statement.transaction = TransactionEffect::kUnknown;
  switch (known.group) {
    case VariableClass::kNoState: return;
    case VariableClass::kServer: statement.changes_server = true; return;
    case VariableClass::kFollowed:
    case VariableClass::kCharset:
      if (!literal || !is_repeatable(known, *literal)) break;
      statement.changes.push_back(
          {literal->is_default ? ChangeKind::kSetDefault : ChangeKind::kSetVariable,
           std::string(known.name), std::move(literal->value)});
      return;
    case VariableClass::kPinning:
    case VariableClass::kUnknown: break;
  }
  const bool one_shot = known.name == "tx_isolation_one_shot" || known.name == "tx_read_ts";
  compute(statement, one_shot ? Pin::kOneShotTransaction : Pin::kSessionVariable,
          ChangeKind::kComputedVariable, std::string(known.name));
}

bool assign_variable(Cursor& cursor, Statement& statement, Scope scope, const std::string& name) {
  if (!cursor.at_assignment()) return false;
  cursor.advance_quietly();
  std::optional<Literal> literal = read_assigned_literal(cursor);
  if (scope == Scope::kGlobal) {
    statement.changes_server = true;
    const VariableId id = find_variable(name);
    if (id != kNoVariable) statement.global_names.emplace_back(variable(id).name);
  } else {
    set_session_variable(statement, name, std::move(literal));
  }
  return true;
}

// Which name it is, does not depend on Unicode's small letters nor on sql_mode.
bool is_plain_name(const Token& user_variable) {
  return user_variable.is_ascii && user_variable.text.find('\\') == std::string_view::npos;
}

bool assign_user_variable(Cursor& cursor, Statement& statement) {
  const Token target = cursor.token();
  std::string name = user_variable_name(target);
  cursor.advance_quietly();
  if (!cursor.at_assignment()) return false;
  cursor.advance_quietly();
  std::optional<Literal> literal = read_user_literal(cursor);
  if (!literal || !is_plain_name(target)) {
    compute(statement, Pin::kUserVariable, ChangeKind::kComputedUserVariable, std::move(name));
  } else if (literal->is_string) {
    const std::string_view collation = collation_by_id(cursor.mode().collation)->name;
    statement.changes.push_back({ChangeKind::kSetUserString, std::move(name),
                                 std::move(literal->value), std::string(collation)});
  } else {
    statement.changes.push_back(
        {ChangeKind::kSetUserVariable, std::move(name), std::move(literal->written)});
  }
  return true;
}

// Behind NAMES.
bool assign_names(Cursor& cursor, Statement& statement) {
  StateChange change{ChangeKind::kSetNames};
  if (!cursor.skip("DEFAULT")) {
    const std::optional<std::string> charset = read_word_or_string(cursor);
    if (!charset) return false;
    change.value = lower(*charset);
    if (cursor.skip("COLLATE") && !cursor.skip("DEFAULT")) {
      const std::optional<std::string> collation = read_word_or_string(cursor);
      if (!collation) return false;
      change.collation = lower(*collation);
    }
  }
  statement.changes.push_back(std::move(change));
  return true;
}

// Behind CHARACTER SET, CHAR SET or CHARSET.
bool assign_character_set(Cursor& cursor, Statement& statement) {
  StateChange change{ChangeKind::kSetCharacterSet};
  if (!cursor.skip("DEFAULT")) {
    const std::optional<std::string> charset = read_word_or_string(cursor);
    if (!charset) return false;
    change.value = lower(*charset);
  }
  statement.changes.push_back(std::move(change));
  return true;
}

// x or validate_password.x
std::optional<std::string> read_variable_name(Cursor& cursor) {
  std::optional<std::string> name = name_of(cursor.token());
  if (!name) return std::nullopt;
  cursor.advance_quietly();
  if (!cursor.at_symbol('.')) return name;
  cursor.advance_quietly();
  const std::optional<std::string> rest = name_of(cursor.token());
  if (!rest) return std::nullopt;
  cursor.advance_quietly();
  return *name + "." + *rest;
}

// One element of the list. False if it is not understood.
bool assign(Cursor& cursor, Statement& statement) {
  const Token first = cursor.token();
  if (first.kind == TokenKind::kUserVariable) return assign_user_variable(cursor, statement);
  Scope scope = Scope::kSession;
  if (first.kind == TokenKind::kSystemVariable) {
    if (has_global_scope(first.text)) scope = Scope::kGlobal;
    cursor.advance_quietly();
    return assign_variable(cursor, statement, scope, std::string(unscoped(first.text)));
  }
  std::optional<std::string> name = read_variable_name(cursor);
  if (!name) return false;
  if (cursor.at_assignment()) return assign_variable(cursor, statement, scope, *name);
  if (is_keyword(first.text, "NAMES")) return assign_names(cursor, statement);
  if (is_keyword(first.text, "CHARSET")) return assign_character_set(cursor, statement);
  if (is_keyword(first.text, "CHARACTER") || is_keyword(first.text, "CHAR")) {
    return cursor.skip("SET") && assign_character_set(cursor, statement);
  }
  if (is_keyword(first.text, "GLOBAL")) {
    scope = Scope::kGlobal;
  } else if (!is_keyword(first.text, "SESSION") && !is_keyword(first.text, "LOCAL")) {
    return false;
  }
  name = read_variable_name(cursor);
  return name && assign_variable(cursor, statement, scope, *name);
}

// ISOLATION LEVEL x; the name of the level with a hyphen, as transaction_isolation has it.
std::optional<std::string> read_isolation_level(Cursor& cursor) {
  if (!cursor.skip("LEVEL")) return std::nullopt;
  if (cursor.skip("SERIALIZABLE")) return "SERIALIZABLE";
  if (cursor.skip("REPEATABLE"))
    return cursor.skip("READ") ? std::optional<std::string>("REPEATABLE-READ") : std::nullopt;
  if (!cursor.skip("READ")) return std::nullopt;
  if (cursor.skip("COMMITTED")) return "READ-COMMITTED";
  if (cursor.skip("UNCOMMITTED")) return "READ-UNCOMMITTED";
  return std::nullopt;
}

// Behind SET SESSION TRANSACTION: the characteristics are session variables. READ ONLY AS OF is
// one-shot even here.
Statement read_session_transaction(Cursor& cursor) {
  constexpr int kMostCharacteristics = 2;
  Statement statement = make(StatementKind::kSet);
  int count = 0;
  do {
    if (++count > kMostCharacteristics) return make(StatementKind::kUnknown);
    if (cursor.skip("ISOLATION")) {
      std::optional<std::string> level = read_isolation_level(cursor);
      if (!level) return make(StatementKind::kUnknown);
      set_session_variable(statement, "transaction_isolation", Literal{false, false, *level, {}});
    } else if (cursor.skip("READ")) {
      const bool read_only = cursor.skip("ONLY");
      if (!read_only && !cursor.skip("WRITE")) return make(StatementKind::kUnknown);
      if (cursor.at("AS")) {
        statement.pins.insert(Pin::kStaleRead);
        cursor.skip_expression();
      } else {
        set_session_variable(statement, "transaction_read_only",
                             Literal{false, false, read_only ? "1" : "0", {}});
      }
    } else {
      return make(StatementKind::kUnknown);
    }
  } while (cursor.skip_symbol(','));
  return cursor.at_end() ? std::move(statement) : make(StatementKind::kUnknown);
}

// Behind SET TRANSACTION. Only the isolation level and AS OF are for the next transaction; READ
// ONLY and READ WRITE set the session variable, unlike in MySQL (parser.y: only tx_isolation is
// renamed to its one-shot form).
Statement read_one_shot_transaction(Cursor& cursor) {
  Statement statement = read_session_transaction(cursor);
  if (statement.kind == StatementKind::kUnknown) return statement;
  for (StateChange& change : statement.changes) {
    if (change.name != "transaction_isolation") continue;
    statement.pins.insert(Pin::kOneShotTransaction);
    change = {ChangeKind::kNextIsolation, {}, std::move(change.value)};
  }
  return statement;
}

Statement pinning(Pin reason, TransactionEffect transaction = TransactionEffect::kNone) {
  Statement statement = make(StatementKind::kSet, transaction);
  statement.pins.insert(reason);
  return statement;
}

Statement read_list(Cursor& cursor) {
  Statement statement = make(StatementKind::kSet);
  do {
    if (has_too_many(statement)) return statement;
    if (!assign(cursor, statement)) return make(StatementKind::kUnknown);
  } while (cursor.skip_symbol(','));
  return cursor.at_end() ? std::move(statement) : make(StatementKind::kUnknown);
}

Statement server_setting() {
  Statement statement = make(StatementKind::kSet, TransactionEffect::kUnknown);
  statement.changes_server = true;
  return statement;
}

Statement read_resource_group(Cursor& cursor) {
  cursor.advance();
  cursor.advance();
  const std::optional<std::string> name = name_of(cursor.token());
  std::optional<std::string> group = resource_group_name(name.value_or(""));
  if (!group) return pinning(Pin::kResourceGroup);
  Statement statement = make(StatementKind::kSet);
  statement.releases.insert(Pin::kResourceGroup);
  statement.changes.push_back(
      {.kind = ChangeKind::kSetResourceGroup, .name = {}, .value = *std::move(group)});
  return statement;
}

// The forms that are not a list, by their words; nothing if it is a list.
std::optional<Statement> read_special(Cursor& cursor) {
  if (cursor.ahead().at_assignment() && !cursor.at("PASSWORD")) return std::nullopt;
  if (cursor.skip("TRANSACTION")) return read_one_shot_transaction(cursor);
  if (cursor.at("SESSION") && cursor.ahead().at("TRANSACTION")) {
    cursor.advance();
    cursor.advance();
    return read_session_transaction(cursor);
  }
  if (cursor.at("GLOBAL") && cursor.ahead().at("TRANSACTION")) {
    Statement statement = server_setting();
    statement.global_names.emplace_back("transaction_isolation");
    return statement;
  }
  if (cursor.at("CONFIG")) return server_setting();
  if (cursor.at("BINDING")) return make(StatementKind::kOther, TransactionEffect::kUnknown);
  if (cursor.at("PASSWORD")) return make(StatementKind::kSet, TransactionEffect::kImplicitCommit);
  if (cursor.at("DEFAULT") && cursor.ahead().at("ROLE")) {
    return make(StatementKind::kSet, TransactionEffect::kImplicitCommit);
  }
  if (cursor.at("ROLE")) {
    Statement statement = make(StatementKind::kSet);
    statement.changes.push_back({ChangeKind::kComputedRole});
    return statement;
  }
  if (cursor.at("RESOURCE") && cursor.ahead().at("GROUP")) return read_resource_group(cursor);
  if (cursor.at("SESSION_STATES")) {
    return pinning(Pin::kSessionStates, TransactionEffect::kUnknown);
  }
  return std::nullopt;
}

}  // namespace

Statement read_set(Cursor& cursor) {
  if (std::optional<Statement> special = read_special(cursor)) return std::move(*special);
  return read_list(cursor);
}

}  // namespace tidepool::sql

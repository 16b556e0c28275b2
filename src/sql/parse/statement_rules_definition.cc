// Definitions: schema, accounts, privileges. TiDB commits the open transaction before them, except
// for what concerns only local temporary tables and session bindings.
#include <optional>
#include <string>
#include <utility>

#include "parse/names.h"
#include "parse/statement_rules.h"

namespace tidepool::sql {
namespace {

// The expressions in a definition are stored, not executed. A hypothetical index or replica lives
// in the session.
Statement finish_definition(Cursor& cursor, Statement statement) {
  for (; !cursor.at_end(); cursor.advance()) {
    if (cursor.at("HYPO")) statement.pins.insert(Pin::kHypothetical);
  }
  cursor.finish_unexecuted();
  return statement;
}

void skip_if_exists(Cursor& cursor) {
  if (!cursor.skip("IF")) return;
  cursor.skip("NOT");
  cursor.skip("EXISTS");
}

// name or db.name, as a change of that kind.
std::optional<StateChange> read_table(Cursor& cursor, ChangeKind kind) {
  std::optional<std::string> name = name_of(cursor.token());
  if (!name) return std::nullopt;
  cursor.advance();
  if (!cursor.skip_symbol('.')) return StateChange{kind, std::move(*name)};
  std::optional<std::string> table = name_of(cursor.token());
  if (!table) return std::nullopt;
  cursor.advance();
  return StateChange{kind, std::move(*table), std::move(*name)};
}

Statement read_create_temporary_table(Cursor& cursor) {
  Statement statement = make(StatementKind::kDdl);
  if (!cursor.skip("TABLE")) return make(StatementKind::kUnknown);
  skip_if_exists(cursor);
  std::optional<StateChange> table = read_table(cursor, ChangeKind::kCreateTemporaryTable);
  if (!table) return make(StatementKind::kUnknown);
  statement.pins.insert(Pin::kTemporaryTable);
  statement.changes.push_back(std::move(*table));
  return finish_definition(cursor, std::move(statement));
}

// Without GLOBAL a binding is the session's.
Statement read_binding(Cursor& cursor, bool is_global) {
  Statement statement = make(StatementKind::kOther, TransactionEffect::kUnknown);
  if (!is_global) statement.pins.insert(Pin::kSessionBinding);
  cursor.finish();
  // FROM HISTORY USING PLAN DIGEST @x, FOR SQL DIGEST @x
  if (cursor.side_effects().info_functions.contains(InfoFunction::kUserVariable)) {
    statement.info_functions.insert(InfoFunction::kUserVariable);
  }
  return finish_definition(cursor, std::move(statement));
}

// Which of the named tables is a temporary one only TiDB knows; only a plain DROP of an ordinary
// one commits.
Statement read_drop_tables(Cursor& cursor, TransactionEffect transaction) {
  Statement statement = make(StatementKind::kDdl, transaction);
  if (!cursor.skip("TABLE") && !cursor.skip("TABLES")) return make(StatementKind::kUnknown);
  skip_if_exists(cursor);
  do {
    if (has_too_many(statement)) return statement;
    std::optional<StateChange> table = read_table(cursor, ChangeKind::kDropTable);
    if (!table) return make(StatementKind::kUnknown);
    statement.changes.push_back(std::move(*table));
  } while (cursor.skip_symbol(','));
  return finish_definition(cursor, std::move(statement));
}

// ALTER TABLE t ANALYZE PARTITION p and ALTER TABLE t COMPACT define nothing. Behind TABLE.
bool is_maintenance(Cursor cursor) {
  return read_table(cursor, ChangeKind::kDropTable) &&
         (cursor.at("ANALYZE") || cursor.at("COMPACT"));
}

}  // namespace

Statement read_definition(Cursor& cursor) {
  return finish_definition(cursor, make(StatementKind::kDdl, TransactionEffect::kImplicitCommit));
}

Statement read_create(Cursor& cursor) {
  if (cursor.at("PROCEDURE")) return make(StatementKind::kUnknown);
  if (cursor.skip("TEMPORARY")) return read_create_temporary_table(cursor);
  const bool is_global = cursor.skip("GLOBAL");
  if (!is_global) cursor.skip("SESSION");
  if (cursor.at("BINDING")) return read_binding(cursor, is_global);
  return read_definition(cursor);
}

Statement read_alter(Cursor& cursor) {
  cursor.skip("IGNORE");
  if (cursor.skip("TABLE") && is_maintenance(cursor)) {
    return make(StatementKind::kOther, TransactionEffect::kUnknown);
  }
  const bool is_server = cursor.at("INSTANCE") || cursor.at("RANGE");
  Statement statement = read_definition(cursor);
  statement.changes_server = is_server;
  return statement;
}

// Behind DATABASE.
Statement read_drop_database(Cursor& cursor) {
  skip_if_exists(cursor);
  std::optional<std::string> name = name_of(cursor.token());
  Statement statement = read_definition(cursor);
  if (name) statement.changes.push_back({ChangeKind::kDropDatabase, std::move(*name)});
  return statement;
}

Statement read_drop(Cursor& cursor) {
  if (cursor.at("PREPARE")) return read_deallocate(cursor);
  if (cursor.skip("TEMPORARY")) return read_drop_tables(cursor, TransactionEffect::kNone);
  const bool is_global = cursor.skip("GLOBAL");
  if (is_global && cursor.skip("TEMPORARY")) {
    return read_drop_tables(cursor, TransactionEffect::kImplicitCommit);
  }
  if (!is_global) cursor.skip("SESSION");
  if (cursor.at("BINDING")) return read_binding(cursor, is_global);
  if (cursor.at("TABLE") || cursor.at("TABLES")) {
    return read_drop_tables(cursor, TransactionEffect::kUnknown);
  }
  if (cursor.skip("DATABASE") || cursor.skip("SCHEMA")) return read_drop_database(cursor);
  return read_definition(cursor);
}

}  // namespace tidepool::sql

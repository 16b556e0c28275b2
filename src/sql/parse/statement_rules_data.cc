// Queries and what changes rows.
#include <string_view>
#include <utility>

#include "parse/names.h"
#include "parse/statement_rules.h"

namespace tidepool::sql {
namespace {

Statement query() {
  Statement statement = make(StatementKind::kRead);
  statement.is_read = true;
  return statement;
}

Statement select() {
  Statement statement = query();
  statement.selects = true;
  return statement;
}

bool is_row_change(const Statement& statement) {
  return statement.kind == StatementKind::kWrite;
}

// FORMAT = 'x', FORMAT = x
void skip_format(Cursor& cursor) {
  if (!cursor.at("FORMAT") || !cursor.ahead().at_symbol('=')) return;
  cursor.advance();
  cursor.advance();
  cursor.advance();
}

// In LOAD DATA and IMPORT INTO a user variable may take a field.
void note_target(const Cursor& cursor, Statement& statement) {
  if (cursor.token().kind != TokenKind::kUserVariable || has_too_many(statement)) return;
  statement.pins.insert(Pin::kUserVariable);
  statement.changes.push_back({ChangeKind::kFileUserVariable, user_variable_name(cursor.token())});
}

// What EXPLAIN or TRACE executes. Their answers are none of it.
Statement read_inner(Cursor& cursor) {
  Statement statement = read_head(cursor);
  statement.lone_info_function.reset();
  statement.shown.reset();
  return statement;
}

bool opens_explainable(const Cursor& cursor) {
  for (std::string_view word :
       {"SELECT", "INSERT", "REPLACE", "UPDATE", "DELETE", "WITH", "TABLE", "VALUES", "IMPORT"}) {
    if (cursor.at(word)) return true;
  }
  return cursor.at_symbol('(');
}

}  // namespace

Statement read_insert(Cursor& /*cursor*/) {
  Statement statement = make(StatementKind::kWrite);
  statement.may_set_last_insert_id = true;
  return statement;
}

Statement read_update(Cursor& /*cursor*/) {
  return make(StatementKind::kWrite);
}

Statement read_select(Cursor& cursor) {
  Statement statement = select();
  read_lone_info_function(cursor, statement);
  read_lock_call(cursor, statement);
  return statement;
}

Statement read_table(Cursor& /*cursor*/) {
  return select();
}

Statement read_query(Cursor& cursor) {
  Statement statement = query();
  read_lock_call(cursor, statement);
  return statement;
}

// The verb behind the common table expressions is the first one outside their parentheses.
Statement read_with(Cursor& cursor) {
  int depth = 0;
  for (; !cursor.at_end(); cursor.advance()) {
    if (cursor.at_symbol('(')) ++depth;
    if (cursor.at_symbol(')')) --depth;
    if (depth != 0) continue;
    if (cursor.at("UPDATE") || cursor.at("DELETE")) return make(StatementKind::kWrite);
    if (cursor.at("SELECT") || cursor.at("TABLE") || cursor.at("VALUES")) return select();
  }
  return query();
}

Statement read_load(Cursor& cursor) {
  if (cursor.skip("STATS")) {
    Statement statement = make(StatementKind::kOther);
    statement.requests_local_file = true;
    return statement;
  }
  if (!cursor.skip("DATA")) return make(StatementKind::kUnknown);
  Statement statement = make(StatementKind::kWrite);
  statement.may_set_last_insert_id = true;
  for (; !cursor.at_end() && !cursor.at("INFILE"); cursor.advance()) {
    if (cursor.at("LOCAL")) statement.requests_local_file = true;
  }
  // (a, @x, b): @x keeps the field of the last row.
  for (; !cursor.at_end(); cursor.advance()) {
    note_target(cursor, statement);
  }
  return statement;
}

// IMPORT INTO and BATCH … : row changes that are no transaction.
Statement read_import(Cursor& cursor) {
  Statement statement = make(StatementKind::kWrite, TransactionEffect::kUnknown);
  statement.may_set_last_insert_id = true;
  for (; !cursor.at_end(); cursor.advance()) {
    note_target(cursor, statement);
  }
  return statement;
}

bool shows_status(Cursor& cursor) {
  const bool has_scope = cursor.at("GLOBAL") || cursor.at("SESSION") || cursor.at("LOCAL");
  return has_scope ? cursor.ahead().at("STATUS") : cursor.at("STATUS");
}

Statement read_show(Cursor& cursor) {
  // SHOW BACKUP LOGS, SHOW BR JOB: executed by the backup machinery.
  if (cursor.at("BACKUP") || cursor.at("BR")) return make(StatementKind::kOther);
  Statement statement = query();
  if (read_diagnostics(cursor, statement)) return statement;
  if (cursor.at("SESSION_STATES")) {
    statement.keeps_diagnostics = true;
  } else if (shows_status(cursor)) {
    statement.info_functions.insert(InfoFunction::kStatus);
  }
  return statement;
}

// EXPLAIN of a statement, or DESC of a table; only with ANALYZE is the statement executed.
Statement read_explain(Cursor& cursor) {
  const bool is_executed = cursor.skip("ANALYZE");
  skip_format(cursor);
  if (cursor.at("FOR")) return query();
  if (!opens_explainable(cursor)) return is_executed ? make(StatementKind::kUnknown) : query();
  Statement inner = read_inner(cursor);
  if (is_executed) {
    return inner.kind == StatementKind::kRead || is_row_change(inner)
               ? inner
               : make(StatementKind::kUnknown);
  }
  cursor.finish();
  cursor.side_effects().locks_rows = cursor.side_effects().writes_file = false;
  cursor.side_effects().is_only_planned = true;
  return inner.selects ? select() : query();
}

// TRACE executes what it traces, but answers with rows of its own.
Statement read_trace(Cursor& cursor) {
  if (cursor.skip("PLAN") && cursor.skip("TARGET")) {
    cursor.advance();
    cursor.advance();
  }
  skip_format(cursor);
  if (cursor.at("TRACE")) return make(StatementKind::kUnknown);
  Statement inner = read_inner(cursor);
  inner.is_read = false;
  if (inner.kind != StatementKind::kWrite && inner.kind != StatementKind::kUnknown) {
    inner.kind = StatementKind::kOther;
  }
  return inner;
}

Statement read_plan(Cursor& cursor) {
  if (!cursor.skip("REPLAYER")) return make(StatementKind::kUnknown);
  Statement statement = make(StatementKind::kOther, TransactionEffect::kUnknown);
  statement.requests_local_file = cursor.at("LOAD");
  statement.pins = {};
  return statement;
}

}  // namespace tidepool::sql

// TiDB's statements, by their first word. Each rule reads as much of its statement as it needs and
// leaves the rest to read_statement(), which carries the cursor to the statement's end and adds
// what the effect watch has seen. StatementKind::kUnknown as a result means "not understood".
#pragma once

#include "parse/cursor.h"
#include "tidepool/sql/parse/statement.h"

namespace tidepool::sql {

// `cursor` stands on the first token of a statement that is not empty, and afterwards at its end.
Statement read_statement(Cursor& cursor);

// As above, without the effects and without going to the end; also for the statement inside EXPLAIN
// and TRACE.
Statement read_head(Cursor& cursor);

Statement make(StatementKind kind, TransactionEffect transaction = TransactionEffect::kNone);

// More than classify() keeps: there is no use in reading on.
inline bool has_too_many(const Statement& statement) {
  return statement.changes.size() + statement.global_names.size() > kMostChanges;
}

// Rules; the cursor stands behind the first word.
Statement read_set(Cursor& cursor);     // statement_rules_set.cc
Statement read_create(Cursor& cursor);  // statement_rules_definition.cc
Statement read_alter(Cursor& cursor);
Statement read_drop(Cursor& cursor);
Statement read_definition(Cursor& cursor);  // what commits first and leaves nothing in the session
Statement read_use(Cursor& cursor);         // statement_rules_session.cc
Statement read_begin(Cursor& cursor);
Statement read_start(Cursor& cursor);
Statement read_commit(Cursor& cursor);
Statement read_rollback(Cursor& cursor);
Statement read_prepare(Cursor& cursor);
Statement read_execute(Cursor& cursor);
Statement read_deallocate(Cursor& cursor);
Statement read_lock(Cursor& cursor);
Statement read_unlock(Cursor& cursor);
Statement read_kill(Cursor& cursor);
Statement read_select(Cursor& cursor);  // statement_rules_data.cc
Statement read_table(Cursor& cursor);   // VALUES too
Statement read_query(Cursor& cursor);
// Behind SELECT: notes an information function, if it is all that there is;
// statement_rules_diagnostics.cc.
void read_lone_info_function(Cursor& cursor, Statement& statement);
// Behind SHOW: reads [COUNT(*)] WARNINGS or ERRORS. False, without a step, if it is anything else.
bool read_diagnostics(Cursor& cursor, Statement& statement);
// Behind SELECT or DO: notes a call of a lock function, if it is all that there is.
void read_lock_call(Cursor& cursor, Statement& statement);  // statement_rules_lock.cc
Statement read_with(Cursor& cursor);
Statement read_insert(Cursor& cursor);
Statement read_update(Cursor& cursor);
Statement read_load(Cursor& cursor);
Statement read_import(Cursor& cursor);
Statement read_show(Cursor& cursor);
Statement read_explain(Cursor& cursor);
Statement read_trace(Cursor& cursor);
Statement read_plan(Cursor& cursor);

}  // namespace tidepool::sql

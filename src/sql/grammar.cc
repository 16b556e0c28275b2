#include "grammar.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace tidepool::sql {
namespace {

using Rule = Statement (*)(Cursor&);

struct Opening {
  std::string_view keyword;
  Rule rule;
};

Statement read_plain(Cursor& /*cursor*/) {
  return make(StatementKind::kOther);
}

Statement read_admin(Cursor& cursor) {
  const bool is_definition = cursor.at("REPAIR") || cursor.at("CLEANUP");
  return make(StatementKind::kOther,
              is_definition ? TransactionEffect::kImplicitCommit : TransactionEffect::kNone);
}

// FLUSH and its like: no session state, but new sessions may differ.
Statement read_server(Cursor& /*cursor*/) {
  Statement statement = make(StatementKind::kOther, TransactionEffect::kUnknown);
  statement.changes_server = true;
  return statement;
}

// Every first word of the `Statement` rule of parser.y, the frequent ones first. CALL and what TiDB
// does not have are not here, and so unknown.
constexpr std::array kOpenings = {
    Opening{"SELECT", read_query},
    Opening{"INSERT", read_insert},
    Opening{"UPDATE", read_update},
    Opening{"DELETE", read_update},
    Opening{"SET", read_set},
    Opening{"BEGIN", read_begin},
    Opening{"COMMIT", read_commit},
    Opening{"ROLLBACK", read_rollback},
    Opening{"REPLACE", read_insert},
    Opening{"START", read_start},
    Opening{"SHOW", read_show},
    Opening{"USE", read_use},
    Opening{"WITH", read_with},
    Opening{"EXPLAIN", read_explain},
    Opening{"DESC", read_explain},
    Opening{"DESCRIBE", read_explain},
    Opening{"TABLE", read_query},
    Opening{"VALUES", read_query},
    Opening{"DO", read_query},
    Opening{"HELP", read_query},
    Opening{"SAVEPOINT", read_plain},
    Opening{"RELEASE", read_plain},
    Opening{"PREPARE", read_prepare},
    Opening{"EXECUTE", read_execute},
    Opening{"DEALLOCATE", read_deallocate},
    Opening{"CREATE", read_create},
    Opening{"ALTER", read_alter},
    Opening{"DROP", read_drop},
    Opening{"TRUNCATE", read_definition},
    Opening{"RENAME", read_definition},
    Opening{"GRANT", read_definition},
    Opening{"REVOKE", read_definition},
    Opening{"RECOVER", read_definition},
    Opening{"FLASHBACK", read_definition},
    Opening{"LOAD", read_load},
    Opening{"IMPORT", read_import},
    Opening{"BATCH", read_import},
    Opening{"LOCK", read_lock},
    Opening{"UNLOCK", read_unlock},
    Opening{"KILL", read_kill},
    Opening{"TRACE", read_trace},
    Opening{"PLAN", read_plan},
    Opening{"ANALYZE", read_plain},
    Opening{"ADMIN", read_admin},
    Opening{"BACKUP", read_plain},
    Opening{"RESTORE", read_plain},
    Opening{"STOP", read_plain},
    Opening{"PAUSE", read_plain},
    Opening{"RESUME", read_plain},
    Opening{"PURGE", read_plain},
    Opening{"CANCEL", read_plain},
    Opening{"BINLOG", read_plain},
    Opening{"CALIBRATE", read_plain},
    Opening{"DISTRIBUTE", read_plain},
    Opening{"SPLIT", read_plain},
    Opening{"QUERY", read_plain},
    Opening{"RECOMMEND", read_plain},
    Opening{"OPTIMIZE", read_plain},
    Opening{"FLUSH", read_server},
    Opening{"SHUTDOWN", read_server},
    Opening{"RESTART", read_server},
};

// Nothing else may be in parentheses.
bool opens_query(const Cursor& cursor) {
  return cursor.at("SELECT") || cursor.at("WITH") || cursor.at("TABLE") || cursor.at("VALUES");
}

void add_effects(Statement& statement, Effects& effects) {
  statement.facts.insert(effects.facts);
  statement.pins.insert(effects.pins);
  statement.may_set_last_insert_id = statement.may_set_last_insert_id || effects.sets_insert_id;
  statement.is_read =
      statement.is_read && !effects.acts && !effects.locks_rows && !effects.writes_file;
  const auto kind =
      effects.is_only_planned ? ChangeKind::kStuckUserVariable : ChangeKind::kComputedUserVariable;
  for (std::string& name : effects.assigned) {
    statement.changes.push_back({kind, std::move(name)});
  }
}

}  // namespace

Statement make(StatementKind kind, TransactionEffect transaction) {
  Statement statement;
  statement.kind = kind;
  statement.transaction = transaction;
  return statement;
}

Statement read_head(Cursor& cursor) {
  bool is_in_parentheses = false;
  while (cursor.skip_symbol('('))
    is_in_parentheses = true;
  if (is_in_parentheses && !opens_query(cursor)) return make(StatementKind::kUnknown);
  const auto* opening =
      std::find_if(kOpenings.begin(), kOpenings.end(),
                   [&cursor](const Opening& candidate) { return cursor.at(candidate.keyword); });
  if (opening == kOpenings.end()) return make(StatementKind::kUnknown);
  cursor.advance();
  return opening->rule(cursor);
}

Statement read_statement(Cursor& cursor) {
  const bool selects = cursor.at("SELECT");
  Statement statement = read_head(cursor);
  cursor.finish();
  const Effects& effects = cursor.effects();
  if (effects.is_invalid) return make(StatementKind::kUnknown);
  if (selects && effects.reads_table && !effects.has_with) {
    statement.releases.insert(Pin::kStaleRead);
  }
  add_effects(statement, cursor.effects());
  return statement;
}

}  // namespace tidepool::sql

#include "parse/statement_rules.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace tidepool::sql {
namespace {

using Rule = Statement (*)(Cursor&);

struct Opening {
  std::string_view keyword;
  Verb verb;
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

// Such as FLUSH: no session state, but new sessions may differ.
Statement read_server(Cursor& /*cursor*/) {
  Statement statement = make(StatementKind::kOther, TransactionEffect::kUnknown);
  statement.changes_server = true;
  return statement;
}

// Every first word of the `Statement` rule of parser.y, the frequent ones first. CALL and what TiDB
// does not have are not here, and so unknown.
constexpr std::array kOpenings = {
    Opening{"SELECT", Verb::kSelect, read_select},
    Opening{"INSERT", Verb::kInsert, read_insert},
    Opening{"UPDATE", Verb::kUpdate, read_update},
    Opening{"DELETE", Verb::kDelete, read_update},
    Opening{"SET", Verb::kSet, read_set},
    Opening{"BEGIN", Verb::kBegin, read_begin},
    Opening{"COMMIT", Verb::kCommit, read_commit},
    Opening{"ROLLBACK", Verb::kRollback, read_rollback},
    Opening{"REPLACE", Verb::kReplace, read_insert},
    Opening{"START", Verb::kStart, read_start},
    Opening{"SHOW", Verb::kShow, read_show},
    Opening{"USE", Verb::kUse, read_use},
    Opening{"WITH", Verb::kWith, read_with},
    Opening{"EXPLAIN", Verb::kExplain, read_explain},
    Opening{"DESC", Verb::kDesc, read_explain},
    Opening{"DESCRIBE", Verb::kDescribe, read_explain},
    Opening{"TABLE", Verb::kTable, read_table},
    Opening{"VALUES", Verb::kValues, read_table},
    Opening{"DO", Verb::kDo, read_query},
    Opening{"HELP", Verb::kHelp, read_query},
    Opening{"SAVEPOINT", Verb::kSavepoint, read_plain},
    Opening{"RELEASE", Verb::kRelease, read_plain},
    Opening{"PREPARE", Verb::kPrepare, read_prepare},
    Opening{"EXECUTE", Verb::kExecute, read_execute},
    Opening{"DEALLOCATE", Verb::kDeallocate, read_deallocate},
    Opening{"CREATE", Verb::kCreate, read_create},
    Opening{"ALTER", Verb::kAlter, read_alter},
    Opening{"DROP", Verb::kDrop, read_drop},
    Opening{"TRUNCATE", Verb::kTruncate, read_definition},
    Opening{"RENAME", Verb::kRename, read_definition},
    Opening{"GRANT", Verb::kGrant, read_definition},
    Opening{"REVOKE", Verb::kRevoke, read_definition},
    Opening{"RECOVER", Verb::kRecover, read_definition},
    Opening{"FLASHBACK", Verb::kFlashback, read_definition},
    Opening{"LOAD", Verb::kLoad, read_load},
    Opening{"IMPORT", Verb::kImport, read_import},
    Opening{"BATCH", Verb::kBatch, read_import},
    Opening{"LOCK", Verb::kLock, read_lock},
    Opening{"UNLOCK", Verb::kUnlock, read_unlock},
    Opening{"KILL", Verb::kKill, read_kill},
    Opening{"TRACE", Verb::kTrace, read_trace},
    Opening{"PLAN", Verb::kPlan, read_plan},
    Opening{"ANALYZE", Verb::kAnalyze, read_plain},
    Opening{"ADMIN", Verb::kAdmin, read_admin},
    Opening{"BACKUP", Verb::kBackup, read_plain},
    Opening{"RESTORE", Verb::kRestore, read_plain},
    Opening{"STOP", Verb::kStop, read_plain},
    Opening{"PAUSE", Verb::kPause, read_plain},
    Opening{"RESUME", Verb::kResume, read_plain},
    Opening{"PURGE", Verb::kPurge, read_plain},
    Opening{"CANCEL", Verb::kCancel, read_plain},
    Opening{"BINLOG", Verb::kBinlog, read_plain},
    Opening{"CALIBRATE", Verb::kCalibrate, read_plain},
    Opening{"DISTRIBUTE", Verb::kDistribute, read_plain},
    Opening{"SPLIT", Verb::kSplit, read_plain},
    Opening{"QUERY", Verb::kQuery, read_plain},
    Opening{"RECOMMEND", Verb::kRecommend, read_plain},
    Opening{"OPTIMIZE", Verb::kOptimize, read_plain},
    Opening{"FLUSH", Verb::kFlush, read_server},
    Opening{"SHUTDOWN", Verb::kShutdown, read_server},
    Opening{"RESTART", Verb::kRestart, read_server},
};

// Nothing else may be in parentheses.
bool opens_query(const Cursor& cursor) {
  return cursor.at("SELECT") || cursor.at("WITH") || cursor.at("TABLE") || cursor.at("VALUES");
}

bool explains(Verb verb) {
  return verb == Verb::kExplain || verb == Verb::kDesc || verb == Verb::kDescribe;
}

void add_side_effects(Statement& statement, SideEffects& side_effects) {
  statement.info_functions.insert(side_effects.info_functions);
  statement.pins.insert(side_effects.pins);
  statement.may_set_last_insert_id =
      statement.may_set_last_insert_id || side_effects.sets_insert_id;
  statement.is_read = statement.is_read && !side_effects.acts && !side_effects.locks_rows &&
                      !side_effects.writes_file;
  statement.acts_outside_transaction = side_effects.acts_for_good || side_effects.writes_file;
  statement.locks_rows = side_effects.is_for_update && statement.kind == StatementKind::kRead &&
                         !explains(statement.verb);
  const auto kind = side_effects.is_only_planned ? ChangeKind::kUnrestorableUserVariable
                                                 : ChangeKind::kComputedUserVariable;
  for (std::string& name : side_effects.assigned) {
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
  Statement statement = opening->rule(cursor);
  statement.verb = opening->verb;
  if (is_in_parentheses) statement.lone_info_function.reset();  // they may not be closed
  return statement;
}

Statement read_statement(Cursor& cursor) {
  const bool selects = cursor.at("SELECT");
  Statement statement = read_head(cursor);
  cursor.finish();
  const SideEffects& side_effects = cursor.side_effects();
  if (side_effects.is_invalid) return make(StatementKind::kUnknown);
  if (selects && side_effects.reads_table && !side_effects.has_with) {
    statement.releases.insert(Pin::kStaleRead);
  }
  add_side_effects(statement, cursor.side_effects());
  return statement;
}

}  // namespace tidepool::sql

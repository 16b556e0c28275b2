#include "tidepool/tracking/script_outcome.h"

#include <algorithm>

#include "tidepool/tracking/pre_execution_error.h"

namespace tidepool::tracking {
namespace {

// Errors before anything of the text is executed: it is parsed as a whole first.
bool is_refused(const protocol::ResponseSummary& answer) {
  constexpr std::uint16_t kParseError = 1064;
  constexpr std::uint16_t kManyStatements = 8130;
  const std::uint16_t error = answer.error_number;
  if (answer.results > 1) return false;  // of what a PREPARE behind others is from
  return error == kParseError || error == kManyStatements;
}
// TiDB parses the statement, but cannot plan it (CALL): nothing of that one was executed.
constexpr std::uint16_t kUnsupportedStatement = 8108;

void apply(const sql::StateChanges& changes, sql::SessionState& desired,
           sql::SessionState& actual) {
  desired.apply(changes);
  actual.apply(changes);
}

// What the backend alone knows once the statement of this change has failed on its way.
void add_unknown(const sql::StateChange& change, sql::StateChanges& unknown) {
  using Kind = sql::ChangeKind;
  const auto add = [&](Kind kind, const char* name) { unknown.push_back({kind, name}); };
  switch (change.kind) {
    case Kind::kSetVariable:
    case Kind::kSetDefault:
    case Kind::kComputedVariable: add(Kind::kComputedVariable, change.name.c_str()); break;
    case Kind::kSetUserVariable:
    case Kind::kSetUserString:
    case Kind::kComputedUserVariable: add(Kind::kComputedUserVariable, change.name.c_str()); break;
    case Kind::kSetNames:
    case Kind::kSetCharacterSet:
      for (const char* name :
           {"character_set_client", "character_set_results", "collation_connection"}) {
        add(Kind::kComputedVariable, name);
      }
      break;
    default: break;  // a failure leaves these as they were
  }
}

// The variable that TiDB does not have either.
bool names_unknown_variable(const sql::StateChange& change,
                            const protocol::ResponseSummary& answer) {
  constexpr std::uint16_t kUnknownVariable = 1193;
  if (answer.error_number != kUnknownVariable ||
      change.kind != sql::ChangeKind::kComputedVariable ||
      sql::find_variable(change.name) != sql::kNoVariable)
    return false;
  return answer.message == "Unknown system variable '" + change.name + "'";
}

// An assignment in an expression that was planned, and perhaps not executed: the variable has the
// expression's type already (expression_rewriter.go, rewriteVariable) and perhaps still the value
// before, which is not seen through that type.
sql::StateChange planned(const sql::StateChange& change) {
  return {sql::ChangeKind::kUnrestorableUserVariable, change.name};
}

// The statement found no row to execute its assignments with.
bool finds_nothing(const sql::Statement& statement, const protocol::ResponseSummary& answer) {
  using Outcome = protocol::ResponseSummary::Outcome;
  if (answer.outcome == Outcome::kResultSet) return answer.found_rows == 0U;
  return statement.kind == sql::StatementKind::kWrite && !statement.requests_local_file &&
         answer.affected_rows == 0;
}

// Before any of it was executed: names are looked up for the whole list (planbuilder.go, buildSet).
bool fails_when_planned(const protocol::ResponseSummary& answer) {
  constexpr std::uint16_t kUnknownColumn = 1054;
  return answer.error_number == kUnknownColumn;
}

// A SET of several has done those before the bad one, and an expression what it assigns on its way.
// A SET of one has done nothing.
sql::StateChanges unknown_after_failure(const sql::Statement& statement,
                                        const protocol::ResponseSummary& answer) {
  sql::StateChanges unknown;
  const bool is_set = statement.kind == sql::StatementKind::kSet;
  if (is_set && statement.text.find(',') == std::string_view::npos && statement.changes.size() < 2)
    return unknown;
  for (const sql::StateChange& change : statement.changes) {
    const bool is_assigned = change.kind == sql::ChangeKind::kComputedUserVariable ||
                             change.kind == sql::ChangeKind::kFileUserVariable ||
                             change.kind == sql::ChangeKind::kUnrestorableUserVariable;
    if (is_set && names_unknown_variable(change, answer)) continue;
    if (is_set && fails_when_planned(answer) && !is_assigned) continue;
    if (is_set) add_unknown(change, unknown);
    if (!is_set && is_assigned) unknown.push_back(planned(change));
  }
  return unknown;
}

// A failed statement has set none of these, or it is among what is unknown now.
sql::PinReasons pins_after_failure(const sql::Statement& statement) {
  sql::PinReasons pins = statement.pins;
  if (statement.kind == sql::StatementKind::kPrepared) pins.erase(sql::Pin::kPreparedText);
  if (statement.kind != sql::StatementKind::kSet) return pins;
  pins.erase(sql::PinReasons{sql::Pin::kSessionVariable, sql::Pin::kUserVariable, sql::Pin::kRole,
                             sql::Pin::kResourceGroup, sql::Pin::kOneShotTransaction,
                             sql::Pin::kStaleRead});
  return pins;
}

// Computed values pin only where they cannot be read back: the state knows.
void settle_variables(sql::PinReasons& pins, const sql::SessionState& state) {
  pins.erase(sql::PinReasons{sql::Pin::kSessionVariable, sql::Pin::kUserVariable});
  pins.insert(state.pins());
}

bool sets_role(const sql::Statement& statement) {
  return !statement.changes.empty() &&
         statement.changes.front().kind == sql::ChangeKind::kComputedRole;
}

}  // namespace

std::size_t executed_of(const sql::Script& script, const protocol::ResponseSummary& answer) {
  if (!answer.has_error()) return script.size();
  return std::min<std::size_t>(script.size(), std::max(answer.results, 1U) - 1);
}

sql::PinReasons apply_outcome(const sql::Script& script, const protocol::ResponseSummary& answer,
                              sql::PinReasons pins, const GlobalSettings& globals,
                              sql::SessionState& desired, sql::SessionState& actual) {
  const bool failed = answer.has_error();
  const bool refused =
      pre_execution_error_of(protocol::Command::kQuery, script, answer,
                             desired.lex_mode().encoding) != PreExecutionError::kNone;
  if (failed && (refused || is_refused(answer))) return pins;
  const std::size_t done = executed_of(script, answer);
  for (std::size_t i = 0; i < done; ++i) {
    pins.erase(sql::Pin::kOneShotTransaction);              // consumed by any statement
    if (sets_role(script[i])) pins.erase(sql::Pin::kRole);  // it is asked for anew
    for (const sql::StateChange& change : script[i].changes) {
      if (globals.hide(change)) {
        apply({{sql::ChangeKind::kComputedVariable, change.name}}, desired, actual);
      } else {
        desired.apply(change);
        actual.apply(change);
      }
    }
    pins.insert(script[i].pins);
    pins.erase(script[i].releases);
  }
  if (done == 1 && script.size() == 1 && finds_nothing(script.front(), answer)) {
    apply(planned_changes(script, answer), desired, actual);
  }
  if (failed && done < script.size() && answer.error_number != kUnsupportedStatement) {
    pins.insert(pins_after_failure(script[done]));
    apply(unknown_after_failure(script[done], answer), desired, actual);
  }
  settle_variables(pins, desired);
  return pins;
}

sql::StateChanges planned_changes(const sql::Script& script,
                                  const protocol::ResponseSummary& answer) {
  sql::StateChanges changes;
  if (pre_execution_error_of(protocol::Command::kStmtPrepare, script, answer) !=
      PreExecutionError::kNone)
    return changes;
  for (std::size_t i = 0; i < script.size(); ++i) {
    if (script[i].kind == sql::StatementKind::kSet) continue;  // when it is executed
    for (const sql::StateChange& change : script[i].changes) {
      if (change.kind == sql::ChangeKind::kComputedUserVariable) changes.push_back(planned(change));
    }
  }
  return changes;
}

bool inserts(const sql::Statement& statement) {
  if (statement.kind != sql::StatementKind::kWrite) return false;
  return statement.verb == sql::Verb::kInsert || statement.verb == sql::Verb::kReplace ||
         statement.verb == sql::Verb::kLoad;
}

bool plans_insert_id(const sql::Script& script) {
  if (script.size() != 1 || inserts(script.front())) return false;
  const sql::StatementKind kind = script.front().kind;
  return (kind == sql::StatementKind::kRead || kind == sql::StatementKind::kWrite) &&
         script.front().may_set_last_insert_id;
}

bool is_about_unknown(const sql::Script& script) {
  for (std::size_t i = 0; i < script.size(); ++i)
    if (script[i].kind == sql::StatementKind::kUnknown) return true;
  return false;
}

bool sets_resource_group(const sql::Script& script) {
  for (std::size_t i = 0; i < script.size(); ++i) {
    for (const sql::StateChange& change : script[i].changes)
      if (change.kind == sql::ChangeKind::kSetResourceGroup) return true;
  }
  return false;
}

bool is_harmless(const sql::Script& script) {
  if (script.size() != 1) return false;
  return script.front().is_read || script.front().kind == sql::StatementKind::kBegin;
}

}  // namespace tidepool::tracking

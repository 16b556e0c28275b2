#include "tidepool/tracking/plan_diagnostics.h"

#include <algorithm>

#include "tidepool/protocol/statement_messages.h"
#include "tidepool/sql/restore/capture.h"
#include "tidepool/tracking/pre_execution_error.h"
#include "tidepool/tracking/script_outcome.h"
#include "tidepool/tracking/shown_warnings.h"

namespace tidepool::tracking {
namespace {

// LAST_INSERT_ID(0) sets nothing: this one, which no table generates, stands on the backend for 0.
constexpr std::uint64_t kNoInsertId = 18446744073709551614U;

bool is_rewritable(const sql::Statement& statement) {
  return statement.kind == sql::StatementKind::kRead ||
         statement.kind == sql::StatementKind::kWrite || statement.kind == sql::StatementKind::kSet;
}

// It may ask for anything, and nothing can stand for that.
bool executes_unknown_statement(const StatementRefs& named) {
  return std::any_of(named.refs.begin(), named.refs.end(), [](const StatementRef& ref) {
    return ref.kind == sql::ChangeKind::kExecuteNamed && ref.statement == nullptr;
  });
}

bool asks_about_warnings(const sql::Script& script) {
  return !script.empty() && (script.front().info_functions.contains(sql::InfoFunction::kWarnings) ||
                             script.front().info_functions.contains(sql::InfoFunction::kErrors));
}

protocol::RowFormat row_format(const Command& command) {
  const bool is_binary = command.type == protocol::Command::kStmtExecute;
  return is_binary ? protocol::RowFormat::kBinary : protocol::RowFormat::kText;
}

// A lone SHOW WARNINGS is answered here; one among other statements, or one that is prepared, TiDB
// answers. Rows that a cursor fetches come one by one, later.
bool replaces_warnings(const Command& command) {
  if (command.statement == nullptr) return command.executed_script().size() > 1;
  if (command.type != protocol::Command::kStmtExecute) return false;
  const auto execute = protocol::parse_stmt_execute(command.payload, command.statement->params);
  return execute && execute->cursor_flags == protocol::kCursorNone;
}

void add_restore_query(CommandContext& plan, const std::string& text) {
  plan.add(StepKind::kRestore, text, true);
}

void add_capture(CommandContext& plan, CaptureKind kind, const std::string& text) {
  if (text.empty()) return;
  plan.command.attempt.captures.push_back(kind);
  plan.exchange().add({.kind = StepKind::kCapture,
                       .command = protocol::Command::kQuery,
                       .bytes = framed(protocol::Command::kQuery, text),
                       .hold_answer = true});
}

// The warnings of a prepare may stand before those that refused statements have added: preparing
// again finds them.
void add_warning_captures(CommandContext& plan) {
  if (plan.model.desired.select_limit() != kAllWarnings)
    add_capture(plan, CaptureKind::kErrors, "SHOW ERRORS");
  add_capture(plan, CaptureKind::kWarnings, "SHOW WARNINGS");
  const std::string_view text = plan.diagnostics().last_prepare();
  if (!plan.diagnostics().has_added_warnings() || text.empty()) return;
  plan.exchange().add({.kind = StepKind::kRestore,
                       .command = protocol::Command::kStmtPrepare,
                       .bytes = framed(protocol::Command::kStmtPrepare, text),
                       .may_fail = true});
  add_capture(plan, CaptureKind::kPrepareWarnings, "SHOW WARNINGS");
}

std::uint64_t insert_id_target(const CommandContext& plan) {
  return plan.diagnostics().last_insert_id() != 0 ? plan.diagnostics().last_insert_id()
                                                  : kNoInsertId;
}

// Where no expression can stand for @@warning_count, the backend is brought to have as many: in a
// connection of collation `binary` none of its type has its flags; and what the parser warns of the
// text is added to those that its first statement sees.
bool counts_on_backend(const CommandContext& plan) {
  constexpr std::uint16_t kBinary = 63;
  const bool must = may_warn_when_parsed(plan.command.script) ||
                    plan.model.desired.lex_mode().collation == kBinary;
  return must && texts_that_warn(plan.diagnostics().warnings());
}

// Several statements of a client that may not send such: TiDB refuses them when it has parsed them,
// and what the parser warns of stays.
void prepare_for_parser_warnings(CommandContext& plan) {
  const bool is_refused = plan.command.type == protocol::Command::kQuery &&
                          plan.command.script.size() > 1 && !plan.model.desired.multi_statements();
  if (!is_refused || !may_warn_when_parsed(plan.command.script) || plan.model.is_one_shot_pending())
    return;
  plan.command.attempt.may_have_parser_warnings = true;
  if (backend_has_diagnostics(plan)) return;
  keep_warnings(plan);
  plan.diagnostics().disturb_found_rows();
  add_restore_query(plan, "DO 0");
}

// The session's last command ran on this backend, and nothing since; nothing is planned yet.
bool continues_here(const CommandContext& plan) {
  return plan.backend.last_session == plan.model.id &&
         plan.backend.last_command == plan.model.last_command && plan.exchange().is_over();
}

}  // namespace

// The session's last statement ran on this backend, and nothing since.
bool backend_has_diagnostics(const CommandContext& plan) {
  return plan.diagnostics().is_on_backend() && continues_here(plan);
}

// Once the restore is planned. Not every statement changes FOUND_ROWS(), so that a backend may know
// ROW_COUNT() and not this.
void note_other_use(CommandContext& plan) {
  if (!continues_here(plan)) plan.diagnostics().disturb_found_rows();
}

// Called ahead of a statement of the proxy's own: should the client's not be executed at all, the
// warnings of the statement before it are still there.
void keep_warnings(CommandContext& plan) {
  if (!plan.diagnostics().warnings_on_backend() || !plan.exchange().is_over()) return;
  add_warning_captures(plan);
  plan.diagnostics().disturb_found_rows();
}

// After an INSERT its answer does not tell whether it changed the value: it must be this
// session's before, of the INSERT and of the transaction or text that it may be in.
bool restores_insert_id(const CommandContext& plan) {
  const std::optional<std::uint64_t>& there = plan.backend.insert_id;
  if (plan.diagnostics().insert_id_on_backend() || there == insert_id_target(plan) ||
      there == plan.diagnostics().last_insert_id())
    return false;
  if (executes_unknown_statement(plan.command.named)) return true;
  const sql::Script& script = plan.command.executed_script();
  if (script.empty() || (script.size() == 1 && script.front().keeps_diagnostics)) return false;
  if (!plan.model.desired.autocommit() || script.front().kind == sql::StatementKind::kBegin)
    return true;
  // It would take what SET TRANSACTION has set, ahead of BEGIN.
  if (script.pins().contains(sql::Pin::kOneShotTransaction) || !plan.model.next_isolation.empty())
    return true;
  for (std::size_t i = 0; i < script.size(); ++i) {
    if (inserts(script[i])) return true;
    if (!there && script[i].may_set_last_insert_id) return true;  // nor whether this one did
  }
  if (plan.command.type == protocol::Command::kStmtPrepare && plans_insert_id(script)) return true;
  const bool asks = script.info_functions().contains(sql::InfoFunction::kLastInsertId);
  // Long data waits at the statement that has the client's text.
  const bool is_fixed = plan.command.statement != nullptr &&
                        plan.command.statement->has_long_data &&
                        plan.diagnostics().last_insert_id() != 0;  // which no SELECT sets
  return asks && (script.size() > 1 || is_fixed || !is_rewritable(script.front()));
}

// `known_here`: the backend has the diagnostics of the statement before.
sql::InfoValues info_values(const CommandContext& plan, bool known_here) {
  sql::InfoValues values;
  const sql::InfoFunctions functions = plan.command.executed_script().info_functions();
  values.connection_id = plan.model.id;
  values.backend_id = plan.tidb_connection;
  if (!known_here) {
    values.row_count = plan.diagnostics().row_count();
    if (!plan.diagnostics().warnings_on_backend() && !counts_on_backend(plan)) {
      values.warnings = plan.diagnostics().warning_count();
      values.errors = plan.diagnostics().error_count();
    }
  }
  // Restores of these change it.
  const bool is_disturbed =
      restores_insert_id(plan) ||
      (!known_here && !plan.diagnostics().warnings_on_backend() && counts_on_backend(plan));
  if (!plan.diagnostics().found_rows_on_backend() &&
      (!plan.diagnostics().found_rows_here() || is_disturbed))
    values.found_rows = plan.diagnostics().found_rows();
  if (!functions.contains(sql::InfoFunction::kLastInsertId)) return values;
  const std::optional<std::uint64_t> there =
      restores_insert_id(plan) ? insert_id_target(plan) : plan.backend.insert_id;
  if (there == plan.diagnostics().last_insert_id() ||
      (plan.diagnostics().insert_id_on_backend() && !there))
    return values;
  values.insert_id = plan.diagnostics().last_insert_id();
  if (plan.diagnostics().insert_id_on_backend() || plan.command.executed_script().size() > 1)
    values.foreign_id = there;
  return values;
}

// Makes the diagnostics that the statement, or a later one of its transaction, asks for, on a
// backend that did not run the statement before.
void add_diagnostics_restores(CommandContext& plan) {
  prepare_for_parser_warnings(plan);
  if (restores_insert_id(plan)) {
    keep_warnings(plan);
    plan.diagnostics().disturb_found_rows();
    plan.backend.insert_id = insert_id_target(plan);
    add_restore_query(plan,
                      "SELECT LAST_INSERT_ID(" + std::to_string(insert_id_target(plan)) + ")");
  }
  const sql::Script& script = plan.command.executed_script();
  const bool asks =
      !script.empty() && (script.front().info_functions.contains(sql::InfoFunction::kWarnings) ||
                          script.front().info_functions.contains(sql::InfoFunction::kErrors));
  if (!asks || plan.diagnostics().warnings_on_backend() || backend_has_diagnostics(plan)) return;
  const bool shows = script.front().keeps_diagnostics;
  if (!shows && !counts_on_backend(plan)) return;
  const std::string_view text = plan.diagnostics().last_prepare();
  if (!text.empty()) {
    plan.exchange().add({.kind = StepKind::kRestore,
                         .command = protocol::Command::kStmtPrepare,
                         .bytes = framed(protocol::Command::kStmtPrepare, text),
                         .may_fail = true});
    return;
  }
  plan.diagnostics().disturb_found_rows();
  const auto texts = texts_that_warn(plan.diagnostics().warnings());
  if (shows && texts && replaces_warnings(plan.command)) {
    plan.command.attempt.shown.emplace(script, plan.diagnostics().warnings(),
                                       plan.diagnostics().most_shown(), row_format(plan.command));
  }
  const bool has_counts =
      !shows || (plan.command.attempt.shown && !plan.command.attempt.shown->is_over());
  if (!has_counts) return add_restore_query(plan, "DO 0");
  for (const std::string& one : *texts)
    add_restore_query(plan, one);
}

// Something goes ahead of a statement that asks about the warnings before it, or the backend has
// only the last of them.
bool needs_warnings(const CommandContext& plan) {
  const sql::Script& script = plan.command.executed_script();
  if (!plan.diagnostics().warnings_on_backend() || !asks_about_warnings(script)) return false;
  if (plan.diagnostics().has_added_warnings()) return true;
  const sql::SessionState& desired = plan.model.desired;
  if (desired.is_exact() && plan.backend.actual != desired) return true;  // a restore goes ahead
  if (script.front().keeps_diagnostics && script.size() == 1) return false;
  return plan.command.statement != nullptr || !plan.command.named.refs.empty() ||
         restores_insert_id(plan);
}

void add_captures(CommandContext& plan) {
  const auto ask = [&](CaptureKind kind, const std::string& text) {
    add_capture(plan, kind, text);
  };
  // Each of these two is the end of the other; FETCH leaves no warnings.
  if (plan.diagnostics().found_rows_on_backend() && !plan.diagnostics().warnings_on_backend())
    ask(CaptureKind::kFoundRows, "SELECT FOUND_ROWS()");
  plan.diagnostics().begin_found_rows();
  if (plan.diagnostics().warnings_on_backend()) add_warning_captures(plan);
  if (plan.diagnostics().insert_id_on_backend())
    ask(CaptureKind::kLastInsertId, "SELECT LAST_INSERT_ID()");
  ask(CaptureKind::kSystemVariables, sql::system_variables_query(plan.model.desired));
  ask(CaptureKind::kUserVariables, sql::user_variables_query(plan.model.desired));
  if (plan.model.desired.role().is_computed) ask(CaptureKind::kRole, "SELECT CURRENT_ROLE()");
}

}  // namespace tidepool::tracking

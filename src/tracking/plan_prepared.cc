#include "tidepool/tracking/plan_prepared.h"

#include <optional>
#include <span>
#include <utility>

#include "plan_restore.h"
#include "tidepool/protocol/packet.h"
#include "tidepool/protocol/statement_messages.h"
#include "tidepool/sql/restore/substitute.h"
#include "tidepool/tracking/plan_diagnostics.h"
#include "tidepool/tracking/plan_mark.h"
#include "tidepool/tracking/script_outcome.h"

namespace tidepool::tracking {
namespace {

PlanSource plan_source(const CommandContext& plan, const PreparedStatement& statement) {
  return {.text = statement.text(),
          .prepared = statement.context,
          .executed = plan.model.desired,
          .session = plan.model.id};
}

// Where TiDB's key of a plan tells too little, the text tells the rest.
void mark_plan(CommandContext& plan, PreparedStatement& statement) {
  const bool uses = plan.command.type == protocol::Command::kStmtExecute ||
                    plan.command.type == protocol::Command::kStmtSendLongData;
  if (!uses || !has_kept_plan(statement.script)) return;
  if (!statement.mark.update(plan_source(plan, statement))) return;
  statement.key = key_of_sent_text(statement.text_key, statement);
  statement.key_types.clear();
}

// Each execution may need a text of its own, prepared like any other. What the client prepares goes
// as it is: TiDB warns of a text with such a function.
void substitute_statement(CommandContext& plan, PreparedStatement& statement) {
  const bool asks = plan.command.type == protocol::Command::kStmtExecute &&
                    !statement.script.info_functions().empty() && !statement.has_long_data;
  if (!asks) return;
  const bool is_there = plan.backend.prepared.find(*statement.text_key).has_value();
  const bool known_here = is_there && backend_has_diagnostics(plan) && !restores_insert_id(plan);
  statement.sent_text =
      sql::substitute(statement.script, statement.text(), statement.context.lex_mode(),
                      info_values(plan, known_here));
  if (statement.sent_text == statement.text()) statement.sent_text.clear();
  statement.key = key_of_sent_text(statement.text_key, statement);
  statement.key_types.clear();
}

void share_by_types(CommandContext& plan, PreparedStatement& statement, std::string_view types) {
  if (statement.key_types == types && statement.sent_text.empty()) return;
  const PreparedCache::Key untyped = key_of_sent_text(statement.text_key, statement);
  statement.key = key_of_types(untyped, types);
  statement.key_types = statement.sent_text.empty() ? types : std::string_view();
  plan.backend.prepared.rename(*untyped, statement.key);  // if it was not executed yet
}

// An execute closes its statement's cursor, and asks anew about the statement before it: one that
// was executed with another value in its text goes, and its cursor with it.
void close_substituted(CommandContext& plan, PreparedStatement& statement) {
  if (plan.command.type != protocol::Command::kStmtExecute || statement.sent_text.empty()) return;
  PreparedCache& known = plan.backend.prepared;
  if (const auto id = known.find(*statement.key)) {
    plan.exchange().add(
        {.kind = StepKind::kSilent,
         .command = protocol::Command::kStmtClose,
         .bytes = framed(protocol::encode_statement_command(protocol::Command::kStmtClose, *id))});
  }
  known.erase(*statement.key);
  statement.has_cursor = false;
}

// Statements of the same text and parameter types share one on the backend, except where one would
// be in the other's way: an open cursor, long data, or types that the client never sent.
void choose_key(CommandContext& plan, PreparedStatement& statement) {
  // What is open or waits is under the key that the statement has.
  if (statement.has_long_data) return;
  if (statement.has_cursor) close_substituted(plan, statement);
  if (statement.has_cursor) return;
  mark_plan(plan, statement);
  substitute_statement(plan, statement);
  bool alone = plan.command.type == protocol::Command::kStmtSendLongData;
  if (plan.command.type == protocol::Command::kStmtExecute && statement.params > 0) {
    const auto execute = protocol::parse_stmt_execute(plan.command.payload, statement.params);
    const std::string_view types =
        execute && execute->has_types ? execute->types : std::string_view(statement.param_types);
    if (!types.empty()) share_by_types(plan, statement, types);
    alone = types.empty();
  }
  if (!alone && !plan.model.prepared.other_holds(statement)) return;
  const PreparedCache::Key untyped = key_of_sent_text(statement.text_key, statement);
  statement.key = key_of_sent_text(private_key(statement, plan.model.id), statement);
  statement.key_types.clear();
  // With parameters, that one was not executed yet.
  if (statement.params > 0) plan.backend.prepared.rename(*untyped, statement.key);
}

// Its client has not executed it yet, and is to see what TiDB warns of when it makes the plan,
// which it made for others here.
bool must_plan_anew(const CommandContext& plan, const PreparedStatement& statement) {
  if (statement.has_plan || statement.has_long_data || !has_kept_plan(statement.script))
    return false;
  return plan.backend.prepared.warns_when_planned(*statement.key) &&
         !plan.model.prepared.other_has_plan(statement);
}

// One with a cursor or data stays what it is on its backend, whatever the state has become since.
bool may_keep_plan(const CommandContext& plan, const PreparedStatement& statement) {
  const bool is_fixed = statement.has_long_data || statement.has_cursor;
  return !is_fixed || !has_kept_plan(statement.script) ||
         !statement.mark.differs(plan_source(plan, statement));
}

// Prepares as the client did, in the state that mattered then, and comes back: true if that was
// another one. Never resets: a transaction may be open.
bool add_prepare(CommandContext& plan, const PreparedStatement& statement, bool plans_anew) {
  sql::SessionState here = preparing_state(plan.model.desired);
  sql::SessionState there = statement.context;
  there.apply(sql::multi_statements(here.multi_statements()));
  // A text that was prepared without a database names none, and means the same in any.
  if (here.database().empty() || there.database().empty()) {
    there.apply({.kind = sql::ChangeKind::kUseDatabase, .name = here.database()});
  }
  // User variables that the backend alone knows, or knew, stay as they are on the way there and
  // back.
  if (!here.is_exact() || !there.is_exact()) {
    here = named_context(here);
    there = named_context(there);
  }
  const std::string& original =
      statement.text_after_execution.empty() ? statement.text() : statement.text_after_execution;
  std::string text;
  if (plans_anew) text = new_plan_mark(plan.backend.prepared.next_plan());
  text += statement.mark.white_space();
  text += statement.sent_text.empty() ? original : statement.sent_text;
  keep_warnings(plan);
  const bool detours = here.is_exact() && there.is_exact() && here != there;
  if (detours) add_state_switch(plan, here, there);
  plan.exchange().add({.kind = StepKind::kPrepare,
                       .command = protocol::Command::kStmtPrepare,
                       .bytes = framed(protocol::Command::kStmtPrepare, text)});
  ++plan.command.attempt.prepares;
  if (detours) add_state_switch(plan, there, here);
  return detours;
}

}  // namespace

bool add_statement_steps(CommandContext& plan) {
  if (!add_restore(plan, plan.model.desired)) return false;
  note_other_use(plan);
  if (sets_resource_group(plan.command.executed_script())) add_login_group_capture(plan);
  PreparedStatement& statement = *plan.command.statement;
  choose_key(plan, statement);
  PreparedCache& known = plan.backend.prepared;
  std::optional<std::uint32_t> id = known.find(*statement.key);
  const bool executes = plan.command.type == protocol::Command::kStmtExecute;
  bool must_succeed = !plan.exchange().is_over();
  const bool plans_anew = id && executes && must_plan_anew(plan, statement);
  if (!id || plans_anew) {
    must_succeed = add_prepare(plan, statement, plans_anew) || must_succeed;
    // Where this is wrong or the prepare fails, TiDB has nothing to execute.
    if (executes) id = known.next_id();
    plan.command.attempt.guessed_id = id.value_or(0);
  }
  if (executes && !may_keep_plan(plan, statement))
    must_succeed = stop_plan_cache(plan) || must_succeed;
  add_diagnostics_restores(plan);
  must_succeed = add_next_isolation(plan) || must_succeed;
  plan.command.attempt.has_diagnostics = backend_has_diagnostics(plan);
  const bool may_follow = is_harmless(statement.script) || !must_succeed;
  plan.exchange().add({.kind = StepKind::kRelay,
                       .command = plan.command.type,
                       .bytes = id ? statement_bytes(plan.command, *id) : std::string(),
                       .after_success = !id || !may_follow,
                       .hold_answer = plan.command.type == protocol::Command::kStmtReset,
                       .hold_error = executes});
  return true;
}

// The packets of the client's command with the backend's statement id, and with the parameter types
// that the client sent with an earlier execute: the backend's statement may have been executed with
// other ones since.
std::string statement_bytes(const Command& command, std::uint32_t backend_id) {
  PreparedStatement& statement = *command.statement;
  if (command.type == protocol::Command::kStmtExecute && statement.params > 0) {
    auto execute = protocol::parse_stmt_execute(command.payload, statement.params);
    if (execute && execute->has_types) {
      statement.param_types = execute->types;
    } else if (execute && !statement.param_types.empty()) {
      execute->statement_id = backend_id;
      execute->has_types = true;
      execute->types = statement.param_types;
      return framed(protocol::encode_stmt_execute(*execute));
    }
  }
  std::string bytes = framed(command.payload);
  protocol::patch_statement_id(std::span(bytes).subspan(protocol::kHeaderBytes), backend_id);
  return bytes;
}

// For one statement; the next restore starts it again. Nothing restores a state of which the
// backend alone knows a part. Returns whether the statement must not go ahead if this fails.
bool stop_plan_cache(CommandContext& plan) {
  static const sql::StateChange stop{sql::ChangeKind::kSetVariable,
                                     "tidb_enable_prepared_plan_cache", "OFF"};
  sql::SessionState& actual = plan.backend.actual;
  if (!plan.model.desired.is_exact() || plan.model.desired.role().is_computed) return false;
  keep_warnings(plan);
  plan.add(StepKind::kRestore, "SET " + stop.name + "=OFF");
  actual.apply(stop);
  return true;
}

}  // namespace tidepool::tracking

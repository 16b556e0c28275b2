#include "tidepool/tracking/planner.h"

#include <utility>

#include "plan_named.h"
#include "plan_restore.h"
#include "tidepool/protocol/capabilities.h"
#include "tidepool/tracking/plan_diagnostics.h"
#include "tidepool/tracking/plan_mark.h"
#include "tidepool/tracking/plan_prepared.h"
#include "tidepool/tracking/script_outcome.h"

namespace tidepool::tracking {
namespace {

// It has to be prepared here, in the state of its own prepare, and then back to one of which the
// backend alone knows a part.
bool needs_state(const CommandContext& plan) {
  if (plan.model.desired.is_exact()) return false;
  BackendModel& backend = plan.backend;
  const auto differs = [&](const sql::SessionState& context) {
    const sql::SessionState here = named_context(plan.model.desired);
    return !here.is_exact() || here != named_context(context);
  };
  if (const PreparedStatement* statement = plan.command.statement) {
    // Long data fixes the statement that the execute will have.
    const bool uses = plan.command.type == protocol::Command::kStmtExecute ||
                      plan.command.type == protocol::Command::kStmtSendLongData;
    if (!uses) return false;
    if (!plan.model.desired.computed().empty() && has_kept_plan(statement->script)) return true;
    return !backend.prepared.find(*statement->key) && differs(statement->context);
  }
  for (const StatementRef& ref : plan.command.named.refs) {
    if (ref.kind != sql::ChangeKind::kExecuteNamed || ref.statement == nullptr) continue;
    if (!plan.model.desired.computed().empty() && has_kept_plan(ref.statement->script)) return true;
    const auto there = backend.named.find(ref.name);
    const bool is_there = there != backend.named.end() && there->second == ref.statement->owner;
    if (!is_there && differs(ref.statement->context)) return true;
  }
  return false;
}

[[nodiscard]] bool add_command_steps(CommandContext& plan) {
  if (plan.command.is_login_check()) {
    add_login_check(plan);
    return true;
  }
  if (plan.command.type == protocol::Command::kStmtClose) {
    plan.exchange().add({.kind = StepKind::kSilent,
                         .command = protocol::Command::kStmtClose,
                         .bytes = framed(plan.command.payload)});
    plan.command.attempt.has_diagnostics = backend_has_diagnostics(plan);
    return true;
  }
  if (plan.command.statement != nullptr) return add_statement_steps(plan);
  const bool can_be = plan.command.chooses_database() ? add_restore(plan, wanted_for_use(plan))
                                                      : add_restore(plan, plan.model.desired);
  if (!can_be) return false;
  note_other_use(plan);
  if (sets_resource_group(plan.command.executed_script())) add_login_group_capture(plan);
  const bool is_prepare = plan.command.type == protocol::Command::kStmtPrepare;
  bool must_succeed = !plan.exchange().is_over();
  must_succeed = add_named_steps(plan) || must_succeed;
  if (!may_keep_named_plans(plan)) must_succeed = stop_plan_cache(plan) || must_succeed;
  add_diagnostics_restores(plan);
  must_succeed = add_next_isolation(plan) || must_succeed;
  plan.command.attempt.has_diagnostics = backend_has_diagnostics(plan);
  const bool may_follow =
      is_prepare || is_harmless(plan.command.executed_script()) || !must_succeed;
  const std::string& text = plan.command.attempt.substituted;
  add_relay(plan, text.empty() ? framed(plan.command.payload) : framed(plan.command.type, text),
            !may_follow, plan.command.holds_answer());
  return true;
}

}  // namespace

bool add_prefetch(CommandContext& plan) {
  CommandAttempt& attempt = plan.command.attempt;
  if (attempt.prefetch_done || plan.command.is_login_check() || plan.model.is_one_shot_pending())
    return false;
  if (!needs_warnings(plan) && !needs_state(plan)) return false;
  attempt.prefetch_done = true;
  add_captures(plan);
  attempt.prefetching = !attempt.exchange.is_over();
  return attempt.prefetching;
}

bool add_steps(CommandContext& plan) {
  if (!add_command_steps(plan)) return false;
  plan.backend.last_command = ++plan.model.last_command;
  return true;
}

void add_relay(CommandContext& plan, std::string bytes, bool after_success, bool hold) {
  const auto type = plan.command.type == protocol::Command::kInitDb ? protocol::Command::kQuery
                                                                    : plan.command.type;
  const bool has_file = (plan.client_capabilities & protocol::capability::kLocalFiles) != 0 &&
                        plan.command.script.requests_local_file();
  plan.exchange().add(
      {.kind = StepKind::kRelay,
       .command = type,
       .bytes = std::move(bytes),
       .after_success = after_success,
       .hold_answer = hold,
       .hold_error = !plan.command.attempt.substituted.empty() ||
                     !plan.command.named.refs.empty() ||
                     (plan.command.attempt.answer != nullptr && plan.command.executes()),
       .may_request_file = has_file});
  if (protocol::has_certain_end(type)) return;
  plan.exchange().add({.kind = StepKind::kFence,
                       .command = protocol::Command::kPing,
                       .bytes = framed(protocol::Command::kPing)});
}

}  // namespace tidepool::tracking

#include "plan_restore.h"

#include <optional>
#include <utility>

#include "tidepool/base/check.h"
#include "tidepool/sql/restore/inaccessible_database.h"
#include "tidepool/sql/restore/restore.h"
#include "tidepool/tracking/next_isolation.h"
#include "tidepool/tracking/plan_diagnostics.h"

namespace tidepool::tracking {
namespace {

Step restore_step(const sql::RestoreStep& step) {
  Step added{.kind = StepKind::kRestore, .may_fail = step.may_fail};
  switch (step.kind) {
    case sql::RestoreStep::Kind::kResetConnection:
      added.command = protocol::Command::kResetConnection;
      added.bytes = framed(added.command);
      break;
    case sql::RestoreStep::Kind::kSetOption:
      added.command = protocol::Command::kSetOption;
      added.bytes = framed(added.command, step.multi_statements ? std::string_view("\0\0", 2)
                                                                : std::string_view("\1\0", 2));
      break;
    case sql::RestoreStep::Kind::kQuery: added.bytes = framed(added.command, step.text); break;
  }
  return added;
}

// A reset, because the state is not known after a restore that failed; then the name alone.
void add_inaccessible_database(CommandContext& plan, const std::string& name) {
  BackendModel& backend = plan.backend;
  backend.reset();
  const auto text = sql::enter_inaccessible_database(name, backend.actual);
  TIDEPOOL_CHECK(text);  // whoever sets inaccessible_database has looked
  plan.exchange().add({.kind = StepKind::kRestore,
                       .command = protocol::Command::kResetConnection,
                       .bytes = framed(protocol::Command::kResetConnection)});
  plan.add(StepKind::kRestore, *text);
  backend.actual.apply({.kind = sql::ChangeKind::kUseDatabase, .name = name});
}

}  // namespace

// The steps from the backend's state to `target`; false if there is no way.
bool add_restore(CommandContext& plan, const sql::SessionState& target) {
  BackendModel& backend = plan.backend;
  if (plan.command.inaccessible_database) add_inaccessible_database(plan, target.database());
  if (backend.actual == target) {
    backend.actual.share(target);
    return true;
  }
  // Its state is here, and nowhere else.
  if (!target.is_exact() || target.role().is_computed) return true;
  if (backend.actual.resource_group() != target.resource_group()) add_login_group_capture(plan);
  const sql::RestorePlan way = sql::plan_restore(backend.actual, target);
  if (!way.is_possible) return false;
  if (way.steps.empty()) return true;
  plan.restore_statements += way.steps.size();
  if (way.needs_reset()) {
    backend.forget_prepared();
    backend.insert_id = 0;
  }
  for (const sql::RestoreStep& step : way.steps)
    plan.exchange().add(restore_step(step));
  backend.actual = sql::state_after_restore(backend.actual, target);
  return true;
}

// A USE needs no restore of the old database, which may no longer exist.
sql::SessionState wanted_for_use(const CommandContext& plan) {
  sql::SessionState wanted = plan.model.desired;
  const std::string& here = plan.backend.actual.database();
  wanted.apply({.kind = sql::ChangeKind::kUseDatabase, .name = here});
  return wanted;
}

// To the state of a prepare, or back. Never resets: a transaction may be open.
void add_state_switch(CommandContext& plan, const sql::SessionState& from,
                      const sql::SessionState& to) {
  sql::SessionState target = to;
  std::optional<std::string> entering;
  if (plan.command.inaccessible_database && from.database() != to.database()) {
    sql::SessionState entered = to;
    entered.apply({.kind = sql::ChangeKind::kSetVariable,
                   .name = "autocommit",
                   .value = plan.model.desired.autocommit() ? "ON" : "OFF"});
    entering =
        sql::enter_inaccessible_database(to.database(), entered, plan.command.attempt.prepares);
    if (entering) target.apply({.kind = sql::ChangeKind::kUseDatabase, .name = from.database()});
  }
  for (const sql::RestoreStep& step : sql::plan_restore(from, target).steps)
    plan.add(StepKind::kRestore, step.text);
  if (entering) plan.add(StepKind::kRestore, *entering);
}

// Last before the relay: the next statement takes it, be it the proxy's own.
bool add_next_isolation(CommandContext& plan) {
  if (!plan.model.next_isolation.empty()) {
    if (!takes_next_isolation(plan.command)) return false;
    keep_warnings(plan);
    plan.add(StepKind::kRestore, next_isolation_text(plan.model.next_isolation));
    return true;
  }
  // The backend had it, for a step ahead of the command.
  const bool is_taken = plan.model.pins.contains(sql::Pin::kOneShotTransaction) &&
                        !plan.model.one_shot_isolation.empty() && !plan.exchange().is_over();
  if (is_taken) plan.add(StepKind::kRestore, next_isolation_text(plan.model.one_shot_isolation));
  return is_taken;
}

// Before the first SET RESOURCE GROUP on a backend: the next session may need what is there now.
void add_login_group_capture(CommandContext& plan) {
  const sql::SessionState& actual = plan.backend.actual;
  if (!actual.login_group().empty() || !actual.resource_group().empty()) return;
  if (plan.model.pins.contains(sql::Pin::kOneShotTransaction)) return;  // it would take that
  keep_warnings(plan);
  plan.command.attempt.captures.push_back(CaptureKind::kLoginGroup);
  plan.exchange().add(
      {.kind = StepKind::kCapture,
       .command = protocol::Command::kQuery,
       .bytes = framed(protocol::Command::kQuery, "SELECT CURRENT_RESOURCE_GROUP()"),
       .may_fail = true,
       .hold_answer = true});
  plan.diagnostics().disturb_found_rows();
}

// Whether the login's database is there and open to this account: USE, whatever state the backend
// is in, but with the roles of a login.
void add_login_check(CommandContext& plan) {
  sql::SessionState& actual = plan.backend.actual;
  if (!actual.role().is_fresh() && !plan.model.is_bound()) {
    plan.add(StepKind::kRestore, "SET ROLE DEFAULT");
    actual.apply({.kind = sql::ChangeKind::kSetRole});
  }
  plan.add(StepKind::kRestore, use_text(plan.command.argument()));
}

}  // namespace tidepool::tracking

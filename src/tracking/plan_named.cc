#include "plan_named.h"

#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "plan_restore.h"
#include "tidepool/base/stream_hash.h"
#include "tidepool/sql/restore/substitute.h"
#include "tidepool/tracking/plan_diagnostics.h"
#include "tidepool/tracking/plan_mark.h"
#include "tidepool/tracking/script_outcome.h"

namespace tidepool::tracking {
namespace {

// With more names than this on one backend, those that others left behind go.
constexpr std::size_t kMostNamed = 64;

bool changes_state(const sql::Script& script) {
  for (std::size_t i = 0; i < script.size(); ++i)
    if (!script[i].changes.empty()) return true;
  return false;
}

// Of the statement with that mark before its text: no other one of the session has the same.
NameOwner owner_of(const NamedStatement& statement, const std::string& mark) {
  if (mark.empty()) return statement.owner;
  constexpr std::uint64_t kMarked = std::uint64_t{1} << 63U;
  const std::string marked = mark + std::to_string(statement.owner.number);
  return {statement.owner.session, kMarked | keyed_number(marked)};
}

// The same for what is executed by name.
std::string text_mark(const CommandContext& plan, const NamedStatement& statement) {
  const bool is_executed =
      plan.command.type == protocol::Command::kQuery && plan.command.named.is_lone_execute();
  if (!is_executed || !has_kept_plan(statement.script)) return {};
  PlanMark mark;
  (void)mark.update({.text = statement.text,
                     .prepared = statement.context,
                     .executed = plan.model.desired,
                     .session = plan.model.id});
  return mark.white_space();
}

void deallocate(CommandContext& plan, std::string_view name) {
  keep_warnings(plan);
  plan.add(StepKind::kRestore, deallocate_text(name), true);
  auto& named = plan.backend.named;
  named.erase(named.find(name));
}

// Whatever this session did not prepare.
void deallocate_others(CommandContext& plan) {
  std::vector<std::string> names;
  for (const auto& [name, owner] : plan.backend.named) {
    const NamedStatementPtr own = plan.model.named.find(name);
    const bool is_own =
        (own != nullptr && own->owner == owner) || owner == NameOwner{plan.model.id, 0};
    if (!is_own) names.push_back(name);
  }
  for (const std::string& name : names)
    deallocate(plan, name);
}

// PREPARE … FROM @x, whose value the backend alone knows.
void add_source_capture(CommandContext& plan) {
  if (plan.command.named.refs.empty()) return;  // a COM_STMT_PREPARE of it, which TiDB refuses
  const std::string name = unknown_source(plan.command.script, plan.model.desired);
  // It would take what SET TRANSACTION has set.
  if (name.empty() || plan.model.pins.contains(sql::Pin::kOneShotTransaction)) return;
  plan.command.attempt.captures.push_back(CaptureKind::kNamedSource);
  std::string quoted;
  for (const char byte : name)
    quoted.append(byte == '`' ? 2 : 1, byte);
  plan.exchange().add({.kind = StepKind::kCapture,
                       .bytes = framed(protocol::Command::kQuery, "SELECT @`" + quoted + "`"),
                       .hold_answer = true});
  plan.diagnostics().disturb_found_rows();
}

// What is executed in the place of a text that asks about the statement before; empty: the text.
std::string substituted_text(CommandContext& plan) {
  const NamedStatement& statement = *plan.command.named.refs.front().statement;
  if (statement.script.info_functions().empty()) return {};
  const auto& named = plan.backend.named;
  const auto there = named.find(statement.name);
  const bool is_there = there != named.end() && there->second == statement.owner;
  const bool known_here = is_there && backend_has_diagnostics(plan) && !restores_insert_id(plan);
  if (!known_here && plan.diagnostics().warnings_on_backend())
    plan.diagnostics().disturb_found_rows();  // see keep_warnings()
  std::string text = sql::substitute(statement.script, statement.text, statement.context.lex_mode(),
                                     info_values(plan, known_here));
  return text == statement.text ? std::string() : text;
}

void substitute_text(CommandContext& plan) {
  Command& command = plan.command;
  if (command.type != protocol::Command::kQuery) return;
  if (command.script.info_functions().empty() && command.attempt.kills.empty()) return;
  sql::InfoValues values =
      info_values(plan, backend_has_diagnostics(plan) && !restores_insert_id(plan));
  for (const PlannedKill& kill : command.attempt.kills)
    values.done_here.push_back(kill.index);
  command.attempt.substituted =
      sql::substitute(command.script, command.argument(), plan.model.desired.lex_mode(), values);
  if (command.attempt.substituted == command.argument()) command.attempt.substituted.clear();
}

// Returns whether it takes a detour through the state of its PREPARE.
bool add_text_prepare(CommandContext& plan, const NamedStatement& statement,
                      const std::string& text) {
  BackendModel& backend = plan.backend;
  const sql::SessionState here = named_context(plan.model.desired);
  sql::SessionState there = statement.context;
  there.apply(sql::multi_statements(here.multi_statements()));
  // A text that was prepared without a database names none, and means the same in any.
  if (here.database().empty() || there.database().empty())
    there.apply({.kind = sql::ChangeKind::kUseDatabase, .name = here.database()});
  const bool detours = here.is_exact() && here != there;
  keep_warnings(plan);
  if (detours) add_state_switch(plan, here, there);
  // Among several statements, those before it are to be executed all the same.
  const bool is_alone = plan.command.script.size() == 1;
  plan.add(is_alone ? StepKind::kPrepare : StepKind::kRestore, prepare_text(statement, text),
           !is_alone);
  ++plan.command.attempt.prepares;
  if (detours) add_state_switch(plan, there, here);
  backend.named[statement.name] = statement.owner;
  // Whether it could be made, only the answer of one that is alone tells.
  if (!is_alone) backend.named[statement.name] = plan.model.next_named();
  backend.prepared.forget_next_id();
  // PREPARE computes LAST_INSERT_ID(n) already.
  if (statement.script.front().may_set_last_insert_id) backend.insert_id.reset();
  return detours;
}

bool add_named_step(CommandContext& plan, const StatementRef& ref, const std::string& sent_text) {
  BackendModel& backend = plan.backend;
  const NamedStatementPtr wanted = plan.model.named.find(ref.name);
  const bool prepares = ref.kind == sql::ChangeKind::kPrepareNamed;
  const std::string mark = wanted == nullptr ? std::string() : text_mark(plan, *wanted);
  const NameOwner owner = wanted == nullptr ? NameOwner() : owner_of(*wanted, mark);
  if (const auto there = backend.named.find(ref.name); there != backend.named.end()) {
    if (there->second == NameOwner{plan.model.id, 0}) return false;  // TiDB alone knows its text
    const bool is_right = wanted != nullptr && there->second == owner && sent_text.empty();
    if (is_right && !prepares) return false;
    deallocate(plan, ref.name);
  }
  // Should the client's PREPARE fail, TiDB has what was there before; here it is made when it is
  // needed.
  if (wanted == nullptr || prepares) return false;
  if (ref.kind == sql::ChangeKind::kDeallocateNamed) {
    // Any text will do; the tables of its own may be gone.
    backend.named[ref.name] = plan.model.next_named();
    backend.prepared.forget_next_id();
    keep_warnings(plan);
    plan.add(StepKind::kRestore, prepare_text(*wanted, "DO 0"));
    ++plan.command.attempt.prepares;
    return false;
  }
  const bool detours =
      add_text_prepare(plan, *wanted, mark + (sent_text.empty() ? wanted->text_anew() : sent_text));
  if (!mark.empty()) backend.named[ref.name] = owner;
  if (!sent_text.empty()) backend.named[ref.name] = plan.model.next_named();
  return detours;
}

}  // namespace

// Brings the names that the command uses to what they are for this session. Returns whether what
// was added must succeed before the command is sent.
bool add_named_steps(CommandContext& plan) {
  const StatementRefs& named = plan.command.named;
  const bool substitutes =
      named.is_lone_execute() && plan.command.type == protocol::Command::kQuery;
  const std::string sent_text = substitutes ? substituted_text(plan) : std::string();
  bool must_succeed = false;
  std::set<std::string_view> seen;
  for (const StatementRef& ref : named.refs) {
    if (seen.insert(ref.name).second)
      must_succeed = add_named_step(plan, ref, sent_text) || must_succeed;
  }
  const bool is_full = !named.refs.empty() && plan.backend.named.size() > kMostNamed;
  if (is_full || is_about_unknown(plan.command.executed_script())) deallocate_others(plan);
  add_source_capture(plan);
  if (!named.is_lone_execute()) substitute_text(plan);
  return must_succeed;
}

// Whether TiDB's key of a plan tells enough of what the command executes by name among others, or
// of which TiDB alone knows the text.
bool may_keep_named_plans(const CommandContext& plan) {
  const StatementRefs& named = plan.command.named;
  if (plan.command.type != protocol::Command::kQuery || named.is_lone_execute()) return true;
  bool executes = false;
  for (const StatementRef& ref : named.refs) {
    if (ref.kind == sql::ChangeKind::kPrepareNamed) return true;  // with the plan cache, then
    if (ref.kind != sql::ChangeKind::kExecuteNamed) continue;
    executes = true;
    if (ref.statement == nullptr) {
      if (plan.model.pins.contains(sql::Pin::kPreparedText))
        return false;  // TiDB alone knows its text
      continue;
    }
    const PlanSource source{.text = ref.statement->text,
                            .prepared = ref.statement->context,
                            .executed = plan.model.desired,
                            .session = plan.model.id};
    if (has_kept_plan(ref.statement->script) && !plan_context(source).empty()) return false;
  }
  // Those before it may change the state.
  return !executes || named.executed.size() == 1 || !changes_state(named.executed);
}

}  // namespace tidepool::tracking

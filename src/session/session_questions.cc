// What a command has to know of the backend that its session is on before its steps can be planned:
// asked for, awaited, and then the command is planned.
#include "tidepool/session/refusal.h"
#include "tidepool/session/session.h"

namespace tidepool::session {
namespace {

bool asks_about_warnings(const sql::Script& script) {
  return !script.empty() && (script.front().facts.contains(sql::Fact::kWarnings) ||
                             script.front().facts.contains(sql::Fact::kErrors));
}

}  // namespace

// True: the questions are on their way, and the command follows.
bool Session::ask_first() {
  if (command_->attempt.has_asked || command_->is_login_check() || model_.is_one_shot_pending())
    return false;
  if (!needs_warnings() && !needs_state()) return false;
  command_->attempt.has_asked = true;
  add_captures();
  command_->attempt.asks_first = !command_->attempt.exchange.is_over();
  return command_->attempt.asks_first;
}

// Something goes ahead of a statement that asks about the warnings before it, or the backend has
// only the last of them.
bool Session::needs_warnings() {
  const sql::Script& script = command_->effects();
  if (!model_.facts.warnings_on_backend() || !asks_about_warnings(script)) return false;
  if (model_.facts.has_added_warnings()) return true;
  if (script.front().keeps_diagnostics && script.size() == 1) return false;
  return command_->statement != nullptr || !command_->texts.uses.empty() || restores_insert_id();
}

// It has to be prepared here, in the state of its own prepare, and then back to one of which the
// backend alone knows a part.
bool Session::needs_state() {
  if (model_.desired.is_exact()) return false;
  pool::Memory& memory = lease_.memory();
  const auto differs = [&](const sql::SessionState& context) {
    const sql::SessionState here = text_context(model_.desired);
    return !here.is_exact() || here != text_context(context);
  };
  if (const PreparedStatement* statement = command_->statement) {
    // Long data fixes the statement that the execute will have.
    const bool uses = command_->type == protocol::Command::kStmtExecute ||
                      command_->type == protocol::Command::kStmtSendLongData;
    if (!uses) return false;
    if (!model_.desired.computed().empty() && has_kept_plan(statement->script)) return true;
    return !memory.prepared.find(*statement->key) && differs(statement->context);
  }
  for (const TextUse& use : command_->texts.uses) {
    if (use.kind != sql::ChangeKind::kExecuteText || use.statement == nullptr) continue;
    if (!model_.desired.computed().empty() && has_kept_plan(use.statement->script)) return true;
    const auto there = memory.texts.find(use.name);
    const bool is_there = there != memory.texts.end() && there->second == use.statement->owner;
    if (!is_there && differs(use.statement->context)) return true;
  }
  return false;
}

void Session::on_asked() {
  command_->attempt.asks_first = false;
  command_->attempt.exchange = {};
  lease_.memory().last_session = 0;
  model_.facts.leave_backend();
  sql::PinReasons pins = model_.pins;
  pins.insert(model_.desired.pins());
  set_pins(pins);
  if (command_->type != protocol::Command::kQuery || !answer_captured(*command_)) return execute();
  command_->attempt.is_relayed = true;
  enter(State::kStreaming);
  settle();
}

// Several statements of a client that may not send such: TiDB refuses them when it has parsed them,
// and what the parser warns of stays.
void Session::prepare_for_parser_warnings() {
  const bool is_refused = command_->type == protocol::Command::kQuery &&
                          command_->script.size() > 1 && !model_.desired.multi_statements();
  if (!is_refused || !may_warn_when_parsed(command_->script) || model_.is_one_shot_pending())
    return;
  command_->attempt.may_have_parser_warnings = true;
  if (knows_facts_here()) return;
  keep_warnings();
  model_.facts.disturb_found_rows();
  add_restore_query("DO 0");
}

}  // namespace tidepool::session

// What the proxy knows in the place of what a statement asks, where the backend does not know it.
#include <algorithm>
#include <utility>

#include "tidepool/protocol/text_result.h"
#include "tidepool/session/effects.h"
#include "tidepool/session/session.h"

namespace tidepool::session {
namespace {

constexpr std::uint16_t kSyntaxError = 1064;
// LAST_INSERT_ID(0) sets nothing: this one, which no table generates, stands on the backend for 0.
constexpr std::uint64_t kNoInsertId = 18446744073709551614U;

bool is_rewritable(const sql::Statement& statement) {
  return statement.kind == sql::StatementKind::kRead ||
         statement.kind == sql::StatementKind::kWrite || statement.kind == sql::StatementKind::kSet;
}

// It may ask for anything, and nothing can stand for that.
bool executes_unknown_text(const TextPlan& texts) {
  return std::any_of(texts.uses.begin(), texts.uses.end(), [](const TextUse& use) {
    return use.kind == sql::ChangeKind::kExecuteText && use.statement == nullptr;
  });
}

}  // namespace

// The session's last statement ran on this backend, and nothing since.
bool Session::knows_facts_here() {
  return lease_.memory().last_session == id_ && model_.facts.is_on_backend() &&
         command_->attempt.exchange.is_over();
}

// Once the restore is planned. Not every statement changes FOUND_ROWS(), so that a backend may know
// ROW_COUNT() and not this.
void Session::note_other_use() {
  const bool continues =
      lease_.memory().last_session == id_ && command_->attempt.exchange.is_over();
  if (!continues) model_.facts.disturb_found_rows();
}

// After an INSERT nobody can tell from its answer whether it changed the value: it must be this
// session's before, of the INSERT and of the transaction or text that it may be in.
bool Session::restores_insert_id() {
  const std::optional<std::uint64_t>& there = lease_.memory().insert_id;
  if (model_.facts.insert_id_on_backend() || there == insert_id_target() ||
      there == model_.facts.last_insert_id())
    return false;
  if (executes_unknown_text(command_->texts)) return true;
  const sql::Script& script = command_->effects();
  if (script.empty() || (script.size() == 1 && script.front().keeps_diagnostics)) return false;
  if (!model_.desired.autocommit() || script.front().kind == sql::StatementKind::kBegin)
    return true;
  // It would take what SET TRANSACTION has set, ahead of BEGIN.
  if (script.pins().contains(sql::Pin::kOneShotTransaction) || !model_.next_isolation.empty())
    return true;
  for (std::size_t i = 0; i < script.size(); ++i) {
    if (inserts(script[i])) return true;
    if (!there && script[i].may_set_last_insert_id) return true;  // nor whether this one did
  }
  if (command_->type == protocol::Command::kStmtPrepare && plans_insert_id(script)) return true;
  const bool asks = script.facts().contains(sql::Fact::kLastInsertId);
  return asks && (script.size() > 1 || !is_rewritable(script.front()));
}

std::uint64_t Session::insert_id_target() const {
  return model_.facts.last_insert_id() != 0 ? model_.facts.last_insert_id() : kNoInsertId;
}

// `known_here`: the backend has those of the statement before.
sql::FactValues Session::fact_values(bool known_here) {
  sql::FactValues values;
  const sql::Facts facts = command_->effects().facts();
  values.connection_id = id_;
  values.backend_id = lease_.tidb_connection();
  if (!known_here) {
    values.row_count = model_.facts.row_count();
    if (!model_.facts.warnings_on_backend() && !counts_on_backend()) {
      values.warnings = model_.facts.warning_count();
      values.errors = model_.facts.error_count();
    }
  }
  // Restores of these change it.
  const bool is_disturbed =
      restores_insert_id() ||
      (!known_here && !model_.facts.warnings_on_backend() && counts_on_backend());
  if (!model_.facts.found_rows_on_backend() && (!model_.facts.found_rows_here() || is_disturbed))
    values.found_rows = model_.facts.found_rows();
  if (!facts.contains(sql::Fact::kLastInsertId)) return values;
  const std::optional<std::uint64_t> there =
      restores_insert_id() ? insert_id_target() : lease_.memory().insert_id;
  if (there == model_.facts.last_insert_id() || (model_.facts.insert_id_on_backend() && !there))
    return values;
  values.insert_id = model_.facts.last_insert_id();
  if (model_.facts.insert_id_on_backend() || command_->effects().size() > 1)
    values.foreign_id = there;
  return values;
}

void Session::substitute_text() {
  ClientCommand& command = *command_;
  if (command.type != protocol::Command::kQuery) return;
  plan_kills();
  if (command.script.facts().empty() && command.attempt.kills.empty()) return;
  sql::FactValues values = fact_values(knows_facts_here() && !restores_insert_id());
  for (const PlannedKill& kill : command.attempt.kills)
    values.done_here.push_back(kill.index);
  command.attempt.substituted =
      sql::substitute(command.script, command.argument(), model_.desired.lex_mode(), values);
  if (command.attempt.substituted == command.argument()) command.attempt.substituted.clear();
}

// Each execution may need a text of its own, prepared like any other. What the client prepares goes
// as it is: TiDB warns of a text with such a function.
void Session::substitute_statement(PreparedStatement& statement) {
  const bool asks = command_->type == protocol::Command::kStmtExecute &&
                    !statement.script.facts().empty() && !statement.has_long_data;
  if (!asks) return;
  const bool is_there = lease_.memory().prepared.find(*statement.text_key).has_value();
  const bool known_here = is_there && knows_facts_here() && !restores_insert_id();
  statement.sent_text = sql::substitute(statement.script, statement.text(),
                                        statement.context.lex_mode(), fact_values(known_here));
  if (statement.sent_text == statement.text()) statement.sent_text.clear();
  statement.key = key_of_sent_text(statement.text_key, statement);
  statement.key_types.clear();
}

// TiDB quotes the text in a syntax error, so it is to see the client's own. True: its answer is
// still to come.
bool Session::resend_original() {
  ClientCommand& command = *command_;
  const protocol::ResponseSummary& answer = command.attempt.exchange.summary();
  const bool refused = answer.has_error() && !command.attempt.exchange.relay_answered();
  if (command.attempt.substituted.empty() || !refused) return false;
  command.attempt.substituted.clear();
  if (answer.error_number == kSyntaxError) {
    if (command.attempt.answer != nullptr) command.attempt.answer->clear();
    add_relay(framed(command.payload), false, false);
    return true;
  }
  pass_on(command.attempt.exchange.take_held());
  return false;
}

}  // namespace tidepool::session

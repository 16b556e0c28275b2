// COM_STMT_PREPARE answered with what TiDB answered to the same text before; and what a session
// sees that makes such an answer wrong.
#include <utility>

#include "tidepool/session/prepare_answer.h"
#include "tidepool/session/session.h"
#include "tidepool/sql/account_change.h"

namespace tidepool::session {

// A transaction keeps the schema that it began with.
const pool::PrepareMemory::View& Session::schema_view(const ClientCommand& command) const {
  return model_.in_transaction ? model_.transaction_view : command.view;
}

bool Session::answer_prepare_locally(ClientCommand& command) {
  if (!prepare_memory().is_on() || !is_memorable(command.script, model_.desired, model_.pins))
    return false;
  const auto found = prepare_memory().find(prepare_context(model_.desired), command.argument(),
                                           schema_view(command), command.received);
  if (!found.prepare) return false;
  const tracking::PreparedStatement& statement =
      add_statement(command, found.prepare->params, found.prepare->columns, found.seen);
  model_.facts.note_prepare(statement.shared_text, statement.script, found.prepare->warnings,
                            false);
  stats().prepares[PrepareSource::kMemory].add();
  send(prepare_answer(*found.prepare, statement.id, model_.status_flags()));
  return true;
}

tracking::PreparedStatement& Session::add_statement(ClientCommand& command, std::uint16_t params,
                                                    std::uint16_t columns, TimePoint seen) {
  tracking::PreparedStatement& statement =
      model_.prepared.add(command.argument(), model_.desired, params, id_);
  statement.columns = columns;
  statement.seen = seen;
  statement.memory_context = prepare_context(model_.desired);
  statement.share = std::move(command.prepared_share);
  count_bytes(statement);
  return statement;
}

// The answer to an execute may show that what is remembered of its prepare is not so any more.
void Session::note_schema_use() {
  const protocol::ResponseSummary& answer = command_->attempt.summary;
  const tracking::PreparedStatement& statement = *command_->statement;
  const bool has_rows = answer.outcome == protocol::ResponseSummary::Outcome::kResultSet;
  const bool is_other = has_rows && answer.columns != statement.columns;
  const bool failed = answer.has_error() && tells_of_schema_change(answer.error_number);
  if (is_other || failed) prepare_memory().forget(statement.memory_context, statement.text());
}

// Until the command is over, and its backend has answered, nobody is told what was so before it.
// The pools may be accounts of one cluster.
void Session::note_schema_changes(ClientCommand& command) {
  if (command.type == protocol::Command::kStmtPrepare) return;
  if (sql::changes_accounts(command.effects())) {
    for (const auto& access : environment_.pools)
      command.account_changes.emplace_back(*access->pool);
  }
  environment_.global_settings->note(command.effects());
  if (!may_change_schema(command.effects())) return;
  for (const auto& access : environment_.pools)
    command.schema_changes.emplace_back(*access->prepares);
}

}  // namespace tidepool::session

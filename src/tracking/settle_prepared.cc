#include "tidepool/tracking/settle_prepared.h"

#include "tidepool/protocol/status.h"
#include "tidepool/sql/restore/definition_after_execution.h"
#include "tidepool/tracking/script_outcome.h"

namespace tidepool::tracking {
namespace {

void note_plan(CommandContext& context, PreparedStatement& statement) {
  const bool has_warned = context.command.attempt.summary.warnings > 0;
  if (!statement.has_plan ||
      context.command.attempt.prepares > 0)  // else it is not the first time there
    context.backend.prepared.note_executed(*statement.key, has_warned);
  statement.has_plan = true;
  statement.has_warned = statement.has_warned || has_warned;
}

std::vector<std::uint32_t> note_execute(CommandContext& context, PreparedStatement& statement) {
  const protocol::ResponseSummary& answer = context.command.attempt.summary;
  std::vector<std::uint32_t> to_close;
  if (statement.has_long_data && answer.has_error()) to_close = drop_on_backend(context);
  statement.has_long_data = false;
  if (!answer.has_error()) note_plan(context, statement);
  if (rewrites_itself(statement.script, answer)) {
    statement.text_after_execution =
        sql::definition_after_execution(statement.text(), statement.context.lex_mode());
  }
  statement.has_cursor =
      !answer.has_error() && (answer.status & protocol::status::kCursorExists) != 0;
  return to_close;
}

}  // namespace

void settle_planned(CommandContext& context) {
  const sql::StateChanges planned =
      planned_changes(context.command.script, context.command.attempt.summary);
  if (planned.empty()) return;
  context.model.desired.apply(planned);
  context.backend.actual.apply(planned);
  context.model.pins.insert(context.model.desired.pins());
}

std::vector<std::uint32_t> drop_on_backend(CommandContext& context) {
  const PreparedStatement& statement = *context.command.statement;
  PreparedCache& known = context.backend.prepared;
  std::vector<std::uint32_t> to_close;
  if (const auto id = known.find(*statement.key)) to_close.push_back(*id);
  known.erase(*statement.key);
  return to_close;
}

std::vector<std::uint32_t> settle_statement_use(CommandContext& context) {
  PreparedStatement& statement = *context.command.statement;
  const protocol::ResponseSummary& answer = context.command.attempt.summary;
  std::vector<std::uint32_t> to_close;
  switch (context.command.type) {
    case protocol::Command::kStmtExecute: to_close = note_execute(context, statement); break;
    case protocol::Command::kStmtFetch:
      if ((answer.status & protocol::status::kLastRowSent) != 0) statement.has_cursor = false;
      break;
    case protocol::Command::kStmtReset:
      statement.has_cursor = false;
      statement.has_long_data = false;
      break;
    case protocol::Command::kStmtSendLongData: statement.has_long_data = true; break;
    default: break;
  }
  context.backend.prepared.hold(*statement.key, statement.has_cursor || statement.has_long_data);
  context.model.note_cursors();
  return to_close;
}

}  // namespace tidepool::tracking

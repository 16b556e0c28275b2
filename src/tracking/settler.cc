#include "tidepool/tracking/settler.h"

#include <string>
#include <utility>

#include "tidepool/protocol/status.h"
#include "tidepool/sql/parse/transaction_mode.h"
#include "tidepool/tracking/next_isolation.h"
#include "tidepool/tracking/pre_execution_error.h"
#include "tidepool/tracking/script_outcome.h"
#include "tidepool/tracking/settle_named.h"
#include "tidepool/tracking/settle_prepared.h"

namespace tidepool::tracking {
namespace {

// Commands that change the session without a text of their own.
void follow_options(CommandContext& context) {
  const Command& command = context.command;
  if (command.type == protocol::Command::kInitDb) {
    for (const sql::StateChange& change : command.script.front().changes) {
      context.model.desired.apply(sql::init_database(change.name));
    }
  }
  if (command.type == protocol::Command::kSetOption) {
    const bool on = command.payload.size() > 1 && command.payload[1] == 0;
    context.model.desired.apply(sql::multi_statements(on));
    context.backend.actual.apply(sql::multi_statements(on));
  }
}

// What it holds beyond the transaction, now that the command is answered.
sql::PinReasons settle_held_resources(CommandContext& context, sql::PinReasons pins,
                                      std::string_view database, std::string_view rows) {
  const Command& command = context.command;
  return context.model.held.settle(
      pins, {.script = command.executed_script(),
             .executed = executed_of(command.executed_script(), command.attempt.summary),
             .answer = command.attempt.summary,
             .database = database,
             .rows = rows,
             .is_prepared = command.statement != nullptr || !command.named.refs.empty()});
}

// What SET TRANSACTION has set on the backend, if the next statement is still to take it.
void note_one_shot(CommandContext& context, sql::PinReasons pins) {
  if (!pins.contains(sql::Pin::kOneShotTransaction))
    return context.model.one_shot_isolation.clear();
  const sql::Script& script = context.command.executed_script();
  if (context.command.attempt.summary.has_error() || script.empty()) return;
  context.model.one_shot_isolation = next_isolation_after(script[script.size() - 1]);
}

void note_transaction_mode(CommandContext& context, bool was_in_transaction) {
  const sql::Script& script = context.command.executed_script();
  const sql::Statement* begin = nullptr;
  for (std::size_t i = 0; i < script.size(); ++i)
    if (script[i].kind == sql::StatementKind::kBegin) begin = &script[i];
  if (!context.model.in_transaction || (begin == nullptr && was_in_transaction)) return;
  context.model.is_pessimistic = sql::begins_pessimistic(begin, context.model.desired);
}

}  // namespace

std::vector<std::uint32_t> settle_relayed(CommandContext& context, const GlobalSettings& globals,
                                          std::string_view held) {
  const Command& command = context.command;
  const protocol::ResponseSummary& answer = command.attempt.summary;
  settle_answer(context, globals, command.asks_for_lock() ? held : std::string_view());
  settle_named(context);
  std::vector<std::uint32_t> to_close;
  if (command.statement != nullptr) to_close = settle_statement_use(context);
  if (answer.has_status && !answer.has_error()) settle_status(context, answer.status);
  if (command.executes() && answer.has_error()) add_probe(context.exchange());
  return to_close;
}

void settle_probe(CommandContext& context) {
  settle_status(context, context.exchange().summary().status);
  settle_failure(context);
}

void settle_diagnostics(CommandContext& context) {
  const CompletedCommand done{context.command.type, context.command.executed_script(),
                              context.command.attempt.summary};
  const sql::TextEncoding encoding = context.model.desired.lex_mode().encoding;
  const PreExecutionError error =
      pre_execution_error_of(done.command, done.script, done.answer, encoding);
  if (error != PreExecutionError::kNone)
    return context.diagnostics().note_pre_execution_error(error,
                                                          context.command.attempt.has_diagnostics);
  const bool is_in_transaction =
      context.model.in_transaction || !context.model.desired.autocommit();
  const bool is_pessimistic = context.model.in_transaction
                                  ? context.model.is_pessimistic
                                  : sql::begins_pessimistic(nullptr, context.model.desired);
  if (context.diagnostics().note_answer(done, is_in_transaction && is_pessimistic)) {
    context.backend.insert_id.reset();
  }
}

// Until an OK.
void settle_next_isolation(CommandContext& context) {
  SessionModel& model = context.model;
  if (model.next_isolation.empty() || !takes_next_isolation(context.command)) return;
  model.one_shot_isolation = std::exchange(model.next_isolation, {});
  model.pins.insert(sql::Pin::kOneShotTransaction);
}

void settle_answer(CommandContext& context, const GlobalSettings& globals,
                   std::string_view lock_answer) {
  const Command& command = context.command;
  const protocol::ResponseSummary& answer = command.attempt.summary;
  settle_next_isolation(context);
  sql::PinReasons pins = context.model.pins;
  if (command.executes()) {
    const bool holds = concerns_held_resources(command.executed_script());
    const std::string database = holds ? context.model.desired.database() : std::string();
    context.model.shows_read_time = context.model.shows_read_time ||
                                    command.executed_script().pins().contains(sql::Pin::kStaleRead);
    pins = apply_outcome(command.executed_script(), answer, pins, globals, context.model.desired,
                         context.backend.actual);
    if (holds) pins = settle_held_resources(context, pins, database, lock_answer);
    note_one_shot(context, pins);
    settle_diagnostics(context);
  }
  if (!answer.has_error()) follow_options(context);
  context.model.pins = pins;
}

void settle_status(CommandContext& context, std::uint16_t status) {
  const bool was_in_transaction =
      std::exchange(context.model.in_transaction, (status & protocol::status::kInTransaction) != 0);
  const sql::Script& script = context.command.executed_script();
  const bool began = script.size() == 1 && script.front().kind == sql::StatementKind::kBegin &&
                     !context.command.attempt.summary.has_error();
  if (!was_in_transaction || began) context.model.transaction_view = context.command.view;
  note_transaction_mode(context, was_in_transaction);
  if (context.model.in_transaction) {
    context.model.pins.insert(sql::Pin::kTransaction);
  } else {
    context.model.pins.erase(sql::Pin::kTransaction);
  }
}

void settle_failure(CommandContext& context) {
  const CompletedCommand done{context.command.type, context.command.executed_script(),
                              context.command.attempt.summary};
  const protocol::ResponseSummary& ping = context.exchange().summary();
  const sql::TextEncoding encoding = context.model.desired.lex_mode().encoding;
  const PreExecutionError error =
      pre_execution_error_of(done.command, done.script, done.answer, encoding);
  if (error == PreExecutionError::kNone)
    return context.diagnostics().note_failure(done, ping, context.command.argument());
  if (!context.command.attempt.may_have_parser_warnings) return;
  context.diagnostics().note_parser_warnings(ping.warnings,
                                             context.command.attempt.has_diagnostics);
}

}  // namespace tidepool::tracking

// A session's prepared statements: found by the client's id, prepared again on a backend that lacks
// them, held while a cursor or long data is open.
#include <optional>
#include <utility>

#include "tidepool/protocol/packet.h"
#include "tidepool/protocol/statement_messages.h"
#include "tidepool/protocol/status.h"
#include "tidepool/session/prepare_answer.h"
#include "tidepool/session/session.h"
#include "tidepool/sql/restore.h"
#include "tidepool/sql/worn_definition.h"
#include "tidepool/tracking/effects.h"
#include "tidepool/tracking/next_isolation.h"
#include "tidepool/tracking/plan_prepared.h"
#include "tidepool/tracking/settle_prepared.h"
#include "tidepool/tracking/settle_texts.h"
#include "tidepool/tracking/settler.h"

namespace tidepool::session {
namespace {

// TiDB sends this error as 1105: writeError() in pkg/server/conn.go keeps the code of a
// terror.Error only, and this one is a mysql.SQLError.
Error unknown_statement(std::uint32_t id, const char* command) {
  return Error{Code::kBackend,
               "ERROR 1243 (HY000): Unknown prepared statement handler " + std::to_string(id) +
                   " given to " + command,
               1105, "HY000"};
}

// Of a statement without columns: what is no DML, or has variables, warns when it is prepared,
// since its plan is not cached (IsASTCacheable).
bool is_cacheable(const sql::Script& script) {
  if (script.size() != 1) return true;
  const sql::Statement& statement = script.front();
  return statement.kind == sql::StatementKind::kWrite &&
         statement.text.find('@') == std::string_view::npos;
}

// Of those that TiDB looks at before it looks for the statement (handleStmtExecute, StmtFetchCmd).
bool has_wrong_length(const ClientCommand& command) {
  constexpr std::size_t kShortestExecute = 10;  // command, id, flags, iterations
  constexpr std::size_t kFetch = 9;             // command, id, rows
  switch (command.type) {
    case protocol::Command::kStmtExecute: return command.payload.size() < kShortestExecute;
    case protocol::Command::kStmtFetch: return command.payload.size() != kFetch;
    default: return false;
  }
}

const char* statement_word(protocol::Command command) {
  switch (command) {
    case protocol::Command::kStmtFetch: return "stmt_fetch";
    case protocol::Command::kStmtReset: return "stmt_reset";
    case protocol::Command::kStmtSendLongData: return "stmt_send_longdata";
    default: return "stmt_execute";
  }
}

}  // namespace

bool Session::find_statement(ClientCommand& command) {
  const auto id = protocol::parse_statement_id(command.payload);
  command.statement = id ? model_.prepared.find(*id) : nullptr;
  const bool is_data = command.type == protocol::Command::kStmtSendLongData;
  const auto data = protocol::parse_long_data(command.payload);
  const bool is_malformed = !id || has_wrong_length(command) || (is_data && !data);
  if (command.type == protocol::Command::kStmtFetch) {  // clears the warnings, found or not
    model_.facts.note_fetch(!is_malformed && command.statement != nullptr);
  }
  if (is_malformed) {
    send_error({Code::kBackend, "malform packet error", 1105, "HY000"}, answer_sequence_);
    return false;
  }
  if (command.statement == nullptr) {
    send_error(unknown_statement(*id, statement_word(command.type)), answer_sequence_);
    return false;
  }
  // TiDB answers this one with an error, which the protocol does not know: no backend may do so.
  if (is_data && data->param >= command.statement->params) {
    send_error({Code::kBackend, "ERROR 1210 (HY000): Incorrect arguments to stmt_send_longdata",
                1105, "HY000"},
               answer_sequence_);
    return false;
  }
  return true;
}

void Session::on_statement_close(std::string_view payload) {
  const auto id = protocol::parse_statement_id(payload);
  tracking::PreparedStatement* statement = id ? model_.prepared.find(*id) : nullptr;
  if (statement == nullptr) return;
  const bool holds = (statement->has_cursor || statement->has_long_data) && lease_;
  if (statement->has_warned) model_.prepared.forget_plans(*statement);
  model_.facts.note_close(statement->shared_text);
  if (!holds) return model_.prepared.erase(*id);
  // Its cursor or data must not be there for the next session that executes the same text.
  auto command =
      std::make_unique<ClientCommand>(protocol::Command::kStmtClose, payload, Clock::now());
  tracking::BackendModel& memory = lease_.memory();
  const auto backend_id = memory.prepared.find(*statement->key);
  protocol::patch_statement_id(command->payload,
                               backend_id.value_or(0));  // TiDB has none of number 0
  memory.prepared.erase(*statement->key);
  model_.prepared.erase(*id);
  model_.note_cursors();
  count_pins();
  begin(std::move(command));
}

void Session::on_prepared() {
  const std::uint32_t id = command_->attempt.exchange.summary().statement_id;
  tracking::PreparedCache& known = lease_.memory().prepared;
  if (command_->statement == nullptr) return;  // PREPARE as text
  tracking::PreparedStatement& statement = *command_->statement;
  close_on_backend(known.insert(statement.key, id, schema_view(*command_).time));
  close_on_backend(known.limit(prepare_memory().most_kept(command_->received)));
  command_->attempt.has_other_id =
      command_->attempt.exchange.relay_written() && command_->attempt.guessed_id != id;
  command_->attempt.exchange.set_relay_bytes(tracking::statement_bytes(*command_, id));
}

// What the client prepared cannot be prepared any more. Nothing of its command was executed, and
// the backend is in the state that it should be in.
void Session::on_prepare_failed() {
  if (prepares_again()) return lease_ ? write_steps() : void();
  if (is_replaying()) return replay_in_vain(ReplayResult::kDifferent, pool::Release::kReset);
  ClientCommand& command = *command_;
  const Error error = execute_error(*command.attempt.exchange.prepare_error());
  if (tracking::takes_next_isolation(command) &&
      !std::exchange(model_.next_isolation, {}).empty()) {
    model_.pins.insert(sql::Pin::kOneShotTransaction);  // the backend has it
    count_pins();
  }
  command.attempt.is_relayed = true;
  command.attempt.summary = {};
  command.attempt.summary.outcome = protocol::ResponseSummary::Outcome::kError;
  command.attempt.summary.error_number = error.mysql_errno;
  model_.facts.note_local_answer();
  model_.facts.forget_backend_warnings();
  tracking::CommandContext context = command_context();
  tracking::forget_failed_texts(context, error);
  if (command.type == protocol::Command::kStmtExecute) {
    note_schema_use();
    note_statement_use();
  }
  if (!protocol::has_no_reply(command.type)) {
    enter(State::kStreaming);
    send_error(error, answer_sequence_);
  }
  settle();
}

// The backend does not have the statement that it was believed to have, or one that was prepared
// before the client prepared it, and that a change of the schema has made useless since: nothing
// was executed, and what the client prepared may well do.
bool Session::repeat_execute() {
  ClientCommand& command = *command_;
  constexpr std::uint16_t kSchemaChanged = 8113;
  const protocol::ResponseSummary& answer = command.attempt.exchange.summary();
  const tracking::PreparedStatement& statement = *command.statement;
  if (!answer.has_error() || command.attempt.is_repeated || statement.has_long_data) return false;
  if (command.attempt.exchange.relay_answered()) return false;
  tracking::CommandContext context = command_context();
  tracking::PreparedCache& known = context.backend.prepared;
  const auto asked = known.asked(*statement.key);
  const bool is_outdated =
      answer.error_number == kSchemaChanged && asked && *asked < statement.seen;
  if (!is_outdated && !is_unknown_statement(answer.error_number, answer.message)) return false;
  command.attempt.is_repeated = true;
  if (is_outdated) close_on_backend(tracking::drop_on_backend(context));
  if (!command.attempt.has_other_id) known.erase(*statement.key);
  command.attempt.exchange = {};
  if (command.attempt.answer != nullptr) command.attempt.answer->clear();
  return plan_steps();
}

void Session::close_on_backend(const std::vector<std::uint32_t>& ids) {
  for (const std::uint32_t id : ids) {
    // A failure shows when the answer to the next command does not come.
    (void)lease_.stream().write(
        tracking::framed(protocol::encode_statement_command(protocol::Command::kStmtClose, id)));
  }
}

// The answer to COM_STMT_PREPARE goes to the client with an id of the session's own.
void Session::on_client_prepared() {
  tracking::CommandContext context = command_context();
  std::string answer = context.exchange().take_held();
  const protocol::ResponseSummary& summary = command_->attempt.summary;
  stats().prepares[PrepareSource::kTidb].add();
  model_.pins = model_.holdings.settle_prepare(model_.pins, command_->script, summary);
  if (summary.has_error()) {
    tracking::settle_facts(context);
    probe();  // what it warned of before it failed
  } else {
    const pool::PrepareMemory::View& view = schema_view(*command_);
    auto remembered = parse_prepare_answer(answer);
    if (remembered && remembered->status_places.empty() && !is_cacheable(command_->script)) {
      remembered->warnings = 1;  // which TiDB would tell in an EOF, if there was one
    }
    const tracking::PreparedStatement& statement = add_statement(
        *command_, summary.params, static_cast<std::uint16_t>(summary.columns), view.time);
    model_.facts.note_prepare(statement.shared_text, statement.script,
                              remembered ? remembered->warnings : std::uint16_t{0},
                              command_->attempt.knows_facts);
    protocol::patch_statement_id(std::span(answer).subspan(protocol::kHeaderBytes), statement.id);
    tracking::PreparedCache& known = lease_.memory().prepared;
    close_on_backend(known.insert(statement.key, summary.statement_id, view.time));
    close_on_backend(known.limit(prepare_memory().most_kept(command_->received)));
    if (remembered && is_memorable(command_->script, model_.desired, model_.pins)) {
      prepare_memory().add(statement.memory_context, statement.text(), std::move(*remembered),
                           view);
    }
  }
  tracking::settle_planned(context);
  count_pins();
  enter(State::kStreaming);
  send(answer);
}

// The session's statement was used by the command under way.
void Session::note_statement_use() {
  tracking::CommandContext context = command_context();
  close_on_backend(tracking::settle_statement_use(context));
  count_bytes(*command_->statement);
  count_pins();
}

}  // namespace tidepool::session

// A session's prepared statements: found by the client's id, prepared again on a backend that lacks
// them, held while a cursor or long data is open.
#include <optional>
#include <utility>

#include "tidepool/protocol/packet.h"
#include "tidepool/protocol/statement_messages.h"
#include "tidepool/protocol/status.h"
#include "tidepool/session/effects.h"
#include "tidepool/session/next_isolation.h"
#include "tidepool/session/prepare_answer.h"
#include "tidepool/session/session.h"
#include "tidepool/sql/restore.h"
#include "tidepool/sql/worn_definition.h"

namespace tidepool::session {
namespace {

// TiDB wraps this error of its own into 1105 (tidb.md: errors built as mysql.SQLError).
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
  PreparedStatement* statement = id ? model_.prepared.find(*id) : nullptr;
  if (statement == nullptr) return;
  const bool holds = (statement->has_cursor || statement->has_long_data) && lease_;
  if (statement->has_warned) model_.prepared.forget_plans(*statement);
  model_.facts.note_close(statement->shared_text);
  if (!holds) return model_.prepared.erase(*id);
  // Its cursor or data must not be there for the next session that executes the same text.
  auto command =
      std::make_unique<ClientCommand>(protocol::Command::kStmtClose, payload, Clock::now());
  pool::Memory& memory = lease_.memory();
  const auto backend_id = memory.prepared.find(*statement->key);
  protocol::patch_statement_id(command->payload,
                               backend_id.value_or(0));  // TiDB has none of number 0
  memory.prepared.erase(*statement->key);
  model_.prepared.erase(*id);
  note_statement_use();
  begin(std::move(command));
}

bool Session::add_statement_steps() {
  if (!add_restore(model_.desired)) return false;
  note_other_use();
  if (sets_resource_group(command_->effects())) add_login_group_capture();
  PreparedStatement& statement = *command_->statement;
  choose_key(statement);
  pool::PreparedCache& known = lease_.memory().prepared;
  std::optional<std::uint32_t> id = known.find(*statement.key);
  const bool executes = command_->type == protocol::Command::kStmtExecute;
  bool must_succeed = !command_->attempt.exchange.is_over();
  const bool plans_anew = id && executes && must_plan_anew(statement);
  if (!id || plans_anew) {
    must_succeed = add_prepare(statement, plans_anew) || must_succeed;
    // Where this is wrong or the prepare fails, TiDB has nothing to execute.
    if (executes) id = known.next_id();
    command_->attempt.guessed_id = id.value_or(0);
  }
  if (executes && !may_keep_plan(statement)) must_succeed = stop_plan_cache() || must_succeed;
  add_fact_restores();
  must_succeed = add_next_isolation() || must_succeed;
  command_->attempt.knows_facts = knows_facts_here();
  const bool may_follow = is_harmless(statement.script) || !must_succeed;
  command_->attempt.exchange.add({.kind = StepKind::kRelay,
                                  .command = command_->type,
                                  .bytes = id ? statement_bytes(*id) : std::string(),
                                  .after_success = !id || !may_follow,
                                  .hold_answer = command_->type == protocol::Command::kStmtReset,
                                  .hold_refusal = executes});
  return true;
}

// Statements of the same text and parameter types share one on the backend, except where one would
// be in the other's way: an open cursor, long data, or types that the client never sent.
void Session::choose_key(PreparedStatement& statement) {
  // What is open or waits is under the key that the statement has.
  if (statement.has_long_data || statement.has_cursor) return;
  mark_plan(statement);
  substitute_statement(statement);
  bool alone = command_->type == protocol::Command::kStmtSendLongData;
  if (command_->type == protocol::Command::kStmtExecute && statement.params > 0) {
    const auto execute = protocol::parse_stmt_execute(command_->payload, statement.params);
    const std::string_view types =
        execute && execute->has_types ? execute->types : std::string_view(statement.param_types);
    if (!types.empty()) share_by_types(statement, types);
    alone = types.empty();
  }
  if (!alone && !model_.prepared.other_holds(statement)) return;
  const pool::PreparedCache::Key untyped = key_of_sent_text(statement.text_key, statement);
  statement.key = key_of_sent_text(private_key(statement, id_), statement);
  statement.key_types.clear();
  // With parameters, nobody has executed that one yet.
  if (statement.params > 0) lease_.memory().prepared.rename(*untyped, statement.key);
}

void Session::share_by_types(PreparedStatement& statement, std::string_view types) {
  if (statement.key_types == types && statement.sent_text.empty()) return;
  const pool::PreparedCache::Key untyped = key_of_sent_text(statement.text_key, statement);
  statement.key = key_of_types(untyped, types);
  statement.key_types = statement.sent_text.empty() ? types : std::string_view();
  lease_.memory().prepared.rename(*untyped, statement.key);  // if nobody has executed it yet
}

// Prepares as the client did, in the state that mattered then, and comes back: true if that was
// another one. Never resets: a transaction may be open.
bool Session::add_prepare(const PreparedStatement& statement, bool plans_anew) {
  sql::SessionState here = preparing_state(model_.desired);
  sql::SessionState there = statement.context;
  there.apply(sql::multi_statements(here.multi_statements()));
  // A text that was prepared without a database names none, and means the same in any.
  if (here.database().empty() || there.database().empty()) {
    there.apply({.kind = sql::ChangeKind::kUseDatabase, .name = here.database()});
  }
  // User variables that the backend alone knows, or knew, stay as they are on the way there and
  // back.
  if (!here.is_exact() || !there.is_exact()) {
    here = text_context(here);
    there = text_context(there);
  }
  const std::string& original =
      statement.worn_text.empty() ? statement.text() : statement.worn_text;
  std::string text;
  if (plans_anew) text = new_plan_mark(lease_.memory().prepared.next_plan());
  text += statement.mark.white_space();
  text += statement.sent_text.empty() ? original : statement.sent_text;
  keep_warnings();
  const bool detours = here.is_exact() && there.is_exact() && here != there;
  if (detours) add_way(here, there);
  command_->attempt.exchange.add({.kind = StepKind::kPrepare,
                                  .command = protocol::Command::kStmtPrepare,
                                  .bytes = framed(protocol::Command::kStmtPrepare, text)});
  ++command_->attempt.prepares;
  if (detours) add_way(there, here);
  return detours;
}

// The packets of the client's command with the backend's statement id, and with the parameter types
// that the client sent with an earlier execute: the backend's statement may have been executed with
// other ones since.
std::string Session::statement_bytes(std::uint32_t backend_id) const {
  PreparedStatement& statement = *command_->statement;
  if (command_->type == protocol::Command::kStmtExecute && statement.params > 0) {
    auto execute = protocol::parse_stmt_execute(command_->payload, statement.params);
    if (execute && execute->has_types) {
      statement.param_types = execute->types;
    } else if (execute && !statement.param_types.empty()) {
      execute->statement_id = backend_id;
      execute->has_types = true;
      execute->types = statement.param_types;
      return framed(protocol::encode_stmt_execute(*execute));
    }
  }
  std::string bytes = framed(command_->payload);
  protocol::patch_statement_id(std::span(bytes).subspan(protocol::kHeaderBytes), backend_id);
  return bytes;
}

void Session::on_prepared() {
  const std::uint32_t id = command_->attempt.exchange.summary().statement_id;
  pool::PreparedCache& known = lease_.memory().prepared;
  if (command_->statement == nullptr) return;  // PREPARE as text
  PreparedStatement& statement = *command_->statement;
  close_on_backend(known.insert(statement.key, id, schema_view(*command_).time));
  close_on_backend(known.limit(prepare_memory().most_kept(command_->received)));
  command_->attempt.has_other_id =
      command_->attempt.exchange.relay_written() && command_->attempt.guessed_id != id;
  command_->attempt.exchange.set_relay_bytes(statement_bytes(id));
}

// What the client prepared cannot be prepared any more. Nothing of its command was executed, and
// the backend is in the state that it should be in.
void Session::on_prepare_failed() {
  if (prepares_again()) return lease_ ? write_steps() : void();
  if (is_replaying()) return replay_in_vain(ReplayResult::kDifferent, pool::Release::kReset);
  ClientCommand& command = *command_;
  const Error error = execute_error(*command.attempt.exchange.prepare_error());
  if (takes_next_isolation(command) && !std::exchange(model_.next_isolation, {}).empty()) {
    sql::PinReasons pins = model_.pins;
    pins.insert(sql::Pin::kOneShotTransaction);  // the backend has it
    set_pins(pins);
  }
  command.attempt.is_relayed = true;
  command.attempt.summary = {};
  command.attempt.summary.outcome = protocol::ResponseSummary::Outcome::kError;
  command.attempt.summary.error_number = error.mysql_errno;
  model_.facts.note_local_answer();
  model_.facts.forget_backend_warnings();
  forget_failed_texts(error);
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
  const PreparedStatement& statement = *command.statement;
  if (!answer.has_error() || command.attempt.is_repeated || statement.has_long_data) return false;
  if (command.attempt.exchange.relay_answered()) return false;
  pool::PreparedCache& known = lease_.memory().prepared;
  const auto asked = known.asked(*statement.key);
  const bool is_outdated =
      answer.error_number == kSchemaChanged && asked && *asked < statement.seen;
  if (!is_outdated && !is_unknown_statement(answer.error_number, answer.message)) return false;
  command.attempt.is_repeated = true;
  if (is_outdated) drop_on_backend(statement);
  if (!command.attempt.has_other_id) known.erase(*statement.key);
  command.attempt.exchange = {};
  if (command.attempt.answer != nullptr) command.attempt.answer->clear();
  return add_statement_steps();
}

void Session::close_on_backend(const std::vector<std::uint32_t>& ids) {
  for (const std::uint32_t id : ids) {
    // A failure shows when the answer to the next command does not come.
    (void)lease_.stream().write(
        framed(protocol::encode_statement_command(protocol::Command::kStmtClose, id)));
  }
}

// The answer to COM_STMT_PREPARE goes to the client with an id of the session's own.
void Session::on_client_prepared() {
  std::string answer = command_->attempt.exchange.take_held();
  const protocol::ResponseSummary& summary = command_->attempt.summary;
  stats().prepares[PrepareSource::kTidb].add();
  set_pins(model_.holdings.settle_prepare(model_.pins, command_->script, summary));
  if (summary.has_error()) {
    note_facts();
    probe();  // what it warned of before it failed
  } else {
    const pool::PrepareMemory::View& view = schema_view(*command_);
    auto remembered = parse_prepare_answer(answer);
    if (remembered && remembered->status_places.empty() && !is_cacheable(command_->script)) {
      remembered->warnings = 1;  // which TiDB would tell in an EOF, if there was one
    }
    const PreparedStatement& statement = add_statement(
        *command_, summary.params, static_cast<std::uint16_t>(summary.columns), view.time);
    note_prepare(statement, remembered ? remembered->warnings : std::uint16_t{0});
    protocol::patch_statement_id(std::span(answer).subspan(protocol::kHeaderBytes), statement.id);
    pool::PreparedCache& known = lease_.memory().prepared;
    close_on_backend(known.insert(statement.key, summary.statement_id, view.time));
    close_on_backend(known.limit(prepare_memory().most_kept(command_->received)));
    if (remembered && is_memorable(command_->script, model_.desired, model_.pins)) {
      prepare_memory().add(statement.memory_context, statement.text(), std::move(*remembered),
                           view);
    }
  }
  follow_planned();
  enter(State::kStreaming);
  send(answer);
}

// What only the backend knows, now that the text is prepared there.
void Session::follow_planned() {
  const sql::StateChanges planned = planned_changes(command_->script, command_->attempt.summary);
  if (planned.empty()) return;
  model_.desired.apply(planned);
  lease_.memory().actual.apply(planned);
  sql::PinReasons pins = model_.pins;
  pins.insert(model_.desired.pins());
  set_pins(pins);
}

// Its data may still be bound there.
void Session::drop_on_backend(const PreparedStatement& statement) {
  pool::PreparedCache& known = lease_.memory().prepared;
  if (const auto id = known.find(*statement.key)) close_on_backend({*id});
  known.erase(*statement.key);
}

// Cursors and long data keep a session on the backend that has them.
void Session::note_statement_use() {
  if (command_ != nullptr && command_->statement != nullptr) {
    PreparedStatement& statement = *command_->statement;
    const std::uint16_t status = command_->attempt.summary.status;
    switch (command_->type) {
      case protocol::Command::kStmtExecute:
        if (statement.has_long_data && command_->attempt.summary.has_error())
          drop_on_backend(statement);
        statement.has_long_data = false;
        if (!command_->attempt.summary.has_error()) note_plan(statement);
        if (wears(statement.script, command_->attempt.summary)) {
          statement.worn_text =
              sql::worn_definition(statement.text(), statement.context.lex_mode());
        }
        statement.has_cursor = !command_->attempt.summary.has_error() &&
                               (status & protocol::status::kCursorExists) != 0;
        break;
      case protocol::Command::kStmtFetch:
        if ((status & protocol::status::kLastRowSent) != 0) statement.has_cursor = false;
        break;
      case protocol::Command::kStmtReset:
        statement.has_cursor = false;
        statement.has_long_data = false;
        break;
      case protocol::Command::kStmtSendLongData: statement.has_long_data = true; break;
      default: break;
    }
    lease_.memory().prepared.hold(*statement.key, statement.has_cursor || statement.has_long_data);
    count_bytes(statement);
  }
  sql::PinReasons pins = model_.pins;
  pins.erase(sql::PinReasons{sql::Pin::kCursor, sql::Pin::kLongData});
  if (model_.prepared.any_cursor()) pins.insert(sql::Pin::kCursor);
  if (model_.prepared.any_long_data()) pins.insert(sql::Pin::kLongData);
  set_pins(pins);
}

}  // namespace tidepool::session

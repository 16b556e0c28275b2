// What each of a client's commands means: answered here, or begun on a backend.
#include <utility>

#include "tidepool/protocol/reply_messages.h"
#include "tidepool/session/session.h"
#include "tidepool/sql/own_answer.h"
#include "tidepool/tracking/next_isolation.h"

namespace tidepool::session {
namespace {

// TiDB refuses it, but not as it does if the session has nothing of that name.
bool prepares_execute(const ClientCommand& command) {
  const sql::Script& script = command.script;
  if (command.type != protocol::Command::kStmtPrepare || script.size() != 1) return false;
  const sql::StateChanges& changes = script.front().changes;
  return !changes.empty() && changes.front().kind == sql::ChangeKind::kExecuteText;
}

}  // namespace

void Session::on_command(std::string_view payload, std::string large) {
  const auto type = static_cast<protocol::Command>(payload.front());
  switch (type) {
    case protocol::Command::kQuit: return close();
    case protocol::Command::kResetConnection: return reset_session();
    case protocol::Command::kChangeUser: return change_user(payload);
    case protocol::Command::kStmtClose: return on_statement_close(payload);
    default: break;
  }
  const bool is_large = !large.empty();
  auto command = is_large ? std::make_unique<ClientCommand>(
                                type, tracking::Command::Large{std::move(large)}, Clock::now())
                          : std::make_unique<ClientCommand>(type, payload, Clock::now());
  if (is_large) command->room = std::move(room_);
  command->view = prepare_memory().view(command->received);
  if (type == protocol::Command::kInitDb)
    command->payload = '\x03' + tracking::use_text(command->argument());
  const bool has_text = type == protocol::Command::kQuery || type == protocol::Command::kInitDb ||
                        type == protocol::Command::kStmtPrepare;
  if (has_text) command->script = sql::classify(command->argument(), model_.desired.lex_mode());
  if (const auto refusal = refusal_of_script(*command))
    return refuse_script(std::move(command), *refusal);
  if (command->refreshes_privileges()) command->script = sql::classify("FLUSH PRIVILEGES", {});
  if (type == protocol::Command::kQuery || prepares_execute(*command)) plan_named(*command);
  if (command->texts.effects.excess() != sql::Excess::kNone || !command->texts.uses.empty()) {
    if (const auto refusal = refusal_of_script(*command))
      return refuse_script(std::move(command), *refusal);
  }
  const bool has_statement =
      type == protocol::Command::kStmtExecute || type == protocol::Command::kStmtFetch ||
      type == protocol::Command::kStmtReset || type == protocol::Command::kStmtSendLongData;
  if (has_statement && !find_statement(*command)) return;
  if (const auto refusal = refusal_to_prepare(*command)) {
    model_.facts.note_local_answer();
    model_.facts.forget_backend_warnings();
    refuse(*refusal);
    command_ = std::move(command);
    return end_command(Source::kProxy, true);
  }
  if (answer_locally(*command)) {
    if (type == protocol::Command::kQuery && !command->script.empty()) {
      model_.next_isolation = tracking::next_isolation_after(command->script.front());
    }
    command_ = std::move(command);
    return end_command(Source::kProxy, false);
  }
  begin(std::move(command));
}

bool Session::answer_locally(ClientCommand& command) {
  if (answer_kill(command)) return true;
  if (replay_is_due()) return false;  // nothing is known of the transaction before
  switch (command.type) {
    case protocol::Command::kPing:
      if (lease_ && state_ != State::kParked) return false;
      send_last_ok();
      return true;
    case protocol::Command::kSetOption: return !lease_ && answer_set_option(command);
    case protocol::Command::kStmtPrepare: return answer_prepare_locally(command);
    case protocol::Command::kQuery:
      if (command.script.empty()) {
        send_last_ok();
        return true;
      }
      return lease_ ? answer_captured(command) : answer_query_locally(command);
    case protocol::Command::kStmtReset: {
      const bool holds = command.statement->has_cursor || command.statement->has_long_data;
      if (holds || lease_) return false;
      send_last_ok();
      return true;
    }
    default: return false;
  }
}

bool Session::answer_query_locally(const ClientCommand& command) {
  switch (sql::own_answer(command.script, command.argument())) {
    case sql::OwnAnswer::kEnd: break;  // no transaction is open: there is nothing to end
    case sql::OwnAnswer::kSetting: model_.desired.apply(command.script.front().changes); break;
    case sql::OwnAnswer::kFact:
      // SELECTs have no row then, and what the session knows stands for it at TiDB.
      if (model_.desired.select_limit() == 0) return false;
      return send_fact(model_.facts.answer(command.script.front()));
    case sql::OwnAnswer::kShown: return send_fact(model_.facts.answer(command.script.front()));
    case sql::OwnAnswer::kKill:
    case sql::OwnAnswer::kNone: return false;
  }
  model_.facts.note_local_answer();
  send_ok();
  return true;
}

// A backend that was asked about its warnings, and is kept for something else, has none any more.
bool Session::answer_captured(const ClientCommand& command) {
  if (model_.facts.warnings_on_backend()) return false;
  const bool asks = sql::own_answer(command.script, command.argument()) == sql::OwnAnswer::kShown;
  return asks && send_fact(model_.facts.answer_about_warnings(command.script.front()));
}

bool Session::answer_set_option(const ClientCommand& command) {
  const std::string_view option = command.argument();
  const bool known = option.size() == 2 && (option[0] == 0 || option[0] == 1) && option[1] == 0;
  if (!known) return false;
  model_.desired.apply(sql::multi_statements(option[0] == 0));
  send(protocol::eof_packet(
      {.warnings = model_.facts.last_ok().warnings, .status = model_.status_flags()},
      answer_sequence_));
  return true;
}

void Session::reset_session() {
  if (lease_) release_lease();
  set_pins({});
  model_.desired.reset();
  forget_statements();
  enter(State::kIdle);
  send_ok();
}

void Session::begin(std::unique_ptr<ClientCommand> command) {
  command_ = std::move(command);
  note_schema_changes(*command_);
  if (lease_ && !lease_.unpark()) {
    const Error error{Code::kClosed, "TiDB closed the connection"};
    if (model_.is_bound()) return on_backend_lost(error);
    drop_lease();
  }
  if (lease_) {
    execute();
  } else {
    acquire();
  }
}

void Session::end_command(Source source, bool failed) {
  if (state_ != State::kClosing) count_command(source, failed);
  command_.reset();
  if (is_departed() || (is_drained() && !model_.in_transaction)) return close();
  watch_silence();
  resume_input();
}

void Session::count_command(Source source, bool failed) {
  SessionStats& counts = stats();
  counts.queries[command_->kind()][failed ? Outcome::kError : Outcome::kOk].add();
  const TimePoint now = Clock::now();
  counts.query_duration.observe(now - command_->received);
  if (source == Source::kProxy) {
    counts.answered_locally.add();
  } else {
    counts.backend_duration.observe(now - command_->sent);
  }
}

void Session::plan_named(ClientCommand& command) {
  tracking::TextOwner last{id_, model_.last_text + 1};
  command.texts = tracking::plan_texts(command.script, model_.texts, model_.desired, last);
  model_.last_text = last.number;
  const bool executes = command.type == protocol::Command::kQuery;
  if (!executes) command.texts.effects = command.script;
}

bool Session::send_fact(const std::optional<protocol::TextResult>& fact) {
  if (!fact) return false;
  send(
      protocol::make_text_result(fact->columns, fact->rows, model_.status_flags(), fact->warnings));
  return true;
}

// As in a session that has just begun.
void Session::forget_statements() {
  model_.begin_anew();
  count_text_bytes();
  replay_.reset();
}

}  // namespace tidepool::session

// What each of a client's commands means: answered here, or executed on a backend.
#include <utility>

#include "own_errors.h"
#include "tidepool/base/log.h"
#include "tidepool/session/script_limits.h"
#include "tidepool/session/session.h"
#include "tidepool/tracking/next_isolation.h"

namespace tidepool::session {
namespace {

// TiDB refuses it, but not as it does if the session has nothing of that name.
bool prepares_execute(const ClientCommand& command) {
  const sql::Script& script = command.script;
  if (command.type != protocol::Command::kStmtPrepare || script.size() != 1) return false;
  const sql::StateChanges& changes = script.front().changes;
  return !changes.empty() && changes.front().kind == sql::ChangeKind::kExecuteNamed;
}

bool has_text(protocol::Command command) {
  return command == protocol::Command::kQuery || command == protocol::Command::kInitDb ||
         command == protocol::Command::kStmtPrepare;
}

bool has_statement(protocol::Command command) {
  return command == protocol::Command::kStmtExecute || command == protocol::Command::kStmtFetch ||
         command == protocol::Command::kStmtReset ||
         command == protocol::Command::kStmtSendLongData;
}

}  // namespace

void Session::on_packet(const protocol::Packet& packet) {
  ClientConnection& client = context_.client;
  if (state() == State::kHandshake) return login_.on_packet(packet);
  if (client.sends_file()) return execution_.on_file_packet(packet);
  client.set_answer_sequence(packet.next_sequence);
  if (packet.payload.empty()) {
    client.answer_error(no_command());
    return close();
  }
  if (is_evicted() && may_end()) return evict(client.answer_sequence());
  idle_timeout_.watch_again();
  if (packet.payload.size() <= CommandMemory::kFreeBytes) return on_command(packet.payload, {});
  std::string large = client.take_large(packet);
  const std::string_view payload = large;
  on_command(payload, std::move(large));
}

// `large`: the payload itself, if it is one that must not be copied.
void Session::on_command(std::string_view payload, std::string large) {
  switch (static_cast<protocol::Command>(payload.front())) {
    case protocol::Command::kQuit: return close();
    case protocol::Command::kResetConnection: return reset_session();
    case protocol::Command::kChangeUser:
      if (replay_.is_due()) return close();  // as without a replay: the connection is lost
      return login_.change_user(payload);
    case protocol::Command::kStmtClose:
      if (auto command = statements_.close(payload)) execution_.start(std::move(command));
      return;
    default: return take_command(make_command(payload, std::move(large)));
  }
}

std::unique_ptr<ClientCommand> Session::make_command(std::string_view payload, std::string large) {
  const auto type = static_cast<protocol::Command>(payload.front());
  const bool is_large = !large.empty();
  auto command = is_large ? std::make_unique<ClientCommand>(
                                type, tracking::Command::Large{std::move(large)}, Clock::now())
                          : std::make_unique<ClientCommand>(type, payload, Clock::now());
  if (is_large) command->room = context_.client.take_room();
  command->view = context_.prepare_cache().view(command->received);
  if (type == protocol::Command::kInitDb)
    command->payload = '\x03' + tracking::use_text(command->argument());
  if (has_text(type))
    command->script = sql::classify(command->argument(), context_.model.desired.lex_mode());
  return command;
}

void Session::take_command(std::unique_ptr<ClientCommand> command) {
  if (const auto refusal = refusal_of(*command)) return refuse_script(std::move(command), *refusal);
  if (command->refreshes_privileges()) command->script = sql::classify("FLUSH PRIVILEGES", {});
  if (command->type == protocol::Command::kQuery || prepares_execute(*command))
    plan_named(*command);
  if (command->named.executed.excess() != sql::Excess::kNone || !command->named.refs.empty()) {
    if (const auto refusal = refusal_of(*command))
      return refuse_script(std::move(command), *refusal);
  }
  if (has_statement(command->type) && !statements_.find(*command)) return;
  if (const auto refusal = statements_.refusal_to_prepare(*command)) {
    context_.note_local_statement();
    context_.refuse(*refusal);
    return end_local(std::move(command), true);
  }
  if (!answers(*command)) return execution_.start(std::move(command));
  if (command->type == protocol::Command::kQuery && !command->script.empty()) {
    context_.model.next_isolation = tracking::next_isolation_after(command->script.front());
  }
  end_local(std::move(command), false);
}

bool Session::answers(ClientCommand& command) {
  switch (kills_.answer(command)) {
    case KillCommands::Answer::kEndsSession: close(); return true;
    case KillCommands::Answer::kSent: return true;
    case KillCommands::Answer::kNone: break;
  }
  if (replay_.is_due()) return false;  // nothing is known of the transaction before
  return answers_.answer(command);
}

void Session::end_local(std::unique_ptr<ClientCommand> command, bool failed) {
  if (!context_.status.is_closing()) context_.count_command(*command, Source::kProxy, failed);
  command.reset();
  end_turn();
}

std::optional<Error> Session::refusal_of(ClientCommand& command) {
  return refusal_of_script(command, context_.client, context_.environment.command_memory);
}

// As TiDB refuses what it cannot read: nothing of it is executed, and the session goes on.
void Session::refuse_script(std::unique_ptr<ClientCommand> command, const Error& error) {
  log::info("command refused: it has too many statements",
            {{"session", id()}, {"user", context_.user}, {"error", error.message}});
  if (command->type == protocol::Command::kStmtPrepare) {
    context_.client.answer_error(error);
  } else {
    context_.note_local_statement();
    context_.refuse(error);
  }
  end_local(std::move(command), true);
}

void Session::plan_named(ClientCommand& command) {
  tracking::SessionModel& model = context_.model;
  tracking::NameOwner last{id(), model.last_named + 1};
  command.named = tracking::refs_of(command.script, model.named, model.desired, last);
  model.last_named = last.number;
  const bool executes = command.type == protocol::Command::kQuery;
  if (!executes) command.named.executed = command.script;
}

void Session::reset_session() {
  if (context_.has_lease()) context_.release_lease();
  context_.set_pins({});
  context_.model.desired.reset();
  statements_.begin_anew();
  replay_.begin_anew();
  context_.status.enter(State::kIdle);
  context_.send_ok();
}

}  // namespace tidepool::session

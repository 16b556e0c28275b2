// The memory of commands that are too large for a session's ordinary buffers: asked for while they
// are received, and given back with them.
#include <utility>

#include "own_errors.h"
#include "tidepool/base/log.h"
#include "tidepool/session/session.h"

namespace tidepool::session {

CommandRoom& Session::room() {
  if (room_ == nullptr) {
    room_ =
        std::make_unique<CommandRoom>(*environment_.command_memory, environment_.loop, room_side_);
  }
  return *room_;
}

// Before more is read: for what has come of a command, and what the next read brings of it.
void Session::hold_received() {
  const std::size_t bytes = channel_.receiving_bytes();
  if (environment_.command_memory == nullptr || channel_.is_held_up()) return;
  net::Stream& stream = channel_.stream();
  if (bytes <= CommandMemory::kFreeBytes) {
    room_.reset();
    return stream.resume(net::PauseReason::kOverload);
  }
  const bool waits_for_others =
      !is_clients_turn() ||
      (waits_for_infile_ && lease_ && lease_.stream().queued_bytes() > kHighWatermark);
  const std::size_t next = 2 * environment_.loop.scratch().size();
  const bool has_room = waits_for_others ? room().try_hold(bytes) : room().receive(bytes + next);
  if (has_room) {
    stream.resume(net::PauseReason::kOverload);
  } else {
    stream.pause(net::PauseReason::kOverload);
  }
}

// Whether the next compressed packet may be unpacked; with it what has come takes so many bytes.
bool Session::may_unpack(std::size_t bytes) {
  if (bytes <= CommandMemory::kFreeBytes || environment_.command_memory == nullptr) return true;
  if (room().receive(bytes)) return true;
  channel_.stream().pause(net::PauseReason::kOverload);
  return false;
}

// The whole command, which takes its memory along: for itself and for what of it is on its way to
// the backend.
std::string Session::take_large(const protocol::Packet& packet) {
  std::string payload = channel_.take_payload(packet);
  if (environment_.command_memory == nullptr) return payload;
  room().set_whole(2 * payload.size());
  channel_.stream().resume(net::PauseReason::kOverload);
  return payload;
}

void Session::on_room() {
  if (state_ == State::kClosing) return;
  channel_.stream().resume(net::PauseReason::kOverload);
  resume_input();
}

// The client is told in the place of an answer, perhaps while it still sends.
void Session::refuse_received(CommandRefusal why) {
  if (state_ == State::kClosing) return;
  log::info("command refused: there is no memory for it",
            {{"session", id_}, {"user", user_}, {"reason", to_string(why)}});
  send_error({Code::kProtocol,
              "Got a packet bigger than the memory for commands that clients send (command_memory)",
              1153, "08S01"},
             channel_.refusal_sequence());
  close();
}

// The error, if the text has more statements than are kept track of, or there is no room for them.
std::optional<Error> Session::refusal_of_script(ClientCommand& command) {
  // So few statements never take what is free, and need not be counted.
  constexpr std::size_t kShortText = 1024;
  if (command.payload.size() <= kShortText && command.texts.uses.empty() &&
      command.texts.effects.excess() == sql::Excess::kNone)
    return std::nullopt;
  sql::Excess excess = command.script.excess();
  if (excess == sql::Excess::kNone) excess = command.texts.effects.excess();
  const std::size_t bytes =
      excess == sql::Excess::kNone ? command.script.bytes() + tracking::bytes_of(command.texts) : 0;
  CommandMemory* memory = environment_.command_memory;
  if (bytes <= CommandMemory::kFreeScriptBytes && excess == sql::Excess::kNone) return std::nullopt;
  if (excess != sql::Excess::kNone) {
    if (memory != nullptr) memory->count_refusal(CommandRefusal::kStatements);
    return too_many_statements(command.type, excess);
  }
  if (memory == nullptr) return std::nullopt;
  const bool is_large = command.payload.size() > CommandMemory::kFreeBytes;
  if (command.room == nullptr) {
    command.room = std::make_unique<CommandRoom>(*memory, environment_.loop, room_side_);
  }
  if (command.room->try_hold(bytes + (is_large ? 2 * command.payload.size() : 0)))
    return std::nullopt;
  memory->count_refusal(CommandRefusal::kStatements);
  return no_room_for_statements();
}

// As TiDB refuses what it cannot read: nothing of it is executed, and the session goes on.
void Session::refuse_script(std::unique_ptr<ClientCommand> command, const Error& error) {
  log::info("command refused: it has too many statements",
            {{"session", id_}, {"user", user_}, {"error", error.message}});
  if (command->type == protocol::Command::kStmtPrepare) {
    send_error(error, answer_sequence_);
  } else {
    model_.facts.note_local_answer();
    model_.facts.forget_backend_warnings();
    refuse(error);
  }
  command_ = std::move(command);
  end_command(Source::kProxy, true);
}

}  // namespace tidepool::session

#include "tidepool/session/script_limits.h"

#include "own_errors.h"

namespace tidepool::session {

std::optional<Error> refusal_of_script(ClientCommand& command, ClientConnection& client,
                                       CommandMemory* memory) {
  // So few statements never take what is free, and need not be counted.
  constexpr std::size_t kShortText = 1024;
  if (command.payload.size() <= kShortText && command.named.refs.empty() &&
      command.named.executed.excess() == sql::Excess::kNone)
    return std::nullopt;
  sql::Excess excess = command.script.excess();
  if (excess == sql::Excess::kNone) excess = command.named.executed.excess();
  const std::size_t bytes =
      excess == sql::Excess::kNone ? command.script.bytes() + tracking::bytes_of(command.named) : 0;
  if (bytes <= CommandMemory::kFreeScriptBytes && excess == sql::Excess::kNone) return std::nullopt;
  if (excess != sql::Excess::kNone) {
    if (memory != nullptr) memory->count_refusal(CommandRefusal::kStatements);
    return too_many_statements(command.type, excess);
  }
  if (memory == nullptr) return std::nullopt;
  const bool is_large = command.payload.size() > CommandMemory::kFreeBytes;
  if (command.room == nullptr) command.room = client.make_room();
  if (command.room->try_hold(bytes + (is_large ? 2 * command.payload.size() : 0)))
    return std::nullopt;
  memory->count_refusal(CommandRefusal::kStatements);
  return no_room_for_statements();
}

}  // namespace tidepool::session

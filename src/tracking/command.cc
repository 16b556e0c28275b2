#include "tidepool/tracking/command.h"

namespace tidepool::tracking {

std::string_view without_terminator(protocol::Command command, std::string_view packet) {
  const bool is_text =
      command == protocol::Command::kQuery || command == protocol::Command::kStmtPrepare;
  if (!is_text || !packet.ends_with('\0')) return packet;
  const std::string_view text = packet.substr(0, packet.size() - 1);
  return text.ends_with('\0') ? packet : text;
}

std::string use_text(std::string_view database) {
  std::string text = "USE `";
  for (const char c : database) {
    text += c;
    if (c == '`') text += c;
  }
  return text + "`";
}

}  // namespace tidepool::tracking

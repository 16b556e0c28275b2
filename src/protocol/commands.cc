#include "tidepool/protocol/commands.h"

#include <array>

namespace tidepool::protocol {

const char* to_string(Command command) {
  static constexpr std::array kWords = {
      "sleep",
      "quit",
      "init_db",
      "query",
      "field_list",
      "create_db",
      "drop_db",
      "refresh",
      "shutdown",
      "statistics",
      "process_info",
      "connect",
      "process_kill",
      "debug",
      "ping",
      "time",
      "delayed_insert",
      "change_user",
      "binlog_dump",
      "table_dump",
      "connect_out",
      "register_slave",
      "stmt_prepare",
      "stmt_execute",
      "stmt_send_long_data",
      "stmt_close",
      "stmt_reset",
      "set_option",
      "stmt_fetch",
      "daemon",
      "binlog_dump_gtid",
      "reset_connection",
  };
  const auto id = static_cast<std::uint8_t>(command);
  return id < kWords.size() ? kWords[id] : "unknown";
}

bool has_no_reply(Command command) {
  return command == Command::kQuit || command == Command::kStmtClose ||
         command == Command::kStmtSendLongData;
}

bool has_certain_end(Command command) {
  switch (command) {
    case Command::kQuit:
    case Command::kInitDb:
    case Command::kQuery:
    case Command::kFieldList:
    case Command::kStatistics:
    case Command::kPing:
    case Command::kStmtPrepare:
    case Command::kStmtExecute:
    case Command::kStmtSendLongData:
    case Command::kStmtClose:
    case Command::kStmtReset:
    case Command::kSetOption:
    case Command::kStmtFetch:
    case Command::kResetConnection: return true;
    default: return false;
  }
}

}  // namespace tidepool::protocol

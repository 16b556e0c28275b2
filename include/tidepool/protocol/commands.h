// The command ids that open a client's packet (MySQL's my_command.h; TiDB's
// pkg/parser/mysql/const.go).
#pragma once

#include <cstdint>

namespace tidepool::protocol {

enum class Command : std::uint8_t {
  kSleep = 0,
  kQuit = 1,
  kInitDb = 2,
  kQuery = 3,
  kFieldList = 4,
  kCreateDb = 5,
  kDropDb = 6,
  kRefresh = 7,
  kShutdown = 8,
  kStatistics = 9,
  kProcessInfo = 10,
  kConnect = 11,
  kProcessKill = 12,
  kDebug = 13,
  kPing = 14,
  kTime = 15,
  kDelayedInsert = 16,
  kChangeUser = 17,
  kBinlogDump = 18,
  kTableDump = 19,
  kConnectOut = 20,
  kRegisterSlave = 21,
  kStmtPrepare = 22,
  kStmtExecute = 23,
  kStmtSendLongData = 24,
  kStmtClose = 25,
  kStmtReset = 26,
  kSetOption = 27,
  kStmtFetch = 28,
  kDaemon = 29,
  kBinlogDumpGtid = 30,
  kResetConnection = 31,
};

// A word for logs and metric labels, such as "stmt_prepare"; "unknown" for an id that MySQL does
// not have.
const char* to_string(Command command);

// Whether the server sends nothing back: QUIT, STMT_CLOSE and STMT_SEND_LONG_DATA.
bool has_no_reply(Command command);

// Whether the end of the server's answer can be told from the answer alone. TiDB answers
// COM_REFRESH with RefreshPrivileges, and COM_SHUTDOWN, with the OK of a statement and then with
// another one (conn.go, handleRefresh and dispatch); of ids that are not known here anything can be
// expected.
bool has_certain_end(Command command);

}  // namespace tidepool::protocol

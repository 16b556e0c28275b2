#include "own_errors.h"

#include "tidepool/protocol/text_result.h"
#include "tidepool/tracking/warnings.h"

namespace tidepool::session {

const Error& interrupted() {
  static const Error error{Code::kBackend, "Query execution was interrupted", 1317, "70100"};
  return error;
}

const Error& took_too_long() {
  static const Error error{
      Code::kTimeout, "Query execution was interrupted, maximum statement execution time exceeded",
      3024, "HY000"};
  return error;
}

const Error& evicted() {
  static const Error error{
      Code::kClosed, "The session was killed. Please reconnect to the database", 3169, "HY000"};
  return error;
}

const Error& no_command() {
  static const Error error{Code::kProtocol, "runtime error: index out of range [0] with length 0",
                           1105, "HY000"};
  return error;
}

Error too_much_prepared(const char* key, std::uint64_t limit) {
  return {Code::kBusy,
          std::string("Can't create more prepared statements than ") + key +
              " allows (current value: " + std::to_string(limit) + " bytes)",
          1461, "42000"};
}

Error too_many_statements(protocol::Command command, sql::Excess excess) {
  const bool is_several = excess == sql::Excess::kStatements;
  if (is_several && command == protocol::Command::kStmtPrepare)
    return {Code::kBackend, "Can not prepare multiple statements", 8115, "HY000"};
  const std::string most = is_several ? std::to_string(sql::kMostStatements) + " statements"
                                      : std::to_string(sql::kMostChanges) +
                                            " changes of variables and other state of the session";
  return {Code::kProtocol,
          "The text has more than " + most + "; nothing of it was executed, send it in parts", 1105,
          "HY000"};
}

Error no_room_for_statements() {
  return {Code::kBusy,
          "There is no memory for the statements of the text (command_memory); nothing of it was "
          "executed, send fewer at once",
          1105, "HY000"};
}

}  // namespace tidepool::session

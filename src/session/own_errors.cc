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

const Error& dismissed() {
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

}  // namespace tidepool::session

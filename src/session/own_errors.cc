#include "own_errors.h"

#include <algorithm>
#include <vector>

#include "tidepool/protocol/text_result.h"

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

std::string warnings_of(const Error& error, std::uint16_t status) {
  constexpr std::uint32_t kNumberWidth = 19;
  constexpr std::uint16_t kUnsignedFlag = 0x20;
  const auto text = [](const char* name, std::size_t width) {
    protocol::Column column = protocol::string_column(name);
    constexpr std::uint32_t kLeastWidth = 64;
    column.length = 4 * std::max(kLeastWidth, static_cast<std::uint32_t>(width));
    column.decimals = 0;
    return column;
  };
  protocol::Column code = protocol::integer_column("Code");
  code.length = kNumberWidth;
  code.type = static_cast<std::uint8_t>(protocol::ColumnType::kLong);
  code.flags = kUnsignedFlag;
  std::vector<protocol::Column> columns{text("Level", 0), code,
                                        text("Message", error.message.size())};
  for (protocol::Column& column : columns) {
    column.schema = "INFORMATION_SCHEMA";
    column.table = "WARNINGS";
  }
  return protocol::make_text_result(
      columns, {{"Error", std::to_string(error.mysql_errno), error.message}}, status, 0);
}

}  // namespace tidepool::session

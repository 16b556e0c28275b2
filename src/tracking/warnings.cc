#include "tidepool/tracking/warnings.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

namespace tidepool::tracking {

namespace {

// TiDB describes a string column of SHOW as 64 characters wide, or as its widest value, in bytes of
// which it believes each to be a character of four (executor/show.go, ShowExec.Next; column/
// convert.go, ConvertColumnInfo).
constexpr std::size_t kLeastWidth = 64;
constexpr std::size_t kBytesPerCharacter = 4;

bool is_string(const protocol::Column& column) {
  return column.type == static_cast<std::uint8_t>(protocol::ColumnType::kVarString);
}

bool is_error(const protocol::Row& row) {
  return !row.empty() && row[0] == "Error";
}

}  // namespace

void fit_widths(protocol::TextResult& result) {
  for (std::size_t i = 0; i < result.columns.size(); ++i) {
    if (!is_string(result.columns[i])) continue;
    std::size_t width = kLeastWidth;
    for (const protocol::Row& row : result.rows) {
      if (i < row.size() && row[i]) width = std::max(width, row[i]->size());
    }
    result.columns[i].length = static_cast<std::uint32_t>(width * kBytesPerCharacter);
  }
}

protocol::TextResult with_last_of(const protocol::TextResult& before, protocol::TextResult now,
                                  std::size_t added) {
  const std::size_t others = now.rows.size() - std::min(added, now.rows.size());
  now.rows.erase(now.rows.begin(), now.rows.begin() + static_cast<std::ptrdiff_t>(others));
  now.rows.insert(now.rows.begin(), before.rows.begin(), before.rows.end());
  fit_widths(now);
  return now;
}

protocol::TextResult with_hidden(protocol::TextResult shown, const protocol::TextResult& errors,
                                 std::size_t count) {
  const auto known =
      static_cast<std::size_t>(std::count_if(shown.rows.begin(), shown.rows.end(), is_error));
  const std::size_t hidden_errors = errors.rows.size() - std::min(known, errors.rows.size());
  if (count > shown.rows.size() + hidden_errors)
    shown.rows.resize(count - hidden_errors, protocol::Row{"Warning", "1105", ""});
  const auto end = errors.rows.end();
  shown.rows.insert(shown.rows.end(), end - static_cast<std::ptrdiff_t>(hidden_errors), end);
  return shown;
}

protocol::TextResult only_errors(protocol::TextResult warnings) {
  std::erase_if(warnings.rows, [](const auto& row) { return !is_error(row); });
  fit_widths(warnings);
  return warnings;
}

protocol::TextResult error_warning(std::uint16_t number, std::string_view message) {
  constexpr std::uint16_t kUtf8mb4Bin = 46;
  constexpr std::uint16_t kUnsignedFlag = 0x20;
  constexpr std::uint32_t kCodeWidth = 19;
  const auto column = [](const char* name) {
    return protocol::Column{.schema = "INFORMATION_SCHEMA", .table = "WARNINGS", .name = name};
  };
  protocol::TextResult result;
  result.columns = {column("Level"), column("Code"), column("Message")};
  result.columns[0].charset = result.columns[2].charset = kUtf8mb4Bin;
  protocol::Column& code = result.columns[1];
  code.length = kCodeWidth;
  code.type = static_cast<std::uint8_t>(protocol::ColumnType::kLong);
  code.flags = kUnsignedFlag;
  result.rows = {{"Error", std::to_string(number), std::string(message)}};
  fit_widths(result);
  return result;
}

std::string warnings_of(const Error& error, std::uint16_t status) {
  const protocol::TextResult result = error_warning(error.mysql_errno, error.message);
  return protocol::make_text_result(result.columns, result.rows, status, 0);
}

}  // namespace tidepool::tracking

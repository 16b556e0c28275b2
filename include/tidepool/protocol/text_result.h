// Small text result sets: written for answers that the proxy gives itself, read from answers to its
// own statements. Never on the path of a client's rows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tidepool/base/error.h"

namespace tidepool::protocol {

// Column types that the proxy itself answers with (MySQL's field_types.h).
enum class ColumnType : std::uint8_t {
  kTiny = 0x01,
  kLong = 0x03,
  kDouble = 0x05,
  kNull = 0x06,
  kLongLong = 0x08,
  kNewDecimal = 0xf6,
  kBlob = 0xfc,
  kVarString = 0xfd,
  kString = 0xfe,
};

// Protocol::ColumnDefinition41 without the catalog, which is always "def".
struct Column {
  std::string schema = {};
  std::string table = {};
  std::string org_table = {};
  std::string name = {};
  std::string org_name = {};
  std::uint16_t charset = 63;  // 63: binary, as numbers have; 46: utf8mb4_bin
  std::uint32_t length = 0;
  std::uint8_t type = static_cast<std::uint8_t>(ColumnType::kVarString);
  std::uint16_t flags = 0;
  std::uint8_t decimals = 0;

  bool operator==(const Column&) const = default;
};

// As TiDB describes the result of an integer function, and of a string one.
Column integer_column(std::string_view name);
Column string_column(std::string_view name);

std::string encode_column(const Column& column);
Result<Column> parse_column(std::string_view payload);

using Row = std::vector<std::optional<std::string>>;  // nullopt: NULL

struct TextResult {
  std::vector<Column> columns;  // none: the statement was answered with OK
  std::vector<Row> rows;
  std::uint16_t status = 0;
  std::uint16_t warnings = 0;
};

// How the rows of a result are written; all else of it is the same.
enum class RowFormat : std::uint8_t {
  kText,    // of an answer to COM_QUERY
  kBinary,  // to COM_STMT_EXECUTE; read and written for columns of strings and of type kLong only
};

// The whole answer, framed, as to a command with sequence number 0: count, definitions, EOF, rows,
// EOF. Requires, for kBinary, columns that it can write.
std::string make_text_result(const std::vector<Column>& columns, const std::vector<Row>& rows,
                             std::uint16_t status, std::uint16_t warnings,
                             RowFormat format = RowFormat::kText);

// The first result of a whole answer without DEPRECATE_EOF. An ERR in it becomes an Error of
// kBackend with its number and SQLSTATE.
Result<TextResult> parse_text_result(std::string_view bytes, RowFormat format = RowFormat::kText);

}  // namespace tidepool::protocol

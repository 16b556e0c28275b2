#include "restore/captured_value.h"

#include <algorithm>
#include <string>

#include "tidepool/sql/state/collation.h"

namespace tidepool::sql {
namespace {

// Column types and flags (MySQL's field_types.h, mysql_com.h).
constexpr std::uint8_t kDouble = 5;
constexpr std::uint8_t kLongLong = 8;
constexpr std::uint8_t kDate = 10;
constexpr std::uint8_t kDateTime = 12;
constexpr std::uint8_t kNewDecimal = 246;
constexpr std::uint8_t kBlob = 252;
constexpr std::uint8_t kVarString = 253;
constexpr std::uint16_t kNotNull = 1;
constexpr std::uint16_t kUnsigned = 32;
constexpr std::uint16_t kBinary = 128;

constexpr std::uint32_t kOperatorLength = 20;  // of v+0
constexpr std::uint32_t kCountLength = 21;     // of COUNT(*)
constexpr std::uint32_t kCastLength = 22;      // of CAST(v AS SIGNED)
constexpr std::uint32_t kQuotientLength = 23;
constexpr std::uint32_t kMostLiteralDigits = 18;
constexpr std::uint32_t kMostBinaryBytes = 4096;

using Written = std::optional<std::string>;

bool is_number(std::string_view text) {
  if (!text.empty() && text.front() == '-') text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789.e+-") == std::string_view::npos;
}

// As the result of a subquery an expression may be NULL; constants that are folded may not.
std::string nullable(const std::string& expression) {
  return "(SELECT c FROM (SELECT " + expression + " c) t)";
}

Written signed_integer(const std::string& text, std::uint32_t length, bool may_be_null) {
  // The least number is no literal.
  const bool is_least = text == "-9223372036854775808";
  Written written;
  if (length == kCastLength) {
    written = "CAST('" + text + "' AS SIGNED)";
  } else if (length == kOperatorLength && !is_least) {
    written = "0+" + text;
  } else if (!may_be_null && length == text.size() && !is_least) {
    // TRUE and FALSE look the same, and are not: in JSON.
    if (text != "0" && text != "1") written = text;
    return written;
  }
  if (written || !may_be_null) return written && may_be_null ? nullable(*written) : written;
  if (is_least) return std::nullopt;
  if (length == kCountLength)
    return "(SELECT IF(COUNT(*)," + text + ",COUNT(*)) FROM (SELECT 1 c) t)";
  if (length < text.size() || length > kMostLiteralDigits || length < 2) return std::nullopt;
  return "IF(ANY_VALUE(1)," + text + ",1" + std::string(length - 1, '0') + ")";
}

Written unsigned_integer(const std::string& text, std::uint32_t length, bool may_be_null) {
  Written written;
  if (length == kCastLength) written = "CAST('" + text + "' AS UNSIGNED)";
  if (length == kOperatorLength) written = text + "|0";
  return written && may_be_null ? nullable(*written) : written;
}

Written integer(const std::string& text, const CapturedValue& value, bool has_length) {
  // The parameter of a prepared statement has none, and no expression of SQL has its type.
  if (!has_length) return std::nullopt;
  switch (value.flags) {
    case kBinary | kNotNull: return signed_integer(text, value.length, false);
    case kBinary: return signed_integer(text, value.length, true);
    case kBinary | kNotNull | kUnsigned: return unsigned_integer(text, value.length, false);
    case kBinary | kUnsigned: return unsigned_integer(text, value.length, true);
    default: return std::nullopt;  // a column's
  }
}

Written decimal(const std::string& text, const CapturedValue& value) {
  constexpr std::uint32_t kMostDigits = 65;
  constexpr std::size_t kMostScale = 30;
  const std::size_t point = text.find('.');
  const std::size_t scale = point == std::string::npos ? 0 : text.size() - point - 1;
  const auto digits = static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }));
  const std::uint32_t room = value.length - 1;
  if (value.flags != kBinary || room > kMostDigits || scale > kMostScale || digits > room)
    return std::nullopt;
  return "CAST(" + text + " AS DECIMAL(" + std::to_string(room) + "," + std::to_string(scale) +
         "))";
}

Written real(const std::string& text, const CapturedValue& value, bool has_length) {
  if (value.flags != kBinary) return std::nullopt;
  const std::string cast = "CAST('" + text + "' AS DOUBLE)";
  if (value.length == kCastLength) return has_length ? cast : "1e0*" + cast;
  if (value.length == kQuotientLength) return cast + "/1e0";
  const bool is_plain = text.find('e') == std::string::npos && text.front() != '-';
  if (value.length == text.size() && is_plain) return text + "e0";
  return std::nullopt;
}

// Not a date that a sql_mode refuses.
Written time_point(const std::string& text, const CapturedValue& value) {
  const bool is_real = text.size() >= 10 && !text.starts_with("0000") &&
                       text.substr(4, 3) != "-00" && text.substr(7, 3) != "-00";
  if (!is_real || value.flags != kBinary) return std::nullopt;
  if (value.type == kDate) return "CAST('" + text + "' AS DATE)";
  return "CAST('" + text + "' AS DATETIME(" + std::to_string(value.decimals) + "))";
}

Written bytes(const std::string& text, const CapturedValue& value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  if (value.type != kVarString || value.length < text.size() || value.length > kMostBinaryBytes) {
    return std::nullopt;
  }
  std::string hexadecimal = "x'";
  for (const char byte : text) {
    const auto number = static_cast<unsigned char>(byte);
    hexadecimal += kDigits[number >> 4U];
    hexadecimal += kDigits[number & 15U];
  }
  const std::string cast =
      "CAST(" + hexadecimal + "' AS BINARY(" + std::to_string(text.size()) + "))";
  if (value.length == text.size()) return cast;
  return "IF(ANY_VALUE(1)," + cast + ",CAST('' AS BINARY(" + std::to_string(value.length) + ")))";
}

std::uint32_t bytes_a_character(std::string_view charset) {
  if (charset == "utf8mb4" || charset == "gb18030") return 4;
  if (charset == "utf8") return 3;
  return charset == "gbk" ? 2 : 1;
}

// CAST(… AS CHAR(n)) while the connection has its collation.
std::optional<StateChange> characters(std::string_view name, const std::string& text,
                                      const CapturedValue& value, const Collation& collation) {
  const std::uint32_t width = bytes_a_character(collation.charset);
  const bool is_ascii = std::all_of(
      text.begin(), text.end(), [](char byte) { return static_cast<unsigned char>(byte) < 0x80; });
  const bool is_utf8 = width >= 3 && collation.charset != "gb18030";
  const auto count =
      static_cast<std::uint32_t>(std::count_if(text.begin(), text.end(), [](char byte) {
        return (static_cast<unsigned char>(byte) & 0xc0U) != 0x80;
      }));
  // How TiDB writes that the type has no length; @@version, which makes such a one, is utf8mb4_bin.
  const bool is_endless = value.length == 5 && collation.id == kUtf8mb4Bin;
  const std::uint32_t room = is_endless ? UserVariable::kNoLength : value.length / width;
  const bool has_room = is_endless || (value.length % width == 0 && count <= room);
  const bool fits = has_room && (is_ascii || is_utf8);
  if (!fits || value.flags != 0) return std::nullopt;
  return StateChange{ChangeKind::kSetUserString, std::string(name), text,
                     std::string(collation.name), room};
}

Written written(const std::string& text, const CapturedValue& value,
                const CapturedDetails& details) {
  switch (value.type) {
    case kLongLong: return integer(text, value, details.has_length);
    case kNewDecimal:
      return details.is_whole && is_number(text) ? decimal(text, value) : std::nullopt;
    case kDouble: return is_number(text) ? real(text, value, details.has_length) : std::nullopt;
    case kDate:
    case kDateTime: return time_point(text, value);
    default: return std::nullopt;
  }
}

}  // namespace

std::optional<StateChange> assignment_of(std::string_view name, const CapturedValue& value,
                                         const CapturedDetails& details) {
  const std::string& text = *value.text;
  Written found;
  if (value.type == kVarString || value.type == kBlob) {
    const Collation* known = collation_by_name(details.collation);
    if (known == nullptr) return std::nullopt;
    const bool is_binary = known->charset == "binary";
    if (is_binary != (value.charset == collation_by_name("binary")->id)) return std::nullopt;
    if (!is_binary) return characters(name, text, value, *known);
    if (value.flags == 0) found = bytes(text, value);
  } else {
    found = written(text, value, details);
  }
  if (!found) return std::nullopt;
  return StateChange{ChangeKind::kSetUserVariable, std::string(name), std::move(*found)};
}

}  // namespace tidepool::sql

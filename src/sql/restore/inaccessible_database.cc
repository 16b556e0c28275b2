#include "tidepool/sql/restore/inaccessible_database.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace tidepool::sql {
namespace {

constexpr std::uint16_t kAccessDenied = 1044;
constexpr std::uint16_t kUnknownDatabase = 1049;

constexpr unsigned kAutocommit = 0x0002;
constexpr unsigned kNoBackslashEscapes = 0x0200;

std::string json_string(std::string_view text) {
  std::string json = "\"";
  for (const char byte : text) {
    if (static_cast<unsigned char>(byte) < 0x20) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\u%04x", static_cast<unsigned>(byte));
      json += escape.data();
      continue;
    }
    if (byte == '"' || byte == '\\') json.push_back('\\');
    json.push_back(byte);
  }
  return json + '"';
}

std::string sql_string(std::string_view text, bool no_backslash_escapes) {
  std::string quoted = "'";
  for (const char byte : text) {
    if (byte == '\'' || (byte == '\\' && !no_backslash_escapes)) quoted.push_back(byte);
    quoted.push_back(byte);
  }
  return quoted + '\'';
}

}  // namespace

bool is_inaccessible_database(std::uint16_t error) {
  return error == kUnknownDatabase || error == kAccessDenied;
}

std::optional<std::string> enter_inaccessible_database(const std::string& name,
                                                       const SessionState& state,
                                                       unsigned prepared) {
  const bool is_ascii = std::all_of(
      name.begin(), name.end(), [](char byte) { return static_cast<unsigned char>(byte) < 0x80; });
  if (!is_ascii) return std::nullopt;
  const LexMode mode = state.lex_mode();
  // What is left out becomes zero: of a session that was just reset everything else is.
  const unsigned status = (state.autocommit() ? kAutocommit : 0U) |
                          (mode.no_backslash_escapes ? kNoBackslashEscapes : 0U);
  std::string states = "{\"current-db\":" + json_string(name) +
                       ",\"status\":" + std::to_string(status) + R"(,"rs-group":"default")";
  if (prepared > 0) states += ",\"prepared-stmt-id\":" + std::to_string(prepared);
  states += '}';
  return "SET SESSION_STATES " + sql_string(states, mode.no_backslash_escapes);
}

}  // namespace tidepool::sql

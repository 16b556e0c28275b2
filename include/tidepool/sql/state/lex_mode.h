// What the session's state says about reading its text; see SessionState::lex_mode().
#pragma once

#include <cstdint>

namespace tidepool::sql {

// How the bytes of character_set_client group into characters. Only matters inside strings and
// quoted names: in the last two, the second byte of a character may look like a backslash or a
// quote.
enum class TextEncoding : std::uint8_t { kUtf8, kSingleByte, kGbk, kGb18030 };

struct LexMode {
  bool ansi_quotes = false;           // "x" is a name
  bool no_backslash_escapes = false;  // \ is an ordinary character in strings
  // sql_mode is not known: text in which one of the two flags matters is not understood.
  bool uncertain = false;
  TextEncoding encoding = TextEncoding::kUtf8;
  // collation_connection when the text is parsed, which its string literals get; 0: not known.
  std::uint16_t collation = 46;  // kUtf8mb4Bin

  friend bool operator==(const LexMode&, const LexMode&) = default;
};

}  // namespace tidepool::sql

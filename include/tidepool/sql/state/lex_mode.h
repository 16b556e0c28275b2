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
  bool uncertain =
      false;  // sql_mode is not known: text in which the two above matter is not understood
  TextEncoding encoding = TextEncoding::kUtf8;
  // collation_connection when the text is parsed, that of its string literals; 0: not known.
  std::uint16_t collation = 46;  // kUtf8mb4Bin

  friend bool operator==(const LexMode&, const LexMode&) = default;
};

}  // namespace tidepool::sql

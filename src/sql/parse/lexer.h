// Cuts SQL text into tokens exactly as TiDB's scanner does (pkg/parser/lexer.go of release-8.5),
// without copying.
//
// Comments are skipped. What stands inside an executable comment (/*! */, /*!80000 */, /*T! */ and
// /*T![feature] */ with features that TiDB has) is yielded like any other text. Optimizer hints
// come as one token. Total: every text yields tokens that lie in it in order, and then kEnd for
// ever.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "state/letters.h"
#include "tidepool/sql/state/lex_mode.h"

namespace tidepool::sql {

enum class TokenKind : std::uint8_t {
  kEnd,             // of the text
  kWord,            // keyword or unquoted name
  kQuotedName,      // `x`, or "x" under ANSI_QUOTES; text includes the quotes
  kString,          // 'x' or "x"; text includes the quotes
  kInteger,         // 12
  kDecimal,         // 1.5, 1e3
  kBits,            // 0x1f, x'1f', 0b1, b'1'
  kUserVariable,    // @x, @`x`, @'x'; text includes the @
  kSystemVariable,  // @@x, @@session.x; text includes both @
  kParameter,       // ?
  kHint,            // /*+ … */, whole
  kSemicolon,
  kSymbol,   // any other operator or punctuation, such as := or (
  kInvalid,  // TiDB answers with a syntax error: unterminated string or comment, stray byte. Runs
             // to the end of the text
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  char symbol = 0;          // kSymbol of one byte: that byte, else 0
  bool is_ascii = true;     // no byte of a name or string is above 0x7f
  std::string_view text{};  // as written; empty at kEnd
};

class Lexer {
 public:
  Lexer(std::string_view text, LexMode mode) : text_(text), mode_(mode) {}

  Token next();
  std::size_t offset() const { return at_; }  // of the first byte not read

 private:
  unsigned char peek(std::size_t ahead = 0) const;
  bool skip_blanks_and_comments();
  bool enter_executable_comment();
  void skip_digits();
  Token scan();
  Token take(TokenKind kind, std::size_t begin, bool is_ascii = true) const;
  Token word(std::size_t begin);
  Token number();
  Token fraction(std::size_t begin);
  Token bits(std::size_t begin, bool hexadecimal);
  Token quoted_bits(bool hexadecimal);
  Token variable();
  Token quoted(TokenKind kind, std::size_t begin);
  Token symbol();
  Token invalid(std::size_t begin);

  std::string_view text_;
  LexMode mode_;
  std::size_t at_ = 0;
  bool in_executable_comment_ = false;
  // In a.1b, what follows the dot is a name even if it starts with a digit.
  bool after_name_dot_ = false;
  bool hint_may_follow_ = false;
};

}  // namespace tidepool::sql

#include "parse/literal.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "parse/names.h"

namespace tidepool::sql {
namespace {

// So many digits of a decimal are surely exact.
constexpr std::size_t kSafeDigits = 18;

// The largest magnitudes of 64 bits; what is beyond them is a decimal.
constexpr std::string_view kLargest = "18446744073709551615";
constexpr std::string_view kLargestNegative = "9223372036854775808";

// Words that are functions without parentheses, or operators: not names.
bool is_value_function(std::string_view word) {
  static constexpr std::array<std::string_view, 15> kWords = {
      "CURRENT_DATE",   "CURRENT_TIME", "CURRENT_TIMESTAMP",
      "CURRENT_USER",   "CURRENT_ROLE", "LOCALTIME",
      "LOCALTIMESTAMP", "UTC_DATE",     "UTC_TIME",
      "UTC_TIMESTAMP",  "NOT",          "CASE",
      "EXISTS",         "INTERVAL",     "ROW"};
  return std::any_of(kWords.begin(), kWords.end(),
                     [word](std::string_view keyword) { return is_keyword(word, keyword); });
}

std::optional<Literal> integer(std::string_view digits, bool negative) {
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size() - 1));
  const std::string_view largest = negative ? kLargestNegative : kLargest;
  const bool too_large =
      digits.size() > largest.size() || (digits.size() == largest.size() && digits > largest);
  if (too_large || (negative && digits == "0")) return std::nullopt;
  const std::string text = (negative ? "-" : "") + std::string(digits);
  return Literal{false, false, text, {}};
}

// 12.5, but neither .5 nor 1. nor 1e3, whose text TiDB writes in another way.
std::optional<Literal> decimal(std::string_view text, bool negative) {
  const std::size_t point = text.find('.');
  const bool is_plain = point != std::string_view::npos && point > 0 && point + 1 < text.size() &&
                        text.size() <= kSafeDigits && (text.front() != '0' || point == 1) &&
                        text.find_first_of("eE") == std::string_view::npos;
  if (!is_plain || negative) return std::nullopt;
  return Literal{false, false, std::string(text), {}};
}

std::optional<Literal> word(std::string_view text) {
  if (is_keyword(text, "DEFAULT")) return Literal{true, false, {}, {}};
  if (is_keyword(text, "NULL")) return Literal{false, true, {}, {}};
  if (is_keyword(text, "TRUE")) return Literal{false, false, "1", {}};
  if (is_keyword(text, "FALSE")) return Literal{false, false, "0", {}};
  if (is_value_function(text)) return std::nullopt;
  return Literal{false, false, std::string(text), {}};
}

std::optional<Literal> single_token(const Token& token, const LexMode& mode) {
  if (!token.is_ascii) return std::nullopt;
  switch (token.kind) {
    case TokenKind::kWord: return word(token.text);
    case TokenKind::kQuotedName: return Literal{false, false, unquote(token.text, false), {}};
    case TokenKind::kString:
      return Literal{false, false, unquote(token.text, !mode.no_backslash_escapes), {}};
    case TokenKind::kInteger: return integer(token.text, false);
    case TokenKind::kDecimal: return decimal(token.text, false);
    default: return std::nullopt;
  }
}

// Digits, TRUE and their like make the same value everywhere; of a string, sql_mode, the character
// set of the client and the collation of the connection have their part.
std::optional<Literal> user_token(const Token& token, const LexMode& mode) {
  switch (token.kind) {
    case TokenKind::kInteger:
    case TokenKind::kDecimal:
    case TokenKind::kBits: return Literal{false, false, {}, std::string(token.text)};
    case TokenKind::kWord:
      for (std::string_view known : {"NULL", "TRUE", "FALSE"}) {
        if (is_keyword(token.text, known)) return Literal{false, false, {}, std::string(known)};
      }
      return std::nullopt;
    case TokenKind::kString:
      if (mode.collation == 0) return std::nullopt;
      if (!token.is_ascii && mode.encoding != TextEncoding::kUtf8) return std::nullopt;
      return Literal{false, false, unquote(token.text, !mode.no_backslash_escapes), {}, true};
    default: return std::nullopt;
  }
}

}  // namespace

std::optional<Literal> read_assigned_literal(Cursor& cursor) {
  const bool negative = cursor.at_symbol('-');
  const bool has_sign = negative || cursor.at_symbol('+');
  if (has_sign) cursor.advance();
  const Token token = cursor.token();
  std::optional<Literal> literal;
  if (!has_sign) {
    literal = single_token(token, cursor.mode());
  } else if (token.kind == TokenKind::kInteger) {
    literal = integer(token.text, negative);
  }
  cursor.advance();
  if (cursor.at_end() || cursor.at_symbol(',')) return literal;
  cursor.skip_expression();
  return std::nullopt;
}

std::optional<Literal> read_user_literal(Cursor& cursor) {
  const bool negative = cursor.at_symbol('-');
  const bool has_sign = negative || cursor.at_symbol('+');
  if (has_sign) cursor.advance();
  const Token token = cursor.token();
  std::optional<Literal> literal = user_token(token, cursor.mode());
  if (has_sign && token.kind != TokenKind::kInteger && token.kind != TokenKind::kDecimal) {
    literal.reset();
  }
  if (literal && negative) literal->written.insert(0, 1, '-');
  cursor.advance();
  if (cursor.at_end() || cursor.at_symbol(',')) return literal;
  cursor.skip_expression();
  return std::nullopt;
}

std::optional<std::string> read_word_or_string(Cursor& cursor) {
  const Token token = cursor.token();
  cursor.advance();
  if (token.kind == TokenKind::kString) {
    return unquote(token.text, !cursor.mode().no_backslash_escapes);
  }
  return name_of(token);
}

}  // namespace tidepool::sql

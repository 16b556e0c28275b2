#include "tidepool/sql/restore/definition_after_execution.h"

#include <algorithm>
#include <array>
#include <optional>

#include "parse/lexer.h"

namespace tidepool::sql {
namespace {

struct IntegerType {
  const char* name;
  unsigned width;  // that TiDB gives it (mysql/util.go, GetDefaultFieldLengthAndDecimal)
};
constexpr std::array<IntegerType, 12> kIntegerTypes = {{{"TINYINT", 4},
                                                        {"INT1", 4},
                                                        {"SMALLINT", 6},
                                                        {"INT2", 6},
                                                        {"MEDIUMINT", 9},
                                                        {"MIDDLEINT", 9},
                                                        {"INT3", 9},
                                                        {"INT", 11},
                                                        {"INTEGER", 11},
                                                        {"INT4", 11},
                                                        {"BIGINT", 20},
                                                        {"INT8", 20}}};
constexpr unsigned kWidestInteger = 20;

std::optional<unsigned> width_of(const Token& token) {
  if (token.kind != TokenKind::kWord) return std::nullopt;
  const auto* found =
      std::find_if(kIntegerTypes.begin(), kIntegerTypes.end(),
                   [&](const IntegerType& type) { return is_keyword(token.text, type.name); });
  if (found == kIntegerTypes.end()) return std::nullopt;
  return found->width;
}

bool is_word(const Token& token, std::string_view word) {
  return token.kind == TokenKind::kWord && is_keyword(token.text, word);
}

bool is_sign(const Token& token) {
  return is_word(token, "SIGNED") || is_word(token, "UNSIGNED");
}

// Of the words after the type: one digit less without a sign (pkg/ddl/add_column.go in TiDB).
bool is_unsigned(Lexer lexer) {
  for (Token token = lexer.next();; token = lexer.next()) {
    if (is_word(token, "UNSIGNED") || is_word(token, "ZEROFILL")) return true;
    if (!is_word(token, "SIGNED")) return false;
  }
}

bool creates_table(Lexer lexer) {
  if (!is_word(lexer.next(), "CREATE")) return false;
  Token token = lexer.next();
  while (is_word(token, "GLOBAL") || is_word(token, "TEMPORARY"))
    token = lexer.next();
  return is_word(token, "TABLE");
}

}  // namespace

std::string definition_after_execution(std::string_view text, LexMode mode) {
  if (!creates_table(Lexer(text, mode))) return std::string(text);
  std::string rewritten;
  std::size_t copied = 0;
  Lexer lexer(text, mode);
  Token before;
  for (Token token = lexer.next(); token.kind != TokenKind::kEnd; token = lexer.next()) {
    const auto width = width_of(token);
    const bool is_cast = is_sign(before);  // CAST(… AS UNSIGNED INTEGER)
    before = token;
    if (!width || is_cast || Lexer(lexer).next().symbol == '(') continue;
    const auto end = static_cast<std::size_t>(token.text.data() - text.data()) + token.text.size();
    const bool is_shorter = *width < kWidestInteger && is_unsigned(lexer);
    rewritten.append(text, copied, end - copied);
    rewritten += '(' + std::to_string(is_shorter ? *width - 1 : *width) + ')';
    copied = end;
  }
  return rewritten.append(text, copied);
}

}  // namespace tidepool::sql

// next() skips blanks and comments, then scan() takes one token by its first byte:
//
//   a-z _ $ 0x80-   word            '  "  `   quoted      @   variable       0-9 .   number
//   x' b'           bits            ; , ( …   symbol      anything else      invalid, to the end of
//   the text
#include "parse/lexer.h"

#include <algorithm>
#include <array>

#include "parse/quoted_scan.h"

namespace tidepool::sql {
namespace {

constexpr unsigned kDigit = 1;
constexpr unsigned kHexDigit = 2;
constexpr unsigned kWordByte = 4;  // letters, digits, _ $ and everything above 0x7f
// unicode.IsSpace of a byte taken as a code point, hence 0x85 and 0xa0.
constexpr unsigned kSpace = 8;

constexpr std::array<std::uint8_t, 256> kClasses = [] {
  std::array<std::uint8_t, 256> classes{};
  const auto mark = [&classes](unsigned first, unsigned last, unsigned bits) {
    for (unsigned byte = first; byte <= last; ++byte) {
      classes[byte] = static_cast<std::uint8_t>(classes[byte] | bits);
    }
  };
  mark('0', '9', kDigit | kHexDigit | kWordByte);
  mark('a', 'z', kWordByte);
  mark('A', 'Z', kWordByte);
  mark('a', 'f', kHexDigit);
  mark('A', 'F', kHexDigit);
  mark('_', '_', kWordByte);
  mark('$', '$', kWordByte);
  mark(0x80, 0xff, kWordByte);
  mark('\t', '\r', kSpace);
  mark(' ', ' ', kSpace);
  mark(0x85, 0x85, kSpace);
  mark(0xa0, 0xa0, kSpace);
  return classes;
}();

bool is_digit(unsigned char byte) {
  return (kClasses[byte] & kDigit) != 0;
}
bool is_hex_digit(unsigned char byte) {
  return (kClasses[byte] & kHexDigit) != 0;
}
bool is_word_byte(unsigned char byte) {
  return (kClasses[byte] & kWordByte) != 0;
}
bool is_space(unsigned char byte) {
  return (kClasses[byte] & kSpace) != 0;
}

// The features of pkg/parser/tidb/features.go; a comment that asks for another one is not executed.
bool is_known_feature(std::string_view name) {
  static constexpr std::array<std::string_view, 9> kFeatures = {
      "auto_rand", "auto_id_cache", "auto_rand_base", "clustered_index", "force_inc",
      "placement", "ttl",           "global_index",   "affinity",
  };
  return std::find(kFeatures.begin(), kFeatures.end(), name) != kFeatures.end();
}

// `list` starts behind "/*T!". The length of "[a,b]" if it is a well-formed list, else 0; *known:
// TiDB has them all.
std::size_t feature_list(std::string_view list, bool* known) {
  *known = true;
  if (list.empty() || list.front() != '[') return 0;
  std::size_t begin = 1;
  bool all_known = true;
  for (std::size_t at = 1; at < list.size(); ++at) {
    if (is_word_byte(static_cast<unsigned char>(list[at]))) continue;
    if (at == begin || (list[at] != ',' && list[at] != ']')) return 0;
    all_known = all_known && is_known_feature(list.substr(begin, at - begin));
    if (list[at] == ']') {
      *known = all_known;
      return at + 1;
    }
    begin = at + 1;
  }
  return 0;
}

// Only directly behind these does TiDB take /*+ */ for a hint (misc.go, hintedTokens).
bool takes_hint(std::string_view word) {
  if (word.size() < 6) return false;
  static constexpr std::array<std::string_view, 7> kWords = {
      "SELECT", "INSERT", "REPLACE", "UPDATE", "DELETE", "CREATE", "PARTITION"};
  return std::any_of(kWords.begin(), kWords.end(),
                     [word](std::string_view keyword) { return is_keyword(word, keyword); });
}

}  // namespace

unsigned char Lexer::peek(std::size_t ahead) const {
  return at_ + ahead < text_.size() ? static_cast<unsigned char>(text_[at_ + ahead]) : 0;
}

Token Lexer::take(TokenKind kind, std::size_t begin, bool is_ascii) const {
  return Token{kind, 0, is_ascii, std::string_view(text_.data() + begin, at_ - begin)};
}

Token Lexer::invalid(std::size_t begin) {
  at_ = text_.size();
  return take(TokenKind::kInvalid, begin, false);
}

Token Lexer::next() {
  if (!skip_blanks_and_comments()) return invalid(at_);
  if (at_ == text_.size()) return Token{};
  const Token token = scan();
  hint_may_follow_ = token.kind == TokenKind::kWord && takes_hint(token.text);
  if (token.kind == TokenKind::kWord || token.kind == TokenKind::kQuotedName) {
    after_name_dot_ = peek() == '.';
  } else if (token.symbol == '*') {
    after_name_dot_ = false;
  }
  return token;
}

// Returns false at a comment that does not end.
bool Lexer::skip_blanks_and_comments() {
  while (at_ < text_.size()) {
    const unsigned char byte = peek();
    if (is_space(byte)) {
      ++at_;
    } else if (byte == '#' ||
               (byte == '-' && peek(1) == '-' && (at_ + 2 == text_.size() || is_space(peek(2))))) {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else if (in_executable_comment_ && byte == '*' && peek(1) == '/') {
      in_executable_comment_ = false;
      at_ += 2;
    } else if (byte != '/' || peek(1) != '*' || (peek(2) == '+' && hint_may_follow_)) {
      return true;
    } else if (!enter_executable_comment()) {
      const std::size_t end = text_.find("*/", at_ + 2);
      if (end == std::string_view::npos) return false;
      at_ = end + 2;
    }
  }
  return true;
}

bool Lexer::enter_executable_comment() {
  if (peek(2) == '!') {
    at_ += 3;
    std::size_t digits = 0;
    while (digits < 5 && is_digit(peek(digits)))
      ++digits;
    if (digits == 5) at_ += 5;
    in_executable_comment_ = true;
  } else if (peek(2) == 'T' && peek(3) == '!') {
    bool known = false;
    const std::size_t length = feature_list(text_.substr(at_ + 4), &known);
    if (!known) return false;
    at_ += 4 + length;
    in_executable_comment_ = true;
  } else {
    return false;
  }
  return true;
}

Token Lexer::scan() {
  const unsigned char byte = peek();
  switch (byte) {
    case '\'': return quoted(TokenKind::kString, at_);
    case '"': return quoted(mode_.ansi_quotes ? TokenKind::kQuotedName : TokenKind::kString, at_);
    case '`': return quoted(TokenKind::kQuotedName, at_);
    case '@': return variable();
    case 'x':
    case 'X':
    case 'b':
    case 'B': return peek(1) == '\'' ? quoted_bits(byte == 'x' || byte == 'X') : word(at_);
    case '.': return is_digit(peek(1)) && !after_name_dot_ ? fraction(at_) : symbol();
    default: break;
  }
  if (is_digit(byte)) return after_name_dot_ ? word(at_) : number();
  return is_word_byte(byte) ? word(at_) : symbol();
}

Token Lexer::word(std::size_t begin) {
  unsigned seen = 0;
  for (; at_ < text_.size(); ++at_) {
    const auto byte = static_cast<unsigned char>(text_[at_]);
    if (!is_word_byte(byte)) break;
    seen |= byte;
  }
  return take(TokenKind::kWord, begin, seen < 0x80);
}

void Lexer::skip_digits() {
  while (is_digit(peek()))
    ++at_;
}

// A name may start with a digit: 1a, 0x, 0xg, 1e and 0B1 are names.
Token Lexer::number() {
  const std::size_t begin = at_;
  if (peek() == '0' && (peek(1) == 'x' || peek(1) == 'X')) return bits(begin, true);
  if (peek() == '0' && peek(1) == 'b') return bits(begin, false);
  skip_digits();
  if (peek() == '.' || peek() == 'e' || peek() == 'E') return fraction(begin);
  if (is_word_byte(peek())) return word(begin);
  return take(TokenKind::kInteger, begin);
}

Token Lexer::fraction(std::size_t begin) {
  at_ = begin;
  skip_digits();
  if (peek() == '.') {
    ++at_;
    skip_digits();
  }
  if (peek() != 'e' && peek() != 'E') return take(TokenKind::kDecimal, begin);
  ++at_;
  if (peek() == '-' || peek() == '+') ++at_;
  if (!is_digit(peek())) {
    at_ = begin;
    return text_[begin] == '.' ? invalid(begin) : word(begin);
  }
  skip_digits();
  return take(TokenKind::kDecimal, begin);
}

Token Lexer::bits(std::size_t begin, bool hexadecimal) {
  at_ += 2;
  const std::size_t first = at_;
  while (hexadecimal ? is_hex_digit(peek()) : (peek() == '0' || peek() == '1'))
    ++at_;
  if (at_ == first || is_digit(peek())) return word(begin);
  return take(TokenKind::kBits, begin);
}

Token Lexer::quoted_bits(bool hexadecimal) {
  const std::size_t begin = at_;
  at_ += 2;
  while (hexadecimal ? is_hex_digit(peek()) : (peek() == '0' || peek() == '1'))
    ++at_;
  if (peek() != '\'') return invalid(begin);
  ++at_;
  return take(TokenKind::kBits, begin);
}

Token Lexer::variable() {
  const std::size_t begin = at_++;
  TokenKind kind = TokenKind::kUserVariable;
  if (peek() == '@') {
    kind = TokenKind::kSystemVariable;
    ++at_;
    for (std::string_view scope : {"GLOBAL.", "SESSION.", "LOCAL."}) {
      if (is_keyword(text_.substr(at_, scope.size()), scope)) {
        at_ += scope.size();
        break;
      }
    }
  }
  if (peek() == '\'' || peek() == '"' || peek() == '`') return quoted(kind, begin);
  bool is_ascii = true;
  while (is_word_byte(peek()) || peek() == '.') {
    is_ascii = is_ascii && peek() < 0x80;
    ++at_;
  }
  return take(kind, begin, is_ascii);
}

// at_ is on the opening quote, `begin` where the token starts.
Token Lexer::quoted(TokenKind kind, std::size_t begin) {
  const char quote = text_[at_];
  const bool multibyte =
      mode_.encoding == TextEncoding::kGbk || mode_.encoding == TextEncoding::kGb18030;
  const bool escapes = quote != '`' && !mode_.no_backslash_escapes;
  const QuotedEnd end = find_quoted_end(text_, at_ + 1, QuotedRules{quote, escapes, multibyte});
  if (!end.found) return invalid(begin);
  at_ = end.at;
  return take(kind, begin, end.is_ascii);
}

Token Lexer::symbol() {
  static constexpr std::array<std::string_view, 14> kLong = {
      "<=>", "->>", "->", "||", "&&", "&^", ":=", ">=", "<=", "!=", "<>", "<<", ">>", "\\N"};
  static constexpr std::string_view kShort = "/+><()[];,&%:|!^~\\?={}*-.";
  const std::size_t begin = at_;
  const std::string_view rest = text_.substr(at_);
  const char byte = rest.front();
  if (byte == '/' &&
      rest.compare(0, 3, "/*+") == 0) {  // where no hint may stand it was skipped as a comment
    const std::size_t end = text_.find("*/", at_ + 2);
    if (end == std::string_view::npos) return invalid(begin);
    at_ = end + 2;
    return take(TokenKind::kHint, begin);
  }
  if (byte == ',' || byte == '(' || byte == ')') {
    ++at_;
    return Token{TokenKind::kSymbol, byte, true, rest.substr(0, 1)};
  }
  if (kShort.find(byte) == std::string_view::npos) return invalid(begin);
  for (std::string_view text : kLong) {
    if (rest.compare(0, text.size(), text) == 0) {
      at_ += text.size();
      return take(TokenKind::kSymbol, begin);
    }
  }
  ++at_;
  if (byte == ';') return take(TokenKind::kSemicolon, begin);
  if (byte == '?') return take(TokenKind::kParameter, begin);
  Token token = take(TokenKind::kSymbol, begin);
  token.symbol = byte;
  return token;
}

}  // namespace tidepool::sql

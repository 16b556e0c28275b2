#include "parse/select_fields.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace tidepool::sql {
namespace {

template <std::size_t N>
bool is_one_of(const Token& token, const std::array<std::string_view, N>& words) {
  return token.kind == TokenKind::kWord &&
         std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return is_keyword(token.text, word); });
}

// All reserved: in no expression outside parentheses, but for NEXT VALUE FOR and FROM FIRST.
constexpr std::array<std::string_view, 16> kEndsList = {
    "FROM",   "INTO", "WHERE", "GROUP",  "HAVING",    "ORDER", "LIMIT", "UNION",
    "EXCEPT", "FOR",  "LOCK",  "WINDOW", "INTERSECT", "FETCH", "ON",    "PROCEDURE"};

constexpr std::array<std::string_view, 11> kOptions = {"ALL",
                                                       "DISTINCT",
                                                       "DISTINCTROW",
                                                       "HIGH_PRIORITY",
                                                       "STRAIGHT_JOIN",
                                                       "SQL_SMALL_RESULT",
                                                       "SQL_BIG_RESULT",
                                                       "SQL_BUFFER_RESULT",
                                                       "SQL_CACHE",
                                                       "SQL_CALC_FOUND_ROWS",
                                                       "SQL_NO_CACHE"};

// An operand follows these, no alias.
constexpr std::array<std::string_view, 32> kOperators = {
    "AND",    "OR",    "XOR",    "NOT",    "DIV",      "MOD",     "LIKE",   "ILIKE",
    "REGEXP", "RLIKE", "IN",     "IS",     "BETWEEN",  "COLLATE", "BINARY", "ESCAPE",
    "CASE",   "WHEN",  "THEN",   "ELSE",   "INTERVAL", "OVER",    "OF",     "ANY",
    "SOME",   "ALL",   "EXISTS", "SOUNDS", "MEMBER",   "NEXT",    "VALUE",  "SELECT"};

constexpr std::array<std::string_view, 3> kTyped = {"DATE", "TIME", "TIMESTAMP"};

constexpr std::array<std::string_view, 20> kUnits = {"MICROSECOND",
                                                     "SECOND",
                                                     "MINUTE",
                                                     "HOUR",
                                                     "DAY",
                                                     "WEEK",
                                                     "MONTH",
                                                     "QUARTER",
                                                     "YEAR",
                                                     "SECOND_MICROSECOND",
                                                     "MINUTE_MICROSECOND",
                                                     "MINUTE_SECOND",
                                                     "HOUR_SECOND",
                                                     "HOUR_MINUTE",
                                                     "HOUR_MICROSECOND",
                                                     "DAY_MICROSECOND",
                                                     "DAY_SECOND",
                                                     "DAY_MINUTE",
                                                     "DAY_HOUR",
                                                     "YEAR_MONTH"};

bool is_space(char byte) {
  return std::isspace(static_cast<unsigned char>(byte)) != 0;
}

bool ends_operand(const Token& token) {
  switch (token.kind) {
    case TokenKind::kWord: return !is_operator_word(token);
    case TokenKind::kQuotedName:
    case TokenKind::kString:
    case TokenKind::kInteger:
    case TokenKind::kDecimal:
    case TokenKind::kBits:
    case TokenKind::kUserVariable:
    case TokenKind::kSystemVariable:
    case TokenKind::kParameter: return true;
    case TokenKind::kSymbol: return token.symbol == ')';
    default: return false;
  }
}

// N'x', _utf8'x', DATE'x', and 'x' 'y', which is one string.
bool is_part_of_string(const Token& before) {
  return before.kind == TokenKind::kString || is_one_of(before, kTyped) ||
         (before.kind == TokenKind::kWord &&
          (before.text.front() == '_' || is_keyword(before.text, "N")));
}

// TiDB takes out what opens and closes an executable comment, and the end of any other
// (SpecFieldPattern of yy_parser.go: /*!, /*!40101 or */).
std::string without_comment_marks(std::string_view text) {
  std::string name;
  while (!text.empty()) {
    if (text.starts_with("*/")) {
      text.remove_prefix(2);
      continue;
    }
    if (!text.starts_with("/*!")) {
      name += text.front();
      text.remove_prefix(1);
      continue;
    }
    text.remove_prefix(3);
    const std::size_t marked = text.starts_with('M') ? 1 : 0;
    std::size_t digits = 0;
    while (digits < 6 && marked + digits < text.size() &&
           std::isdigit(static_cast<unsigned char>(text[marked + digits])) != 0) {
      ++digits;
    }
    if (digits >= 5) text.remove_prefix(marked + digits);
  }
  return name;
}

}  // namespace

std::string field_name(std::string_view field) {
  while (!field.empty() && is_space(field.back()))
    field.remove_suffix(1);
  return without_comment_marks(field);
}

bool is_operator_word(const Token& token) {
  return is_one_of(token, kOperators);
}

void SelectFields::pass(const Token& token, bool is_changed) {
  if (token.kind == TokenKind::kHint) return;
  if (token.kind == TokenKind::kEnd) {
    while (frames_.size() > 1)
      frames_.pop_back();
    return end_field(frames_.back(), text_.size());
  }
  if (token.symbol == ')' && frames_.size() > 1) return close(token);
  Frame& frame = frames_.back();
  frame.is_changed = frame.is_changed || is_changed;
  if (token.kind == TokenKind::kWord && is_keyword(token.text, "SELECT")) {
    frame.place = Place::kOptions;
    return;
  }
  if (frame.place == Place::kOptions && !is_one_of(token, kOptions)) begin_field(frame, token);
  if (frame.place == Place::kField) {
    if (is_one_of(token, kEndsList)) {
      end_field(frame, offset_of(token));
    } else if (token.symbol == ',') {
      end_field(frame, offset_of(token));
      frame.place = Place::kField;
      frame.begin = text_.size();
      return;
    } else {
      take(frame, token, is_changed);
    }
  }
  if (token.symbol == '(') frames_.emplace_back();
}

void SelectFields::begin_field(Frame& frame, const Token& token) {
  const bool any = frame.is_changed;
  frame = Frame{};
  frame.is_changed = any;
  frame.place = Place::kField;
  frame.begin = offset_of(token);
}

void SelectFields::take(Frame& frame, const Token& token, bool is_changed) {
  if (frame.begin == text_.size()) begin_field(frame, token);
  frame.field_changed = frame.field_changed || is_changed;
  frame.last_closes_case = false;
  if (token.kind == TokenKind::kWord) {
    if (is_keyword(token.text, "CASE")) ++frame.open_cases;
    if (is_keyword(token.text, "END") && frame.open_cases > 0) {
      --frame.open_cases;
      frame.last_closes_case = true;
    }
    frame.has_interval = frame.has_interval || is_keyword(token.text, "INTERVAL");
  }
  frame.before = frame.last;
  frame.last = token;
  frame.end = offset_of(token) + token.text.size();
}

// What changed inside changes the text of the field around it.
void SelectFields::close(const Token& token) {
  end_field(frames_.back(), offset_of(token));
  const bool changed = frames_.back().is_changed;
  frames_.pop_back();
  Frame& outer = frames_.back();
  outer.is_changed = outer.is_changed || changed;
  if (outer.place == Place::kField) take(outer, token, changed);
}

void SelectFields::end_field(Frame& frame, std::size_t offset) {
  if (frame.place == Place::kField && frame.field_changed && !has_alias(frame)) {
    changed_.push_back({frame.end, name_of_field(frame, offset)});
  }
  frame.place = Place::kElsewhere;
  frame.field_changed = false;
}

bool SelectFields::has_alias(const Frame& frame) {
  if (frame.before.kind == TokenKind::kWord && is_keyword(frame.before.text, "AS")) return true;
  if (!ends_operand(frame.before) || frame.last_closes_case) return false;
  switch (frame.last.kind) {
    case TokenKind::kQuotedName: return true;
    case TokenKind::kString: return !is_part_of_string(frame.before);
    case TokenKind::kWord: return !(frame.has_interval && is_one_of(frame.last, kUnits));
    default: return false;
  }
}

// Its text up to the token behind it. Before FROM DUAL all blanks but the last belong to it.
std::string SelectFields::name_of_field(const Frame& frame, std::size_t offset) const {
  const std::string_view field = text_.substr(frame.begin, offset - frame.begin);
  Lexer rest(text_.substr(offset), {});
  const bool from = is_keyword(rest.next().text, "FROM");
  if (from && is_keyword(rest.next().text, "DUAL"))
    return without_comment_marks(field.substr(0, field.size() - 1));
  return field_name(field);
}

}  // namespace tidepool::sql

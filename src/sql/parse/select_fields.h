// Finds the fields of the select lists in one statement, at any depth, from its tokens: where each
// begins and ends, what its column is called, and whether it has an alias.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "parse/lexer.h"

namespace tidepool::sql {

// AND, LIKE, DIV, …: an operand follows, no alias.
bool is_operator_word(const Token& token);

// The column of a field with that text, up to the end of the statement, comments included.
std::string field_name(std::string_view field);

struct NamedField {
  std::size_t end = 0;  // behind its last token: an alias goes here
  std::string name{};   // of its column
};

class SelectFields {
 public:
  explicit SelectFields(std::string_view text) : text_(text), frames_(1) {}

  // In order, up to kEnd. `is_changed`: something stands in the place of the token, so that the
  // column of its field, and of those around it, would get another name.
  void pass(const Token& token, bool is_changed);

  // Changed fields without an alias; after kEnd.
  const std::vector<NamedField>& changed() const { return changed_; }

 private:
  enum class Place : std::uint8_t { kElsewhere, kOptions, kField };

  struct Frame {  // a pair of parentheses, or the statement
    Place place = Place::kElsewhere;
    bool is_changed = false;     // anything in it
    bool field_changed = false;  // in the field under way
    std::size_t begin = 0;       // of the field
    std::size_t end = 0;         // of its last token
    Token before{};              // its last but one token, at this depth
    Token last{};
    bool last_closes_case = false;
    bool has_interval = false;
    int open_cases = 0;
  };

  void begin_field(Frame& frame, const Token& token);
  void take(Frame& frame, const Token& token, bool is_changed);
  void end_field(Frame& frame, std::size_t offset);
  void close(const Token& token);
  static bool has_alias(const Frame& frame);
  std::string name_of_field(const Frame& frame, std::size_t offset) const;
  std::size_t offset_of(const Token& token) const {
    return token.kind == TokenKind::kEnd
               ? text_.size()
               : static_cast<std::size_t>(token.text.data() - text_.data());
  }

  std::string_view text_;
  std::vector<Frame> frames_;
  std::vector<NamedField> changed_;
};

}  // namespace tidepool::sql

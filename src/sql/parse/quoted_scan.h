// Finds the end of a quoted string or name, eight bytes at a step: long literals are most of a
// large INSERT's text.
#pragma once

#include <cstddef>
#include <string_view>

namespace tidepool::sql {

struct QuotedRules {
  char quote;
  bool escapes;    // a backslash hides the byte behind it
  bool multibyte;  // GBK, GB18030: a lead byte hides the byte behind it
};

struct QuotedEnd {
  bool found = false;    // false: the text ends first
  std::size_t at = 0;    // behind the closing quote
  bool is_ascii = true;  // between the quotes
};

// `from` is the first byte behind the opening quote.
QuotedEnd find_quoted_end(std::string_view text, std::size_t from, QuotedRules rules);

}  // namespace tidepool::sql

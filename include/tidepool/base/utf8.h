// UTF-8, of texts that may be anything at all. Pure.
#pragma once

#include <cstddef>
#include <string_view>

namespace tidepool {

struct Utf8Character {
  std::size_t bytes;  // 0: this is no UTF-8
  char32_t code_point;
};

// The one at the beginning of a text that is not empty. Shortest forms only, and no surrogates
// (Unicode 15, table 3-7).
Utf8Character first_character(std::string_view text);

// So many of them at most, as Go's %.48s; a byte that is no UTF-8 counts as one.
std::string_view first_characters(std::string_view text, std::size_t most);

}  // namespace tidepool

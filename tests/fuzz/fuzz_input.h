// What the protocol fuzz targets share: cutting the input into pieces that it chooses itself.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace tidepool::fuzz {

inline std::string_view as_view(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Takes the first byte, for a decision; 0 if there is none.
inline std::uint8_t take_byte(std::string_view& input) {
  if (input.empty()) return 0;
  const auto byte = static_cast<std::uint8_t>(input.front());
  input.remove_prefix(1);
  return byte;
}

// Takes the next piece of `piece` bytes (at least one).
inline std::string_view take_piece(std::string_view& input, std::size_t piece) {
  const std::string_view taken = input.substr(0, std::max<std::size_t>(piece, 1));
  input.remove_prefix(taken.size());
  return taken;
}

}  // namespace tidepool::fuzz

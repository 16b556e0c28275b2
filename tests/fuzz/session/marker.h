// Every client of the harness writes its own marker into what it sends, and the backends answer
// with what they were sent: who receives another's marker has been given another's bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tidepool::fuzz {

inline constexpr char kMarkerByte = '~';
inline constexpr std::string_view kMarkerSign = "~q~";
inline constexpr std::size_t kMarkerBytes = kMarkerSign.size() + 1;

inline std::string marker_of(char owner) {
  return std::string(kMarkerSign) + owner;
}

// Whose the first marker is; nullopt: there is none. Also one that is written in hex.
inline std::optional<char> marker_in(std::string_view bytes) {
  const std::size_t at = bytes.find(kMarkerSign);
  if (at != std::string_view::npos && at + kMarkerBytes <= bytes.size())
    return bytes[at + kMarkerSign.size()];
  static constexpr std::string_view kInHex = "7E717E";
  const std::size_t hex = bytes.find(kInHex);
  if (hex == std::string_view::npos || hex + kInHex.size() + 2 > bytes.size()) return std::nullopt;
  const std::string digits(bytes.substr(hex + kInHex.size(), 2));
  return static_cast<char>(std::stoi(digits, nullptr, 16));
}

// Bytes that the input chose must not look like a marker.
inline std::string without_markers(std::string_view bytes) {
  std::string text(bytes);
  for (char& byte : text) {
    if (byte == kMarkerByte) byte = '-';
  }
  return text;
}

}  // namespace tidepool::fuzz

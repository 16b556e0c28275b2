// Byte helpers of the protocol tests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tidepool/protocol/packet.h"

namespace tidepool::protocol {

// "01 ff 00" → bytes; spaces are ignored.
inline std::string hex(std::string_view text) {
  std::string out;
  int high = -1;
  for (const char c : text) {
    if (c == ' ') continue;
    const int value = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
    if (high < 0) {
      high = value;
    } else {
      out.push_back(static_cast<char>(high * 16 + value));
      high = -1;
    }
  }
  return out;
}

// `payload` framed, as packets from `sequence` on.
inline std::string framed(int sequence, std::string_view payload) {
  std::string out;
  auto number = static_cast<std::uint8_t>(sequence);
  append_packet(out, number, payload);
  return out;
}

}  // namespace tidepool::protocol

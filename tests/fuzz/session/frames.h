// Cuts a stream into frames, without a look at their sequence numbers: the harness's ends take
// whatever comes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tidepool::fuzz {

struct Frame {
  std::string payload;
  std::uint8_t sequence = 0;
};

class Frames {
 public:
  void add(std::string_view bytes) { buffer_ += bytes; }

  std::optional<Frame> next() {
    if (buffer_.size() < kHeader) return std::nullopt;
    const std::size_t size = byte(0) | byte(1) << 8U | byte(2) << 16U;
    if (buffer_.size() < kHeader + size) return std::nullopt;
    Frame frame{buffer_.substr(kHeader, size), static_cast<std::uint8_t>(byte(3))};
    buffer_.erase(0, kHeader + size);
    return frame;
  }

 private:
  static constexpr std::size_t kHeader = 4;
  std::size_t byte(std::size_t at) const { return static_cast<unsigned char>(buffer_[at]); }

  std::string buffer_;
};

// The number after that of the last of these whole frames.
inline std::uint8_t sequence_after(std::string_view frames) {
  Frames cut;
  cut.add(frames);
  std::uint8_t sequence = 0;
  while (const auto frame = cut.next())
    sequence = static_cast<std::uint8_t>(frame->sequence + 1);
  return sequence;
}

}  // namespace tidepool::fuzz

#include "tidepool/protocol/codec.h"

namespace tidepool::protocol {
namespace {

constexpr std::uint8_t kNullMark = 0xfb;
constexpr std::uint8_t kTwoBytesMark = 0xfc;
constexpr std::uint8_t kThreeBytesMark = 0xfd;
constexpr std::uint8_t kEightBytesMark = 0xfe;

}  // namespace

void Reader::fail() {
  ok_ = false;
  at_ = bytes_.size();
}

std::uint64_t Reader::fixed(std::size_t width) {
  if (remaining() < width) {
    fail();
    return 0;
  }
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < width; ++i) {
    value |= static_cast<std::uint64_t>(byte_at(at_ + i)) << (8 * i);
  }
  at_ += width;
  return value;
}

std::uint64_t Reader::lenenc() {
  const std::uint8_t first = u8();
  if (first < kNullMark) return first;
  switch (first) {
    case kTwoBytesMark: return fixed(2);
    case kThreeBytesMark: return fixed(3);
    case kEightBytesMark: return fixed(8);
    default: fail(); return 0;
  }
}

std::string_view Reader::lenenc_string() {
  const std::uint64_t size = lenenc();
  if (size > remaining()) {
    fail();
    return {};
  }
  return bytes(static_cast<std::size_t>(size));
}

std::optional<std::string_view> Reader::nullable_lenenc_string() {
  if (!at_end() && peek() == kNullMark) {
    skip(1);
    return std::nullopt;
  }
  return lenenc_string();
}

std::string_view Reader::nul_string() {
  const std::size_t end = bytes_.find('\0', at_);
  if (end == std::string_view::npos) {
    fail();
    return {};
  }
  const std::string_view text = bytes(end - at_);
  skip(1);
  return text;
}

std::string_view Reader::bytes(std::size_t count) {
  if (count > remaining()) {
    fail();
    return {};
  }
  const std::string_view taken = bytes_.substr(at_, count);
  at_ += count;
  return taken;
}

std::string_view Reader::rest() {
  return bytes(remaining());
}

Writer& Writer::fixed(std::uint64_t value, std::size_t width) {
  for (std::size_t i = 0; i < width; ++i) {
    out_->push_back(static_cast<char>(static_cast<unsigned char>(value >> (8 * i))));
  }
  return *this;
}

Writer& Writer::lenenc(std::uint64_t value) {
  if (value < kNullMark) return fixed(value, 1);
  if (value <= 0xffff) return u8(kTwoBytesMark).fixed(value, 2);
  if (value <= 0xffffff) return u8(kThreeBytesMark).fixed(value, 3);
  return u8(kEightBytesMark).fixed(value, 8);
}

Writer& Writer::lenenc_string(std::string_view value) {
  return lenenc(value.size()).bytes(value);
}

Writer& Writer::nul_string(std::string_view value) {
  return bytes(value).u8(0);
}

Writer& Writer::bytes(std::string_view value) {
  out_->append(value);
  return *this;
}

Writer& Writer::zeros(std::size_t count) {
  out_->append(count, '\0');
  return *this;
}

}  // namespace tidepool::protocol

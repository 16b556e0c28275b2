// A canonical encoding of parts, for the keys of caches: what was added can be read back, part by
// part, so that other parts never have the same bytes, even if a client chose them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace tidepool {

class Encoding {
 public:
  Encoding() = default;
  explicit Encoding(std::string begin) : bytes_(std::move(begin)) {}

  void reserve(std::size_t bytes) { bytes_.reserve(bytes); }
  // Seven bits a byte, the low ones first; the high bit says that more follow.
  Encoding& number(std::uint64_t value) {
    for (; value >= kMore; value >>= kBits)
      bytes_ += static_cast<char>(kMore | (value & (kMore - 1)));
    bytes_ += static_cast<char>(value);
    return *this;
  }
  // Its length, then its bytes.
  Encoding& text(std::string_view value) {
    number(value.size());
    bytes_ += value;
    return *this;
  }

  std::string take() { return std::move(bytes_); }

 private:
  static constexpr unsigned kBits = 7;
  static constexpr std::uint64_t kMore = 1U << kBits;

  std::string bytes_;
};

}  // namespace tidepool

// The integers and strings that MySQL packets are made of (MySQL manual, "Basic Data Types").
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tidepool::protocol {

// Reads a payload front to back. Borrows the bytes; string results point into them.
//
// Never throws and never reads past the end: what is not there reads as 0 or empty and makes ok()
// false for good, so a decoder reads everything and asks once.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::size_t remaining() const { return bytes_.size() - at_; }
  [[nodiscard]] bool at_end() const { return remaining() == 0; }
  [[nodiscard]] std::size_t position() const { return at_; }
  // The next byte without taking it; 0 at the end, without an error.
  [[nodiscard]] std::uint8_t peek() const { return at_end() ? std::uint8_t{0} : byte_at(at_); }

  std::uint8_t u8() { return static_cast<std::uint8_t>(fixed(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(fixed(2)); }
  std::uint32_t u24() { return static_cast<std::uint32_t>(fixed(3)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(fixed(4)); }
  std::uint64_t u64() { return fixed(8); }

  // Length-encoded. NULL (0xfb) and the undefined 0xff are errors for lenenc(); a NULL string reads
  // as nullopt.
  std::uint64_t lenenc();
  std::string_view lenenc_string();
  std::optional<std::string_view> nullable_lenenc_string();

  std::string_view nul_string();  // up to a NUL, which is taken too; an error without one
  std::string_view bytes(std::size_t count);
  std::string_view rest();
  void skip(std::size_t count) { bytes(count); }

 private:
  [[nodiscard]] std::uint8_t byte_at(std::size_t at) const {
    return static_cast<std::uint8_t>(bytes_[at]);
  }
  std::uint64_t fixed(std::size_t width);
  void fail();

  std::string_view bytes_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

// Appends to a string that the caller owns.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(&out) {}

  Writer& u8(std::uint8_t value) { return fixed(value, 1); }
  Writer& u16(std::uint16_t value) { return fixed(value, 2); }
  Writer& u24(std::uint32_t value) { return fixed(value, 3); }
  Writer& u32(std::uint32_t value) { return fixed(value, 4); }
  Writer& u64(std::uint64_t value) { return fixed(value, 8); }
  Writer& lenenc(std::uint64_t value);
  Writer& lenenc_string(std::string_view value);
  Writer& nul_string(std::string_view value);
  Writer& bytes(std::string_view value);
  Writer& zeros(std::size_t count);

 private:
  Writer& fixed(std::uint64_t value, std::size_t width);

  std::string* out_;
};

}  // namespace tidepool::protocol

// A range of IP addresses, written as 10.0.0.0/8, fd00::/8 or a single address (RFC 4632, RFC 4291
// 2.3).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace tidepool {

class Network {
 public:
  // Nothing if it is none, or has bits beyond its prefix: who writes 10.0.0.1/8 may mean less than
  // all of 10.
  static std::optional<Network> parse(std::string_view text);

  // `address`: without port and brackets. An IPv4 address is the same in its IPv6 form
  // (::ffff:10.0.0.1), as a socket for both gives it. False for what is no address.
  [[nodiscard]] bool contains(std::string_view address) const;

  [[nodiscard]] const std::string& text() const { return text_; }

  bool operator==(const Network&) const = default;

 private:
  using Bytes = std::array<unsigned char, 16>;  // IPv4 in its IPv6 form

  static std::optional<Bytes> bytes_of(const std::string& address);
  static bool begin_alike(const Bytes& one, const Bytes& two, unsigned bits);

  std::string text_;
  Bytes bytes_{};
  unsigned bits_ = 0;  // of bytes_, that count
};

}  // namespace tidepool

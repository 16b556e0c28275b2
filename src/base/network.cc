#include "tidepool/base/network.h"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>

namespace tidepool {
namespace {

constexpr unsigned kBits = 128;
constexpr unsigned kBitsBeforeV4 = 96;

std::optional<unsigned> number_of(std::string_view text) {
  unsigned value = 0;
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  if (text.empty() || result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return value;
}

bool is_v4(std::string_view address) {
  return address.find(':') == std::string_view::npos;
}

}  // namespace

std::optional<Network::Bytes> Network::bytes_of(const std::string& address) {
  if (address.find('\0') != std::string::npos) return std::nullopt;
  Bytes bytes{};
  if (!is_v4(address)) {
    if (::inet_pton(AF_INET6, address.c_str(), bytes.data()) != 1) return std::nullopt;
    return bytes;
  }
  constexpr std::size_t kBefore = kBitsBeforeV4 / 8;
  if (::inet_pton(AF_INET, address.c_str(), bytes.data() + kBefore) != 1) return std::nullopt;
  bytes[kBefore - 2] = bytes[kBefore - 1] = 0xff;
  return bytes;
}

bool Network::begin_alike(const Bytes& one, const Bytes& two, unsigned bits) {
  const std::size_t whole = bits / 8;
  if (!std::equal(one.begin(), one.begin() + static_cast<std::ptrdiff_t>(whole), two.begin()))
    return false;
  const unsigned rest = bits % 8;
  return rest == 0 || one[whole] >> (8 - rest) == two[whole] >> (8 - rest);
}

std::optional<Network> Network::parse(std::string_view text) {
  const std::size_t slash = std::min(text.find('/'), text.size());
  const std::string_view address = text.substr(0, slash);
  const auto bytes = bytes_of(std::string(address));
  if (!bytes) return std::nullopt;
  const unsigned before = is_v4(address) ? kBitsBeforeV4 : 0;
  const auto length = slash == text.size() ? std::optional<unsigned>(kBits - before)
                                           : number_of(text.substr(slash + 1));
  if (!length || *length > kBits - before) return std::nullopt;
  Network network;
  network.text_ = text;
  network.bytes_ = *bytes;
  network.bits_ = before + *length;
  Bytes masked = *bytes;
  for (unsigned bit = network.bits_; bit < kBits; ++bit)
    masked[bit / 8] &= static_cast<unsigned char>(~(0x80U >> (bit % 8)));
  if (masked != *bytes) return std::nullopt;
  return network;
}

bool Network::contains(std::string_view address) const {
  const auto bytes = bytes_of(std::string(address));
  return bytes && begin_alike(*bytes, bytes_, bits_);
}

}  // namespace tidepool

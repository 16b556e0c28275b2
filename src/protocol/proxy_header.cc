#include "tidepool/protocol/proxy_header.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <cstring>
#include <netinet/in.h>
#include <optional>
#include <vector>

namespace tidepool::protocol {
namespace {

constexpr std::string_view kSignature1 = "PROXY ";
constexpr std::string_view kSignature2{"\r\n\r\n\0\r\nQUIT\n", 12};
constexpr std::string_view kLineEnd = "\r\n";
constexpr std::size_t kShortestLine = 15;  // PROXY UNKNOWN
constexpr std::size_t kHeadSize = 16;      // of version 2
constexpr std::size_t kPortSize = 2;
constexpr std::size_t kFields = 6;  // of a line with addresses

enum class Family : std::uint8_t { kUnspecified, kV4, kV6, kUnix };

tl::unexpected<Error> bad(const char* what) {
  return fail(Code::kProtocol, std::string("no PROXY header: ") + what);
}

unsigned byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}

// As decimal digits, without leading zeros.
std::optional<std::uint16_t> port_of(std::string_view text) {
  std::uint16_t port = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool is_whole = result.ec == std::errc() && result.ptr == text.data() + text.size();
  if (!is_whole || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  return port;
}

std::string text_of(int family, const void* address, unsigned port) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(family, address, text.data(), text.size());
  const std::string host(text.data());
  return (family == AF_INET ? host : "[" + host + "]") + ":" + std::to_string(port);
}

// Empty: it is none of that family.
std::string address_of(int family, std::string_view host, unsigned port) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  if (host.find('\0') != std::string_view::npos) return {};
  if (::inet_pton(family, std::string(host).c_str(), address.data()) != 1) return {};
  return text_of(family, address.data(), port);
}

std::vector<std::string_view> split(std::string_view line) {
  std::vector<std::string_view> fields;
  for (std::size_t space = line.find(' '); space != std::string_view::npos;
       space = line.find(' ')) {
    fields.push_back(line.substr(0, space));
    line.remove_prefix(space + 1);
  }
  fields.push_back(line);
  return fields;
}

std::size_t size_of_addresses(Family family) {
  switch (family) {
    case Family::kUnspecified: return 0;
    case Family::kV4: return 2 * (sizeof(in_addr) + kPortSize);
    case Family::kV6: return 2 * (sizeof(in6_addr) + kPortSize);
    case Family::kUnix: return std::size_t{2} * 108;
  }
  return 0;
}

}  // namespace

std::size_t ProxyHeader::wanted() const {
  switch (phase_) {
    case Phase::kSignature: return kShortestLine - std::min(kShortestLine, kept_.size());
    case Phase::kLine: return wanted_of_line();
    case Phase::kHead: return kHeadSize - kept_.size();
    case Phase::kAddresses: return kHeadSize + addresses_ - kept_.size();
    case Phase::kRest: return rest_;
    case Phase::kComplete: return 0;
  }
  return 0;
}

// Each field that has not come yet is at least one character behind a blank.
std::size_t ProxyHeader::wanted_of_line() const {
  if (kept_.size() < kShortestLine) return kShortestLine - kept_.size();
  if (kept_.back() == '\r') return 1;
  const auto blanks = static_cast<std::size_t>(std::count(kept_.begin(), kept_.end(), ' '));
  const bool has_fields = kept_.starts_with("PROXY TCP");
  const std::size_t missing = has_fields ? kFields - 1 - std::min(blanks, kFields - 1) : 0;
  const std::size_t least = kLineEnd.size() + 2 * missing;
  return std::min(least, kMaxLine - kept_.size());
}

Result<std::size_t> ProxyHeader::feed(std::string_view bytes) {
  const std::size_t size = bytes.size();
  while (!is_complete() && !bytes.empty()) {
    const std::string_view taken = bytes.substr(0, wanted());
    bytes.remove_prefix(taken.size());
    if (phase_ == Phase::kRest) {
      rest_ -= taken.size();
      if (rest_ == 0) phase_ = Phase::kComplete;
      continue;
    }
    kept_ += taken;
    if (auto examined = examine(); !examined) return tl::unexpected(examined.error());
  }
  return size - bytes.size();
}

Result<void> ProxyHeader::examine() {
  if (phase_ == Phase::kSignature) {
    if (auto known = examine_signature(); !known) return known;
  }
  if (phase_ == Phase::kLine) return examine_line();
  if (phase_ == Phase::kHead && kept_.size() == kHeadSize) {
    if (auto read = read_head(); !read) return read;
  }
  if (phase_ == Phase::kAddresses && wanted() == 0) read_addresses();
  return {};
}

Result<void> ProxyHeader::examine_signature() {
  const auto begins = [this](std::string_view signature) {
    const std::size_t size = std::min(kept_.size(), signature.size());
    return kept_.compare(0, size, signature, 0, size) == 0;
  };
  if (!begins(kSignature1) && !begins(kSignature2)) return bad("other bytes came first");
  if (kept_.size() >= kSignature1.size() && begins(kSignature1)) phase_ = Phase::kLine;
  if (kept_.size() >= kSignature2.size() && begins(kSignature2)) phase_ = Phase::kHead;
  return {};
}

Result<void> ProxyHeader::examine_line() {
  const std::size_t end = kept_.find_first_of(kLineEnd);
  if (end == std::string::npos)
    return kept_.size() < kMaxLine ? Result<void>() : bad("its line is too long");
  const std::string_view tail = std::string_view(kept_).substr(end);
  if (tail == kLineEnd) return read_line();
  return tail == "\r" && kept_.size() < kMaxLine ? Result<void>() : bad("its line ends wrongly");
}

Result<void> ProxyHeader::read_line() {
  const std::string_view line = std::string_view(kept_).substr(0, kept_.size() - kLineEnd.size());
  phase_ = Phase::kComplete;
  const std::vector<std::string_view> fields = split(line);
  if (fields[1] == "UNKNOWN") return {};
  const bool is_v4 = fields[1] == "TCP4";
  if (!is_v4 && fields[1] != "TCP6") return bad("its protocol is not known");
  if (fields.size() != kFields) return bad("its line has too many fields, or too few");
  const int family = is_v4 ? AF_INET : AF_INET6;
  const auto from = port_of(fields[4]);
  const auto to = port_of(fields[5]);
  if (!from || !to) return bad("a port of it is none");
  client_ = address_of(family, fields[2], *from);
  if (client_.empty() || address_of(family, fields[3], *to).empty())
    return bad("an address of it is none");
  return {};
}

Result<void> ProxyHeader::read_head() {
  constexpr unsigned kVersion = 2;
  constexpr unsigned kLocal = 0;
  constexpr unsigned kProxy = 1;
  constexpr unsigned kStream = 1;
  constexpr unsigned kDatagram = 2;
  const unsigned version = byte_at(kept_, 12) >> 4U;
  const unsigned command = byte_at(kept_, 12) & 15U;
  if (version != kVersion || command > kProxy) return bad("its version or command is not known");
  const unsigned length = byte_at(kept_, 14) << 8U | byte_at(kept_, 15);
  rest_ = length;
  if (command == kLocal) {  // whatever family and addresses it says
    end_addresses();
    return {};
  }
  const unsigned family = byte_at(kept_, 13) >> 4U;
  const unsigned transport = byte_at(kept_, 13) & 15U;
  if (family > static_cast<unsigned>(Family::kUnix) || transport > kDatagram)
    return bad("its address family is not known");
  const std::size_t size = size_of_addresses(static_cast<Family>(family));
  if (length < size) return bad("it is shorter than its addresses");
  const bool is_ip =
      family == static_cast<unsigned>(Family::kV4) || family == static_cast<unsigned>(Family::kV6);
  if (!is_ip || transport != kStream) {
    end_addresses();
    return {};
  }
  addresses_ = size;
  rest_ -= size;
  phase_ = Phase::kAddresses;
  return {};
}

// Source and destination, then the ports of both.
void ProxyHeader::read_addresses() {
  const bool is_v4 = addresses_ == size_of_addresses(Family::kV4);
  const std::size_t port = kHeadSize + addresses_ - 2 * kPortSize;
  client_ = text_of(is_v4 ? AF_INET : AF_INET6, kept_.data() + kHeadSize,
                    byte_at(kept_, port) << 8U | byte_at(kept_, port + 1));
  end_addresses();
}

void ProxyHeader::end_addresses() {
  kept_.clear();
  phase_ = rest_ == 0 ? Phase::kComplete : Phase::kRest;
}

}  // namespace tidepool::protocol

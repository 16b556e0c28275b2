#include "tidepool/protocol/proxy_header.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tidepool::protocol {
namespace {

using namespace std::string_literals;  // NOLINT(google-build-using-namespace)

const std::string kSignature = "\r\n\r\n\0\r\nQUIT\n"s;
constexpr std::string_view kLogin = "what follows";

std::string binary(char command, char family, const std::string& body) {
  const auto size = static_cast<unsigned>(body.size());
  return kSignature + command + family + static_cast<char>(size >> 8U) +
         static_cast<char>(size & 0xffU) + body;
}

const std::string kV4 = "\xc0\x00\x02\x01\x0a\x00\x00\x01\x14\x03\x17\x91"s;  // 192.0.2.1:5123
const std::string kV6 = "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x01"s +
                        std::string(15, '\0') + "\x01"s + "\x14\x03\x17\x91"s;

struct Good {
  const char* name;
  std::string header;
  std::string client;
};

const std::vector<Good>& good() {
  static const std::vector<Good> all = {
      {"a line with IPv4", "PROXY TCP4 192.0.2.1 10.0.0.1 5123 6033\r\n", "192.0.2.1:5123"},
      {"a line with IPv6", "PROXY TCP6 2001:DB8::1 ::1 5123 6033\r\n", "[2001:db8::1]:5123"},
      {"the shortest IPv6", "PROXY TCP6 :: :: 0 0\r\n", "[::]:0"},
      {"the shortest unknown", "PROXY UNKNOWN\r\n", ""},
      {"the longest unknown",
       "PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
       "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
       ""},
      {"unknown with other words", "PROXY UNKNOWN what ever\r\n", ""},
      {"the largest port", "PROXY TCP4 1.1.1.1 1.1.1.1 65535 1\r\n", "1.1.1.1:65535"},
      {"binary IPv4", binary('\x21', '\x11', kV4), "192.0.2.1:5123"},
      {"binary IPv6", binary('\x21', '\x21', kV6), "[2001:db8::1]:5123"},
      {"binary with TLVs", binary('\x21', '\x11', kV4 + "\x04\x00\x01x"s), "192.0.2.1:5123"},
      {"binary of the greatest length", binary('\x21', '\x11', kV4 + std::string(65523, 'x')),
       "192.0.2.1:5123"},
      {"local, whatever it says", binary('\x20', '\x77', "x"), ""},
      {"local without more", binary('\x20', '\0', ""), ""},
      {"unspecified", binary('\x21', '\0', ""), ""},
      {"a Unix socket's", binary('\x21', '\x31', std::string(216, 'x')), ""},
      {"of datagrams", binary('\x21', '\x12', kV4), ""},
  };
  return all;
}

TEST(ProxyHeader, SaysWhoTheClientIs) {
  for (const Good& one : good()) {
    ProxyHeader header;
    const auto taken = header.feed(one.header + std::string(kLogin));
    ASSERT_TRUE(taken) << one.name << ": " << taken.error().message;
    EXPECT_EQ(*taken, one.header.size()) << one.name;
    EXPECT_TRUE(header.is_complete()) << one.name;
    EXPECT_EQ(header.client(), one.client) << one.name;
  }
}

void expect_same_in_two_pieces(const Good& one, std::size_t cut) {
  ProxyHeader header;
  EXPECT_EQ(header.feed(one.header.substr(0, cut)), cut) << one.name;
  EXPECT_FALSE(header.is_complete()) << one.name;
  EXPECT_EQ(header.feed(one.header.substr(cut)), one.header.size() - cut) << one.name;
  EXPECT_EQ(header.client(), one.client) << one.name << " at " << cut;
}

TEST(ProxyHeader, IsTheSameInPieces) {
  for (const Good& one : good()) {
    const std::size_t end = std::min<std::size_t>(one.header.size(), 250);
    for (std::size_t cut = 1; cut < end; ++cut)
      expect_same_in_two_pieces(one, cut);
  }
}

// Reads as it wants, and answers how much that was.
std::size_t bytes_read(const std::string& input) {
  ProxyHeader header;
  std::size_t read = 0;
  while (!header.is_complete() && header.wanted() > 0 && read < input.size()) {
    const auto taken = header.feed(std::string_view(input).substr(read, header.wanted()));
    read += taken.value();
  }
  return read;
}

TEST(ProxyHeader, NeverWantsWhatFollowsIt) {
  for (const Good& one : good())
    EXPECT_EQ(bytes_read(one.header + std::string(kLogin)), one.header.size()) << one.name;
}

TEST(ProxyHeader, IsReadInFewSteps) {
  ProxyHeader header;
  const std::string line = "PROXY TCP4 192.0.2.1 10.0.0.1 5123 6033\r\n";
  int steps = 0;
  for (std::size_t read = 0; !header.is_complete(); ++steps) {
    const std::size_t size = header.wanted();
    ASSERT_TRUE(header.feed(line.substr(read, size)));
    read += size;
  }
  EXPECT_LT(steps, 16);
}

TEST(ProxyHeader, RefusesWhatIsNone) {
  const std::vector<std::string> all = {
      "G",
      "\x4a\x00\x00\x01"s,  // a MySQL login
      "PROXX",
      "\r\n\r\n\0\r\nQUIT\r"s,
      "PROXY TCP4 192.0.2.1 10.0.0.1 5123\r\n",
      "PROXY TCP4 192.0.2.1 10.0.0.1 5123 6033 1\r\n",
      "PROXY TCP4  192.0.2.1 10.0.0.1 5123 6033\r\n",
      "PROXY TCP4 192.0.2.1 10.0.0.1 5123 6033\n",
      "PROXY TCP4 192.0.2.1 10.0.0.1 5123 6033\rx",
      "PROXY TCP4 192.0.2.1 10.0.0.1 65536 6033\r\n",
      "PROXY TCP4 192.0.2.1 10.0.0.1 05123 6033\r\n",
      "PROXY TCP4 192.0.2.1 10.0.0.1 -1 6033\r\n",
      "PROXY TCP4 192.0.2.1 10.0.0.1 5123 \r\n",
      "PROXY TCP4 2001:db8::1 ::1 5123 6033\r\n",
      "PROXY TCP6 192.0.2.1 10.0.0.1 5123 6033\r\n",
      "PROXY TCP4 192.0.2 10.0.0.1 5123 6033\r\n",
      "PROXY TCP6 fe80::1%lo ::1 5123 6033\r\n",
      "PROXY UDP4 192.0.2.1 10.0.0.1 5123 6033\r\n",
      "PROXY tcp4 192.0.2.1 10.0.0.1 5123 6033\r\n",
      "PROXY UNKNOWN " + std::string(100, 'x'),
      "PROXY UNKNOWN " + std::string(92, 'x') + "\r",
      binary('\x11', '\x11', kV4),
      binary('\x22', '\x11', kV4),
      binary('\x21', '\x41', kV4),
      binary('\x21', '\x13', kV4),
      binary('\x21', '\x11', kV4.substr(1)),
      binary('\x21', '\x21', kV4),
      binary('\x21', '\x31', kV4),
  };
  for (const std::string& one : all) {
    ProxyHeader whole;
    EXPECT_FALSE(whole.feed(one)) << one;
    ProxyHeader in_bytes;
    bool is_refused = false;
    for (std::size_t i = 0; i < one.size() && !is_refused; ++i)
      is_refused = !in_bytes.feed(one.substr(i, 1));
    EXPECT_TRUE(is_refused) << one;
  }
}

}  // namespace
}  // namespace tidepool::protocol

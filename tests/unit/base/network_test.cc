#include "tidepool/base/network.h"

#include <string>
#include <tuple>

#include <gtest/gtest.h>

namespace tidepool {
namespace {

using Row = std::tuple<std::string, std::string, bool>;  // network, address, whether it is in it

class NetworkContains : public testing::TestWithParam<Row> {};

TEST_P(NetworkContains, WhatItsPrefixSays) {
  const auto& [text, address, is_in] = GetParam();
  const auto network = Network::parse(text);
  ASSERT_TRUE(network.has_value()) << text;
  EXPECT_EQ(network->contains(address), is_in) << address << " in " << text;
  EXPECT_EQ(network->text(), text);
}

INSTANTIATE_TEST_SUITE_P(
    Table, NetworkContains,
    testing::Values(Row{"10.0.0.0/8", "10.255.255.255", true}, Row{"10.0.0.0/8", "11.0.0.0", false},
                    Row{"192.168.4.0/22", "192.168.7.255", true},
                    Row{"192.168.4.0/22", "192.168.8.0", false}, Row{"10.1.2.3", "10.1.2.3", true},
                    Row{"10.1.2.3", "10.1.2.4", false}, Row{"10.1.2.3/32", "10.1.2.2", false},
                    Row{"0.0.0.0/0", "255.1.1.1", true}, Row{"0.0.0.0/0", "2001:db8::1", false},
                    Row{"::/0", "10.0.0.1", true}, Row{"10.0.0.0/8", "::ffff:10.1.1.1", true},
                    Row{"::ffff:10.0.0.0/104", "10.9.9.9", true}, Row{"fd00::/8", "fdff::1", true},
                    Row{"fd00::/8", "fe80::1", false},
                    Row{"2001:db8::/33", "2001:db8:7fff::1", true},
                    Row{"2001:db8::/33", "2001:db8:8000::1", false}, Row{"::1", "::1", true},
                    Row{"::1", "127.0.0.1", false}, Row{"10.0.0.0/8", "", false},
                    Row{"10.0.0.0/8", "unix", false}, Row{"10.0.0.0/8", "10.0.0.1:80", false}));

TEST(NetworkParse, RefusesWhatIsNone) {
  for (const std::string text :
       {"", "/", "/8", "10", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8",
        "10.0.0.0/8 ", " 10.0.0.0/8", "10.0.0.1/8", "192.168.4.0/21", "::1/127", "::/129", "[::1]",
        "fe80::1%eth0", "localhost", "10.0.0.0/+8", "010.0.0.0/8"}) {
    EXPECT_FALSE(Network::parse(text).has_value()) << '"' << text << '"';
  }
  EXPECT_FALSE(Network::parse(std::string_view("10.0.0.1\0", 9)).has_value());
}

}  // namespace
}  // namespace tidepool

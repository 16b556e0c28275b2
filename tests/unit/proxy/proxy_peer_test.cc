#include "proxy_peer.h"

#include <gtest/gtest.h>

namespace tidepool::proxy {
namespace {

TEST(ProxyPeer, TheClientIsWhereTheBalancerSays) {
  EXPECT_EQ(address_behind("10.0.0.1:4000", "192.0.2.7:5123"), "192.0.2.7:5123");
  EXPECT_EQ(address_behind("10.0.0.1:4000", "[2001:db8::1]:5"), "[2001:db8::1]:5");
  EXPECT_EQ(address_behind("10.0.0.1:4000", ""), "10.0.0.1:4000") << "it speaks for itself";
}

// Else such a header would free its clients from the limits of an address.
TEST(ProxyPeer, ALoopbackAddressIsTheBalancersOwnUnlessThatIsHere) {
  for (const char* client : {"127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1"}) {
    EXPECT_EQ(address_behind("10.0.0.1:4000", client), "10.0.0.1:4000") << client;
    EXPECT_EQ(address_behind("127.0.0.1:4000", client), client);
    EXPECT_EQ(address_behind("[::1]:4000", client), client);
  }
}

}  // namespace
}  // namespace tidepool::proxy

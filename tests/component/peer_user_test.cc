#include "tidepool/net/peer_user.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "stream_pair.h"

namespace tidepool::net {
namespace {

using testing::SocketPair;

TEST(PeerUser, IsWhoeverIsAtTheOtherEndOfAUnixSocket) {
  const SocketPair pair;
  EXPECT_EQ(peer_user_of(pair.near.get()), ::geteuid());
}

TEST(PeerUser, OfAnyOtherSocketNobodyIsKnown) {
  const UniqueFd tcp(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(peer_user_of(tcp.get()), std::nullopt);
  EXPECT_EQ(peer_user_of(-1), std::nullopt);
}

// As a user of another namespace appears, by the number of all of those.
TEST(PeerUser, WhoHasNoNumberHereIsNobody) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to become another user";
  ASSERT_EQ(::seteuid(overflow_user()), 0);
  const SocketPair pair;
  ASSERT_EQ(::seteuid(0), 0);
  EXPECT_EQ(peer_user_of(pair.near.get()), std::nullopt);
}

}  // namespace
}  // namespace tidepool::net

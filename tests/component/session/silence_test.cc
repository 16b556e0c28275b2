// A client that is silent for longer than its session's wait_timeout is disconnected, as by TiDB.
#include "session_fixture.h"

namespace tidepool::testing {
namespace {

class SilenceTest : public SessionTest {};

TEST_F(SilenceTest, ASilentClientIsDisconnectedAfterItsWaitTimeout) {
  start();
  RawClient silent = client();
  RawClient other = client();
  ASSERT_TRUE(silent.query("SET wait_timeout = 1").is_ok());

  EXPECT_TRUE(silent.read_reply().is_closed());

  EXPECT_TRUE(has_sessions(1));
  EXPECT_EQ(other.query("SELECT 1").rows, std::vector<std::string>{"0"});
}

}  // namespace
}  // namespace tidepool::testing

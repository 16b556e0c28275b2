// Commands whose number of answers is not certain: what comes late is theirs, and never that of the
// session that has the backend next.
#include <string>

#include "session_fixture.h"

namespace tidepool::testing {
namespace {

using ::testing::ElementsAre;

const std::string kRefreshPrivileges{"\x07\x01"};

class FenceTest : public SessionTest {};

TEST_F(FenceTest, KeepsTheBackendUntilAllAnswersAreThere) {
  start();
  tidb_.hold("PING");
  RawClient refreshing = client();
  RawClient writing = client();

  refreshing.send(kRefreshPrivileges);
  EXPECT_TRUE(refreshing.read_reply().is_ok());
  EXPECT_TRUE(refreshing.read_reply().is_ok()) << "TiDB's second one";
  writing.send("\x03INSERT INTO t VALUES (1)");
  EXPECT_TRUE(eventually([&] { return proxy_->counts().waiting == 1; }));
  EXPECT_THAT(tidb_.commands(), ElementsAre("COMMAND 7", "PING"));
  tidb_.let_go();

  EXPECT_TRUE(writing.read_reply().is_ok());
  EXPECT_THAT(tidb_.commands(), ElementsAre("COMMAND 7", "PING", "INSERT INTO t VALUES (1)"));
}

TEST_F(FenceTest, CountsRefreshedPrivilegesAsAStatement) {
  start();
  RawClient client = this->client();
  (void)client.query("UPDATE t SET v = 1");

  client.send(kRefreshPrivileges);
  EXPECT_TRUE(client.read_reply().is_ok());
  EXPECT_TRUE(client.read_reply().is_ok());

  EXPECT_THAT(client.query("SELECT ROW_COUNT()").rows, ElementsAre("0"));
  EXPECT_THAT(tidb_.commands(), ElementsAre("UPDATE t SET v = 1", "COMMAND 7", "PING"));
}

TEST_F(FenceTest, PassesOnOneAnswerWhereThereIsOne) {
  start();
  RawClient client = this->client();

  client.send(std::string("\x07\x02"));
  EXPECT_TRUE(client.read_reply().is_ok());
  client.send(std::string("\x28what"));
  EXPECT_TRUE(client.read_reply().is_ok());

  EXPECT_EQ(client.query("SELECT 1").kind, Reply::Kind::kRows);
  EXPECT_THAT(tidb_.commands(), ElementsAre("COMMAND 7", "PING", "COMMAND 40", "PING", "SELECT 1"));
}

TEST_F(FenceTest, LetsAServerShutDownBehindTheAnswer) {
  start();
  RawClient client = this->client();
  tidb_.break_at(1, Fault::kShuttingDown);

  client.send("\x08");
  EXPECT_TRUE(client.read_reply().is_ok());

  EXPECT_EQ(client.query("SELECT 1").kind, Reply::Kind::kRows) << "on another backend";
}

}  // namespace
}  // namespace tidepool::testing

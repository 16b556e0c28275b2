// KILL of sessions by their ids: what TiDB is told, and that nothing else can be hit.
#include "session_fixture.h"

namespace tidepool::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class KillTest : public SessionTest {
 protected:
  KillTest() {
    pool().size = 2;
    config::User other = config_.users[0];
    other.name = "other";
    config_.users.push_back(other);
  }

  // A client whose statement is under way on the backend with TiDB's number 1000.
  RawClient running(const std::string& text) {
    RawClient client = this->client();
    tidb_.hold(text);
    client.send("\x03" + text);
    EXPECT_TRUE(holds(1));
    return client;
  }
};

TEST_F(KillTest, EndsAStatementOnAnotherBackend) {
  start();
  RawClient target = running("SELECT 'long'");
  RawClient killer = client();
  tidb_.answer("SELECT 'long'", err_packet(1317, "70100", "Query execution was interrupted"));

  EXPECT_TRUE(killer.query("KILL QUERY 1").is_ok());

  EXPECT_TRUE(eventually([&] { return tidb_.commands().back() == "KILL QUERY 1000"; }));
  tidb_.let_go();
  EXPECT_TRUE(target.read_reply().is_error(1317));
  EXPECT_EQ(target.query("SELECT 1").kind, Reply::Kind::kRows);
}

TEST_F(KillTest, KeepsTheLeaseUntilTheKillIsAnswered) {
  start();
  RawClient target = running("SELECT 'long'");
  RawClient killer = client();
  tidb_.hold("KILL QUERY 1000");
  ASSERT_TRUE(killer.query("KILL QUERY 1").is_ok());
  ASSERT_TRUE(holds(2));

  tidb_.release("SELECT 'long'");

  EXPECT_EQ(target.read_reply().kind, Reply::Kind::kRows);
  EXPECT_EQ(proxy_->counts().leased, 2U);
  tidb_.let_go();
  EXPECT_TRUE(is_idle());
}

TEST_F(KillTest, EndsASessionAndItsStatementAndKeepsTheBackend) {
  start();
  RawClient target = running("SELECT 'long'");
  RawClient killer = client();
  tidb_.answer("SELECT 'long'", err_packet(1317, "70100", "Query execution was interrupted"));

  EXPECT_TRUE(killer.query("KILL 1").is_ok());

  EXPECT_TRUE(target.read_reply().is_closed());
  EXPECT_TRUE(eventually([&] { return tidb_.commands().back() == "KILL QUERY 1000"; }));
  tidb_.let_go();
  EXPECT_TRUE(is_idle());
  EXPECT_TRUE(has_sessions(1));
  EXPECT_EQ(proxy_->counts().total(), 2U);
}

TEST_F(KillTest, EndsTheStatementOfAClientThatLeaves) {
  config_.disconnect_grace = std::chrono::milliseconds(0);
  start();
  {
    const RawClient leaves = running("SELECT 'long'");
    tidb_.answer("SELECT 'long'", err_packet(1317, "70100", "Query execution was interrupted"));
  }

  EXPECT_TRUE(eventually([&] { return tidb_.commands().back() == "KILL QUERY 1000"; }));
  tidb_.let_go();
  EXPECT_TRUE(has_sessions(0));
  EXPECT_TRUE(is_idle());
  EXPECT_EQ(proxy_->counts().total(), 2U);
  expect_service();
}

TEST_F(KillTest, EndsAnIdleSession) {
  start();
  RawClient target = client();
  RawClient killer = client();

  EXPECT_TRUE(killer.query("KILL QUERY 1").is_ok());
  EXPECT_TRUE(target.ping().is_ok());
  EXPECT_TRUE(killer.query("KILL TIDB CONNECTION 1").is_ok());

  EXPECT_TRUE(target.read_reply().is_closed());
  EXPECT_THAT(tidb_.commands(), IsEmpty());
}

TEST_F(KillTest, ReachesASessionFromAmongSeveralStatements) {
  start();
  RawClient target = client();
  RawClient other = client();
  RawClient::Options as_other = options();
  as_other.user = "other";
  const RawClient another_users = client(as_other);
  RawClient::Options with_many = options();
  with_many.capabilities |= protocol::capability::kMultiStatements;
  RawClient killer = client(with_many);
  tidb_.answer("SELECT 1;DO 0; SELECT 2; KILL 3;DO 0",
               ok_packet(1, 2 | 8) + ok_packet(2, 2 | 8) + err_packet(1105, "HY000", "no", 3));

  EXPECT_TRUE(killer.query("SELECT 1; KILL 1; SELECT 2; KILL 3; KILL 2").is_ok());

  EXPECT_TRUE(target.read_reply().is_closed());
  EXPECT_TRUE(other.ping().is_ok()) << "the statement before the KILL failed";
  EXPECT_TRUE(has_sessions(3));
}

TEST_F(KillTest, ReachesASessionOfAnotherWorker) {
  config_.workers = 2;
  start();
  std::vector<RawClient> clients;
  for (int i = 0; i < 8; ++i)
    clients.push_back(client());

  for (int i = 1; i < 8; ++i)
    EXPECT_TRUE(clients[0].query("KILL " + std::to_string(i + 1)).is_ok());

  EXPECT_TRUE(has_sessions(1));
  for (std::size_t i = 1; i < clients.size(); ++i)
    EXPECT_TRUE(clients[i].read_reply().is_closed());
}

TEST_F(KillTest, RefusesToEndAnotherUsersSession) {
  start();
  RawClient target = client();
  RawClient::Options as_other = options();
  as_other.user = "other";
  RawClient killer = client(as_other);

  EXPECT_TRUE(killer.query("KILL 1").is_error(1227));
  EXPECT_EQ(killer.query("SHOW WARNINGS").rows, Words{"Error"});
  EXPECT_TRUE(target.ping().is_ok());
}

TEST_F(KillTest, EndsItsOwnSessionWithoutAnAnswer) {
  start();
  RawClient one = client();
  RawClient two = client();

  EXPECT_TRUE(one.query("KILL CONNECTION_ID()").is_closed());
  EXPECT_TRUE(two.query("KILL QUERY 2").is_error(1317));
  EXPECT_TRUE(two.query("KILL 2").is_closed());
}

TEST_F(KillTest, LeavesToTidbWhatIsMoreThanAKill) {
  start();
  RawClient target = client();
  RawClient killer = client();
  EXPECT_TRUE(killer.query("KILL 1 foo").is_ok());
  EXPECT_TRUE(killer.query("KILL (1").is_ok());
  EXPECT_THAT(tidb_.commands(), ElementsAre("KILL 1 foo", "KILL (1"));
  EXPECT_TRUE(target.ping().is_ok());
}

TEST_F(KillTest, LeavesAnIdThatIsNoSessionsToTidb) {
  start();
  RawClient client = this->client();

  EXPECT_TRUE(client.query("KILL 77").is_ok());
  EXPECT_TRUE(client.query("KILL QUERY CONNECTION_ID()").is_ok());

  EXPECT_THAT(tidb_.commands(), ElementsAre("KILL 77", "KILL QUERY CONNECTION_ID()"));
}

}  // namespace
}  // namespace tidepool::testing

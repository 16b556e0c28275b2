// KILL of sessions by their ids: what TiDB is told, and that nothing else can be hit.
#include <algorithm>

#include "session_fixture.h"
#include "tidepool/pool/pool_stats.h"

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

  RawClient other_client() {
    RawClient::Options as_other = options();
    as_other.user = "other";
    return client(as_other);
  }
  bool has_sent_no_kill() const {
    const Words sent = tidb_.commands();
    return std::none_of(sent.begin(), sent.end(),
                        [](const auto& one) { return one.find("KILL") != std::string::npos; });
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
  RawClient::Options with_many = options();
  with_many.capabilities |= protocol::capability::kMultiStatements;
  RawClient killer = client(with_many);
  tidb_.answer("SELECT 1;DO 0; SELECT 2;DO 0",
               ok_packet(1, 2 | 8) + ok_packet(2, 2 | 8) + err_packet(1105, "HY000", "no", 3));

  EXPECT_TRUE(killer.query("SELECT 1; KILL 1; SELECT 2; KILL 2").is_ok());

  EXPECT_TRUE(target.read_reply().is_closed());
  EXPECT_TRUE(other.ping().is_ok()) << "the statement before the KILL failed";
  EXPECT_TRUE(has_sessions(2));
}

TEST_F(KillTest, RefusesATextWithAKillOfAnotherUsersSession) {
  start();
  RawClient target = client();
  RawClient own = other_client();
  RawClient::Options with_many = options();
  with_many.user = "other";
  with_many.capabilities |= protocol::capability::kMultiStatements;
  RawClient killer = client(with_many);

  EXPECT_TRUE(killer.query("KILL 2; SELECT 1; KILL 1").is_error(1227));

  EXPECT_TRUE(target.ping().is_ok());
  EXPECT_TRUE(own.ping().is_ok());
  EXPECT_THAT(tidb_.commands(), IsEmpty());
}

TEST_F(KillTest, ReachesASessionOfAnotherWorker) {
  config_.workers = 2;
  start();
  std::vector<RawClient> clients;
  clients.reserve(8);
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

// The numbers that a process list shows, of TiDB's.

TEST_F(KillTest, RefusesToEndWhatRunsForAnotherUser) {
  start();
  const RawClient target = running("SELECT 'long'");
  RawClient killer = other_client();

  EXPECT_TRUE(killer.query("KILL QUERY 1000").is_error(1227));
  EXPECT_TRUE(killer.query("KILL TIDB 1000").is_error(1227));
  EXPECT_TRUE(killer.query("KILL /*+ a_hint */ 1000").is_error(1227));
  EXPECT_EQ(killer.query("SHOW WARNINGS").rows, Words{"Error"});

  EXPECT_TRUE(has_sent_no_kill());
  EXPECT_EQ(tidb_.held(), 1);
  tidb_.let_go();
}

TEST_F(KillTest, RefusesToEndWhatRunsForAnotherUserHoweverItIsAsked) {
  start();
  const RawClient target = running("SELECT 'long'");
  RawClient::Options with_many = options();
  with_many.user = "other";
  with_many.capabilities |= protocol::capability::kMultiStatements;
  RawClient killer = client(with_many);
  const Reply prepared = killer.prepare("KILL 1000");
  ASSERT_TRUE(killer.query("PREPARE k FROM 'KILL 1000'").is_ok());

  EXPECT_TRUE(killer.execute(prepared.statement).is_error(1227));
  EXPECT_TRUE(killer.query("EXECUTE k").is_error(1227));
  EXPECT_TRUE(killer.query("SELECT 1; KILL 1000").is_error(1227));
  EXPECT_TRUE(killer.query("SELECT 1; EXECUTE k; SELECT 2").is_error(1227));
  EXPECT_TRUE(killer.query("PREPARE o FROM 'KILL 1000'; EXECUTE o").is_error(1227));

  const Words sent = tidb_.commands();
  EXPECT_EQ(std::count_if(sent.begin(), sent.end(),
                          [](const auto& one) { return one.starts_with("SELECT 1"); }),
            0)
      << "none of the text is executed";
  EXPECT_EQ(tidb_.held(), 1);
  tidb_.let_go();
}

TEST_F(KillTest, EndsTheStatementOfTheSessionThatHasTheBackend) {
  start();
  RawClient target = running("SELECT 'long'");
  RawClient killer = client();
  tidb_.answer("SELECT 'long'", err_packet(1317, "70100", "Query execution was interrupted"));

  EXPECT_TRUE(killer.query("KILL QUERY 1000").is_ok());

  EXPECT_TRUE(eventually([&] { return tidb_.commands().back() == "KILL QUERY 1000"; }));
  tidb_.let_go();
  EXPECT_TRUE(target.read_reply().is_error(1317));
  EXPECT_TRUE(target.ping().is_ok());
}

TEST_F(KillTest, EndsTheSessionThatHasTheBackend) {
  start();
  RawClient target = client();
  ASSERT_TRUE(target.query("BEGIN").is_ok());
  RawClient killer = client();

  EXPECT_TRUE(killer.query("KILL 1000").is_ok());

  EXPECT_TRUE(target.read_reply().is_closed());
  EXPECT_TRUE(has_sessions(1));
  EXPECT_TRUE(has_sent_no_kill());
}

TEST_F(KillTest, EndsItselfByTheNumberOfItsBackend) {
  start();
  RawClient client = this->client();
  ASSERT_TRUE(client.query("BEGIN").is_ok());

  EXPECT_TRUE(client.query("KILL QUERY 1000").is_error(1317));
  EXPECT_TRUE(client.query("KILL 1000").is_closed());
}

TEST_F(KillTest, ClosesABackendThatNobodyHasItself) {
  start();
  RawClient killer = other_client();

  EXPECT_TRUE(killer.query("KILL QUERY 1000").is_ok());
  EXPECT_EQ(proxy_->counts().idle, 1U);
  EXPECT_TRUE(killer.query("KILL 1000").is_ok());

  const auto& retired = proxy_->pool_stats().retired;
  EXPECT_TRUE(eventually([&] { return retired[pool::RetireReason::kKilled].value() == 1; }));
  EXPECT_TRUE(has_sent_no_kill());
  expect_service();
}

TEST_F(KillTest, DoesNotFollowABackendFromAmongSeveralStatementsToItsNextHolder) {
  start();
  RawClient::Options with_many = options();
  with_many.user = "other";
  with_many.capabilities |= protocol::capability::kMultiStatements;
  RawClient killer = client(with_many);
  RawClient both = running("SELECT 'long'");  // has backend 1000
  RawClient second = other_client();
  tidb_.hold("SELECT 'second'");
  second.send("\x03SELECT 'second'");
  ASSERT_TRUE(holds(2));  // and another 1001
  tidb_.release("SELECT 'long'");
  ASSERT_EQ(both.read_reply().kind, Reply::Kind::kRows);
  ASSERT_TRUE(eventually([&] { return proxy_->counts().idle == 1; }));
  tidb_.hold("SELECT 1;DO 0");
  tidb_.answer("SELECT 1;DO 0", ok_packet(1, 2 | 8) + ok_packet(2, 2));
  killer.send("\x03SELECT 1; KILL 1001");  // of its own user, until:
  ASSERT_TRUE(holds(2));
  tidb_.release("SELECT 'second'");
  ASSERT_EQ(second.read_reply().kind, Reply::Kind::kRows);
  RawClient next = client();
  ASSERT_TRUE(next.query("BEGIN").is_ok());  // 1001 is lent to the other user

  tidb_.let_go();

  EXPECT_TRUE(killer.read_reply().is_ok());
  EXPECT_TRUE(next.query("COMMIT").is_ok());
  EXPECT_TRUE(has_sent_no_kill());
}

TEST_F(KillTest, RefusesToEndABackendOfAnotherPool) {
  FakeTidb other_tidb;
  config::Pool other_pool = pool();
  other_pool.name = "other";
  other_pool.endpoints = {{"127.0.0.1", other_tidb.port()}};
  config_.pools.push_back(other_pool);
  config_.users[1].pool = "other";
  start();
  RawClient first = other_client();
  RawClient second = other_client();
  ASSERT_TRUE(first.query("BEGIN").is_ok());
  ASSERT_TRUE(second.query("BEGIN").is_ok());  // on 1001, a number that only that pool has

  RawClient killer = client();
  EXPECT_TRUE(killer.query("KILL 1001").is_error(1227));
  EXPECT_TRUE(killer.query("KILL 1000").is_ok()) << "the number is one of its own pool too";

  EXPECT_TRUE(first.query("COMMIT").is_ok());
  EXPECT_TRUE(second.query("COMMIT").is_ok());
  EXPECT_TRUE(has_sent_no_kill());
}

TEST_F(KillTest, EndsWhatRunsForAnotherUserOfThePoolForWhoMayKill) {
  config_.users[1].may_kill = true;
  start();
  RawClient target = running("SELECT 'long'");
  tidb_.answer("SELECT 'long'", err_packet(1317, "70100", "Query execution was interrupted"));
  RawClient killer = other_client();

  EXPECT_TRUE(killer.query("KILL QUERY 1000").is_ok());

  EXPECT_TRUE(eventually([&] { return tidb_.commands().back() == "KILL QUERY 1000"; }));
  tidb_.let_go();
  EXPECT_TRUE(target.read_reply().is_error(1317));
  EXPECT_TRUE(killer.query("KILL 1").is_ok());
  EXPECT_TRUE(target.read_reply().is_closed());
}

TEST_F(KillTest, RefusesToEndASessionOfAnotherPoolEvenForWhoMayKill) {
  config::Pool other_pool = pool();
  other_pool.name = "other";
  config_.pools.push_back(other_pool);
  config_.users[1].pool = "other";
  config_.users[1].may_kill = true;
  start();
  RawClient target = client();
  RawClient killer = other_client();

  EXPECT_TRUE(killer.query("KILL 1").is_error(1227));
  EXPECT_TRUE(target.ping().is_ok());
}

}  // namespace
}  // namespace tidepool::testing

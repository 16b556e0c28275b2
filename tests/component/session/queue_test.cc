// Sessions that wait for a lease, and the drain.
#include "session_fixture.h"

namespace tidepool::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class QueueTest : public SessionTest {
 protected:
  bool waiting(unsigned count) {
    return eventually([&] { return proxy_->counts().waiting == count; });
  }
};

TEST_F(QueueTest, ServesThoseWhoWaitInTheOrderOfTheirComing) {
  start();
  RawClient first = client();
  ASSERT_TRUE(first.query("BEGIN").is_ok());
  std::vector<RawClient> others;
  for (int i = 0; i < 4; ++i) {
    others.push_back(client());
    others.back().send("\x03SELECT " + std::to_string(i));
    ASSERT_TRUE(waiting(static_cast<unsigned>(i + 1)));
  }

  ASSERT_TRUE(first.query("COMMIT").is_ok());

  for (RawClient& other : others)
    EXPECT_EQ(other.read_reply().rows, Words{"0"});
  EXPECT_THAT(tidb_.commands(),
              ElementsAre("BEGIN", "COMMIT", "SELECT 0", "SELECT 1", "SELECT 2", "SELECT 3"));
  EXPECT_EQ(tidb_.server().most_open(), 1);
}

TEST_F(QueueTest, TellsWhatIsTheMatterWhenTheWaitIsTooLong) {
  pool().timeout = std::chrono::milliseconds(50);
  start();
  RawClient first = client();
  ASSERT_TRUE(first.query("BEGIN").is_ok());
  RawClient second = client();

  const Reply reply = second.query("SELECT 1");

  EXPECT_TRUE(reply.is_error(1040)) << describe(reply);
  EXPECT_THAT(reply.text, HasSubstr("1 leased, 0 dialling, 0 idle of at most 1"));
  EXPECT_EQ(proxy_->pool_stats().lease_timeouts.value(), 1U);
  ASSERT_TRUE(first.query("COMMIT").is_ok());
  EXPECT_EQ(second.query("SELECT 1").rows, Words{"0"}) << "the session lives on";
}

TEST_F(QueueTest, ExecutesTheStatementOfAClientThatLeavesWhileItWaits) {
  start();
  RawClient first = client();
  ASSERT_TRUE(first.query("BEGIN").is_ok());
  RawClient second = client();
  second.send("\x03INSERT INTO t VALUES (1)");
  ASSERT_TRUE(waiting(1));

  second.close();

  ASSERT_TRUE(first.query("COMMIT").is_ok());
  EXPECT_TRUE(has_sessions(1));
  expect_service();
  EXPECT_THAT(tidb_.commands(),
              ElementsAre("BEGIN", "COMMIT", "INSERT INTO t VALUES (1)", "SELECT 'service'"));
}

TEST_F(QueueTest, OpensBackendsUpToTheCapAndNotOneMore) {
  pool().size = 2;
  pool().max_overflow = 1;
  start();
  tidb_.hold("SELECT 'held'");
  std::vector<RawClient> clients;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(client());
    clients.back().send("\x03SELECT 'held'");
  }
  ASSERT_TRUE(holds(3));
  ASSERT_TRUE(waiting(5));

  tidb_.let_go();

  for (RawClient& one : clients)
    EXPECT_EQ(one.read_reply().kind, Reply::Kind::kRows);
  EXPECT_EQ(tidb_.server().most_open(), 3);
}

TEST_F(QueueTest, SharesTheBackendsOfAllWorkers) {
  config_.workers = 2;
  start();
  std::vector<RawClient> clients;
  for (int i = 0; i < 16; ++i)
    clients.push_back(client());

  for (int round = 0; round < 3; ++round) {
    for (RawClient& one : clients)
      EXPECT_EQ(one.query("SELECT 1").rows, Words{"0"});
  }

  EXPECT_EQ(tidb_.server().connections(), 1);
}

// Two users of one pool, whose clients log in with different flags.
TEST_F(QueueTest, ClientsOfTwoProfilesShareAFullPoolAndNobodyStandsStill) {
  constexpr int kStatements = 100;
  pool().max_overflow = 0;
  pool().timeout = std::chrono::seconds(10);
  config_.users.push_back(config_.users[0]);
  config_.users[1].name = "other";
  for (const int size : {2, 3}) {
    pool().size = size;
    start();
    std::vector<RawClient> clients;
    for (int i = 0; i < 6; ++i) {
      clients.push_back(client());
      RawClient::Options found_rows = options();
      found_rows.user = "other";
      found_rows.capabilities |= protocol::capability::kFoundRows;
      clients.push_back(client(found_rows));
    }
    const int before = tidb_.server().connections();

    for (int count = 0; count < kStatements; ++count) {
      for (RawClient& one : clients)
        one.send("\x03SELECT 1");
      for (RawClient& one : clients)
        ASSERT_EQ(one.read_reply().kind, Reply::Kind::kRows)
            << "size " << size << " statement " << count;
    }

    EXPECT_EQ(proxy_->pool_stats().lease_timeouts.value(), 0U);
    // Who comes last in a round finds backends of the others, whom nobody needs any more; a backend
    // may so change sides twice a round, and never for each of the twelve statements.
    EXPECT_LE(tidb_.server().connections() - before, 2 * size * kStatements) << "size " << size;
    proxy_.reset();
  }
}

TEST_F(QueueTest, TellsTheReasonAtOnceWhenTidbRefusesTheAccount) {
  pool().password = "wrong";
  proxy_ = std::make_unique<ProxyUnderTest>(config_);
  RawClient client = this->client();
  const Reply reply = client.query("SELECT 1");

  EXPECT_TRUE(reply.is_error(1045)) << describe(reply);
  EXPECT_THAT(reply.text, HasSubstr("Access denied for user 'app'"));
  EXPECT_THAT(reply.text, HasSubstr("TiDB refuses user 'app' of the pool"))
      << "not to be taken for a wrong password of the client";
}

TEST_F(QueueTest, AChangeOfAccountsByAnyClientEndsTheRefusalOfAPool) {
  config_.pools.push_back(config_.pools[0]);
  config_.pools[1].name = "second";
  config_.pools[1].password = "wrong";
  config_.pools[1].backoff.initial = std::chrono::seconds(10);  // the pause outlasts the test
  config_.pools[1].backoff.refused = std::chrono::minutes(1);
  config_.users.push_back(config_.users[0]);
  config_.users[1].name = "other";
  config_.users[1].pool = "second";
  start();
  RawClient::Options others = options();
  others.user = "other";
  RawClient refused = client(others);
  EXPECT_TRUE(refused.query("SELECT 1").is_error(1045));
  const pool::PoolStats& stats = proxy_->pool_stats(1);
  const auto dials = [&] { return stats.dials[pool::DialResult::kAuth].value(); };
  const auto before = dials();
  EXPECT_TRUE(refused.query("SELECT 1").is_error(1045));
  EXPECT_EQ(dials(), before) << "told at once";

  ASSERT_TRUE(client().query("ALTER USER app IDENTIFIED BY 'wrong'").is_ok());

  EXPECT_TRUE(refused.query("SELECT 1").is_error(1045));
  EXPECT_EQ(dials(), before + 1) << "tried again";
}

TEST_F(QueueTest, ShowsTheLastDialErrorToThoseWhoWaitInVain) {
  pool().timeout = std::chrono::milliseconds(50);
  start();
  tidb_.server().set_opening(FakeMysql::Opening::kError);
  tidb_.server().hang_up();
  ASSERT_TRUE(eventually([&] { return proxy_->counts().total() == 0; }));
  RawClient client = this->client();
  EXPECT_TRUE(client.query("SELECT 1").is_error(1040));
  const auto& refused = proxy_->pool_stats().dials[pool::DialResult::kBackend];
  ASSERT_TRUE(eventually([&] { return refused.value() > 0; }));

  const Reply reply = client.query("SELECT 1");

  EXPECT_TRUE(reply.is_error(1040)) << describe(reply);
  EXPECT_THAT(reply.text, HasSubstr("last dial error: "));
  tidb_.server().set_opening(FakeMysql::Opening::kGreeting);
  EXPECT_TRUE(eventually([&] { return client.query("SELECT 1").kind == Reply::Kind::kRows; }));
}

TEST_F(QueueTest, DrainsIdleClientsAtOnceAndOthersAtTheEndOfTheirTransaction) {
  start();
  RawClient idle = client();
  RawClient busy = client();
  ASSERT_TRUE(busy.query("BEGIN").is_ok());

  proxy_->drain();

  EXPECT_TRUE(idle.is_closed());
  EXPECT_EQ(busy.query("SELECT 1").kind, Reply::Kind::kRows);
  EXPECT_TRUE(busy.query("COMMIT").is_ok());
  EXPECT_TRUE(busy.is_closed());
  EXPECT_TRUE(has_sessions(0));
}

TEST_F(QueueTest, DrainsAClientThatIsServedRightNowAfterItsAnswer) {
  start();
  RawClient client = this->client();
  tidb_.hold("SELECT 1");
  client.send("\x03SELECT 1");
  ASSERT_TRUE(holds(1));

  proxy_->drain();
  tidb_.let_go();

  EXPECT_EQ(client.read_reply().rows, Words{"0"});
  EXPECT_TRUE(client.is_closed());
}

TEST_F(QueueTest, EndsAtTheDeadlineWhateverIsUnderWay) {
  start();
  RawClient executing = client();
  tidb_.hold("SELECT 1");
  executing.send("\x03SELECT 1");
  RawClient waits = client();
  waits.send("\x03SELECT 2");
  ASSERT_TRUE(holds(1));
  ASSERT_TRUE(waiting(1));

  proxy_->close_sessions();

  EXPECT_TRUE(executing.is_closed());
  EXPECT_TRUE(waits.is_closed());
  tidb_.let_go();
}

}  // namespace
}  // namespace tidepool::testing

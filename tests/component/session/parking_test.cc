// What only the backend knows stays there while its session gets the same one again, and is read
// back when somebody else needs it.
#include "session_fixture.h"

namespace tidepool::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* kWarns = "UPDATE t SET a = 'x'";

class ParkingTest : public SessionTest {
 protected:
  ParkingTest() {
    tidb_.answer(kWarns, packet(1, std::string("\0\0\0\2\0\1\0", 7)));  // an OK, one warning
  }

  bool is_parked(unsigned count = 1) const {
    return eventually([&] { return proxy_->counts().parked == count; });
  }
  bool waiting(unsigned count) const {
    return eventually([&] { return proxy_->counts().waiting == count; });
  }
  bool received(const Words& commands) const {
    return eventually([&] { return tidb_.commands() == commands; });
  }
  // A client whose last statement left a warning, and its lease parked.
  RawClient parked() {
    RawClient client = this->client();
    EXPECT_TRUE(client.query(kWarns).is_ok());
    EXPECT_TRUE(is_parked());
    return client;
  }
  void expect_nothing_left() {
    EXPECT_TRUE(eventually([&] {
      const pool::BrokerCounts counts = proxy_->counts();
      return counts.parked == 0 && counts.leased == 0 && counts.waiting == 0;
    }));
    using pool::BackendState;
    for (const auto state :
         {BackendState::kParked, BackendState::kLeased, BackendState::kResetting}) {
      EXPECT_EQ(proxy_->pool_stats().backends[state].value(), 0) << to_string(state);
    }
  }
};

TEST_F(ParkingTest, TheSameSessionGoesOnWithoutAnythingBeingReadBack) {
  start();
  RawClient client = parked();
  EXPECT_EQ(proxy_->pool_stats().backends[pool::BackendState::kParked].value(), 1);
  EXPECT_EQ(proxy_->sessions_in(session::SessionActivity::kPinned), 0) << "parked is not pinned";

  EXPECT_EQ(client.query("SHOW WARNINGS").rows, Words{"Warning"});
  EXPECT_EQ(client.query("SELECT 1").rows, Words{"0"});

  EXPECT_TRUE(is_idle());
  expect_nothing_left();
  EXPECT_THAT(tidb_.commands(), ElementsAre(kWarns, "SHOW WARNINGS", "SELECT 1"));
}

TEST_F(ParkingTest, AnotherSessionGetsTheBackendOnceTheWarningsAreReadBack) {
  start();
  RawClient one = parked();
  RawClient two = client();

  EXPECT_EQ(two.query("SELECT 2").rows, Words{"0"});
  EXPECT_EQ(one.query("SHOW WARNINGS").rows, Words{"Warning"});

  EXPECT_THAT(tidb_.commands(), ElementsAre(kWarns, "SHOW WARNINGS", "SELECT 2"));
  EXPECT_EQ(proxy_->pool_stats().captures.value(), 1U);
  EXPECT_EQ(tidb_.server().connections(), 1);
  expect_nothing_left();
}

TEST_F(ParkingTest, IsGivenUpAheadOfAnOverflowBackend) {
  pool().max_overflow = 5;
  start();
  RawClient one = parked();
  RawClient two = client();

  EXPECT_EQ(two.query("SELECT 2").rows, Words{"0"});

  EXPECT_EQ(tidb_.server().connections(), 1);
}

TEST_F(ParkingTest, IsKeptWhileThePoolMayGrowToItsSize) {
  pool().size = 2;
  start();
  RawClient one = parked();
  RawClient two = client();

  EXPECT_EQ(two.query("SELECT 2").rows, Words{"1"});

  EXPECT_EQ(proxy_->counts().parked, 1U);
  EXPECT_THAT(tidb_.commands(), ElementsAre(kWarns, "SELECT 2"));
}

TEST_F(ParkingTest, ACommandThatComesWhileItIsReadBackWaitsForItsTurn) {
  start();
  RawClient one = parked();
  RawClient two = client();
  tidb_.hold("SHOW WARNINGS");
  two.send("\x03SELECT 2");
  ASSERT_TRUE(holds(1));

  one.send("\x03SELECT 1");
  EXPECT_TRUE(one.hears_nothing());
  tidb_.let_go();

  EXPECT_EQ(two.read_reply().rows, Words{"0"});
  EXPECT_EQ(one.read_reply().rows, Words{"0"});
  EXPECT_THAT(tidb_.commands(), ElementsAre(kWarns, "SHOW WARNINGS", "SELECT 2", "SELECT 1"));
  expect_nothing_left();
}

TEST_F(ParkingTest, ASessionThatIsExecutingWhenAskedReadsBackAtTheEnd) {
  start();
  RawClient one = parked();
  RawClient two = client();
  tidb_.hold(kWarns);
  one.send(std::string("\x03") + kWarns);
  ASSERT_TRUE(holds(1));
  two.send("\x03SELECT 2");
  ASSERT_TRUE(waiting(1));

  tidb_.let_go();

  EXPECT_TRUE(one.read_reply().is_ok());
  EXPECT_EQ(two.read_reply().rows, Words{"0"});
  EXPECT_THAT(tidb_.commands(), ElementsAre(kWarns, kWarns, "SHOW WARNINGS", "SELECT 2"));
}

TEST_F(ParkingTest, AnOwnerThatLeavesGivesTheBackendUp) {
  start();
  RawClient one = parked();

  one.close();

  EXPECT_TRUE(has_sessions(0));
  expect_nothing_left();
  EXPECT_THAT(tidb_.commands(), ElementsAre(kWarns));
  expect_service();
}

TEST_F(ParkingTest, AnOwnerThatLeavesWhileItIsReadBackLosesNobodyTheBackend) {
  start();
  RawClient one = parked();
  RawClient two = client();
  tidb_.hold("SHOW WARNINGS");
  two.send("\x03SELECT 2");
  ASSERT_TRUE(holds(1));

  one.close();
  tidb_.let_go();

  EXPECT_EQ(two.read_reply().rows, Words{"0"}) << "the same backend";
  EXPECT_TRUE(has_sessions(1));
  expect_nothing_left();
}

TEST_F(ParkingTest, ABackendThatDiesWhileParkedTakesTheWarningsWithIt) {
  start();
  RawClient one = parked();
  tidb_.server().hang_up();
  ASSERT_TRUE(is_parked(0));

  EXPECT_EQ(one.query("SELECT 1").rows, Words{"1"}) << "on another one";
  expect_nothing_left();
}

TEST_F(ParkingTest, ABackendThatDiesWhileItIsReadBackIsReplaced) {
  for (const Fault fault : {Fault::kClose, Fault::kReset, Fault::kGarbage, Fault::kShort}) {
    SCOPED_TRACE(to_string(fault));
    start();
    RawClient one = parked();
    RawClient two = client();
    tidb_.break_at(0, fault);

    EXPECT_EQ(two.query("SELECT 2").kind, Reply::Kind::kRows);
    EXPECT_EQ(one.query("SELECT 1").kind, Reply::Kind::kRows) << "its session lives on";
    expect_nothing_left();
    proxy_.reset();
  }
}

TEST_F(ParkingTest, AWaiterWhoseTimeIsUpWhileItIsReadBackIsToldSo) {
  pool().timeout = std::chrono::milliseconds(50);
  start();
  RawClient one = parked();
  RawClient two = client();
  tidb_.hold("SHOW WARNINGS");

  EXPECT_TRUE(two.query("SELECT 2").is_error(1040));
  tidb_.let_go();

  EXPECT_TRUE(eventually([&] { return proxy_->counts().idle == 1; }));
  EXPECT_EQ(two.query("SELECT 2").rows, Words{"0"});
  EXPECT_EQ(one.query("SHOW WARNINGS").rows, Words{"Warning"});
}

TEST_F(ParkingTest, IsReadBackAfterAWhile) {
  start();
  proxy_->set_parking({.limit = std::chrono::milliseconds(1), .busy = {}});
  RawClient client = this->client();
  ASSERT_TRUE(client.query(kWarns).is_ok());

  EXPECT_TRUE(received({kWarns, "SHOW WARNINGS"}));

  EXPECT_TRUE(eventually([&] { return proxy_->counts().idle == 1; }));
  EXPECT_EQ(client.query("SHOW WARNINGS").rows, Words{"Warning"});
  EXPECT_THAT(tidb_.commands(), ElementsAre(kWarns, "SHOW WARNINGS")) << "answered by the proxy";
}

TEST_F(ParkingTest, ABusyPoolReadsBackAtTheEndOfTheStatement) {
  start();
  proxy_->set_parking({.limit = std::chrono::hours(1), .busy = std::chrono::hours(1)});
  RawClient one = client();
  RawClient two = client();
  tidb_.hold("SELECT 1");
  one.send("\x03SELECT 1");
  ASSERT_TRUE(holds(1));
  two.send("\x03SELECT 2");
  ASSERT_TRUE(waiting(1));
  tidb_.let_go();
  ASSERT_EQ(one.read_reply().rows, Words{"0"});
  ASSERT_EQ(two.read_reply().rows, Words{"0"});

  EXPECT_TRUE(one.query(kWarns).is_ok());

  EXPECT_TRUE(received({"SELECT 1", "SELECT 2", kWarns, "SHOW WARNINGS"}));
  EXPECT_TRUE(eventually([&] { return proxy_->counts().idle == 1; }));
}

TEST_F(ParkingTest, ADrainEndsItsSessionAndGivesItUp) {
  start();
  RawClient client = parked();

  proxy_->drain();

  EXPECT_TRUE(client.is_closed());
  EXPECT_TRUE(has_sessions(0));
  expect_nothing_left();
}

TEST_F(ParkingTest, ASessionOfAnotherWorkerGetsIt) {
  config_.workers = 2;
  start();
  std::vector<RawClient> clients;
  for (int i = 0; i < 16; ++i)
    clients.push_back(client());  // on both workers, as the kernel likes

  for (int round = 0; round < 3; ++round) {
    for (RawClient& one : clients) {
      ASSERT_TRUE(one.query(kWarns).is_ok());
      ASSERT_TRUE(is_parked());
    }
  }

  EXPECT_EQ(clients[0].query("SHOW WARNINGS").rows, Words{"Warning"});
  EXPECT_EQ(tidb_.server().connections(), 1);
}

TEST_F(ParkingTest, OfSeveralEachIsGivenUpToOneWhoWaits) {
  pool().size = 3;
  start();
  std::vector<RawClient> owners;
  for (unsigned i = 0; i < 3; ++i) {
    owners.push_back(client());
    ASSERT_TRUE(owners.back().query(kWarns).is_ok());
    ASSERT_TRUE(is_parked(i + 1));
  }
  tidb_.hold("SELECT 'held'");
  std::vector<RawClient> others;
  for (int i = 0; i < 3; ++i) {
    others.push_back(client());
    others.back().send("\x03SELECT 'held'");
  }

  ASSERT_TRUE(holds(3));
  tidb_.let_go();

  for (RawClient& other : others)
    EXPECT_EQ(other.read_reply().kind, Reply::Kind::kRows);
  EXPECT_EQ(tidb_.server().connections(), 3);
  expect_nothing_left();
}

TEST_F(ParkingTest, ARefusedStatementIsReadBackAtOnceBecauseAnotherSessionsWarningsAreBeforeIts) {
  start();
  RawClient one = parked();
  RawClient two = client();
  tidb_.answer("BROKEN", err_packet(1064, "42000", "You have an error in your SQL syntax"));
  tidb_.forget();

  EXPECT_TRUE(two.query("BROKEN").is_error(1064));

  EXPECT_TRUE(received({"SHOW WARNINGS", "BROKEN", "PING", "SHOW WARNINGS"}));
  EXPECT_TRUE(eventually([&] { return proxy_->counts().idle == 1; }));
}

// On a backend that is kept TiDB may speak of a statement of the proxy's own.
TEST_F(ParkingTest, WhatIsNoStatementSaysAgainWhatTheLastOneSaid) {
  start();
  RawClient client = this->client();
  ASSERT_EQ(client.query("SELECT NEXTVAL(s)").kind, Reply::Kind::kRows);  // pins
  ASSERT_TRUE(client.query(kWarns).is_ok());
  tidb_.answer("-- nothing", packet(1, std::string("\0\7\0\2\0\2\0", 7)));
  const std::string ping = client.ping().bytes;

  EXPECT_EQ(client.query("-- nothing").bytes, ping);
  EXPECT_EQ(client.command(std::string("\x1b\0\0", 3)).bytes.substr(4, 2), "\xfe\x01");
  EXPECT_EQ(client.ping().bytes, ping);
}

TEST_F(ParkingTest, AResetOfTheSessionGivesItUp) {
  start();
  RawClient client = parked();

  EXPECT_TRUE(client.command("\x1f").is_ok());

  EXPECT_TRUE(eventually([&] { return proxy_->counts().idle == 1; }));
  EXPECT_THAT(tidb_.commands(), ElementsAre(kWarns));
}

TEST_F(ParkingTest, AFailedChangeOfTheUserKeepsIt) {
  start();
  RawClient client = parked();

  EXPECT_TRUE(client.change_user("app", "wrong").is_error(1045));

  EXPECT_TRUE(is_parked());
  EXPECT_EQ(client.query("SHOW WARNINGS").rows, Words{"Warning"});
}

TEST_F(ParkingTest, APingIsAnsweredWithoutTheBackend) {
  start();
  RawClient client = parked();
  tidb_.forget();

  EXPECT_TRUE(client.ping().is_ok());

  EXPECT_THAT(tidb_.commands(), IsEmpty());
  EXPECT_EQ(proxy_->counts().parked, 1U);
}

}  // namespace
}  // namespace tidepool::testing

// When a session keeps its backend and when it gives it back; what the next one finds.
#include "session_fixture.h"

namespace tidepool::testing {
namespace {

using ::testing::ElementsAre;
using Received = FakeTidb::Received;

constexpr const char* kFailing = "INSERT INTO broken VALUES (1)";

class PinTest : public SessionTest {};

TEST_F(PinTest, ATransactionKeepsItsBackendUntilItEnds) {
  start();
  RawClient one = client();
  RawClient two = client();
  ASSERT_EQ(one.query("BEGIN").status & 1, 1);
  two.send("\x03SELECT 2");

  EXPECT_EQ(one.query("SELECT 1").rows, Words{"0"});
  EXPECT_TRUE(two.hears_nothing());
  EXPECT_EQ(proxy_->pinned(sql::Pin::kTransaction), 1);
  EXPECT_TRUE(one.query("COMMIT").is_ok());

  EXPECT_EQ(two.read_reply().rows, Words{"0"});
  EXPECT_THAT(tidb_.commands(), ElementsAre("BEGIN", "SELECT 1", "COMMIT", "SELECT 2"));
}

TEST_F(PinTest, AnErrorInATransactionIsFollowedByAPing) {
  start();
  RawClient client = this->client();
  ASSERT_TRUE(client.query("BEGIN").is_ok());

  EXPECT_TRUE(client.query(kFailing).is_error(1105));

  EXPECT_TRUE(eventually([&] { return tidb_.commands() == Words{"BEGIN", kFailing, "PING"}; }));
  EXPECT_EQ(proxy_->pinned(sql::Pin::kTransaction), 1) << "the ping said that it lives on";
  EXPECT_TRUE(client.query("ROLLBACK").is_ok());
  EXPECT_TRUE(is_idle());
}

// An ERR tells neither the insert id nor the affected rows that TiDB remembers of the statement.
TEST_F(PinTest, AfterAnErrorTheBackendTellsWhatItRemembers) {
  start();
  RawClient client = this->client();

  EXPECT_TRUE(client.query(kFailing).is_error(1105));

  EXPECT_TRUE(is_idle());
  EXPECT_THAT(tidb_.commands(),
              ElementsAre(kFailing, "PING", "SHOW WARNINGS", "SELECT LAST_INSERT_ID()"));
}

TEST_F(PinTest, ATransactionOfAClientThatLeavesIsUndone) {
  start();
  RawClient one = client();
  ASSERT_TRUE(one.query("BEGIN").is_ok());
  one.close();

  RawClient two = client();
  EXPECT_EQ(two.query("SELECT 2").rows, Words{"0"});

  EXPECT_THAT(tidb_.received(),
              ElementsAre(Received{0, "BEGIN"}, Received{0, "RESET"}, Received{0, "SELECT 2"}));
}

TEST_F(PinTest, WhatCannotBeMovedPinsUntilTheClientResets) {
  start();
  RawClient one = client();
  RawClient two = client();
  ASSERT_TRUE(one.query("SET tidb_snapshot = '2026-01-01'").is_ok());
  ASSERT_TRUE(eventually([&] { return proxy_->pinned(sql::Pin::kSessionVariable) == 1; }));
  two.send("\x03SELECT 2");
  EXPECT_TRUE(two.hears_nothing());

  EXPECT_TRUE(one.command("\x1f").is_ok());

  EXPECT_EQ(two.read_reply().rows, Words{"0"});
  EXPECT_THAT(tidb_.commands(),
              ElementsAre("SET tidb_snapshot = '2026-01-01'", "RESET", "SELECT 2"));
}

TEST_F(PinTest, ALockIsReleasedByTheClientThatHasIt) {
  start();
  RawClient client = this->client();
  tidb_.answer("SELECT GET_LOCK('a', 1)", text_result({"x"}, {{"1"}}));
  ASSERT_EQ(client.query("SELECT GET_LOCK('a', 1)").kind, Reply::Kind::kRows);
  EXPECT_EQ(proxy_->counts().leased, 1U);

  client.close();

  EXPECT_TRUE(is_idle());
  EXPECT_THAT(tidb_.commands(), ElementsAre("SELECT GET_LOCK('a', 1)", "RESET"));
}

TEST_F(PinTest, ALockPinsNoLongerThanItIsHeld) {
  start();
  RawClient client = this->client();
  const auto integer = [](const char* value) { return text_result({"x"}, {{value}}); };
  tidb_.answer("SELECT GET_LOCK('a', 1)", integer("1"));
  tidb_.answer("SELECT GET_LOCK('b', 1)", integer("0"));

  EXPECT_EQ(client.query("SELECT GET_LOCK('b', 1)").rows, Words{"0"});
  EXPECT_TRUE(is_idle());
  EXPECT_EQ(client.query("SELECT GET_LOCK('a', 1)").rows, Words{"1"});
  EXPECT_EQ(proxy_->counts().leased, 1U);
  EXPECT_EQ(client.query("SELECT RELEASE_LOCK('a')").kind, Reply::Kind::kRows);

  EXPECT_TRUE(is_idle());
  EXPECT_EQ(tidb_.commands().size(), 3U) << "nothing was reset";
}

TEST_F(PinTest, AnAnswerAboutALockThatFailsReachesTheClient) {
  start();
  RawClient client = this->client();
  tidb_.answer("SELECT GET_LOCK('', 1)", err_packet(3057, "42000", "Incorrect lock name"));

  EXPECT_TRUE(client.query("SELECT GET_LOCK('', 1)").is_error(3057));

  EXPECT_TRUE(is_idle());
}

TEST_F(PinTest, ATemporaryTablePinsUntilItIsDropped) {
  start();
  RawClient one = client();
  RawClient two = client();
  EXPECT_TRUE(one.query("CREATE TEMPORARY TABLE d.t (a INT)").is_ok());
  two.send("\x03SELECT 2");
  EXPECT_TRUE(two.hears_nothing());

  EXPECT_TRUE(one.query("DROP TABLE d.t").is_ok());

  EXPECT_EQ(two.read_reply().rows, Words{"0"});
  EXPECT_THAT(tidb_.commands(),
              ElementsAre("CREATE TEMPORARY TABLE d.t (a INT)", "DROP TABLE d.t", "SELECT 2"));
}

TEST_F(PinTest, ALockThatIsTakenByPreparingPins) {
  start();
  RawClient client = this->client();
  EXPECT_NE(client.prepare("SELECT GET_LOCK('a', 1)").statement, 0U);
  EXPECT_TRUE(eventually([&] { return proxy_->pinned(sql::Pin::kLock) == 1; }));
  EXPECT_EQ(client.query("SELECT RELEASE_ALL_LOCKS()").kind, Reply::Kind::kRows);
  EXPECT_TRUE(is_idle());
}

TEST_F(PinTest, ABackendWhoseResetFailsIsReplaced) {
  start();
  RawClient one = client();
  ASSERT_TRUE(one.query("BEGIN").is_ok());
  tidb_.break_at(0, Fault::kError);
  one.close();

  RawClient two = client();
  EXPECT_EQ(two.query("SELECT 2").rows, Words{"1"}) << "on another backend";
  EXPECT_EQ(proxy_->pool_stats().retired[pool::RetireReason::kDirty].value(), 1U);
}

TEST_F(PinTest, AutocommitOffKeepsTheBackendOnlyWhileTidbSaysThatATransactionIsOpen) {
  start();
  RawClient client = this->client();
  ASSERT_TRUE(client.query("SET autocommit = 0").is_ok());
  tidb_.answer("SELECT a FROM t", text_result({"a"}, {{"1"}}, 1));  // in a transaction
  tidb_.answer("COMMIT", ok_packet(1, 0));

  EXPECT_EQ(client.query("SELECT a FROM t").kind, Reply::Kind::kRows);
  EXPECT_EQ(proxy_->counts().leased, 1U);
  EXPECT_TRUE(client.query("COMMIT").is_ok());

  EXPECT_TRUE(is_idle());
}

TEST_F(PinTest, APingInATransactionGoesToTidb) {
  start();
  RawClient client = this->client();
  ASSERT_TRUE(client.query("BEGIN").is_ok());

  EXPECT_EQ(client.ping().status & 1, 1);

  EXPECT_THAT(tidb_.commands(), ElementsAre("BEGIN", "PING"));
}

TEST_F(PinTest, AProbeThatFailsLeavesNothingForTheNextClient) {
  start();
  RawClient one = client();
  ASSERT_TRUE(one.query("BEGIN").is_ok());
  tidb_.break_at(1, Fault::kShuttingDown);  // the ping after the error

  EXPECT_TRUE(one.query(kFailing).is_error(1105));

  RawClient two = client();
  EXPECT_EQ(two.query("SELECT 2").rows, Words{"1"}) << "on another backend";
  EXPECT_TRUE(one.is_closed()) << "its transaction is lost";
}

TEST_F(PinTest, AProbeAnsweredWithAnErrorLeavesNothingForTheNextClient) {
  start();
  RawClient one = client();
  ASSERT_TRUE(one.query("BEGIN").is_ok());
  tidb_.break_at(1, Fault::kError);

  EXPECT_TRUE(one.query(kFailing).is_error(1105));

  EXPECT_TRUE(one.is_closed());
  RawClient two = client();
  EXPECT_EQ(two.query("SELECT 2").status & 1, 0) << "not in the transaction of another client";
}

}  // namespace
}  // namespace tidepool::testing

// What reaches the backend ahead of a client's command: exactly the statements that the difference
// of the states needs, and in which order with the command.
#include "session_fixture.h"

namespace tidepool::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class RestoreTest : public SessionTest {};

TEST_F(RestoreTest, SendsNothingButTheStatementWhenTheStatesAreEqual) {
  start();
  RawClient one = client();
  RawClient two = client();

  EXPECT_EQ(one.query("SELECT 1").rows, Words{"0"});
  EXPECT_EQ(two.query("SELECT 2").rows, Words{"0"});
  EXPECT_EQ(one.query("SELECT 3").rows, Words{"0"});

  EXPECT_THAT(tidb_.commands(), ElementsAre("SELECT 1", "SELECT 2", "SELECT 3"));
  EXPECT_EQ(proxy_->pool_stats().restores.value(), 0U);
}

TEST_F(RestoreTest, FollowsWhatTheClientSetsAndUndoesItForTheNext) {
  start();
  RawClient one = client();
  RawClient two = client();

  EXPECT_TRUE(one.query("SET sql_mode = 'ANSI'").is_ok());
  EXPECT_EQ(one.query("SELECT 1").rows, Words{"0"});
  EXPECT_EQ(two.query("SELECT 2").rows, Words{"0"});
  EXPECT_EQ(one.query("SELECT 3").rows, Words{"0"});

  EXPECT_THAT(tidb_.commands(),
              ElementsAre("SET sql_mode = 'ANSI'", "SELECT 1", "SET sql_mode=DEFAULT", "SELECT 2",
                          "SET sql_mode='ANSI'", "SELECT 3"));
}

TEST_F(RestoreTest, PipelinesTheRestoreAheadOfARead) {
  start();
  RawClient client = this->client();
  ASSERT_TRUE(client.query("SET NAMES latin1").is_ok());
  const std::string restore = "SET NAMES latin1 COLLATE 'latin1_bin'";
  tidb_.answer(restore, FakeMysql::Answer{.bytes = ""});  // its answer comes with the next one

  client.send("\x03SELECT 1");

  EXPECT_TRUE(eventually([&] { return tidb_.commands() == Words{restore, "SELECT 1"}; }));
}

TEST_F(RestoreTest, AwaitsTheRestoreBeforeAWrite) {
  start();
  RawClient client = this->client();
  ASSERT_TRUE(client.query("SET NAMES latin1").is_ok());
  const std::string restore = "SET NAMES latin1 COLLATE 'latin1_bin'";
  tidb_.hold(restore);

  client.send("\x03INSERT INTO t VALUES (1)");

  ASSERT_TRUE(holds(1));
  EXPECT_TRUE(client.hears_nothing());
  EXPECT_THAT(tidb_.commands(), ElementsAre(restore));
  tidb_.let_go();
  EXPECT_TRUE(client.read_reply().is_ok());
  EXPECT_THAT(tidb_.commands(), ElementsAre(restore, "INSERT INTO t VALUES (1)"));
}

TEST_F(RestoreTest, DoesNotWriteWhenTheRestoreFails) {
  start();
  RawClient client = this->client();
  ASSERT_TRUE(client.query("SET NAMES latin1").is_ok());
  const std::string restore = "SET NAMES latin1 COLLATE 'latin1_bin'";
  tidb_.answer(restore, err_packet(1115, "42000", "Unknown character set"));

  EXPECT_TRUE(client.query("INSERT INTO t VALUES (1)").is_error(1115));

  EXPECT_TRUE(is_idle());  // once it is reset
  EXPECT_THAT(tidb_.commands(), ElementsAre(restore, "RESET"));
}

TEST_F(RestoreTest, SwallowsTheAnswerOfAReadWhoseRestoreFailed) {
  start();
  RawClient client = this->client();
  ASSERT_TRUE(client.query("SET NAMES latin1").is_ok());
  tidb_.answer("SET NAMES latin1 COLLATE 'latin1_bin'",
               err_packet(1115, "42000", "Unknown character set"));

  EXPECT_TRUE(client.query("SELECT 1").is_error(1115));
  EXPECT_TRUE(client.ping().is_ok()) << "in step with the proxy";
}

TEST_F(RestoreTest, GoesToTheDatabaseThatTheClientUses) {
  start();
  RawClient::Options in_users = options();
  in_users.database = "users";
  RawClient one = client(in_users);
  RawClient two = client(in_users);
  tidb_.forget();

  EXPECT_TRUE(one.command("\x02shop").is_ok());
  EXPECT_EQ(two.query("SELECT 2").rows, Words{"0"});
  EXPECT_EQ(one.query("SELECT 1").rows, Words{"0"});

  EXPECT_THAT(tidb_.commands(),
              ElementsAre("USE `shop`", "USE `users`", "SELECT 2", "USE `shop`", "SELECT 1"));
}

TEST_F(RestoreTest, KeepsTheOldDatabaseWhenTheNewOneIsUnknown) {
  start();
  RawClient client = this->client();
  ASSERT_TRUE(client.query("USE shop").is_ok());

  EXPECT_TRUE(client.command("\x02nowhere").is_error(1049));
  EXPECT_EQ(client.query("SELECT 1").rows, Words{"0"});

  EXPECT_THAT(tidb_.commands(), ElementsAre("USE shop", "USE `nowhere`", "PING", "SELECT 1"))
      << "on the same backend, whose warnings nobody else wanted to replace";
}

TEST_F(RestoreTest, ResetsABackendWhoseDatabaseCannotBeLeftOtherwise) {
  start();
  RawClient one = client();
  RawClient two = client();
  ASSERT_TRUE(one.query("USE shop").is_ok());

  EXPECT_EQ(two.query("SELECT 1").rows, Words{"0"});

  EXPECT_THAT(tidb_.commands(), ElementsAre("USE shop", "RESET", "SELECT 1"));
}

TEST_F(RestoreTest, AnswersWithoutABackendWhatNeedsNone) {
  start();
  RawClient client = this->client();

  EXPECT_TRUE(client.ping().is_ok());
  EXPECT_TRUE(client.query("COMMIT").is_ok());
  EXPECT_TRUE(client.query("ROLLBACK").is_ok());
  EXPECT_TRUE(client.query("SET NAMES utf8mb4").is_ok());
  const Reply off = client.query("SET autocommit = 0");
  EXPECT_EQ(off.status & 2, 0) << "AUTOCOMMIT is off in the flags";
  EXPECT_EQ(client.query("SET autocommit = 1").status & 2, 2);
  EXPECT_TRUE(client.query("").is_ok() || true);
  EXPECT_TRUE(client.command("\x1f").is_ok());

  EXPECT_THAT(tidb_.commands(), IsEmpty());
  EXPECT_GE(proxy_->answered_locally(), 6U);
}

TEST_F(RestoreTest, CarriesADeferredAutocommitToTheBackend) {
  start();
  RawClient client = this->client();
  ASSERT_TRUE(client.query("SET autocommit = 0").is_ok());

  EXPECT_EQ(client.query("SELECT 1").rows, Words{"0"});

  EXPECT_THAT(tidb_.commands(), ElementsAre("SET autocommit=OFF", "SELECT 1"));
}

TEST_F(RestoreTest, CapturesTheInsertIdForTheSessionThatAsksLater) {
  start();
  RawClient one = client();
  RawClient two = client();
  tidb_.answer("INSERT INTO t VALUES (1)",
               packet(1, std::string("\0\1\7\2\0\0\0", 7)));  // one row, insert id 7
  tidb_.answer("SELECT LAST_INSERT_ID()", text_result({"LAST_INSERT_ID()"}, {{"7"}}));

  EXPECT_TRUE(one.query("INSERT INTO t VALUES (1)").is_ok());
  EXPECT_EQ(two.query("SELECT 2").rows, Words{"0"});
  EXPECT_EQ(one.query("SELECT LAST_INSERT_ID()").rows, Words{"7"});

  EXPECT_THAT(tidb_.commands(),
              ElementsAre("INSERT INTO t VALUES (1)", "SELECT LAST_INSERT_ID()", "SELECT 2"));
}

TEST_F(RestoreTest, KeepsTheWarningsOfAnErrorForItsOwnSession) {
  start();
  RawClient one = client();
  RawClient two = client();

  EXPECT_TRUE(one.query("INSERT INTO broken VALUES (1)").is_error(1105));
  EXPECT_EQ(two.query("SELECT 2").rows, Words{"0"});
  EXPECT_EQ(one.query("SHOW WARNINGS").rows, Words{"Warning"});

  EXPECT_THAT(tidb_.commands(), ::testing::Contains("SHOW WARNINGS").Times(1));
}

}  // namespace
}  // namespace tidepool::testing

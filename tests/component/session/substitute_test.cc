// What a statement asks of the connection, on a backend that another session has used in between.
#include "session_fixture.h"

namespace tidepool::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;

constexpr std::string_view kStatistics = "\x09";

class SubstituteTest : public SessionTest {
 protected:
  static std::string inserted(int rows, int id) {
    return packet(1, std::string("\0", 1) + static_cast<char>(rows) + static_cast<char>(id) +
                         std::string("\2\0\0\0", 4));
  }
  // Then the other one uses the backend.
  void update_three_rows(RawClient& one, RawClient& two) {
    tidb_.answer("UPDATE t SET a = 1", inserted(3, 0));
    EXPECT_TRUE(one.query("UPDATE t SET a = 1").is_ok());
    EXPECT_EQ(two.query("SELECT 2").rows, Words{"0"});
  }
};

TEST_F(SubstituteTest, LeavesAQuestionToTheBackendThatKnows) {
  start();
  RawClient client = this->client();

  EXPECT_TRUE(client.query("UPDATE t SET a = 1").is_ok());
  EXPECT_EQ(client.query("SELECT ROW_COUNT(), 1").rows, Words{"0"});

  EXPECT_THAT(tidb_.commands(), ElementsAre("UPDATE t SET a = 1", "SELECT ROW_COUNT(), 1"));
}

TEST_F(SubstituteTest, SaysWhatItKnowsWhereTheBackendDoesNot) {
  start();
  RawClient one = client();
  RawClient two = client();
  update_three_rows(one, two);
  EXPECT_EQ(one.query("SELECT ROW_COUNT(), 1").rows, Words{"0"});

  EXPECT_THAT(tidb_.commands(), ElementsAre("UPDATE t SET a = 1", "SELECT 2",
                                            "SELECT (ROW_COUNT()*0+3) AS `ROW_COUNT()`, 1"));
}

TEST_F(SubstituteTest, SaysWhatItKnowsAlsoAfterACommandThatIsNoStatement) {
  start();
  RawClient one = client();
  RawClient two = client();
  update_three_rows(one, two);
  one.command(kStatistics);
  EXPECT_EQ(one.query("SELECT ROW_COUNT(), 1").rows, Words{"0"});

  EXPECT_THAT(tidb_.commands(), Contains("SELECT (ROW_COUNT()*0+3) AS `ROW_COUNT()`, 1"));
}

TEST_F(SubstituteTest, GivesTheIdOfItsGreetingAsTheConnectionId) {
  start();
  RawClient client = this->client();

  EXPECT_EQ(client.query("SELECT CONNECTION_ID() c").rows, Words{"0"});

  EXPECT_THAT(tidb_.commands(), ElementsAre("SELECT (CONNECTION_ID()&0|1) c"));
}

// 1461 is what a prepare is asked again for.
TEST_F(SubstituteTest, DoesNotRunAgainWhatItHasPassedOnTheErrorOf) {
  start();
  RawClient client = this->client();
  tidb_.answer("SELECT (CONNECTION_ID()&0|1) AS `CONNECTION_ID()`",
               err_packet(1461, "42000", "too many"));

  EXPECT_TRUE(client.query("SELECT CONNECTION_ID()").is_error(1461));

  EXPECT_EQ(client.query("SELECT 1").rows, Words{"0"});
  EXPECT_THAT(tidb_.commands(),
              ElementsAre("SELECT (CONNECTION_ID()&0|1) AS `CONNECTION_ID()`", "PING", "SELECT 1"));
}

TEST_F(SubstituteTest, AnswersASyntaxErrorWithTheClientsOwnText) {
  start();
  RawClient client = this->client();
  tidb_.answer("SELECT (CONNECTION_ID()&0|1) FROM",
               err_packet(1064, "42000", "near (CONNECTION_ID()&0|1)"));
  tidb_.answer("SELECT CONNECTION_ID() FROM", err_packet(1064, "42000", "near CONNECTION_ID()"));
  tidb_.answer("SELECT (CONNECTION_ID()&0|1) AS `CONNECTION_ID()` FROM",
               err_packet(1064, "42000", "near (CONNECTION_ID()&0|1)"));

  const Reply reply = client.query("SELECT CONNECTION_ID() FROM");

  EXPECT_TRUE(reply.is_error(1064));
  EXPECT_EQ(reply.text, "near CONNECTION_ID()");
  EXPECT_EQ(client.query("SELECT 1").rows, Words{"0"});
}

TEST_F(SubstituteTest, PassesOtherErrorsOnAsTheyAre) {
  start();
  RawClient client = this->client();
  tidb_.answer("SELECT (CONNECTION_ID()&0|1) c", err_packet(1690, "22003", "out of range"));

  EXPECT_TRUE(client.query("SELECT CONNECTION_ID() c").is_error(1690));
  EXPECT_EQ(client.query("SELECT 1").rows, Words{"0"});
}

TEST_F(SubstituteTest, PreparesAnExecutionsOwnText) {
  start();
  RawClient client = this->client();
  ASSERT_EQ(client.prepare("SELECT CONNECTION_ID() c").statement, 1U);

  EXPECT_EQ(client.execute(1).rows, Words{"0"});

  EXPECT_THAT(tidb_.commands(), ElementsAre("PREPARE SELECT CONNECTION_ID() c",
                                            "PREPARE SELECT (CONNECTION_ID()&0|1) c", "EXECUTE 2"));
}

TEST_F(SubstituteTest, PutsItsOwnInsertIdInTheBackendBeforeItInserts) {
  start();
  RawClient one = client();
  RawClient two = client();
  tidb_.answer("INSERT INTO t VALUES (1)", inserted(1, 7));
  tidb_.answer("SELECT LAST_INSERT_ID()", text_result({"LAST_INSERT_ID()"}, {{"7"}}));
  EXPECT_TRUE(one.query("INSERT INTO t VALUES (1)").is_ok());
  ASSERT_TRUE(is_idle()) << "the capture is over";
  tidb_.forget();

  EXPECT_TRUE(two.query("INSERT INTO u VALUES (1)").is_ok());

  EXPECT_THAT(tidb_.commands(), ElementsAre("SELECT LAST_INSERT_ID(18446744073709551614)",
                                            "INSERT INTO u VALUES (1)"));
}

TEST_F(SubstituteTest, TellsAnotherSessionsInsertIdFromNone) {
  start();
  RawClient one = client();
  RawClient two = client();
  tidb_.answer("INSERT INTO t VALUES (1)", inserted(1, 7));
  tidb_.answer("SELECT LAST_INSERT_ID()", text_result({"LAST_INSERT_ID()"}, {{"7"}}));
  EXPECT_TRUE(one.query("INSERT INTO t VALUES (1)").is_ok());

  EXPECT_EQ(two.query("SELECT LAST_INSERT_ID() i").rows, Words{"0"});

  EXPECT_THAT(tidb_.commands(), Contains("SELECT (LAST_INSERT_ID()&0|0) i"));
}

TEST_F(SubstituteTest, KeepsFoundRowsOverWhatFindsNone) {
  start();
  RawClient one = client();
  RawClient two = client();
  tidb_.answer("SELECT a FROM t", text_result({"a"}, {{"1"}, {"2"}, {"3"}}));
  EXPECT_TRUE(one.query("SELECT a FROM t").rows.size() == 3);
  EXPECT_EQ(two.query("SELECT 2").rows, Words{"0"});
  EXPECT_TRUE(one.query("UPDATE t SET a = 1").is_ok());

  EXPECT_EQ(one.query("SELECT FOUND_ROWS() f").rows, Words{"0"});

  EXPECT_EQ(tidb_.commands().back(), "SELECT (FOUND_ROWS()&0|3) f");
}

TEST_F(SubstituteTest, LeavesRowCountAsItWasAfterAFileThatIsNotAllowed) {
  start();
  RawClient client = this->client();
  tidb_.answer("UPDATE t SET a = 1", inserted(3, 0));
  tidb_.answer("LOAD DATA LOCAL INFILE 'x' INTO TABLE t", err_packet(1148, "42000", "not allowed"));

  EXPECT_TRUE(client.query("UPDATE t SET a = 1").is_ok());
  EXPECT_TRUE(client.query("LOAD DATA LOCAL INFILE 'x' INTO TABLE t").is_error(1148));

  EXPECT_EQ(client.query("SELECT ROW_COUNT()").rows, Words{"3"});
}

TEST_F(SubstituteTest, KnowsThatAResetTakesTheInsertIdAway) {
  start();
  RawClient one = client();
  RawClient two = client();
  tidb_.answer("INSERT INTO t VALUES (1)", inserted(1, 7));
  tidb_.answer("SELECT LAST_INSERT_ID()", text_result({"LAST_INSERT_ID()"}, {{"7"}}));
  EXPECT_TRUE(one.query("INSERT INTO t VALUES (1)").is_ok());
  EXPECT_TRUE(two.query("USE shop").is_ok());

  EXPECT_EQ(one.query("SELECT LAST_INSERT_ID() i").rows, Words{"0"});

  EXPECT_THAT(tidb_.commands(), Contains("RESET"));
  EXPECT_EQ(tidb_.commands().back(), "SELECT (LAST_INSERT_ID()&0|7) i");
}

}  // namespace
}  // namespace tidepool::testing

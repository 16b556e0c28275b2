// What is asked of a backend before a command can be planned, and what is put in the place of the
// backend's own answer.
#include "session_fixture.h"

namespace tidepool::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

constexpr const char* kWarns = "UPDATE t SET a = 'x'";

class QuestionsTest : public SessionTest {
 protected:
  QuestionsTest() {
    tidb_.answer(kWarns, packet(1, std::string("\0\0\0\2\0\1\0", 7)));  // an OK, one warning
  }

  static void run(RawClient& client, std::string_view text) {
    const Reply reply = client.query(text);
    EXPECT_TRUE(reply.is_ok()) << text << ": " << describe(reply);
  }
  // A row, and more results after it.
  static std::string first_of_several(const std::string& message) {
    constexpr std::uint16_t kMoreResults = 0x0a;
    return text_result({"Level", "Code", "Message"}, {{message, "1", "m"}}, kMoreResults);
  }
};

TEST_F(QuestionsTest, ShowsItsOwnWarningsAheadOfOtherStatements) {
  start();
  RawClient one = client();
  RawClient two = client();
  const std::string text = "SHOW WARNINGS; DO 1";
  tidb_.answer(text, first_of_several("of another") + ok_packet(8));
  tidb_.answer("SHOW WARNINGS", text_result({"Level", "Code", "Message"}, {{"own", "1", "m"}}));
  run(one, kWarns);
  EXPECT_EQ(two.query("SELECT 2").rows, Words{"0"});

  EXPECT_EQ(one.query(text).rows, Words{"own"});
  EXPECT_TRUE(one.read_reply().is_ok());

  EXPECT_THAT(tidb_.commands(), ElementsAre(kWarns, "SHOW WARNINGS", "SELECT 2",
                                            "SELECT CAST('x0' AS SIGNED)", text));
}

TEST_F(QuestionsTest, ReadsTheWarningsBackBeforeItPreparesWhatAsksForThem) {
  start();
  RawClient one = client();
  RawClient two = client();
  run(one, "PREPARE s FROM 'SELECT @@warning_count w'");
  run(two, "PREPARE s FROM 'SELECT 2'");
  run(one, kWarns);
  tidb_.forget();

  run(one, "EXECUTE s");

  const Words commands = tidb_.commands();
  ASSERT_GE(commands.size(), 4U);
  EXPECT_EQ(commands[0], "SHOW WARNINGS");
  EXPECT_EQ(commands[1], "DEALLOCATE PREPARE `s`");
  EXPECT_THAT(commands[2], ::testing::HasSubstr("1"));
  EXPECT_THAT(commands[2], ::testing::StartsWith("PREPARE `s` FROM 'SELECT IF("));
  EXPECT_EQ(commands[3], "EXECUTE s");
}

TEST_F(QuestionsTest, ReadsTheStateBackBeforeItPreparesInAnother) {
  start();
  RawClient one = client();
  RawClient two = client();
  tidb_.answer("SELECT @@sql_mode", text_result({"@@sql_mode"}, {{"ANSI_QUOTES"}}));
  run(one, "PREPARE s FROM 'SELECT \"a\"'");
  run(two, "PREPARE s FROM 'SELECT 2'");
  run(one, "BEGIN");
  run(one, "SET sql_mode = CONCAT('ANSI', '_QUOTES')");
  tidb_.forget();

  run(one, "EXECUTE s");

  Words words = tidb_.commands();
  ASSERT_EQ(words.size(), 6U);
  EXPECT_TRUE(words[3].starts_with("PREPARE `s` FROM '")) << words[3];
  EXPECT_TRUE(words[3].ends_with("SELECT \"a\"'")) << words[3];
  words.erase(words.begin() + 3);
  EXPECT_THAT(words,
              ElementsAre("SELECT @@sql_mode", "DEALLOCATE PREPARE `s`", "SET sql_mode=DEFAULT",
                          "SET sql_mode='ANSI_QUOTES'", "EXECUTE s"));
}

TEST_F(QuestionsTest, ReadsItsWarningsBackBeforeTheyAreLostToARestore) {
  start();
  RawClient one = client();
  RawClient two = client();
  tidb_.answer("INSERT INTO t VALUES (1)", packet(1, std::string("\0\1\7\2\0\0\0", 7)));
  tidb_.answer("SELECT LAST_INSERT_ID()", text_result({"LAST_INSERT_ID()"}, {{"7"}}));
  run(two, "INSERT INTO t VALUES (1)");
  ASSERT_TRUE(is_idle()) << "the capture is over";
  run(one, kWarns);
  tidb_.forget();

  run(one, "INSERT INTO u VALUES (1)");

  EXPECT_THAT(tidb_.commands(),
              ElementsAre("SHOW WARNINGS", "SELECT LAST_INSERT_ID(18446744073709551614)",
                          "INSERT INTO u VALUES (1)"));
}

TEST_F(QuestionsTest, MakesRoomForWhatTheParserWarnsOf) {
  start();
  RawClient one = client();
  RawClient two = client();
  const std::string text = "SELECT /*+ nonsense */ 1; SELECT 2";
  tidb_.answer(text, err_packet(8130, "HY000", "no several statements"));
  run(one, "UPDATE t SET a = 1");
  EXPECT_TRUE(one.query(text).is_error(8130));
  EXPECT_THAT(tidb_.commands(), Not(Contains("DO 0"))) << "the backend has this session's";
  EXPECT_EQ(two.query("SELECT 2").rows, Words{"0"});
  tidb_.forget();

  EXPECT_TRUE(one.query(text).is_error(8130));
  EXPECT_EQ(one.query("SELECT 1").rows, Words{"0"});

  EXPECT_THAT(tidb_.commands(), ElementsAre("DO 0", text, "PING", "SELECT 1"));
}

TEST_F(QuestionsTest, AnswersAnEmptyTextItselfWhateverTheBackendKnows) {
  start();
  RawClient client = this->client();
  tidb_.answer(kWarns, packet(1, std::string("\0\0\0\3\0\1\0", 7)));  // in a transaction
  run(client, "BEGIN");
  run(client, kWarns);
  tidb_.forget();

  const Reply reply = client.query("/* nothing */");

  EXPECT_EQ(reply.bytes, packet(1, std::string("\0\0\0\3\0\1\0", 7)));
  EXPECT_THAT(tidb_.commands(), ElementsAre());
}

TEST_F(QuestionsTest, KeepsFoundRowsOverRowsThatAreLocked) {
  start();
  RawClient client = this->client();
  tidb_.answer("SELECT a FROM t", text_result({"a"}, {{"1"}, {"2"}}));
  const auto three = text_result({"a"}, {{"1"}, {"2"}, {"3"}}, 3);
  tidb_.answer("SELECT a FROM t FOR UPDATE", three);
  EXPECT_EQ(client.query("SELECT a FROM t").rows.size(), 2U);
  run(client, "BEGIN");
  EXPECT_EQ(client.query("SELECT a FROM t FOR UPDATE").rows.size(), 3U);
  run(client, "COMMIT");

  EXPECT_EQ(client.query("SELECT FOUND_ROWS()").rows, Words{"2"});
}

TEST_F(QuestionsTest, AsksWhatAPrepareThatFailedHasWarnedOf) {
  start();
  RawClient client = this->client();

  EXPECT_TRUE(client.prepare("SHOW broken").is_error(1064));
  EXPECT_EQ(client.query("SELECT 1").rows, Words{"0"});

  EXPECT_THAT(tidb_.commands(), ElementsAre("PREPARE SHOW broken", "PING", "SELECT 1"));
}

}  // namespace
}  // namespace tidepool::testing

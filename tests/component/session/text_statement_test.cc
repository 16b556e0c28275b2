// PREPARE, EXECUTE and DEALLOCATE as text over shared backends.
#include "session_fixture.h"

namespace tidepool::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;
using Received = FakeTidb::Received;

class TextStatementTest : public SessionTest {
 protected:
  static void run(RawClient& client, std::string_view text) {
    const Reply reply = client.query(text);
    EXPECT_TRUE(reply.is_ok()) << text << ": " << describe(reply);
  }
  // What TiDB was told of such statements; when the proxy asks something of its own is no matter.
  Words texts() const {
    Words words = tidb_.commands();
    std::erase_if(words, [](const std::string& word) {
      return word == "PING" || word.starts_with("SHOW ") ||
             word.starts_with("SELECT LAST_INSERT_ID");
    });
    return words;
  }
  static std::string unknown() { return err_packet(8111, "HY000", "Prepared statement not found"); }
};

TEST_F(TextStatementTest, GoAlongToAnotherBackend) {
  pool().size = 2;
  start();
  RawClient one = client();
  RawClient two = client();
  run(one, "PREPARE s FROM 'SELECT ''a'''");
  ASSERT_TRUE(is_idle()) << "nothing pins";
  run(two, "BEGIN");  // takes backend 0
  run(one, "EXECUTE s");
  run(one, "EXECUTE s");

  EXPECT_THAT(tidb_.received(),
              ElementsAre(Received{0, "PREPARE s FROM 'SELECT ''a'''"}, Received{0, "BEGIN"},
                          Received{1, "PREPARE `s` FROM 'SELECT ''a'''"}, Received{1, "EXECUTE s"},
                          Received{1, "EXECUTE s"}));
}

TEST_F(TextStatementTest, AreMadeInTheDatabaseOfTheirPrepare) {
  start();
  RawClient one = client();
  RawClient two = client();
  run(one, "USE shop");
  run(one, "PREPARE s FROM 'SELECT 1'");
  run(one, "USE users");
  run(two, "PREPARE s FROM 'SELECT 2'");
  tidb_.forget();
  run(one, "EXECUTE s");

  EXPECT_THAT(texts(), ElementsAre("USE `users`", "DEALLOCATE PREPARE `s`", "USE `shop`",
                                   "PREPARE `s` FROM 'SELECT 1'", "USE `users`", "EXECUTE s"));
}

TEST_F(TextStatementTest, AreNobodyElses) {
  start();
  RawClient one = client();
  RawClient two = client();
  run(one, "PREPARE s FROM 'SELECT 1'");
  tidb_.answer_once("EXECUTE s", unknown());
  EXPECT_TRUE(two.query("EXECUTE s").is_error(8111));
  EXPECT_TRUE(is_idle());
  tidb_.answer_once("DEALLOCATE PREPARE s", unknown());
  EXPECT_TRUE(two.query("DEALLOCATE PREPARE s").is_error(8111));
  run(one, "EXECUTE s");

  EXPECT_THAT(texts(),
              ElementsAre("PREPARE s FROM 'SELECT 1'", "DEALLOCATE PREPARE `s`", "EXECUTE s",
                          "DEALLOCATE PREPARE s", "PREPARE `s` FROM 'SELECT 1'", "EXECUTE s"));
}

TEST_F(TextStatementTest, OfTheSameNameTakeTurns) {
  start();
  RawClient one = client();
  RawClient two = client();
  run(one, "PREPARE s FROM 'SELECT 1'");
  run(two, "PREPARE s FROM 'SELECT 2'");
  run(one, "EXECUTE s");

  EXPECT_THAT(texts(), ElementsAre("PREPARE s FROM 'SELECT 1'", "DEALLOCATE PREPARE `s`",
                                   "PREPARE s FROM 'SELECT 2'", "DEALLOCATE PREPARE `s`",
                                   "PREPARE `s` FROM 'SELECT 1'", "EXECUTE s"));
}

TEST_F(TextStatementTest, AreNotThereForAStatementThatNobodyUnderstands) {
  start();
  RawClient one = client();
  RawClient two = client();
  run(one, "PREPARE s FROM 'SELECT 1'");
  ASSERT_TRUE(is_idle());
  two.query("MYSTERY s");

  EXPECT_THAT(texts(),
              ElementsAre("PREPARE s FROM 'SELECT 1'", "DEALLOCATE PREPARE `s`", "MYSTERY s"));
}

TEST_F(TextStatementTest, AreGoneAfterTheirDeallocate) {
  start();
  RawClient one = client();
  run(one, "PREPARE s FROM 'SELECT 1'");
  run(one, "DEALLOCATE PREPARE s");
  tidb_.answer_once("EXECUTE s", unknown());
  EXPECT_TRUE(one.query("EXECUTE s").is_error(8111));

  EXPECT_THAT(texts(),
              ElementsAre("PREPARE s FROM 'SELECT 1'", "DEALLOCATE PREPARE s", "EXECUTE s"));
  EXPECT_TRUE(is_idle());
}

TEST_F(TextStatementTest, AreDeallocatedWhereTheyHaveNeverBeen) {
  start();
  RawClient one = client();
  RawClient two = client();
  run(one, "PREPARE s FROM 'SELECT 1'");
  run(two, "PREPARE s FROM 'SELECT 2'");
  tidb_.forget();
  run(one, "DEALLOCATE PREPARE s");
  run(two, "EXECUTE s");

  EXPECT_THAT(texts(),
              ElementsAre("DEALLOCATE PREPARE `s`", "PREPARE `s` FROM 'DO 0'",
                          "DEALLOCATE PREPARE s", "PREPARE `s` FROM 'SELECT 2'", "EXECUTE s"));
}

TEST_F(TextStatementTest, AreGoneAfterAReset) {
  start();
  RawClient one = client();
  run(one, "PREPARE s FROM 'SELECT 1'");
  ASSERT_TRUE(one.command("\x1f").is_ok());
  tidb_.forget();
  tidb_.answer_once("EXECUTE s", unknown());
  EXPECT_TRUE(one.query("EXECUTE s").is_error(8111));

  EXPECT_THAT(texts(), ElementsAre("DEALLOCATE PREPARE `s`", "EXECUTE s"));
}

TEST_F(TextStatementTest, AreKeptByAPrepareThatFails) {
  start();
  RawClient one = client();
  run(one, "PREPARE s FROM 'SELECT 1'");
  tidb_.answer_once("PREPARE s FROM 'SELEC'", err_packet(1064, "42000", "You have an error"));
  EXPECT_TRUE(one.query("PREPARE s FROM 'SELEC'").is_error(1064));
  tidb_.forget();
  run(one, "EXECUTE s");

  EXPECT_THAT(texts(), ElementsAre("PREPARE `s` FROM 'SELECT 1'", "EXECUTE s"));
}

TEST_F(TextStatementTest, DoWhatTheirTextDoes) {
  start();
  RawClient one = client();
  RawClient two = client();
  run(one, "PREPARE z FROM 'SET time_zone=''+01:00'''");
  run(one, "EXECUTE z");
  ASSERT_EQ(two.query("SELECT 1").kind, Reply::Kind::kRows);
  tidb_.forget();
  ASSERT_EQ(one.query("SELECT 2").kind, Reply::Kind::kRows);

  EXPECT_EQ(tidb_.commands().size(), 2U) << "the time zone is restored";
  EXPECT_EQ(tidb_.commands().back(), "SELECT 2");
}

TEST_F(TextStatementTest, PinWhatTheirTextPins) {
  start();
  RawClient client = this->client();
  run(client, "PREPARE t FROM 'CREATE TEMPORARY TABLE t(a INT)'");
  ASSERT_TRUE(is_idle());
  run(client, "EXECUTE t");
  EXPECT_TRUE(eventually([&] { return proxy_->pinned(sql::Pin::kTemporaryTable) == 1; }));
}

TEST_F(TextStatementTest, ChangeTheSchemaIfTheirTextDoes) {
  start();
  RawClient client = this->client();
  ASSERT_TRUE(client.prepare("SELECT 1").is_ok());
  run(client, "PREPARE d FROM 'DROP TABLE t'");
  ASSERT_TRUE(client.prepare("SELECT 1").is_ok());
  run(client, "EXECUTE d");
  tidb_.forget();
  ASSERT_TRUE(client.prepare("SELECT 1").is_ok());

  EXPECT_EQ(tidb_.commands().front(), "PREPARE SELECT 1");
}

TEST_F(TextStatementTest, AreReadFromAVariableThatTheBackendAloneKnows) {
  start();
  RawClient one = client();
  RawClient two = client();
  run(one, "SET @q = CONCAT('SELECT ', 7)");
  tidb_.answer("SELECT @`q`", text_result({"@`q`"}, {{"SELECT 7"}}));
  run(one, "PREPARE s FROM @q");
  run(one, "SET @q = NULL");
  EXPECT_TRUE(is_idle());
  run(two, "PREPARE s FROM 'SELECT 2'");
  tidb_.forget();
  run(one, "EXECUTE s");

  EXPECT_THAT(texts(),
              ElementsAre("DEALLOCATE PREPARE `s`", "PREPARE `s` FROM 'SELECT 7'", "EXECUTE s"));
}

TEST_F(TextStatementTest, PinWhereTheirTextIsNotKnown) {
  start();
  RawClient client = this->client();
  run(client, "PREPARE s FROM @x");  // NULL, as far as the session knows
  EXPECT_TRUE(eventually([&] { return proxy_->pinned(sql::Pin::kPreparedText) == 1; }));
  run(client, "EXECUTE s");
  EXPECT_THAT(texts(), ElementsAre("PREPARE s FROM @x", "SET tidb_enable_prepared_plan_cache=OFF",
                                   "EXECUTE s"));
}

TEST_F(TextStatementTest, TellTidbsErrorWhenTheyCannotBeMadeAgain) {
  start();
  RawClient one = client();
  RawClient two = client();
  run(one, "PREPARE s FROM 'SELECT 1'");
  run(two, "PREPARE s FROM 'SELECT 2'");
  tidb_.answer("PREPARE `s` FROM 'SELECT 1'",
               err_packet(1146, "42S02", "Table 'd.t' doesn't exist"));

  const Reply reply = one.query("EXECUTE s");
  EXPECT_TRUE(reply.is_error(8113)) << describe(reply);
  EXPECT_TRUE(is_idle());
  run(two, "EXECUTE s");
  EXPECT_EQ(texts().back(), "EXECUTE s");
}

// TiDB's answer to a PREPARE on the way to several statements is nobody's business.
TEST_F(TextStatementTest, AreMadeOnceMoreAfterAnExecuteAmongOthers) {
  start();
  RawClient::Options many = options();
  many.capabilities |= protocol::capability::kMultiStatements;
  RawClient one = client(many);
  RawClient two = client();
  run(one, "PREPARE s FROM 'SELECT 1'");
  run(two, "PREPARE s FROM 'SELECT 2'");
  tidb_.answer_once("PREPARE `s` FROM 'SELECT 1'",
                    err_packet(1146, "42S02", "Table 'd.t' doesn't exist"));
  tidb_.answer_once("SELECT 3; EXECUTE s", unknown());
  EXPECT_TRUE(one.query("SELECT 3; EXECUTE s").is_error(8111));
  tidb_.forget();
  run(one, "EXECUTE s");

  EXPECT_THAT(texts(),
              ElementsAre("DEALLOCATE PREPARE `s`", "PREPARE `s` FROM 'SELECT 1'", "EXECUTE s"));
}

// What fails because the name is unknown adds its error to the warnings before it, which
// deallocating another session's statement would take away.
TEST_F(TextStatementTest, OfOthersGoWithoutTheWarningsOfTheStatementBefore) {
  start();
  RawClient one = client();
  RawClient two = client();
  run(one, "PREPARE s FROM 'SELECT 1'");
  tidb_.answer("UPDATE t SET a = 'x'", packet(1, std::string("\0\0\0\2\0\1\0", 7)));
  run(two, "UPDATE t SET a = 'x'");
  tidb_.answer_once("EXECUTE s", unknown());
  tidb_.answer("SHOW WARNINGS", text_result({"Level"}, {{"Error"}}));
  tidb_.answer_once("SHOW WARNINGS", text_result({"Level"}, {{"Warning"}}));
  EXPECT_TRUE(two.query("EXECUTE s").is_error(8111));

  EXPECT_EQ(two.query("SHOW WARNINGS").rows, (Words{"Warning", "Error"}));
}

// The text in the variable is asked for only where the PREPARE itself is to be executed.
TEST_F(TextStatementTest, InABinaryPrepareIsLeftToTidb) {
  start();
  RawClient client = this->client();
  run(client, "SET @x = CONCAT('SELECT ', '1')");

  const Reply reply = client.prepare("PREPARE broken FROM @x");

  EXPECT_TRUE(reply.is_error(1064)) << describe(reply);
  EXPECT_EQ(client.query("SELECT 2").kind, Reply::Kind::kRows);
  EXPECT_THAT(tidb_.commands(), Not(Contains("SELECT @`x`")));
}

}  // namespace
}  // namespace tidepool::testing

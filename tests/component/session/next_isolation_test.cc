// SET TRANSACTION ISOLATION LEVEL: held until the statement that takes it.
#include "session_fixture.h"

namespace tidepool::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* kSet = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED";

class NextIsolationTest : public SessionTest {};

TEST_F(NextIsolationTest, TravelsWithTheTransactionThatTakesIt) {
  start();
  RawClient one = client();
  RawClient two = client();

  EXPECT_TRUE(one.query(kSet).is_ok());
  EXPECT_TRUE(is_idle());
  EXPECT_THAT(tidb_.commands(), IsEmpty());
  EXPECT_EQ(two.query("SELECT 2").rows, Words{"0"}) << "nobody else gets it";
  EXPECT_TRUE(one.query("BEGIN").is_ok());
  EXPECT_TRUE(one.query("COMMIT").is_ok());
  EXPECT_TRUE(one.query("BEGIN").is_ok());

  EXPECT_THAT(tidb_.commands(), ElementsAre("SELECT 2", kSet, "BEGIN", "COMMIT", "BEGIN"));
}

TEST_F(NextIsolationTest, ComesBehindEverythingElseOfTheRestore) {
  start();
  RawClient one = client();
  RawClient two = client();
  EXPECT_TRUE(one.query("SET NAMES latin1").is_ok());
  tidb_.answer("SELECT LAST_INSERT_ID()", text_result({"id"}, {{"7"}}));
  EXPECT_EQ(one.query("SELECT LAST_INSERT_ID(7)").kind, Reply::Kind::kRows);
  EXPECT_TRUE(is_idle());
  tidb_.answer("SELECT LAST_INSERT_ID()", text_result({"id"}, {{"9"}}));
  EXPECT_EQ(two.query("SELECT LAST_INSERT_ID(9)").kind, Reply::Kind::kRows);
  EXPECT_TRUE(is_idle());
  tidb_.forget();

  EXPECT_TRUE(one.query(kSet).is_ok());
  EXPECT_TRUE(one.query("BEGIN").is_ok());

  EXPECT_THAT(tidb_.commands(), ElementsAre("SET NAMES latin1 COLLATE 'latin1_bin'",
                                            "SELECT LAST_INSERT_ID(7)", kSet, "BEGIN"));
}

TEST_F(NextIsolationTest, IsTakenByWhatTheProxyAnswersToo) {
  start();
  RawClient client = this->client();

  EXPECT_TRUE(client.query(kSet).is_ok());
  EXPECT_TRUE(client.query("COMMIT").is_ok());
  EXPECT_TRUE(client.query("BEGIN").is_ok());

  EXPECT_THAT(tidb_.commands(), ElementsAre("BEGIN"));
}

TEST_F(NextIsolationTest, IsLeftByAPrepareAndTakenByTheExecute) {
  start();
  RawClient client = this->client();

  EXPECT_TRUE(client.query(kSet).is_ok());
  EXPECT_EQ(client.ping().kind, Reply::Kind::kOk);
  const std::uint32_t id = client.prepare("BEGIN").statement;
  EXPECT_TRUE(client.execute(id).is_ok());

  EXPECT_THAT(tidb_.commands(), ElementsAre("PREPARE BEGIN", kSet, "EXECUTE 1"));
}

TEST_F(NextIsolationTest, PinsWhereAnErrorMayHaveLeftIt) {
  start();
  RawClient client = this->client();

  EXPECT_TRUE(client.query(kSet).is_ok());
  EXPECT_TRUE(client.query("UPDATE broken SET a = 1").is_error(1105));
  EXPECT_TRUE(eventually([&] { return proxy_->pinned(sql::Pin::kOneShotTransaction) == 1; }));
  EXPECT_TRUE(client.query("BEGIN").is_ok());
  EXPECT_TRUE(eventually([&] { return proxy_->pinned(sql::Pin::kOneShotTransaction) == 0; }));
  EXPECT_TRUE(client.query("COMMIT").is_ok());

  EXPECT_TRUE(is_idle());
  EXPECT_THAT(tidb_.commands(),
              ElementsAre(kSet, "UPDATE broken SET a = 1", "PING", "BEGIN", "COMMIT"));
}

TEST_F(NextIsolationTest, IsForgottenByAReset) {
  start();
  RawClient client = this->client();

  EXPECT_TRUE(client.query(kSet).is_ok());
  EXPECT_TRUE(client.command("\x1f").is_ok());
  EXPECT_TRUE(client.query("BEGIN").is_ok());

  EXPECT_THAT(tidb_.commands(), ElementsAre("BEGIN"));
}

// On a backend that knows the warnings of the session, but has another one's insert id.
TEST_F(NextIsolationTest, NothingComesBetweenItAndTheTransactionOnAParkedLease) {
  start();
  RawClient one = client();
  RawClient two = client();
  tidb_.answer("SELECT LAST_INSERT_ID()", text_result({"id"}, {{"7"}}));
  EXPECT_EQ(one.query("SELECT LAST_INSERT_ID(7)").kind, Reply::Kind::kRows);
  EXPECT_TRUE(is_idle());
  tidb_.answer("SELECT LAST_INSERT_ID()", text_result({"id"}, {{"9"}}));
  EXPECT_EQ(two.query("SELECT LAST_INSERT_ID(9)").kind, Reply::Kind::kRows);
  EXPECT_TRUE(is_idle());
  EXPECT_TRUE(one.query("UPDATE broken SET a = 1").is_error(1105));
  tidb_.forget();

  EXPECT_TRUE(one.query(kSet).is_ok());
  EXPECT_TRUE(one.query("BEGIN").is_ok());

  const Words commands = tidb_.commands();
  ASSERT_GE(commands.size(), 2U);
  EXPECT_EQ(commands[commands.size() - 1], "BEGIN");
  EXPECT_EQ(commands[commands.size() - 2], kSet);
}

TEST_F(NextIsolationTest, DoesNotStayWhereAStatementFailedThatIsRunAgain) {
  start();
  RawClient client = this->client();
  const std::string text = "UPDATE t SET a = 1";
  tidb_.answer_once(text, err_packet(9007, "HY000", "write conflict"));

  EXPECT_TRUE(client.query(kSet).is_ok());
  EXPECT_TRUE(client.query(text).is_ok());

  EXPECT_THAT(tidb_.commands(), ElementsAre(kSet, text, "RESET", kSet, text));
}

TEST_F(NextIsolationTest, ALevelThatTidbMayRefuseIsAskedThere) {
  start();
  RawClient client = this->client();
  const std::string text = "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE";
  tidb_.answer(text, err_packet(8048, "HY000", "not supported"));

  EXPECT_TRUE(client.query(text).is_error(8048));
}

}  // namespace
}  // namespace tidepool::testing

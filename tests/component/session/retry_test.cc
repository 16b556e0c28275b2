// What is run again when a backend fails, and what is told instead.
#include "session_fixture.h"

namespace tidepool::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RetryTest : public SessionTest {
 protected:
  std::uint64_t retries(session::RetryReason reason) const { return proxy_->retries(reason); }
  // The next command is answered with an ERR of this number, once.
  void fail_once(const std::string& statement, std::uint16_t number) {
    tidb_.answer_once(statement, err_packet(number, "HY000", "try again later"));
  }
};

TEST_F(RetryTest, AReadWhoseBackendIsLostIsRunOnAnother) {
  start();
  RawClient client = this->client();
  lose_at(0);

  EXPECT_EQ(client.query("SELECT 1").rows, Words{"1"}) << "the number of the second connection";
  EXPECT_EQ(retries(session::RetryReason::kLost), 1U);
}

TEST_F(RetryTest, AWriteWhoseBackendIsLostIsNot) {
  start();
  RawClient client = this->client();
  lose_at(0);

  expect_lost(client.query("INSERT INTO t VALUES (1)"), "outcome unknown");
  EXPECT_THAT(tidb_.commands(), ElementsAre("INSERT INTO t VALUES (1)"));
  EXPECT_EQ(retries(session::RetryReason::kLost), 0U);
  EXPECT_EQ(proxy_->unknown_outcomes(), 1U);
}

TEST_F(RetryTest, AWriteThatWasNotSentIsRunOnAnotherBackend) {
  start();
  RawClient client = this->client();
  ASSERT_TRUE(client.query("SET NAMES latin1").is_ok());
  lose_at(0);  // the restore

  EXPECT_TRUE(client.query("INSERT INTO t VALUES (1)").is_ok());
  EXPECT_THAT(tidb_.commands(), ElementsAre(HasSubstr("SET NAMES"), HasSubstr("SET NAMES"),
                                            "INSERT INTO t VALUES (1)"));
}

TEST_F(RetryTest, AWriteThatTidbSurelyDidNotExecuteIsRunAgain) {
  start();
  RawClient client = this->client();
  fail_once("UPDATE t SET a = 1", 9007);

  EXPECT_TRUE(client.query("UPDATE t SET a = 1").is_ok());
  EXPECT_THAT(tidb_.commands(), ElementsAre("UPDATE t SET a = 1", "UPDATE t SET a = 1"));
  EXPECT_EQ(retries(session::RetryReason::kConflict), 1U);
}

TEST_F(RetryTest, OnlyAReadIsRunAgainWhileTheStorageIsAway) {
  start();
  RawClient client = this->client();
  fail_once("SELECT 1", 9005);
  fail_once("UPDATE t SET a = 1", 9005);

  EXPECT_EQ(client.query("SELECT 1").rows, Words{"0"});
  EXPECT_TRUE(client.query("UPDATE t SET a = 1").is_error(9005));
  EXPECT_EQ(retries(session::RetryReason::kUnavailable), 1U);
}

TEST_F(RetryTest, APrepareAndAnExecuteAreRunAgain) {
  start();
  RawClient client = this->client();
  tidb_.break_at(0, Fault::kReset);
  ASSERT_TRUE(client.prepare("SELECT 1").is_ok());
  tidb_.break_at(0, Fault::kReset);

  EXPECT_EQ(client.execute(1).kind, Reply::Kind::kRows);
  EXPECT_EQ(retries(session::RetryReason::kLost), 2U);
}

TEST_F(RetryTest, NothingOfATransactionIs) {
  start();
  RawClient client = this->client();
  ASSERT_TRUE(client.query("BEGIN").is_ok());
  fail_once("SELECT 1", 9005);
  EXPECT_TRUE(client.query("SELECT 1").is_error(9005));
  ASSERT_EQ(client.query("SELECT 2").rows, Words{"0"}) << "the ping after the error is answered";
  lose_at(0);

  expect_lost(client.query("INSERT INTO t VALUES (1)"), "not executed");  // it was never committed
  EXPECT_TRUE(client.is_closed());
}

TEST_F(RetryTest, ACommitThatWasSentIsOfUnknownOutcome) {
  start();
  RawClient client = this->client();
  ASSERT_TRUE(client.query("BEGIN").is_ok());
  lose_at(0);

  expect_lost(client.query("COMMIT"), "outcome unknown");
}

TEST_F(RetryTest, AnErrorThatIsFinalIsPassedOn) {
  start();
  RawClient client = this->client();
  fail_once("SELECT 1", 1146);

  EXPECT_TRUE(client.query("SELECT 1").is_error(1146));
}

TEST_F(RetryTest, TheLoginsDatabaseIsCheckedOnAnotherBackend) {
  start();
  lose_at(0);
  RawClient::Options with_database = options();
  with_database.database = "shop";

  RawClient client = this->client(with_database);

  EXPECT_EQ(client.query("SELECT 1").kind, Reply::Kind::kRows);
}

TEST_F(RetryTest, AUserMayForbidIt) {
  config_.users[0].retry = false;
  start();
  RawClient client = this->client();
  lose_at(0);

  EXPECT_TRUE(client.query("SELECT 1").is_error(2013));
  EXPECT_EQ(client.query("SELECT 2").rows, Words{"1"});
}

TEST_F(RetryTest, AStatementMayForbidIt) {
  start();
  RawClient client = this->client();
  lose_at(0);

  EXPECT_TRUE(client.query("/* tidepool: retry=off */ SELECT 1").is_error(2013));
}

TEST_F(RetryTest, EndsWithTheBudget) {
  pool().retry_budget = std::chrono::milliseconds(50);
  start();
  RawClient client = this->client();
  tidb_.answer("SELECT 1", err_packet(9005, "HY000", "Region is unavailable"));

  EXPECT_TRUE(client.query("SELECT 1").is_error(9005));
}

TEST_F(RetryTest, AClientThatLeavesMeanwhileLeavesNothing) {
  pool().retry_budget = std::chrono::seconds(3);
  start();
  RawClient client = this->client();
  tidb_.answer("SELECT 1", err_packet(9005, "HY000", "Region is unavailable"));
  client.send("\x03SELECT 1");
  ASSERT_TRUE(eventually([&] { return retries(session::RetryReason::kUnavailable) > 2; }));

  client.close();

  EXPECT_TRUE(has_sessions(0));
  EXPECT_TRUE(is_idle());
  expect_service();
}

}  // namespace
}  // namespace tidepool::testing

// Transactions that are run again on another backend, of users who ask for it.
#include "session_fixture.h"

namespace tidepool::testing {
namespace {

using session::ReplayResult;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::uint16_t kInTransaction = 3;  // and autocommit

class ReplayTest : public SessionTest {
 protected:
  ReplayTest() {
    config_.users[0].replay = true;
    pool().retry_budget = std::chrono::seconds(60);
    tidb_.answer("SELECT a FROM t", text_result({"a"}, {{"7"}}, kInTransaction));
  }

  std::uint64_t replays(ReplayResult result) const { return proxy_->replays(result); }

  // BEGIN, a read and a write.
  static void begin(RawClient& client) {
    ASSERT_TRUE(client.query("BEGIN").is_ok());
    ASSERT_EQ(client.query("SELECT a FROM t").rows, Words{"7"});
    ASSERT_TRUE(client.query("UPDATE t SET a = 8").is_ok());
  }
  // A client of a new proxy that has begun its transaction so.
  RawClient client_in_transaction() {
    start();
    RawClient client = this->client();
    begin(client);
    return client;
  }
  // One whose transaction has a write, after which its backend has hung up.
  RawClient client_whose_backend_is_lost() {
    start();
    RawClient client = this->client();
    EXPECT_TRUE(client.query("BEGIN").is_ok());
    tidb_.break_at(0, Fault::kAnswerAndClose);
    EXPECT_TRUE(client.query("UPDATE t SET a = 8").is_ok());
    EXPECT_TRUE(is_idle()) << "the session has noticed";
    return client;
  }
  // Those that came on the connection of this number.
  Words commands_of(int connection) const {
    Words words;
    for (const FakeTidb::Received& one : tidb_.received()) {
      if (one.connection == connection) words.push_back(one.what);
    }
    return words;
  }
  // As after a reload.
  void apply() { ASSERT_TRUE(proxy_->apply(config_)); }
  // For the statements that come from now on.
  void limit_queries() {
    config_.users[0].timeouts.query = std::chrono::milliseconds(20);
    apply();
  }
  // The replay there has come to nothing.
  bool has_ended(int connection) const {
    return eventually([&] {
      const Words words = commands_of(connection);
      return !words.empty() && words.back() == "RESET";
    });
  }
};

TEST_F(ReplayTest, ATransactionWhoseBackendIsLostGoesOnOnAnother) {
  RawClient client = client_in_transaction();
  lose_at(0);

  EXPECT_TRUE(client.query("UPDATE t SET a = 9").is_ok());
  EXPECT_TRUE(client.query("COMMIT").is_ok());

  EXPECT_THAT(commands_of(1), ElementsAre("BEGIN", "SELECT a FROM t", "UPDATE t SET a = 8",
                                          "UPDATE t SET a = 9", "COMMIT"));
  EXPECT_EQ(replays(ReplayResult::kReplayed), 1U);
  EXPECT_EQ(proxy_->unknown_outcomes(), 0U);
}

TEST_F(ReplayTest, EveryFaultAtEveryStatementIsMended) {
  const Words statements = {"SELECT a FROM t", "UPDATE t SET a = 8", "SAVEPOINT s", "ROLLBACK TO s",
                            "SELECT a FROM t"};
  for (const Fault fault : {Fault::kClose, Fault::kReset, Fault::kGarbage}) {
    for (std::size_t broken = 0; broken < statements.size(); ++broken) {
      start();
      RawClient client = this->client();
      ASSERT_TRUE(client.query("BEGIN").is_ok());
      tidb_.break_at(static_cast<int>(broken), fault);
      for (const std::string& statement : statements) {
        const Reply reply = client.query(statement);
        EXPECT_TRUE(reply.is_ok() || reply.rows == Words{"7"})
            << to_string(fault) << " at " << broken << ": " << statement << ": " << describe(reply);
        EXPECT_EQ(reply.status & kInTransaction, kInTransaction) << statement;
      }
      EXPECT_TRUE(client.query("COMMIT").is_ok());
      EXPECT_EQ(replays(ReplayResult::kReplayed), 1U) << to_string(fault) << " at " << broken;
      client.close();
      EXPECT_TRUE(is_idle());
      proxy_.reset();
    }
  }
}

TEST_F(ReplayTest, ABackendThatIsLostBetweenStatementsIsReplacedForTheNextOne) {
  RawClient client = client_whose_backend_is_lost();

  EXPECT_TRUE(client.query("COMMIT").is_ok());

  EXPECT_THAT(tidb_.commands(),
              ElementsAre("BEGIN", "UPDATE t SET a = 8", "BEGIN", "UPDATE t SET a = 8", "COMMIT"));
  EXPECT_EQ(replays(ReplayResult::kReplayed), 1U);
}

TEST_F(ReplayTest, ARollbackAfterALossEndsTheTransaction) {
  RawClient client = client_whose_backend_is_lost();

  const Reply reply = client.query("ROLLBACK");

  EXPECT_TRUE(reply.is_ok());
  EXPECT_EQ(reply.status, 2);
  EXPECT_TRUE(is_idle());
}

TEST_F(ReplayTest, ACommitThatWasSentIsOfUnknownOutcome) {
  RawClient client = client_in_transaction();
  lose_at(0);

  expect_lost(client.query("COMMIT"), "outcome unknown");
  EXPECT_TRUE(client.is_closed());
  EXPECT_EQ(proxy_->unknown_outcomes(), 1U);
  EXPECT_EQ(tidb_.commands().back(), "COMMIT") << "nothing came after it";
}

TEST_F(ReplayTest, SoIsDdlThatWasSent) {
  RawClient client = client_in_transaction();
  lose_at(0);

  expect_lost(client.query("CREATE TABLE u (a INT)"), "outcome unknown");
}

TEST_F(ReplayTest, ADifferentAnswerIsTheErrorThatItWouldHaveBeen) {
  RawClient client = client_in_transaction();
  tidb_.answer("SELECT a FROM t", text_result({"a"}, {{"6"}}, kInTransaction));
  lose_at(0);

  expect_lost(client.query("UPDATE t SET a = 9"), "not executed");

  EXPECT_TRUE(client.is_closed());
  EXPECT_TRUE(has_ended(1)) << "the transaction is rolled back";
  EXPECT_THAT(commands_of(1), ElementsAre("BEGIN", "SELECT a FROM t", "RESET"))
      << "nothing after the difference";
  EXPECT_EQ(replays(ReplayResult::kDifferent), 1U);
  expect_service();
}

TEST_F(ReplayTest, ATransactionThatDoesNotBeginAgainIsNotWrittenTo) {
  RawClient client = client_in_transaction();
  tidb_.answer_once("BEGIN", err_packet(1105, "HY000", "no"));
  lose_at(0);

  expect_lost(client.query("UPDATE t SET a = 9"), "not executed");

  EXPECT_TRUE(has_ended(1));
  EXPECT_THAT(commands_of(1), ElementsAre("BEGIN", "PING", "RESET"));
}

TEST_F(ReplayTest, ATransactionTooLargeIsNotReplayed) {
  config_.users[0].replay_memory = 1024;
  RawClient client = client_in_transaction();
  ASSERT_TRUE(client.query("UPDATE t SET b = '" + std::string(1024, 'x') + "'").is_ok());
  lose_at(0);

  expect_lost(client.query("UPDATE t SET a = 9"), "not executed");

  EXPECT_TRUE(client.is_closed());
  EXPECT_EQ(replays(ReplayResult::kTooLarge), 1U);
}

TEST_F(ReplayTest, WhatHasOtherEffectsIsNotReplayed) {
  start();
  for (const char* statement :
       {"SET @x = 1", "SELECT GET_LOCK('a', 1)", "CREATE TEMPORARY TABLE u (a INT)",
        "INSERT INTO t VALUES (ROW_COUNT())", "/* tidepool: retry=off */ UPDATE t SET a = 1"}) {
    const std::uint64_t before = replays(ReplayResult::kNotReplayable);
    RawClient client = this->client();
    begin(client);
    client.query(statement);
    lose_at(0);
    const Reply reply = client.query("UPDATE t SET a = 9");
    EXPECT_TRUE(reply.is_error(2013)) << statement << ": " << describe(reply);
    EXPECT_TRUE(client.is_closed());
    EXPECT_EQ(replays(ReplayResult::kReplayed), 0U) << statement;
    const bool is_pinned = replays(ReplayResult::kNotReplayable) == before;
    EXPECT_TRUE(!is_pinned || std::string(statement).starts_with("SELECT GET_LOCK") ||
                std::string(statement).starts_with("CREATE"))
        << statement;
  }
}

TEST_F(ReplayTest, AStatementWhoseTimeIsUpIsNotRunAgain) {
  RawClient client = client_in_transaction();
  tidb_.hold("UPDATE t SET a = 9");
  limit_queries();

  expect_lost(client.query("UPDATE t SET a = 9"), "not executed");

  EXPECT_TRUE(client.is_closed());
  EXPECT_EQ(replays(ReplayResult::kReplayed), 0U);
  tidb_.let_go();
}

TEST_F(ReplayTest, AReplayThatHangsEndsWithItsStatementsTime) {
  RawClient client = client_whose_backend_is_lost();
  tidb_.hold("UPDATE t SET a = 8");
  limit_queries();

  expect_lost(client.query("UPDATE t SET a = 9"), "not executed");

  EXPECT_TRUE(client.is_closed());
  EXPECT_EQ(replays(ReplayResult::kLostAgain), 1U);
  tidb_.let_go();
}

TEST_F(ReplayTest, AnErrorToWhatExecutesNothingReachesItsClient) {
  RawClient client = client_in_transaction();
  tidb_.break_at(0, Fault::kError);

  EXPECT_TRUE(client.command(std::string("\x1b\0\0", 3)).is_error(1105)) << "COM_SET_OPTION";
  EXPECT_TRUE(client.query("COMMIT").is_ok());
}

TEST_F(ReplayTest, WhatAReloadLeavesUnrecordedIsNotLeftOut) {
  RawClient client = client_in_transaction();
  config_.users[0].replay = false;
  apply();
  ASSERT_TRUE(client.query("DELETE FROM t").is_ok());
  config_.users[0].replay = true;
  apply();
  lose_at(0);

  expect_lost(client.query("UPDATE t SET a = 9"), "not executed");

  EXPECT_TRUE(client.is_closed());
  EXPECT_EQ(replays(ReplayResult::kReplayed), 0U);
}

TEST_F(ReplayTest, AReloadTurnsItOffForWhatIsRecordedToo) {
  RawClient client = client_in_transaction();
  config_.users[0].replay = false;
  apply();
  lose_at(0);

  expect_lost(client.query("UPDATE t SET a = 9"), "not executed");
}

TEST_F(ReplayTest, OthersThanThoseWhoAskHaveTheErrorAsBefore) {
  config_.users[0].replay = false;
  RawClient client = client_in_transaction();
  lose_at(0);

  expect_lost(client.query("UPDATE t SET a = 9"), "not executed");

  EXPECT_TRUE(client.is_closed());
  EXPECT_THAT(tidb_.commands(),
              ElementsAre("BEGIN", "SELECT a FROM t", "UPDATE t SET a = 8", "UPDATE t SET a = 9"));
}

TEST_F(ReplayTest, SoHaveThoseWhoForbidRetries) {
  config_.users[0].retry = false;
  RawClient client = client_in_transaction();
  lose_at(0);

  expect_lost(client.query("UPDATE t SET a = 9"), "not executed");
}

TEST_F(ReplayTest, ABackendThatIsLostDuringTheReplayIsReplacedToo) {
  RawClient client = client_in_transaction();
  lose_at(0);
  tidb_.hold("SELECT a FROM t");
  client.send("\x03UPDATE t SET a = 9");
  ASSERT_TRUE(holds(1)) << "the second statement of the replay";
  lose_at(0);  // the third one
  tidb_.let_go();

  EXPECT_TRUE(client.read_reply().is_ok());

  EXPECT_THAT(commands_of(2),
              ElementsAre("BEGIN", "SELECT a FROM t", "UPDATE t SET a = 8", "UPDATE t SET a = 9"));
  EXPECT_EQ(replays(ReplayResult::kReplayed), 1U);
}

TEST_F(ReplayTest, ABackendThatIsLostAgainAndAgainIsReplacedWhileTheBudgetLasts) {
  constexpr int kLosses = 7;
  const auto reads = [&](int count) {
    return eventually([&] {
      const Words words = tidb_.commands();
      return std::count(words.begin(), words.end(), "SELECT a FROM t") == count;
    });
  };
  RawClient client = client_in_transaction();
  tidb_.hold("SELECT a FROM t");
  lose_at(0);
  client.send("\x03UPDATE t SET a = 9");
  for (int loss = 1; loss < kLosses; ++loss) {
    ASSERT_TRUE(reads(1 + loss)) << "in the replay after that loss";
    tidb_.hold("BEGIN");  // the next replay's
    lose_at(0);
    tidb_.release("SELECT a FROM t");
    ASSERT_TRUE(eventually([&] { return tidb_.has_broken(); }));
    tidb_.hold("SELECT a FROM t");
    tidb_.release("BEGIN");
  }
  tidb_.let_go();

  EXPECT_TRUE(client.read_reply().is_ok());
  EXPECT_EQ(replays(ReplayResult::kReplayed), 1U);
}

TEST_F(ReplayTest, AFailedStatementOfTheTransactionFailsTheSameWayAgain) {
  start();
  RawClient client = this->client();
  ASSERT_TRUE(client.query("BEGIN").is_ok());
  ASSERT_TRUE(client.query("INSERT INTO broken VALUES (1)").is_error(1105));
  ASSERT_TRUE(client.query("SAVEPOINT s").is_ok()) << "the ping after the error is answered";
  lose_at(0);

  EXPECT_TRUE(client.query("UPDATE t SET a = 9").is_ok());

  EXPECT_THAT(commands_of(1), ElementsAre("BEGIN", "INSERT INTO broken VALUES (1)", "PING",
                                          "SAVEPOINT s", "UPDATE t SET a = 9"));
}

TEST_F(ReplayTest, AnswersOfTheReplayDoNotReachTheClient) {
  RawClient client = client_in_transaction();
  lose_at(0);

  EXPECT_TRUE(client.query("UPDATE t SET a = 9").is_ok());
  EXPECT_TRUE(client.hears_nothing());
}

TEST_F(ReplayTest, PreparedStatementsArePreparedThereAgainEvenClosedOnes) {
  start();
  RawClient client = this->client();
  const std::uint32_t update = client.prepare("UPDATE t SET a = 8").statement;
  ASSERT_TRUE(client.query("BEGIN").is_ok());
  ASSERT_TRUE(client.execute(update).is_ok());
  client.send(std::string("\x19") + static_cast<char>(update) + std::string(3, '\0'));
  const std::uint32_t remove = client.prepare("DELETE FROM t").statement;
  lose_at(0);

  EXPECT_TRUE(client.execute(remove).is_ok());
  EXPECT_TRUE(client.query("COMMIT").is_ok());

  EXPECT_THAT(commands_of(1), ElementsAre("BEGIN", "PREPARE UPDATE t SET a = 8", "EXECUTE 1",
                                          "PREPARE DELETE FROM t", "EXECUTE 2", "COMMIT"));
  EXPECT_EQ(replays(ReplayResult::kReplayed), 1U);
}

TEST_F(ReplayTest, ParametersTypesAreSentAgainWithEachExecute) {
  start();
  RawClient client = this->client();
  const std::uint32_t update = client.prepare("UPDATE t SET a = ?").statement;
  const std::string with_types("\0\1\x08\0\5\0\0\0\0\0\0\0", 12);
  const std::string without_types("\0\0\6\0\0\0\0\0\0\0", 10);
  ASSERT_TRUE(client.execute(update, with_types).is_ok());
  ASSERT_TRUE(client.query("BEGIN").is_ok());
  ASSERT_TRUE(client.execute(update, without_types).is_ok());
  lose_at(0);

  EXPECT_TRUE(client.query("DELETE FROM t").is_ok());
  EXPECT_EQ(replays(ReplayResult::kReplayed), 1U);
}

TEST_F(ReplayTest, WithAutocommitOffTheFirstStatementBeginsIt) {
  tidb_.answer("SELECT a FROM t", text_result({"a"}, {{"7"}}, 1));
  tidb_.answer("UPDATE t SET a = 9", ok_packet(1, 1));
  start();
  RawClient client = this->client();
  ASSERT_TRUE(client.query("SET autocommit = 0").is_ok());
  ASSERT_EQ(client.query("SELECT a FROM t").rows, Words{"7"});
  lose_at(0);

  EXPECT_TRUE(client.query("UPDATE t SET a = 9").is_ok());

  EXPECT_THAT(commands_of(1),
              ElementsAre(HasSubstr("autocommit"), "SELECT a FROM t", "UPDATE t SET a = 9"));
}

TEST_F(ReplayTest, ADeadlockIsMendedByAReplay) {
  RawClient client = client_in_transaction();
  tidb_.answer_once("UPDATE t SET a = 9", err_packet(1213, "40001", "Deadlock found"));

  const Reply reply = client.query("UPDATE t SET a = 9");

  EXPECT_TRUE(reply.is_ok()) << describe(reply);
  EXPECT_EQ(reply.status, kInTransaction);
  EXPECT_TRUE(client.query("COMMIT").is_ok());
  EXPECT_EQ(replays(ReplayResult::kReplayed), 1U);
}

TEST_F(ReplayTest, ADeadlockWhoseReplayDiffersIsTheClientsAndItsSessionGoesOn) {
  RawClient client = client_in_transaction();
  tidb_.answer_once("UPDATE t SET a = 9", err_packet(1213, "40001", "Deadlock found"));
  tidb_.answer("SELECT a FROM t", text_result({"a"}, {{"6"}}, kInTransaction));

  EXPECT_TRUE(client.query("UPDATE t SET a = 9").is_error(1213));

  EXPECT_TRUE(is_idle()) << "the transaction is over";
  EXPECT_EQ(client.query("SELECT 1").status, 2);
  EXPECT_EQ(replays(ReplayResult::kDifferent), 1U);
}

TEST_F(ReplayTest, ADeadlockWhosePingIsLostIsMendedToo) {
  RawClient client = client_in_transaction();
  tidb_.answer_once("UPDATE t SET a = 9", err_packet(1213, "40001", "Deadlock found"));
  lose_at(1);

  EXPECT_TRUE(client.query("UPDATE t SET a = 9").is_ok());
  EXPECT_TRUE(client.query("COMMIT").is_ok());
  EXPECT_EQ(replays(ReplayResult::kReplayed), 1U);
}

// With 8028 the transaction may be open, and its client may go on to write in it.
TEST_F(ReplayTest, AConflictWhosePingIsLostEndsTheSessionWhoseReplayDiffers) {
  RawClient client = client_in_transaction();
  tidb_.answer_once("UPDATE t SET a = 9", err_packet(8028, "HY000", "schema has changed"));
  tidb_.answer("SELECT a FROM t", text_result({"a"}, {{"6"}}, kInTransaction));
  lose_at(1);

  EXPECT_TRUE(client.query("UPDATE t SET a = 9").is_error(8028));

  EXPECT_TRUE(client.is_closed());
  EXPECT_EQ(replays(ReplayResult::kDifferent), 1U);
}

TEST_F(ReplayTest, AConflictThatLeavesTheTransactionOpenIsTheClients) {
  RawClient client = client_in_transaction();
  tidb_.answer_once("UPDATE t SET a = 9", err_packet(8028, "HY000", "schema has changed"));

  EXPECT_TRUE(client.query("UPDATE t SET a = 9").is_error(8028));

  EXPECT_EQ(client.query("UPDATE t SET a = 8").status, kInTransaction);
  EXPECT_TRUE(client.query("COMMIT").is_ok());
  EXPECT_EQ(replays(ReplayResult::kReplayed), 0U);
  EXPECT_THAT(commands_of(0).back(), "COMMIT");
}

TEST_F(ReplayTest, ADeadlockThatComesAgainAndAgainIsTheClients) {
  pool().retry_budget = std::chrono::seconds(60);
  RawClient client = client_in_transaction();
  tidb_.hold("UPDATE t SET a = 9");
  for (int i = 0; i < 6; ++i) {
    tidb_.answer_once("UPDATE t SET a = 9", err_packet(1213, "40001", "Deadlock found"));
    if (i == 0) client.send("\x03UPDATE t SET a = 9");
    ASSERT_TRUE(holds(1));
    tidb_.release("UPDATE t SET a = 9");
    ASSERT_TRUE(holds(0));
    tidb_.hold("UPDATE t SET a = 9");
  }
  EXPECT_TRUE(client.read_reply().is_error(1213));
  EXPECT_EQ(replays(ReplayResult::kReplayed), 5U);
  EXPECT_EQ(replays(ReplayResult::kLostAgain), 1U);
}

TEST_F(ReplayTest, AClientThatLeavesDuringAReplayLeavesNothing) {
  RawClient client = client_in_transaction();
  lose_at(0);
  tidb_.hold("BEGIN");
  client.send("\x03UPDATE t SET a = 9");
  ASSERT_TRUE(holds(1));

  client.close();
  tidb_.let_go();

  EXPECT_TRUE(has_sessions(0));
  EXPECT_TRUE(is_idle());
  expect_service();
}

TEST_F(ReplayTest, AClientThatLeavesBeforeTheReplayLeavesNothing) {
  RawClient client = client_whose_backend_is_lost();

  client.close();

  EXPECT_TRUE(has_sessions(0));
  expect_service();
}

TEST_F(ReplayTest, AResetAfterALossForgetsTheTransaction) {
  RawClient client = client_whose_backend_is_lost();

  ASSERT_TRUE(client.command("\x1f").is_ok());

  EXPECT_EQ(client.query("SELECT 1").status, 2);
  EXPECT_EQ(replays(ReplayResult::kReplayed), 0U);
}

TEST_F(ReplayTest, TheNextTransactionIsReplayedByItself) {
  RawClient client = client_in_transaction();
  ASSERT_TRUE(client.query("COMMIT").is_ok());
  ASSERT_TRUE(client.query("BEGIN").is_ok());
  ASSERT_TRUE(client.query("DELETE FROM t").is_ok());
  lose_at(0);

  EXPECT_TRUE(client.query("UPDATE t SET a = 9").is_ok());

  EXPECT_THAT(commands_of(1), ElementsAre("BEGIN", "DELETE FROM t", "UPDATE t SET a = 9"));
}

TEST_F(ReplayTest, TheIsolationOfTheNextTransactionIsNotKept) {
  start();
  RawClient client = this->client();
  ASSERT_TRUE(client.query("SET TRANSACTION ISOLATION LEVEL READ COMMITTED").is_ok());
  ASSERT_TRUE(client.query("BEGIN").is_ok());
  lose_at(0);

  expect_lost(client.query("UPDATE t SET a = 9"), "not executed");
  EXPECT_EQ(replays(ReplayResult::kNotReplayable), 1U);
}

}  // namespace
}  // namespace tidepool::testing

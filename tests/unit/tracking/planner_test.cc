#include "tidepool/tracking/planner.h"

#include <gtest/gtest.h>

#include "tidepool/protocol/capabilities.h"
#include "tidepool/protocol/reply_messages.h"
#include "tidepool/protocol/text_result.h"
#include "turns.h"

namespace tidepool::tracking {
namespace {

using Steps = Turns::Steps;

class PlannerTest : public ::testing::Test {
 protected:
  Turns session_;
  Turns other_{8};
  BackendModel one_ = Turns::fresh_backend();
  BackendModel two_ = Turns::fresh_backend();
};

TEST_F(PlannerTest, ABackendInTheSessionsStateGetsTheCommandAlone) {
  EXPECT_EQ(session_.query(one_, "SELECT 1"), Steps{"SELECT 1"});
}

TEST_F(PlannerTest, ABackendInAnotherStateIsBroughtToTheSessions) {
  EXPECT_EQ(session_.query(one_, "USE app"), Steps{"USE app"});
  EXPECT_EQ(session_.query(two_, "SELECT 1"), (Steps{"USE `app`", "SELECT 1"}));
  EXPECT_EQ(session_.query(two_, "SELECT 2"), Steps{"SELECT 2"}) << "it is there now";
  EXPECT_EQ(other_.query(two_, "SELECT 3"), (Steps{"RESET", "SELECT 3"})) << "it has no database";
}

TEST_F(PlannerTest, AUseNeedsNoRestoreOfTheOldDatabase) {
  session_.query(one_, "USE app");
  EXPECT_EQ(session_.query(two_, "USE shop"), Steps{"USE shop"});
}

TEST_F(PlannerTest, WhatSetTransactionHasSetGoesRightBeforeTheStatementThatTakesIt) {
  session_.query(one_, "SET @a = 1");
  session_.model.next_isolation = "READ-COMMITTED";
  EXPECT_EQ(session_.query(two_, "BEGIN"),
            (Steps{"SET @`a`=1", "SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "BEGIN"}));
}

TEST_F(PlannerTest, AnInsertMeetsTheSessionsInsertId) {
  session_.answer("INSERT INTO t VALUES ()", ok_packets(5));
  session_.query(one_, "INSERT INTO t VALUES ()");
  session_.answer("SELECT LAST_INSERT_ID()", number_packets(5));
  session_.capture(one_);
  EXPECT_EQ(session_.model.diagnostics.last_insert_id(), 5U);
  EXPECT_EQ(session_.query(two_, "INSERT INTO t VALUES (1)").front(), "SELECT LAST_INSERT_ID(5)");
}

TEST_F(PlannerTest, WhatIsAskedAboutTheStatementBeforeStandsInTheText) {
  session_.query(one_, "DO 0");
  other_.query(one_, "SELECT 1");
  EXPECT_EQ(session_.query(one_, "SELECT ROW_COUNT(), 1").back(),
            "SELECT (ROW_COUNT()*0+0) AS `ROW_COUNT()`, 1");
  EXPECT_EQ(session_.query(one_, "SELECT ROW_COUNT(), 1").back(), "SELECT ROW_COUNT(), 1")
      << "the backend knows it";
}

TEST_F(PlannerTest, ASqlLevelStatementIsPreparedWhereItIsMissing) {
  session_.query(one_, "PREPARE s FROM 'SELECT 1'");
  EXPECT_EQ(session_.query(one_, "EXECUTE s"), Steps{"EXECUTE s"});
  EXPECT_EQ(session_.query(two_, "EXECUTE s"), (Steps{"PREPARE `s` FROM 'SELECT 1'", "EXECUTE s"}));
}

TEST_F(PlannerTest, ANameThatAnotherSessionLeftIsDeallocatedFirst) {
  other_.query(two_, "PREPARE s FROM 'SELECT 2'");
  session_.query(one_, "PREPARE s FROM 'SELECT 1'");
  EXPECT_EQ(session_.query(two_, "EXECUTE s"),
            (Steps{"DEALLOCATE PREPARE `s`", "PREPARE `s` FROM 'SELECT 1'", "EXECUTE s"}));
  EXPECT_EQ(other_.query(one_, "EXECUTE t"), Steps{"EXECUTE t"}) << "TiDB is to refuse it";
}

TEST_F(PlannerTest, AStatementIsPreparedInTheStateOfItsPrepare) {
  session_.query(one_, "USE app");
  session_.query(one_, "PREPARE s FROM 'SELECT 1 FROM t'");
  session_.query(one_, "USE shop");
  EXPECT_EQ(session_.query(two_, "EXECUTE s"),
            (Steps{"USE `shop`", "USE `app`", "PREPARE `s` FROM 'SELECT 1 FROM t'", "USE `shop`",
                   "EXECUTE s"}));
}

TEST_F(PlannerTest, ABinaryStatementIsPreparedWhereItIsMissingAndThenKnown) {
  std::uint32_t id = 0;
  EXPECT_EQ(session_.prepare(one_, "SELECT 1", id), Steps{"PREPARE SELECT 1"});
  EXPECT_EQ(session_.execute(one_, id), Steps{"EXECUTE 1"});
  EXPECT_EQ(session_.execute(two_, id), (Steps{"PREPARE SELECT 1", "EXECUTE 2"}));
  EXPECT_EQ(session_.execute(two_, id), Steps{"EXECUTE 2"});
}

TEST_F(PlannerTest, WarningsAreReadBeforeSomethingElseRunsOnTheirBackend) {
  session_.answer("SELECT 1/0", ok_packets(0, 1));
  session_.query(one_, "SELECT 1/0");
  EXPECT_TRUE(session_.model.diagnostics.warnings_on_backend());
  EXPECT_EQ(session_.capture(one_), Steps{"SHOW WARNINGS"});
  EXPECT_FALSE(session_.model.diagnostics.warnings_on_backend());
}

TEST_F(PlannerTest, ALoginsDatabaseIsCheckedWithTheRolesOfALogin) {
  EXPECT_EQ(session_.check_login(one_, "app"), Steps{"USE `app`"});
  other_.query(one_, "SET ROLE NONE");
  EXPECT_EQ(session_.check_login(one_, "app"), (Steps{"SET ROLE DEFAULT", "USE `app`"}));
}

TEST_F(PlannerTest, AStateThatOnlyItsBackendKnowsIsAskedForBeforeAStatementIsPreparedInIt) {
  session_.query(one_, "PREPARE s FROM 'SELECT 1 FROM t'");
  session_.query(one_, "SET time_zone = CONCAT('+05', ':00')");
  ASSERT_FALSE(session_.model.desired.is_exact());
  const Steps steps = session_.query(one_, "EXECUTE s");
  EXPECT_EQ(steps.back(), "EXECUTE s");
  EXPECT_NE(steps.front().find("time_zone"), std::string::npos) << steps.front();
}

TEST_F(PlannerTest, TheResourceGroupOfALoginIsAskedForBeforeTheFirstChange) {
  EXPECT_EQ(session_.query(one_, "SET RESOURCE GROUP rg"),
            (Steps{"SELECT CURRENT_RESOURCE_GROUP()", "SET RESOURCE GROUP rg"}));
}

TEST_F(PlannerTest, SeveralStatementsAfterAWarningFindItsLikeOnAnotherBackend) {
  session_.answer("SELECT 1/0", ok_packets(0, 1));
  session_.query(one_, "SELECT 1/0");
  session_.answer("SHOW WARNINGS",
                  protocol::make_text_result(
                      {protocol::string_column("Level"), protocol::integer_column("Code"),
                       protocol::string_column("Message")},
                      {{"Warning", "1365", "Division by 0"}}, 2, 0));
  session_.capture(one_);
  EXPECT_EQ(session_.model.diagnostics.warning_count(), 1U);
  EXPECT_EQ(session_.query(two_, "SHOW WARNINGS; SELECT 1"),
            (Steps{"SELECT CAST('x0' AS SIGNED)", "SHOW WARNINGS; SELECT 1"}));
}

TEST_F(PlannerTest, WarningsOnTheBackendAreReadAheadOfARestore) {
  session_.answer("SELECT 1/0", ok_packets(0, 1));
  session_.query(one_, "SELECT 1/0");
  session_.model.next_isolation = "READ-COMMITTED";
  EXPECT_EQ(session_.query(one_, "SELECT 1"),
            (Steps{"SHOW WARNINGS", "SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "SELECT 1"}));
}

TEST_F(PlannerTest, AStatementWithACursorRunsWithoutThePlanCacheOfAnotherState) {
  std::uint32_t id = 0;
  session_.prepare(one_, "SELECT v FROM t", id);
  session_.execute(one_, id);
  session_.model.prepared.find(id)->has_cursor = true;
  session_.query(one_, "SET div_precision_increment = 9");
  EXPECT_EQ(session_.execute(one_, id),
            (Steps{"SET tidb_enable_prepared_plan_cache=OFF", "EXECUTE 1"}));
}

TEST_F(PlannerTest, AnExecuteByNameAsksAboutTheStatementBeforeInAnotherText) {
  session_.query(one_, "PREPARE s FROM 'SELECT ROW_COUNT() + 1'");
  session_.query(one_, "DO 0");
  const Steps steps = session_.query(two_, "EXECUTE s");
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_NE(steps.front().find("ROW_COUNT()*0"), std::string::npos) << steps.front();
}

TEST_F(PlannerTest, ASessionInADatabaseThatIsGoneEntersItByItsNameAlone) {
  session_.query(one_, "USE app");
  auto command = std::make_unique<Command>(protocol::Command::kQuery,
                                           std::string("\x03") + "SELECT 1", TimePoint{});
  command->script = sql::classify(command->argument(), session_.model.desired.lex_mode());
  command->inaccessible_database = Error{Code::kBackend, "Unknown database 'app'", 1049, "42000"};
  CommandContext plan{.model = session_.model, .backend = two_, .command = *command};
  ASSERT_TRUE(add_steps(plan));
  EXPECT_EQ(two_.actual.database(), "app");
  EXPECT_NE(plan.exchange().take_writable().find("SET SESSION_STATES"), std::string::npos);
}

// ---- What must be known before a statement is prepared in another state ----

class PrefetchTest : public PlannerTest {
 protected:
  static bool asks_for_state(const Steps& steps) {
    return steps.front().find("@@time_zone") != std::string::npos ||
           steps.front().find("never set") != std::string::npos;
  }
  void set_computed_variable() {
    session_.query(one_, "SET time_zone = CONCAT('+05', ':00')");
    session_.answer("SELECT @@time_zone", text_packets("+05:00"));
  }
};

TEST_F(PrefetchTest, TheStateIsReadBackForAPlanThatDependsOnIt) {
  std::uint32_t id = 0;
  session_.prepare(one_, "SELECT a FROM t", id);
  set_computed_variable();
  EXPECT_TRUE(asks_for_state(session_.execute(one_, id)));
  EXPECT_TRUE(session_.model.desired.is_exact());
}

TEST_F(PrefetchTest, TheStateIsReadBackForLongDataToo) {
  std::uint32_t id = 0;
  session_.prepare(one_, "SELECT a, ? FROM t", id, 1);
  set_computed_variable();
  EXPECT_TRUE(asks_for_state(session_.send_long_data(one_, id)));
}

TEST_F(PrefetchTest, AStatementThatHasNoPlanNeedsNoStateWhereItIs) {
  std::uint32_t id = 0;
  session_.prepare(one_, "COMMIT", id);
  set_computed_variable();
  EXPECT_EQ(session_.execute(one_, id), Steps{"EXECUTE 1"});
}

TEST_F(PrefetchTest, AFetchOrResetOfAStatementNeedsNoState) {
  std::uint32_t id = 0;
  session_.prepare(one_, "SELECT a FROM t", id);
  set_computed_variable();
  EXPECT_EQ(session_.reset_statement(one_, id), Steps{"RESET_STATEMENT 1"});
}

TEST_F(PrefetchTest, AStatementThatIsPreparedInAnotherDatabaseNeedsTheState) {
  std::uint32_t id = 0;
  session_.query(one_, "USE app");
  session_.prepare(one_, "COMMIT", id);
  session_.query(one_, "USE shop");
  set_computed_variable();
  one_.prepared.clear();
  EXPECT_TRUE(asks_for_state(session_.execute(one_, id)));
}

TEST_F(PrefetchTest, AStatementThatIsPreparedInTheSameStateDoesNot) {
  std::uint32_t id = 0;
  session_.query(one_, "USE app");
  session_.prepare(one_, "COMMIT", id);
  session_.query(one_, "SET @a = 1 + 1");
  one_.prepared.clear();
  EXPECT_EQ(session_.execute(one_, id), (Steps{"PREPARE COMMIT", "EXECUTE 2"}));
}

TEST_F(PrefetchTest, AModeThatOnlyTheBackendKnowsIsReadBackForAPrepare) {
  std::uint32_t id = 0;
  session_.prepare(one_, "COMMIT", id);
  session_.query(one_, "SET sql_mode = CONCAT('AN', 'SI')");
  one_.prepared.clear();
  const Steps steps = session_.execute(one_, id);
  EXPECT_NE(steps.front().find("@@sql_mode"), std::string::npos) << steps.front();
}

TEST_F(PrefetchTest, TheStateIsReadBackForAPlanOfANameThatDependsOnIt) {
  session_.query(one_, "PREPARE s FROM 'SELECT a FROM t'");
  set_computed_variable();
  EXPECT_TRUE(asks_for_state(session_.query(one_, "EXECUTE s")));
}

TEST_F(PrefetchTest, ANameThatHasNoPlanNeedsNoStateWhereItIs) {
  session_.query(one_, "PREPARE s FROM 'COMMIT'");
  set_computed_variable();
  EXPECT_EQ(session_.query(one_, "EXECUTE s"), Steps{"EXECUTE s"});
  EXPECT_EQ(session_.query(one_, "DEALLOCATE PREPARE s"), Steps{"DEALLOCATE PREPARE s"});
}

TEST_F(PrefetchTest, ANameThatIsPreparedInAnotherDatabaseNeedsTheState) {
  session_.query(one_, "USE app");
  session_.query(one_, "PREPARE s FROM 'COMMIT'");
  session_.query(one_, "USE shop");
  set_computed_variable();
  one_.named["s"] = {8, 1};
  EXPECT_TRUE(asks_for_state(session_.query(one_, "EXECUTE s")));
}

TEST_F(PrefetchTest, ANameThatIsPreparedInTheSameStateDoesNot) {
  session_.query(one_, "PREPARE s FROM 'COMMIT'");
  session_.query(one_, "SET @a = 1 + 1");
  one_.named.clear();
  EXPECT_EQ(session_.query(one_, "EXECUTE s"), (Steps{"PREPARE `s` FROM 'COMMIT'", "EXECUTE s"}));
}

TEST_F(PrefetchTest, ANameThatTheSessionDoesNotKnowNeedsNoState) {
  set_computed_variable();
  EXPECT_EQ(session_.query(one_, "EXECUTE s"), Steps{"EXECUTE s"});
}

TEST_F(PrefetchTest, NothingIsAskedTwiceForOneCommand) {
  std::uint32_t id = 0;
  session_.prepare(one_, "SELECT a FROM t", id);
  session_.query(one_, "SET time_zone = CONCAT('+05', ':00')");
  Command command(protocol::Command::kStmtExecute, "\x17\1" + std::string(8, '\0'), {});
  command.statement = session_.model.prepared.find(id);
  command.attempt.prefetch_done = true;
  CommandContext plan{.model = session_.model, .backend = one_, .command = command};
  EXPECT_FALSE(add_prefetch(plan));
}

TEST_F(PrefetchTest, ACheckOfALoginAsksNothing) {
  session_.query(one_, "SET time_zone = CONCAT('+05', ':00')");
  EXPECT_EQ(session_.check_login(one_, "app"), Steps{"USE `app`"});
}

// ---- The client's command ----

// COM_INIT_DB would change what COM_RESET_CONNECTION goes back to.
TEST_F(PlannerTest, AnInitDbIsSentAsAQuery) {
  session_.init_database(one_, "app");
  EXPECT_EQ(session_.payloads(), std::vector<std::string>{"\3USE `app`"});
  EXPECT_EQ(session_.init_database(two_, "app"), Steps{"USE `app`"}) << "no restore goes ahead";
}

TEST_F(PlannerTest, OnlyAClientThatMaySendAFileIsAskedForOne) {
  for (const bool may : {false, true}) {
    Command command(protocol::Command::kQuery, "\3LOAD DATA LOCAL INFILE 'x' INTO TABLE t", {});
    command.script = sql::classify(command.argument(), {});
    const std::uint32_t capabilities = may ? protocol::capability::kLocalFiles : 0;
    CommandContext plan{.model = session_.model,
                        .backend = one_,
                        .command = command,
                        .client_capabilities = capabilities};
    ASSERT_TRUE(add_steps(plan));
    (void)plan.exchange().take_writable();
    const std::string request("\2\0\0\1\xfbx", 6);
    EXPECT_EQ(plan.exchange().feed(request).has_value(), may);
    EXPECT_EQ(plan.exchange().wants_local_infile(), may);
  }
}

// What comes before the fence's own answer belongs to the command.
TEST_F(PlannerTest, ACommandWithoutACertainEndHasAFence) {
  Command command(protocol::Command::kRefresh, "\7\4", {});
  CommandContext plan{.model = session_.model, .backend = one_, .command = command};
  ASSERT_EQ(protocol::has_certain_end(command.type), false);
  ASSERT_TRUE(add_steps(plan));
  EXPECT_EQ(plan.exchange().take_writable(), framed("\7\4") + framed("\x0e"));
}

TEST_F(PlannerTest, ARefusalIsHeldWhereTheCommandMayBeSentAgain) {
  const auto is_held = [&](const char* text, bool records) {
    Command command(protocol::Command::kQuery, std::string("\3") + text, {});
    command.script = sql::classify(command.argument(), {});
    if (records) command.attempt.answer = std::make_unique<StreamHash>();
    other_.query(one_, "SELECT 1");
    CommandContext plan{.model = session_.model, .backend = one_, .command = command};
    EXPECT_TRUE(add_steps(plan));
    (void)plan.exchange().take_writable();
    const auto progress = plan.exchange().feed(error_packets(1064));
    return progress && !progress->relay;
  };
  EXPECT_FALSE(is_held("SELECT 1", false));
  EXPECT_TRUE(is_held("SELECT 1", true)) << "a replay may make another answer of it";
  EXPECT_TRUE(is_held("SELECT ROW_COUNT(), 1", false)) << "TiDB is to quote the client's text";
}

TEST_F(PlannerTest, ANextIsolationIsHeldForAStatementThatTakesIt) {
  session_.model.next_isolation = "READ-COMMITTED";
  EXPECT_EQ(session_.query(one_, "UPDATE t SET a = 1").size(), 2U);
  EXPECT_TRUE(session_.model.next_isolation.empty());
  session_.model.next_isolation = "READ-COMMITTED";
  EXPECT_EQ(session_.set_multi_statements(one_, true), Steps{"SET_OPTION"});
  EXPECT_FALSE(session_.model.next_isolation.empty()) << "COM_SET_OPTION leaves it";
}

TEST_F(PlannerTest, AWriteIsSentOnceALevelForItIsSet) {
  session_.model.next_isolation = "READ-COMMITTED";
  session_.answer("SET TRANSACTION ISOLATION LEVEL READ COMMITTED", error_packets(1105));
  EXPECT_EQ(session_.query(one_, "UPDATE t SET a = 1"),
            Steps{"SET TRANSACTION ISOLATION LEVEL READ COMMITTED"});
}

TEST_F(PlannerTest, ACloseHasNoAnswer) {
  Command command(protocol::Command::kStmtClose, std::string("\x19\1\0\0\0", 5), TimePoint{});
  CommandContext plan{.model = session_.model, .backend = one_, .command = command};
  ASSERT_TRUE(add_steps(plan));
  EXPECT_FALSE(plan.exchange().take_writable().empty());
  EXPECT_TRUE(plan.exchange().is_over());
}

}  // namespace
}  // namespace tidepool::tracking

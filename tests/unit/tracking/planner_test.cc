#include "tidepool/tracking/planner.h"

#include <gtest/gtest.h>

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
  EXPECT_EQ(session_.model.facts.last_insert_id(), 5U);
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
  EXPECT_TRUE(session_.model.facts.warnings_on_backend());
  EXPECT_EQ(session_.capture(one_), Steps{"SHOW WARNINGS"});
  EXPECT_FALSE(session_.model.facts.warnings_on_backend());
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
  EXPECT_EQ(session_.model.facts.warning_count(), 1U);
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
  command->lost_database = Error{Code::kBackend, "Unknown database 'app'", 1049, "42000"};
  CommandContext plan{.model = session_.model, .backend = two_, .command = *command};
  ASSERT_TRUE(add_steps(plan));
  EXPECT_EQ(two_.actual.database(), "app");
  EXPECT_NE(plan.exchange().take_writable().find("SET SESSION_STATES"), std::string::npos);
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

#include "tidepool/tracking/plan_prepared.h"

#include <gtest/gtest.h>

#include "tidepool/protocol/statement_messages.h"
#include "turns.h"

namespace tidepool::tracking {
namespace {

using Steps = Turns::Steps;

const std::string kLong("\x08\0", 2);
const std::string kDouble("\x05\0", 2);

class PlanPreparedTest : public ::testing::Test {
 protected:
  PreparedStatement& statement(std::uint32_t id) { return *session_.model.prepared.find(id); }
  // The types in the last execute that was sent.
  std::string sent_types() const {
    const auto execute = protocol::parse_stmt_execute(session_.payloads().back(), 1);
    return execute ? std::string(execute->types) : "none";
  }

  Turns session_;
  Turns other_{8};
  BackendModel one_ = Turns::fresh_backend();
  BackendModel two_ = Turns::fresh_backend();
  std::uint32_t id_ = 0;
};

// ---- Parameter types ----

// A client sends the types with its first execute only, and TiDB remembers them for its connection.
TEST_F(PlanPreparedTest, AnExecuteWithoutTypesGetsThoseOfTheOneBefore) {
  session_.prepare(one_, "SELECT ?", id_, 1);
  session_.execute(one_, id_, kLong);
  EXPECT_EQ(sent_types(), kLong);
  session_.execute(two_, id_);
  EXPECT_EQ(sent_types(), kLong);
  EXPECT_EQ(protocol::parse_statement_id(session_.payloads().back()).value_or(0), 2U);
}

TEST_F(PlanPreparedTest, AnExecuteWithoutTypesThatWereNeverSentStaysAsItIs) {
  session_.prepare(one_, "SELECT ?", id_, 1);
  session_.execute(one_, id_);
  EXPECT_EQ(sent_types(), "");
}

// TiDB's plan keeps something of the types that it was first executed with.
TEST_F(PlanPreparedTest, AStatementIsNotSharedByExecutesOfOtherTypes) {
  session_.prepare(one_, "SELECT ?", id_, 1);
  EXPECT_EQ(session_.execute(one_, id_, kLong), Steps{"EXECUTE 1"})
      << "nobody has executed the one that its prepare made";
  EXPECT_EQ(session_.execute(one_, id_, kDouble), (Steps{"PREPARE SELECT ?", "EXECUTE 2"}));
  EXPECT_EQ(session_.execute(one_, id_, kLong), Steps{"EXECUTE 1"});
  EXPECT_EQ(session_.execute(one_, id_, kLong), Steps{"EXECUTE 1"});
}

TEST_F(PlanPreparedTest, AStatementIsSharedByExecutesOfTheSameTypes) {
  session_.prepare(one_, "SELECT ?", id_, 1);
  session_.execute(one_, id_, kLong);
  std::uint32_t same = 0;
  session_.prepare(one_, "SELECT ?", same, 1);
  EXPECT_EQ(session_.execute(one_, same, kLong), Steps{"EXECUTE 1"});
}

TEST_F(PlanPreparedTest, AnExecuteWithoutAnyTypesMeetsNoStatementOfOthers) {
  session_.prepare(one_, "SELECT ?", id_, 1);
  std::uint32_t same = 0;
  session_.prepare(one_, "SELECT ?", same, 1);
  session_.execute(one_, id_);
  EXPECT_NE(*statement(id_).key, *statement(same).key);
  EXPECT_NE(*statement(id_).key, *statement(id_).text_key);
}

// ---- Long data and cursors ----

TEST_F(PlanPreparedTest, LongDataGoesToAStatementOfItsOwn) {
  session_.prepare(one_, "SELECT ?", id_, 1);
  EXPECT_EQ(session_.send_long_data(one_, id_), Steps{"DATA 1"}) << "nobody else has executed it";
  EXPECT_TRUE(session_.model.pins.contains(sql::Pin::kLongData));
  std::uint32_t same = 0;
  session_.prepare(one_, "SELECT ?", same, 1);
  EXPECT_EQ(session_.send_long_data(one_, same), Steps{"DATA 2"});
  EXPECT_NE(*statement(id_).key, *statement(same).key);
  EXPECT_EQ(session_.execute(one_, id_, kLong), Steps{"EXECUTE 1"});
  EXPECT_FALSE(statement(id_).has_long_data);
}

TEST_F(PlanPreparedTest, LongDataForABackendWithoutTheStatementWaitsForItsPrepare) {
  session_.prepare(one_, "SELECT ?", id_, 1);
  EXPECT_EQ(session_.send_long_data(two_, id_), (Steps{"PREPARE SELECT ?", "DATA 2"}));
}

TEST_F(PlanPreparedTest, AnOpenCursorIsNotClosedByAnotherExecuteOfTheSameText) {
  std::uint32_t same = 0;
  session_.prepare(one_, "SELECT a FROM t", id_);
  session_.prepare(one_, "SELECT a FROM t", same);
  session_.answer("EXECUTE 2", cursor_packets(0));
  session_.execute(one_, id_, {}, protocol::kCursorReadOnly);
  ASSERT_TRUE(statement(id_).has_cursor);
  EXPECT_EQ(session_.execute(one_, same), (Steps{"PREPARE SELECT a FROM t", "EXECUTE 3"}));
  EXPECT_EQ(session_.fetch(one_, id_), Steps{"FETCH 2"});
  EXPECT_EQ(session_.reset_statement(one_, id_), Steps{"RESET_STATEMENT 2"});
  EXPECT_FALSE(statement(id_).has_cursor);
  EXPECT_FALSE(session_.model.keeps_lease());
}

// ---- Prepared again ----

TEST_F(PlanPreparedTest, AStatementIsPreparedInTheStateOfItsPrepareAndExecutedInTheSessions) {
  session_.query(one_, "USE app");
  session_.prepare(one_, "SELECT 1 FROM t", id_);
  session_.query(one_, "USE shop");
  EXPECT_EQ(
      session_.execute(two_, id_),
      (Steps{"USE `shop`", "USE `app`", "PREPARE SELECT 1 FROM t", "USE `shop`", "EXECUTE 2"}));
  EXPECT_EQ(two_.actual.database(), "shop");
}

TEST_F(PlanPreparedTest, ATextThatNamesNoDatabaseNeedsNone) {
  session_.prepare(one_, "SELECT 1", id_);
  session_.query(one_, "USE shop");
  EXPECT_EQ(session_.execute(two_, id_), (Steps{"USE `shop`", "PREPARE SELECT 1", "EXECUTE 2"}));
}

TEST_F(PlanPreparedTest, AWriteWaitsUntilItsBackendIsInTheStateOfTheSession) {
  session_.query(one_, "USE app");
  session_.prepare(one_, "UPDATE t SET a = 1", id_);
  session_.answer("USE `app`", error_packets(1044));
  EXPECT_EQ(session_.execute(two_, id_), (Steps{"USE `app`", "PREPARE UPDATE t SET a = 1"}))
      << "written together; but nothing is executed in another state";
  EXPECT_EQ(session_.told().error_number, 1044);
}

TEST_F(PlanPreparedTest, AStatementThatCannotBePreparedAgainIsAnErrorOfItsExecute) {
  session_.prepare(one_, "SELECT a FROM t", id_);
  session_.answer("PREPARE SELECT a FROM t", error_packets(1146));
  session_.execute(two_, id_);
  EXPECT_EQ(session_.told().error_number, 1146);
  EXPECT_FALSE(two_.prepared.find(*statement(id_).key));
}

TEST_F(PlanPreparedTest, ADefinitionThatWasExecutedIsPreparedAsTidbHasItThen) {
  session_.prepare(one_, "CREATE TABLE t (a INT)", id_);
  session_.execute(one_, id_);
  EXPECT_NE(statement(id_).text_after_execution, "");
  EXPECT_EQ(session_.execute(two_, id_).front(), "PREPARE " + statement(id_).text_after_execution);
}

TEST_F(PlanPreparedTest, NothingIsLeftBehindForAUserVariableThatOnlyTheBackendKnows) {
  session_.query(one_, "USE app");
  session_.prepare(one_, "SELECT 1 FROM t", id_);
  session_.query(one_, "USE shop");
  session_.query(one_, "SET @a = 1 + 1");
  ASSERT_FALSE(session_.model.desired.is_exact());
  const std::string key = *statement(id_).key;
  one_.prepared.erase(key);
  Steps steps = session_.execute(one_, id_);
  EXPECT_NE(steps.front().find(",@`a`,"), std::string::npos) << "what can be read back is";
  steps.erase(steps.begin());
  EXPECT_EQ(steps, (Steps{"USE `app`", "PREPARE SELECT 1 FROM t", "USE `shop`", "EXECUTE 2"}))
      << "@a stays as it is on the way there and back";
}

// ---- Plans ----

TEST_F(PlanPreparedTest, AStateThatTidbsKeyDoesNotTellStandsBeforeTheText) {
  session_.prepare(one_, "SELECT a/3 FROM t", id_);
  session_.query(one_, "SET div_precision_increment = 9");
  const Steps steps = session_.execute(one_, id_);
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(steps.front().find_first_not_of(" \t\r\f", 8), 8U + 64U) << steps.front();
  EXPECT_TRUE(steps.front().ends_with("SELECT a/3 FROM t"));
  EXPECT_EQ(session_.execute(one_, id_), Steps{"EXECUTE 2"}) << "that one, as long as it is so";
  session_.query(one_, "SET div_precision_increment = DEFAULT");
  EXPECT_EQ(session_.execute(one_, id_), Steps{"EXECUTE 1"});
}

TEST_F(PlanPreparedTest, LongDataGoesToTheStatementThatItsExecuteWillHave) {
  session_.prepare(one_, "SELECT a/? FROM t", id_, 1);
  session_.query(one_, "SET div_precision_increment = 9");
  const Steps steps = session_.send_long_data(one_, id_);
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(steps.front().find_first_not_of(" \t\r\f", 8), 8U + 64U);
  EXPECT_EQ(session_.execute(one_, id_, kLong), Steps{"EXECUTE 2"});
}

TEST_F(PlanPreparedTest, AStatementWithDataKeepsAPlanOfTheSameState) {
  session_.prepare(one_, "SELECT a/? FROM t", id_, 1);
  session_.send_long_data(one_, id_);
  EXPECT_EQ(session_.execute(one_, id_, kLong), Steps{"EXECUTE 1"});
  session_.send_long_data(one_, id_);
  session_.query(one_, "SET div_precision_increment = 9");
  EXPECT_EQ(session_.execute(one_, id_, kLong),
            (Steps{"SET tidb_enable_prepared_plan_cache=OFF", "EXECUTE 1"}));
  EXPECT_EQ(session_.query(one_, "SELECT 1"),
            (Steps{"SET tidb_enable_prepared_plan_cache=DEFAULT", "SELECT 1"}))
      << "the next restore switches it on again";
}

TEST_F(PlanPreparedTest, AnUnshakenStateIsNeededToStopThePlanCache) {
  session_.prepare(one_, "SELECT a/? FROM t", id_, 1);
  session_.send_long_data(one_, id_);
  session_.query(one_, "SET div_precision_increment = 9");
  session_.query(one_, "SET @a = 1 + 1");
  session_.model.pins.insert(sql::Pin::kOneShotTransaction);  // so that nothing is read back
  EXPECT_EQ(session_.execute(one_, id_, kLong), Steps{"EXECUTE 1"})
      << "nothing would switch it on again";
}

// TiDB warns when it makes a plan, not when it finds it; a direct connection would have made it.
TEST_F(PlanPreparedTest, AClientsFirstExecuteSeesWhatThePlanWarnsOf) {
  session_.prepare(one_, "SELECT a FROM t", id_);
  session_.answer("EXECUTE 1", rows_packets(1));
  session_.execute(one_, id_);
  EXPECT_TRUE(statement(id_).has_warned);
  std::uint32_t others = 0;
  other_.prepare(one_, "SELECT b FROM t", others);
  ASSERT_EQ(other_.execute(one_, others).back(), "EXECUTE 1");

  Turns third(9);
  std::uint32_t thirds = 0;
  third.model.prepared.add("SELECT a FROM t", third.model.desired, 0, 9);
  thirds = 1;
  const Steps steps = third.execute(one_, thirds);
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(steps.front().find_first_not_of(" \t\r\f", 8), 8U + 64U) << "a plan of its own";
}

TEST_F(PlanPreparedTest, AClientThatHasThePlanMakesNone) {
  session_.prepare(one_, "SELECT a FROM t", id_);
  session_.answer("EXECUTE 1", rows_packets(1));
  session_.execute(one_, id_);
  EXPECT_EQ(session_.execute(one_, id_), Steps{"EXECUTE 1"});
  std::uint32_t same = 0;
  same = session_.model.prepared.add("SELECT a FROM t", session_.model.desired, 0, 7).id;
  EXPECT_EQ(session_.execute(one_, same), Steps{"EXECUTE 1"}) << "its other statement has it";
}

TEST_F(PlanPreparedTest, WhatHasNoKeptPlanIsNotPlannedAnew) {
  session_.prepare(one_, "COMMIT", id_);
  session_.answer("EXECUTE 1", ok_packets(0, 1));
  session_.execute(one_, id_);
  Turns third(9);
  const auto id = third.model.prepared.add("COMMIT", third.model.desired, 0, 9).id;
  EXPECT_EQ(third.execute(one_, id), Steps{"EXECUTE 1"});
}

// ---- What the statement asks about the one before ----

TEST_F(PlanPreparedTest, AnExecuteAsksAboutTheStatementBeforeInAnotherText) {
  session_.prepare(one_, "SELECT ROW_COUNT()", id_);
  session_.answer("UPDATE t SET a = 1", ok_packets(1));
  session_.query(one_, "UPDATE t SET a = 1");
  EXPECT_EQ(session_.execute(one_, id_), Steps{"EXECUTE 1"}) << "the backend knows it";
  session_.query(one_, "UPDATE t SET a = 1");
  const Steps steps = session_.execute(two_, id_);
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(steps.front(), "PREPARE SELECT (ROW_COUNT()*0+1) AS `ROW_COUNT()`");
}

TEST_F(PlanPreparedTest, TheTextStaysWhereNothingIsToBeReplaced) {
  session_.prepare(one_, "SELECT @a", id_);
  EXPECT_EQ(session_.execute(two_, id_), (Steps{"PREPARE SELECT @a", "EXECUTE 2"}));
  EXPECT_EQ(statement(id_).sent_text, "");
}

TEST_F(PlanPreparedTest, AnExecuteWithLongDataStaysTheStatementThatHasTheData) {
  session_.prepare(one_, "SELECT ROW_COUNT(), ?", id_, 1);
  session_.send_long_data(one_, id_);
  other_.query(one_, "SELECT 1");
  EXPECT_EQ(session_.execute(one_, id_, kLong), Steps{"EXECUTE 1"});
}

TEST_F(PlanPreparedTest, AnExecuteWithLongDataFindsTheSessionsInsertIdOnItsBackend) {
  session_.answer("INSERT INTO t VALUES ()", ok_packets(5));
  session_.query(one_, "INSERT INTO t VALUES ()");
  session_.answer("SELECT LAST_INSERT_ID()", number_packets(5));
  session_.capture(one_);
  session_.prepare(one_, "SELECT LAST_INSERT_ID(), ?", id_, 1);
  session_.send_long_data(two_, id_);
  EXPECT_EQ(session_.execute(two_, id_, kLong), (Steps{"SELECT LAST_INSERT_ID(5)", "EXECUTE 2"}))
      << "its text stays what it is";
}

TEST_F(PlanPreparedTest, AnExecuteAsksAnewThoughItsCursorIsOpen) {
  session_.prepare(one_, "SELECT ROW_COUNT(), a FROM t", id_);
  session_.answer("UPDATE t SET a = 1", ok_packets(1));
  session_.query(one_, "UPDATE t SET a = 1");
  session_.answer("EXECUTE 2", cursor_packets(0));
  session_.execute(two_, id_, {}, protocol::kCursorReadOnly);
  ASSERT_TRUE(statement(id_).has_cursor);
  session_.query(two_, "DO 0");
  const Steps steps = session_.execute(two_, id_, {}, protocol::kCursorReadOnly);
  ASSERT_EQ(steps.size(), 3U);
  EXPECT_EQ(steps[0], "CLOSE 2") << "an execute closes the cursor";
  EXPECT_EQ(steps[1], "PREPARE SELECT (ROW_COUNT()*0+0) AS `ROW_COUNT()`, a FROM t");
  EXPECT_EQ(steps[2], "EXECUTE 3");
  EXPECT_FALSE(session_.model.pins.contains(sql::Pin::kCursor));
}

TEST_F(PlanPreparedTest, DataThatWaitsBesideACursorIsNotClosedWithIt) {
  session_.prepare(one_, "SELECT LAST_INSERT_ID(), ?", id_, 1);
  two_.insert_id = 9;
  session_.answer("EXECUTE 2", cursor_packets(0));
  session_.execute(two_, id_, kLong, protocol::kCursorReadOnly);
  ASSERT_NE(statement(id_).sent_text, "");
  session_.send_long_data(two_, id_);
  EXPECT_EQ(session_.execute(two_, id_, kLong), Steps{"EXECUTE 2"});
}

TEST_F(PlanPreparedTest, AFetchFindsTheCursorOfATextOfItsOwn) {
  session_.prepare(one_, "SELECT ROW_COUNT(), a FROM t", id_);
  session_.query(one_, "DO 0");
  session_.answer("EXECUTE 2", cursor_packets(0));
  session_.execute(two_, id_, {}, protocol::kCursorReadOnly);
  EXPECT_EQ(session_.fetch(two_, id_), Steps{"FETCH 2"});
}

TEST_F(PlanPreparedTest, ATextOfItsOwnIsKnownByItsTypesToo) {
  session_.prepare(one_, "SELECT ROW_COUNT() + ?", id_, 1);
  session_.query(one_, "UPDATE t SET a = 1");
  const Steps first = session_.execute(two_, id_, kLong);
  ASSERT_EQ(first.size(), 2U);
  session_.query(one_, "UPDATE t SET a = 1");
  EXPECT_EQ(session_.execute(two_, id_, kLong), Steps{"EXECUTE 2"}) << "the same text, again";
  session_.query(one_, "UPDATE t SET a = 1");
  EXPECT_EQ(session_.execute(two_, id_, kDouble).size(), 2U);
}

// ---- The command ----

TEST_F(PlanPreparedTest, TheBackendsIdTakesThePlaceOfTheClients) {
  session_.prepare(one_, "SELECT 1", id_);
  Command fetch(protocol::Command::kStmtFetch, std::string("\x1c\1\0\0\0\1\0\0\0", 9), {});
  fetch.statement = &statement(id_);
  const std::string bytes = statement_bytes(fetch, 0x0a0b0c0d);
  EXPECT_EQ(bytes.substr(4), std::string("\x1c\x0d\x0c\x0b\x0a\1\0\0\0", 9));
}

TEST_F(PlanPreparedTest, TheResourceGroupIsAskedForBeforeAnExecuteThatSetsOne) {
  session_.prepare(one_, "SET RESOURCE GROUP rg", id_);
  EXPECT_EQ(session_.execute(one_, id_), (Steps{"SELECT CURRENT_RESOURCE_GROUP()", "EXECUTE 1"}));
}

TEST_F(PlanPreparedTest, AnExecuteTakesWhatSetTransactionHasSet) {
  session_.prepare(one_, "SELECT 1", id_);
  session_.model.next_isolation = "REPEATABLE-READ";
  EXPECT_EQ(session_.execute(one_, id_),
            (Steps{"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", "EXECUTE 1"}));
  session_.model.next_isolation = "REPEATABLE-READ";
  EXPECT_EQ(session_.reset_statement(one_, id_), Steps{"RESET_STATEMENT 1"});
}

TEST_F(PlanPreparedTest, ABackendThatCannotBeBroughtToTheStateIsLeft) {
  session_.prepare(one_, "SELECT 1", id_);
  two_.actual.apply(sql::init_database("app"));  // a reset would go back to it
  EXPECT_EQ(session_.execute(two_, id_), Steps{});
  EXPECT_TRUE(session_.found_no_way());
}

TEST_F(PlanPreparedTest, ATextOfItsOwnIsNotTakenForTheClients) {
  session_.prepare(one_, "SELECT ROW_COUNT()", id_);
  session_.query(one_, "DO 0");
  session_.execute(two_, id_);
  EXPECT_FALSE(two_.prepared.find(*statement(id_).text_key));
  EXPECT_TRUE(two_.prepared.find(*statement(id_).key));
}

TEST_F(PlanPreparedTest, TheRowsFoundOnAnotherBackendStandInTheText) {
  session_.prepare(two_, "SELECT FOUND_ROWS(), 1", id_);
  session_.answer("SELECT a FROM t", rows_packets(0));
  session_.query(one_, "SELECT a FROM t");
  EXPECT_EQ(session_.execute(two_, id_).front(),
            "PREPARE SELECT (FOUND_ROWS()&0|1) AS `FOUND_ROWS()`, 1");
}

}  // namespace
}  // namespace tidepool::tracking

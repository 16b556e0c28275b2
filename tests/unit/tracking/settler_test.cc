#include "tidepool/tracking/settler.h"

#include <gtest/gtest.h>

#include "tidepool/protocol/status.h"
#include "tidepool/tracking/settle_prepared.h"
#include "turns.h"

namespace tidepool::tracking {
namespace {

using Steps = Turns::Steps;
using sql::Pin;

constexpr std::uint16_t kInTransaction =
    protocol::status::kAutocommit | protocol::status::kInTransaction;

class SettlerTest : public ::testing::Test {
 protected:
  // A command on the session's backend that TiDB has answered so.
  CommandContext answered(Command& command, const protocol::ResponseSummary& answer) {
    command.attempt.summary = answer;
    return {.model = session_.model, .backend = one_, .command = command};
  }

  Turns session_;
  BackendModel one_ = Turns::fresh_backend();
  BackendModel two_ = Turns::fresh_backend();
};

TEST_F(SettlerTest, ATransactionPinsUntilTidbSaysThatNoneIsOpen) {
  session_.answer("BEGIN", ok_packets(0, 0, kInTransaction));
  session_.query(one_, "BEGIN");
  EXPECT_TRUE(session_.model.in_transaction);
  EXPECT_TRUE(session_.model.pins.contains(Pin::kTransaction));
  EXPECT_TRUE(session_.model.is_replayable());
  session_.query(one_, "COMMIT");
  EXPECT_FALSE(session_.model.in_transaction);
  EXPECT_FALSE(session_.model.keeps_lease());
}

TEST_F(SettlerTest, BeginSaysWhetherTheTransactionIsPessimistic) {
  session_.answer("BEGIN OPTIMISTIC", ok_packets(0, 0, kInTransaction));
  session_.query(one_, "BEGIN OPTIMISTIC");
  EXPECT_FALSE(session_.model.is_pessimistic);
  session_.answer("BEGIN PESSIMISTIC", ok_packets(0, 0, kInTransaction));
  session_.query(one_, "BEGIN PESSIMISTIC");
  EXPECT_TRUE(session_.model.is_pessimistic);
}

TEST_F(SettlerTest, AnOkChangesTheSessionAndItsBackendAnErrorNeither) {
  session_.query(one_, "SET @a = 1");
  EXPECT_EQ(session_.model.desired, one_.actual);
  const sql::SessionState before = session_.model.desired;
  session_.answer("SET @a = 2", error_packets(1105));
  session_.query(one_, "SET @a = 2");
  EXPECT_EQ(session_.model.desired, before);
  EXPECT_EQ(one_.actual, before);
}

TEST_F(SettlerTest, AUseIsFollowed) {
  session_.query(one_, "USE app");
  EXPECT_EQ(session_.model.desired.database(), "app");
  session_.answer("USE nowhere", error_packets(1049));
  session_.query(one_, "USE nowhere");
  EXPECT_EQ(session_.model.desired.database(), "app");
}

TEST_F(SettlerTest, WhatTheSessionHoldsForTheNextTransactionIsTakenByItsFirstOk) {
  session_.model.next_isolation = "READ-COMMITTED";
  session_.query(one_, "SELECT 1");
  EXPECT_TRUE(session_.model.next_isolation.empty());
  EXPECT_FALSE(session_.model.is_one_shot_pending());
}

TEST_F(SettlerTest, AnErrorMayLeaveTheBackendWithIt) {
  session_.model.next_isolation = "READ-COMMITTED";
  session_.answer("SELECT 1 FROM nowhere", error_packets(1146));
  session_.query(one_, "SELECT 1 FROM nowhere");
  EXPECT_TRUE(session_.model.pins.contains(Pin::kOneShotTransaction));
}

TEST_F(SettlerTest, ANameStandsForItsLastPrepareThatSucceeded) {
  session_.query(one_, "PREPARE s FROM 'SELECT 1'");
  session_.answer("PREPARE s FROM 'SELECT'", error_packets(1064));
  session_.query(one_, "PREPARE s FROM 'SELECT'");
  ASSERT_NE(session_.model.named.find("s"), nullptr);
  EXPECT_EQ(session_.model.named.find("s")->text, "SELECT 1");
  session_.query(one_, "DEALLOCATE PREPARE s");
  EXPECT_EQ(session_.model.named.find("s"), nullptr);
  EXPECT_TRUE(one_.named.empty());
}

TEST_F(SettlerTest, ATemporaryTablePinsUntilItIsDropped) {
  session_.query(one_, "CREATE TEMPORARY TABLE app.t (id INT)");
  EXPECT_TRUE(session_.model.is_bound());
  session_.query(one_, "DROP TABLE app.t");
  EXPECT_FALSE(session_.model.is_bound());
}

TEST_F(SettlerTest, AnOpenCursorPinsUntilItsLastRowIsFetched) {
  std::uint32_t id = 0;
  session_.prepare(one_, "SELECT 1", id);
  Command execute(protocol::Command::kStmtExecute, std::string("\x17", 1) + std::string(9, '\0'),
                  {});
  execute.statement = session_.model.prepared.find(id);
  protocol::ResponseSummary rows;
  rows.outcome = protocol::ResponseSummary::Outcome::kResultSet;
  rows.status = protocol::status::kCursorExists;
  CommandContext context = answered(execute, rows);
  EXPECT_TRUE(settle_statement_use(context).empty());
  EXPECT_TRUE(session_.model.pins.contains(Pin::kCursor));

  Command fetch(protocol::Command::kStmtFetch, std::string("\x1c", 1) + std::string(8, '\0'), {});
  fetch.statement = execute.statement;
  rows.status = protocol::status::kLastRowSent;
  CommandContext fetched = answered(fetch, rows);
  EXPECT_TRUE(settle_statement_use(fetched).empty());
  EXPECT_FALSE(session_.model.pins.contains(Pin::kCursor));
}

TEST_F(SettlerTest, DataOfAnExecuteThatFailedGoesWithItsStatement) {
  std::uint32_t id = 0;
  session_.prepare(one_, "SELECT 1", id);
  Command execute(protocol::Command::kStmtExecute, std::string("\x17", 1) + std::string(9, '\0'),
                  {});
  execute.statement = session_.model.prepared.find(id);
  execute.statement->has_long_data = true;
  protocol::ResponseSummary error;
  error.outcome = protocol::ResponseSummary::Outcome::kError;
  CommandContext context = answered(execute, error);
  EXPECT_EQ(settle_statement_use(context), std::vector<std::uint32_t>{1});
  EXPECT_FALSE(execute.statement->has_long_data);
  EXPECT_FALSE(one_.prepared.find(*execute.statement->key));
}

TEST_F(SettlerTest, AValueThatOnlyTheBackendKnowsIsReadBack) {
  session_.query(one_, "SET @a = 1 + 1");
  EXPECT_TRUE(session_.model.is_bound());
  const Steps steps = session_.capture(one_);
  ASSERT_EQ(steps.size(), 1U);
  EXPECT_NE(steps.front().find("@`a`"), std::string::npos) << steps.front();
}

TEST_F(SettlerTest, TheRolesThatTidbMadeOfAListAreReadBack) {
  session_.query(one_, "SET ROLE ALL");
  EXPECT_TRUE(session_.model.is_bound());
  session_.answer("SELECT CURRENT_ROLE()", text_packets("`app`@`%`"));
  session_.capture(one_);
  EXPECT_FALSE(session_.model.is_bound());
  EXPECT_EQ(session_.model.desired, one_.actual);
}

TEST_F(SettlerTest, ARoleThatCannotBeSetAgainPins) {
  session_.query(one_, "SET ROLE ALL");
  session_.answer("SELECT CURRENT_ROLE()", text_packets("no role"));
  session_.capture(one_);
  EXPECT_TRUE(session_.model.pins.contains(Pin::kRole));
}

TEST_F(SettlerTest, TheTextOfAPrepareFromAComputedVariableIsAskedFor) {
  session_.query(one_, "SET @x = CONCAT('SELECT ', '1')");
  session_.answer("SELECT @`x`", text_packets("SELECT 1"));
  EXPECT_EQ(session_.query(one_, "PREPARE s FROM @x"), (Steps{"SELECT @`x`", "PREPARE s FROM @x"}));
  ASSERT_NE(session_.model.named.find("s"), nullptr);
  EXPECT_EQ(session_.model.named.find("s")->text, "SELECT 1");
}

TEST_F(SettlerTest, TheResourceGroupOfALoginIsKnownOfItsBackend) {
  session_.answer("SELECT CURRENT_RESOURCE_GROUP()", text_packets("default"));
  session_.query(one_, "SET RESOURCE GROUP rg");
  EXPECT_EQ(one_.actual.login_group(), "default");
}

TEST_F(SettlerTest, WhereALimitHidesWarningsTheErrorsAreAskedForToo) {
  session_.query(one_, "SET sql_select_limit = 1");
  session_.answer("SELECT 1/0", ok_packets(0, 2));
  session_.query(one_, "SELECT 1/0");
  EXPECT_EQ(session_.capture(one_), (Steps{"SHOW ERRORS", "SHOW WARNINGS"}));
}

TEST_F(SettlerTest, AValueThatIsReadBackIsRestoredElsewhere) {
  session_.query(one_, "SET time_zone = CONCAT('+05', ':00')");
  EXPECT_FALSE(session_.model.desired.is_exact());
  session_.answer("SELECT @@time_zone", text_packets("+05:00"));
  session_.capture(one_);
  EXPECT_TRUE(session_.model.desired.is_exact());
  EXPECT_EQ(session_.query(two_, "SELECT 1"), (Steps{"SET time_zone='+05:00'", "SELECT 1"}));
}

TEST_F(SettlerTest, AnInitDbIsWhatAResetGoesBackTo) {
  session_.init_database(one_, "app");
  session_.query(one_, "USE shop");
  session_.model.desired.reset();
  EXPECT_EQ(session_.model.desired.database(), "app");
  EXPECT_EQ(one_.actual.reset_database(), "") << "the backend got a USE";
}

TEST_F(SettlerTest, AnInitDbThatFailedIsNone) {
  session_.answer("USE `app`", error_packets(1049));
  session_.init_database(one_, "app");
  session_.model.desired.reset();
  EXPECT_EQ(session_.model.desired.database(), "");
}

TEST_F(SettlerTest, TheOptionForSeveralStatementsIsFollowed) {
  session_.set_multi_statements(one_, true);
  EXPECT_TRUE(session_.model.desired.multi_statements());
  EXPECT_TRUE(one_.actual.multi_statements());
  session_.set_multi_statements(one_, false);
  EXPECT_FALSE(session_.model.desired.multi_statements());
  EXPECT_FALSE(one_.actual.multi_statements());
}

TEST_F(SettlerTest, AnOptionThatIsMissingSwitchesOff) {
  session_.set_multi_statements(one_, true);
  session_.answer("SET_OPTION", protocol::eof_packet({}, 1));
  Command command(protocol::Command::kSetOption, "\x1b", {});
  session_.run(one_, command);
  EXPECT_FALSE(session_.model.desired.multi_statements());
}

TEST_F(SettlerTest, ATransactionThatOnlyTheStatusTellsOfHasTheModeOfTheSession) {
  session_.query(one_, "SET tidb_txn_mode = 'optimistic', autocommit = 0");
  session_.answer("SELECT a FROM t", ok_packets(0, 0, protocol::status::kInTransaction));
  session_.query(one_, "SELECT a FROM t");
  EXPECT_TRUE(session_.model.in_transaction);
  EXPECT_FALSE(session_.model.is_pessimistic);
  session_.answer("SET tidb_txn_mode = 'pessimistic'",
                  ok_packets(0, 0, protocol::status::kInTransaction));
  session_.query(one_, "SET tidb_txn_mode = 'pessimistic'");
  session_.query(one_, "SELECT a FROM t");
  EXPECT_FALSE(session_.model.is_pessimistic) << "it is still the same";
}

TEST_F(SettlerTest, ATransactionKeepsTheViewOfTheSchemaThatItBeganWith) {
  const auto run = [&](const char* text, std::uint64_t changes, std::uint16_t status) {
    Command command(protocol::Command::kQuery, std::string("\3") + text, {});
    command.script = sql::classify(command.argument(), {});
    command.view.changes = changes;
    session_.answer(text, ok_packets(0, 0, status));
    session_.run(one_, command);
    return session_.model.transaction_view.changes;
  };
  EXPECT_EQ(run("BEGIN", 1, kInTransaction), 1U);
  EXPECT_EQ(run("SELECT 1", 2, kInTransaction), 1U);
  EXPECT_EQ(run("BEGIN", 3, kInTransaction), 3U) << "another one";
  EXPECT_EQ(run("SELECT 1; BEGIN", 4, kInTransaction), 3U) << "nobody can tell";
}

TEST_F(SettlerTest, ABeginThatFailedBeginsNothing) {
  session_.answer("BEGIN", ok_packets(0, 0, kInTransaction));
  session_.query(one_, "BEGIN");
  session_.model.transaction_view.changes = 5;
  session_.answer("BEGIN", error_packets(1105));
  session_.answer("PING", ok_packets(0, 0, kInTransaction));
  session_.query(one_, "BEGIN");
  EXPECT_EQ(session_.model.transaction_view.changes, 5U);
}

TEST_F(SettlerTest, APingTellsWhetherATransactionSurvivedAnError) {
  session_.answer("BEGIN", ok_packets(0, 0, kInTransaction));
  session_.query(one_, "BEGIN");
  session_.answer("UPDATE t SET a = 1", error_packets(1213));
  EXPECT_EQ(session_.query(one_, "UPDATE t SET a = 1"), (Steps{"UPDATE t SET a = 1", "PING"}));
  EXPECT_FALSE(session_.model.in_transaction);
  EXPECT_FALSE(session_.model.pins.contains(Pin::kTransaction));
}

TEST_F(SettlerTest, ThePingAfterAnErrorHasItsWarnings) {
  session_.answer("SELECT a FROM nowhere", error_packets(1146));
  session_.answer("PING", ok_packets(0, 1));
  session_.query(one_, "SELECT a FROM nowhere");
  EXPECT_EQ(session_.model.diagnostics.last_ok().warnings, 1U);
  EXPECT_EQ(session_.model.diagnostics.row_count(), -1);
  EXPECT_TRUE(session_.model.diagnostics.warnings_on_backend());
}

TEST_F(SettlerTest, AStatementThatCannotBeReadLeavesWhatTheOneBeforeLeft) {
  session_.answer("UPDATE t SET a = 1", ok_packets(0));
  session_.query(one_, "UPDATE t SET a = 1");
  session_.answer("UPDATE", error_packets(1064));
  session_.query(one_, "UPDATE");
  EXPECT_TRUE(session_.model.diagnostics.is_on_backend());
  EXPECT_TRUE(session_.model.diagnostics.warnings_on_backend()) << "but its own error";
  EXPECT_EQ(session_.model.diagnostics.row_count(), 0);
}

TEST_F(SettlerTest, AnInsertIdThatSurelyChangedIsNotKnownOfTheBackend) {
  session_.answer("SELECT LAST_INSERT_ID(4)", rows_packets(0));
  one_.insert_id = 3;
  session_.query(one_, "SELECT LAST_INSERT_ID(4)");
  EXPECT_FALSE(one_.insert_id);
}

TEST_F(SettlerTest, ALockingReadInATransactionKeepsTheRowsFound) {
  session_.answer("SELECT a FROM t", rows_packets(0));
  session_.query(one_, "SELECT a FROM t");
  const char* text = "SELECT a FROM t WHERE id = 1 FOR UPDATE";
  session_.answer(text, protocol::make_text_result({protocol::integer_column("x")}, {}, 2, 0));
  session_.query(one_, "SET autocommit = 0");
  session_.query(one_, text);
  EXPECT_EQ(session_.model.diagnostics.found_rows(), 1U) << "without autocommit one begins with it";
  session_.query(one_, "SET autocommit = 1");
  session_.query(one_, text);
  EXPECT_EQ(session_.model.diagnostics.found_rows(), 0U);
}

TEST_F(SettlerTest, ALockingReadInAnOptimisticTransactionDoesNot) {
  session_.answer("BEGIN OPTIMISTIC", ok_packets(0, 0, kInTransaction));
  session_.query(one_, "BEGIN OPTIMISTIC");
  const char* text = "SELECT a FROM t FOR UPDATE";
  session_.answer(text, rows_packets(0, kInTransaction));
  session_.query(one_, text);
  EXPECT_EQ(session_.model.diagnostics.found_rows(), 1U);
}

TEST_F(SettlerTest, ATemporaryTableOfAStatementThatWasPreparedInAnotherDatabaseStays) {
  std::uint32_t id = 0;
  session_.query(one_, "USE app");
  session_.query(one_, "CREATE TEMPORARY TABLE t (id INT)");
  session_.prepare(one_, "DROP TABLE t", id);
  session_.execute(one_, id);
  EXPECT_TRUE(session_.model.is_bound()) << "whose database nobody knows here";
  session_.query(one_, "PREPARE s FROM 'DROP TABLE t'");
  session_.query(one_, "EXECUTE s");
  EXPECT_TRUE(session_.model.is_bound());
  session_.query(one_, "DROP TABLE t");
  EXPECT_FALSE(session_.model.is_bound());
}

TEST_F(SettlerTest, ALockPinsIfItsRowSaysThatTheSessionHasIt) {
  session_.answer("SELECT GET_LOCK('a', 1)", number_packets(0));
  session_.query(one_, "SELECT GET_LOCK('a', 1)");
  EXPECT_FALSE(session_.model.is_bound());
  session_.answer("SELECT GET_LOCK('a', 1)", number_packets(1));
  session_.query(one_, "SELECT GET_LOCK('a', 1)");
  EXPECT_TRUE(session_.model.pins.contains(Pin::kLock));
}

TEST_F(SettlerTest, ATimeToReadAtIsShownUntilTheBackendIsReset) {
  session_.query(one_, "SELECT 1");
  EXPECT_FALSE(session_.model.shows_read_time);
  session_.query(one_, "SET TRANSACTION READ ONLY AS OF TIMESTAMP NOW()");
  EXPECT_TRUE(session_.model.shows_read_time);
  session_.query(one_, "SELECT a FROM t");
  EXPECT_TRUE(session_.model.shows_read_time) << "also when it is used up";
}

TEST_F(SettlerTest, ACommandThatTakesNoLevelLeavesItHeld) {
  session_.model.next_isolation = "READ-COMMITTED";
  Command ping(protocol::Command::kPing, "\x0e", {});
  session_.run(one_, ping);
  EXPECT_EQ(session_.model.next_isolation, "READ-COMMITTED");
}

TEST_F(SettlerTest, ADefaultThatSomebodyHasChangedIsReadBack) {
  GlobalSettings globals;
  globals.note(sql::classify("SET GLOBAL time_zone = '+01:00'", {}));
  Command command(protocol::Command::kQuery, "\3SET time_zone = DEFAULT", {});
  command.script = sql::classify(command.argument(), {});
  protocol::ResponseSummary ok;
  ok.outcome = protocol::ResponseSummary::Outcome::kOk;
  CommandContext context = answered(command, ok);
  settle_answer(context, globals, {});
  EXPECT_FALSE(session_.model.desired.is_exact());
}

TEST_F(SettlerTest, BeginsAnewAsAfterAReset) {
  session_.query(one_, "PREPARE s FROM 'SELECT 1'");
  session_.model.next_isolation = "READ-COMMITTED";
  session_.model.begin_anew();
  EXPECT_EQ(session_.model.named.find("s"), nullptr);
  EXPECT_FALSE(session_.model.is_one_shot_pending());
  EXPECT_EQ(session_.model.status_flags(), protocol::status::kAutocommit);
}

}  // namespace
}  // namespace tidepool::tracking

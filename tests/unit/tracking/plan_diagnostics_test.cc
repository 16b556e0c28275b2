#include "tidepool/tracking/plan_diagnostics.h"

#include <algorithm>
#include <memory>

#include <gtest/gtest.h>

#include "tidepool/tracking/planner.h"
#include "turns.h"

namespace tidepool::tracking {
namespace {

using Steps = Turns::Steps;

constexpr const char* kInsertIdOfZero = "SELECT LAST_INSERT_ID(18446744073709551614)";

bool has(const Steps& steps, const std::string& step) {
  return std::find(steps.begin(), steps.end(), step) != steps.end();
}

class PlanDiagnosticsTest : public ::testing::Test {
 protected:
  // The session's LAST_INSERT_ID() is `id`, and known; backend one has it.
  void know_insert_id(std::uint64_t id) {
    session_.answer("INSERT INTO a VALUES ()", ok_packets(id));
    session_.query(one_, "INSERT INTO a VALUES ()");
    session_.answer("SELECT LAST_INSERT_ID()", number_packets(id));
    session_.capture(one_);
    ASSERT_EQ(session_.model.diagnostics.last_insert_id(), id);
  }
  // The session's last statement left these, and the proxy has read them.
  void know_warnings(const std::vector<std::string>& levels) {
    leave_warnings(one_, static_cast<std::uint16_t>(levels.size()));
    session_.answer("SHOW WARNINGS", shown_packets(levels));
    session_.capture(one_);
    ASSERT_EQ(session_.model.diagnostics.warning_count(), levels.size());
  }
  void leave_warnings(BackendModel& backend, std::uint16_t count) {
    session_.answer("SELECT 1/0", rows_packets(count));
    session_.query(backend, "SELECT 1/0");
    ASSERT_TRUE(session_.model.diagnostics.warnings_on_backend());
  }

  Turns session_;
  Turns other_{8};
  BackendModel one_ = Turns::fresh_backend();
  BackendModel two_ = Turns::fresh_backend();
};

// ---- LAST_INSERT_ID() ----

struct InsertIdCase {
  const char* text;
  bool restores;  // SELECT LAST_INSERT_ID(5) goes ahead
};

class RestoresInsertId : public PlanDiagnosticsTest,
                         public ::testing::WithParamInterface<InsertIdCase> {};

// After an INSERT nobody can tell whether it changed the value, so that it must be the session's
// before; and no text can stand for it where it is asked about behind other statements.
TEST_P(RestoresInsertId, OnABackendThatHasAnotherOne) {
  know_insert_id(5);
  EXPECT_EQ(has(session_.query(two_, GetParam().text), "SELECT LAST_INSERT_ID(5)"),
            GetParam().restores);
  EXPECT_EQ(two_.insert_id == 5U, GetParam().restores) << "the model has it as the backend does";
}

INSTANTIATE_TEST_SUITE_P(
    Texts, RestoresInsertId,
    ::testing::Values(InsertIdCase{"INSERT INTO t VALUES (1)", true},
                      InsertIdCase{"REPLACE INTO t VALUES (1)", true},
                      InsertIdCase{"LOAD DATA INFILE 'x' INTO TABLE t", true},
                      InsertIdCase{"BEGIN", true},
                      InsertIdCase{"SELECT 1; SELECT LAST_INSERT_ID()", true},
                      InsertIdCase{"SELECT 1; INSERT INTO t VALUES (1)", true},
                      InsertIdCase{"EXECUTE unknown", true},
                      InsertIdCase{"SET TRANSACTION ISOLATION LEVEL READ COMMITTED", true},
                      InsertIdCase{"SELECT 1", false}, InsertIdCase{"UPDATE t SET a = 1", false},
                      InsertIdCase{"DELETE FROM t", false}, InsertIdCase{"SHOW WARNINGS", false},
                      InsertIdCase{"SELECT LAST_INSERT_ID() + 1", false},
                      InsertIdCase{"UPDATE t SET a = LAST_INSERT_ID()", false},
                      InsertIdCase{"SET @a = LAST_INSERT_ID()", false},
                      InsertIdCase{"-- nothing", false},
                      InsertIdCase{"PREPARE s FROM @unset", false},
                      InsertIdCase{"DEALLOCATE PREPARE nobody", false}));

TEST_F(PlanDiagnosticsTest, ABackendWithTheSessionsInsertIdNeedsNoRestore) {
  know_insert_id(5);
  two_.insert_id = 5;
  EXPECT_EQ(session_.query(two_, "INSERT INTO t VALUES (1)"), Steps{"INSERT INTO t VALUES (1)"});
}

TEST_F(PlanDiagnosticsTest, AnInsertIdOfZeroIsMadeByOneThatNoTableGenerates) {
  two_.insert_id = 9;
  EXPECT_EQ(session_.query(two_, "INSERT INTO t VALUES (1)"),
            (Steps{kInsertIdOfZero, "INSERT INTO t VALUES (1)"}));
  EXPECT_EQ(session_.query(two_, "INSERT INTO t VALUES (1)"), Steps{"INSERT INTO t VALUES (1)"})
      << "it stands for 0 from then on";
}

TEST_F(PlanDiagnosticsTest, WhereTheBackendsInsertIdIsNotKnownWhatMaySetItFindsTheSessions) {
  two_.insert_id.reset();
  EXPECT_EQ(session_.query(two_, "SELECT LAST_INSERT_ID(a) FROM t"),
            (Steps{kInsertIdOfZero, "SELECT LAST_INSERT_ID(a) FROM t"}));
  two_.insert_id = 9;
  EXPECT_EQ(session_.query(two_, "SELECT LAST_INSERT_ID(a) FROM t"),
            Steps{"SELECT LAST_INSERT_ID(a) FROM t"})
      << "another value afterwards is one that it set";
}

TEST_F(PlanDiagnosticsTest, WithoutAutocommitEveryStatementBeginsATransactionThatMayInsert) {
  know_insert_id(5);
  session_.query(one_, "SET autocommit = 0");
  EXPECT_TRUE(has(session_.query(two_, "SELECT 1"), "SELECT LAST_INSERT_ID(5)"));
}

TEST_F(PlanDiagnosticsTest, NothingRunsBetweenSetTransactionAndItsStatement) {
  know_insert_id(5);
  session_.model.next_isolation = "READ-COMMITTED";
  EXPECT_EQ(session_.query(two_, "UPDATE t SET a = 1"),
            (Steps{"SELECT LAST_INSERT_ID(5)", "SET TRANSACTION ISOLATION LEVEL READ COMMITTED",
                   "UPDATE t SET a = 1"}));
}

TEST_F(PlanDiagnosticsTest, APrepareThatComputesTheInsertIdFindsTheSessions) {
  know_insert_id(5);
  std::uint32_t id = 0;
  EXPECT_EQ(session_.prepare(two_, "SELECT LAST_INSERT_ID(3)", id),
            (Steps{"SELECT LAST_INSERT_ID(5)", "PREPARE SELECT LAST_INSERT_ID(3)"}));
  EXPECT_EQ(session_.prepare(one_, "SELECT 1", id), Steps{"PREPARE SELECT 1"});
}

TEST_F(PlanDiagnosticsTest, AnInsertIdThatOnlyTheBackendKnowsStaysThere) {
  session_.answer("INSERT INTO t VALUES ()", ok_packets(5));
  session_.query(one_, "INSERT INTO t VALUES ()");
  ASSERT_TRUE(session_.model.diagnostics.insert_id_on_backend());
  one_.insert_id = 9;
  EXPECT_EQ(session_.query(one_, "INSERT INTO t VALUES ()"), Steps{"INSERT INTO t VALUES ()"});
}

// ---- What stands in the text ----

class FactValuesTest : public PlanDiagnosticsTest {
 protected:
  sql::InfoValues values(const char* text, bool known_here = false) {
    Command command(protocol::Command::kQuery, std::string("\3") + text, {});
    command.script = sql::classify(command.argument(), session_.model.desired.lex_mode());
    const CommandContext plan{
        .model = session_.model, .backend = two_, .command = command, .tidb_connection = 41};
    return info_values(plan, known_here);
  }
};

TEST_F(FactValuesTest, NameTheSessionAndItsBackend) {
  const sql::InfoValues found = values("SELECT CONNECTION_ID()");
  EXPECT_EQ(found.connection_id, 7U);
  EXPECT_EQ(found.backend_id, 41U);
}

TEST_F(FactValuesTest, AreOfTheStatementBeforeWhereTheBackendDidNotRunIt) {
  session_.answer("UPDATE t SET a = 1", ok_packets(1));
  know_warnings({"Warning", "Error"});
  const sql::InfoValues elsewhere = values("SELECT ROW_COUNT()");
  EXPECT_EQ(elsewhere.row_count, -1);
  EXPECT_EQ(elsewhere.warnings, 2U);
  EXPECT_EQ(elsewhere.errors, 1U);
  const sql::InfoValues here = values("SELECT ROW_COUNT()", true);
  EXPECT_FALSE(here.row_count);
  EXPECT_FALSE(here.warnings);
  EXPECT_FALSE(here.errors);
}

TEST_F(FactValuesTest, CountNoWarningsThatAreStillToBeRead) {
  leave_warnings(one_, 2);
  const sql::InfoValues found = values("SELECT @@warning_count");
  EXPECT_TRUE(found.row_count);
  EXPECT_FALSE(found.warnings);
  EXPECT_FALSE(found.errors);
}

TEST_F(FactValuesTest, HaveTheRowsFoundUnlessTheBackendHasThem) {
  session_.answer("SELECT a FROM t", rows_packets(0));
  session_.query(two_, "SELECT a FROM t");
  EXPECT_FALSE(values("SELECT FOUND_ROWS()", true).found_rows);
  session_.model.diagnostics.disturb_found_rows();
  EXPECT_EQ(values("SELECT FOUND_ROWS()", true).found_rows, 1U);
}

TEST_F(FactValuesTest, HaveTheRowsFoundWhereARestoreChangesThem) {
  know_insert_id(5);
  session_.answer("SELECT a FROM t", rows_packets(0));
  session_.query(two_, "SELECT a FROM t");
  two_.insert_id = 9;
  EXPECT_EQ(values("INSERT INTO t SELECT FOUND_ROWS()", true).found_rows, 1U);
}

TEST_F(FactValuesTest, HaveNoRowsFoundOfACursorThatTidbStillReads) {
  std::uint32_t id = 0;
  session_.prepare(two_, "SELECT a FROM t", id);
  session_.answer("EXECUTE 1", cursor_packets(0));
  session_.execute(two_, id);
  ASSERT_TRUE(session_.model.diagnostics.found_rows_on_backend());
  EXPECT_FALSE(values("SELECT FOUND_ROWS()").found_rows);
}

TEST_F(FactValuesTest, HaveTheInsertIdWhereTheBackendHasAnother) {
  know_insert_id(5);
  two_.insert_id = 9;
  EXPECT_EQ(values("SELECT LAST_INSERT_ID()").insert_id, 5U);
  EXPECT_FALSE(values("SELECT LAST_INSERT_ID()").foreign_id) << "whatever the backend has";
  two_.insert_id = 5;
  EXPECT_FALSE(values("SELECT LAST_INSERT_ID()").insert_id);
  two_.insert_id.reset();
  EXPECT_EQ(values("SELECT LAST_INSERT_ID()").insert_id, 5U);
  EXPECT_FALSE(values("SELECT 1").insert_id) << "nothing asks for it";
}

TEST_F(FactValuesTest, HaveTheInsertIdOfZeroWhereARestoreStandsForIt) {
  two_.insert_id = 9;
  const sql::InfoValues found = values("SELECT 1; SELECT LAST_INSERT_ID()");
  EXPECT_EQ(found.insert_id, 0U);
  EXPECT_EQ(found.foreign_id, 18446744073709551614U) << "what the restore sets, until another one";
}

TEST_F(FactValuesTest, ReplaceOnlyAnothersInsertIdWhileTheBackendMayHaveTheSessions) {
  session_.answer("INSERT INTO t(id) VALUES (8)", ok_packets(8));
  two_.insert_id = 3;
  session_.query(two_, "INSERT INTO t(id) VALUES (8)");
  ASSERT_TRUE(session_.model.diagnostics.insert_id_on_backend());
  two_.insert_id = 3;
  EXPECT_EQ(values("SELECT LAST_INSERT_ID()", true).insert_id, 0U);
  EXPECT_EQ(values("SELECT LAST_INSERT_ID()", true).foreign_id, 3U);
  two_.insert_id.reset();
  EXPECT_FALSE(values("SELECT LAST_INSERT_ID()", true).insert_id) << "it is the session's surely";
}

TEST_F(FactValuesTest, CountNoWarningsWhereTheBackendIsBroughtToHaveThem) {
  know_warnings({"Warning"});
  EXPECT_EQ(values("SELECT @@warning_count").warnings, 1U);
  EXPECT_FALSE(values("SELECT /*+ hint */ @@warning_count").warnings);
  session_.query(one_, "SET NAMES binary");
  EXPECT_FALSE(values("SELECT 1").warnings);
}

// ---- Warnings ----

TEST_F(PlanDiagnosticsTest, ACountThatNoExpressionCanStandForIsMadeOnTheBackend) {
  know_warnings({"Warning", "Warning", "Error"});
  EXPECT_EQ(session_.query(two_, "SELECT /*+ hint */ @@warning_count"),
            (Steps{"SELECT CAST('x0' AS SIGNED),CAST('x1' AS SIGNED)", "an error, as there was one",
                   "SELECT /*+ hint */ @@warning_count"}));
}

TEST_F(PlanDiagnosticsTest, AnErrorCountIsMadeOnTheBackendToo) {
  know_warnings({"Error"});
  EXPECT_EQ(session_.query(two_, "SELECT /*+ hint */ @@error_count"),
            (Steps{"DO 0", "an error, as there was one", "SELECT /*+ hint */ @@error_count"}));
}

TEST_F(PlanDiagnosticsTest, ACountOfMoreWarningsThanAreMadeStandsInTheText) {
  know_warnings(std::vector<std::string>(1001, "Warning"));
  EXPECT_EQ(session_.query(two_, "SELECT /*+ hint */ @@warning_count").size(), 1U);
}

TEST_F(PlanDiagnosticsTest, ALoneQuestionAboutWarningsFindsNoneOfAnotherSession) {
  EXPECT_EQ(session_.query(two_, "SHOW WARNINGS"), (Steps{"DO 0", "SHOW WARNINGS"}));
}

TEST_F(PlanDiagnosticsTest, AQuestionAboutWarningsOnTheirBackendIsSentAlone) {
  leave_warnings(one_, 1);
  EXPECT_EQ(session_.query(one_, "SHOW WARNINGS"), Steps{"SHOW WARNINGS"});
}

TEST_F(PlanDiagnosticsTest, WarningsWithAConditionCannotBeShownForTheBackend) {
  know_warnings({"Warning"});
  EXPECT_EQ(session_.query(two_, "SHOW WARNINGS LIKE 'a'; SELECT 1"),
            (Steps{"DO 0", "SHOW WARNINGS LIKE 'a'; SELECT 1"}));
}

TEST_F(PlanDiagnosticsTest, WhatAPrepareWarnedOfIsFoundByPreparingAgain) {
  std::uint32_t id = 0;
  session_.answer("PREPARE SELECT @a", prepared_packets(1, 1));
  session_.prepare(one_, "SELECT @a", id);
  EXPECT_EQ(session_.query(two_, "SHOW WARNINGS; SELECT 1"),
            (Steps{"PREPARE SELECT @a", "SHOW WARNINGS; SELECT 1"}));
  EXPECT_EQ(session_.closed(), std::vector<std::uint32_t>{1});
}

TEST_F(PlanDiagnosticsTest, AnExecuteShowsTheWarningsInItsRows) {
  std::uint32_t id = 0;
  session_.prepare(two_, "SHOW WARNINGS", id);
  know_warnings({"Warning"});
  EXPECT_EQ(session_.execute(two_, id), (Steps{"SELECT CAST('x0' AS SIGNED)", "EXECUTE 1"}));
}

TEST_F(PlanDiagnosticsTest, RowsThatACursorFetchesCannotBeReplaced) {
  std::uint32_t id = 0;
  session_.prepare(two_, "SHOW WARNINGS", id);
  know_warnings({"Warning"});
  EXPECT_EQ(session_.execute(two_, id, {}, 1), (Steps{"DO 0", "EXECUTE 1"}));
}

TEST_F(PlanDiagnosticsTest, OnlyAnExecuteOfAStatementShowsWarnings) {
  std::uint32_t id = 0;
  session_.prepare(two_, "SHOW WARNINGS", id);
  know_warnings({"Warning"});
  EXPECT_EQ(session_.reset_statement(two_, id), (Steps{"DO 0", "RESET_STATEMENT 1"}));
}

TEST_F(PlanDiagnosticsTest, WarningsOnTheBackendAreReadBeforeARestoreOfTheInsertId) {
  two_.insert_id = 9;
  session_.answer("INSERT INTO t VALUES (1)", ok_packets(0, 1));
  session_.query(two_, "INSERT INTO t VALUES (1)");
  two_.insert_id = 9;
  EXPECT_EQ(session_.query(two_, "INSERT INTO t VALUES (1)"),
            (Steps{"SHOW WARNINGS", kInsertIdOfZero, "INSERT INTO t VALUES (1)"}));
}

TEST_F(PlanDiagnosticsTest, WarningsAreNotReadTwiceAheadOfOneCommand) {
  leave_warnings(one_, 1);
  one_.insert_id = 9;
  session_.model.next_isolation = "READ-COMMITTED";
  EXPECT_EQ(session_.query(one_, "INSERT INTO t VALUES (1)"),
            (Steps{"SHOW WARNINGS", kInsertIdOfZero,
                   "SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "INSERT INTO t VALUES (1)"}));
}

// ---- Several statements that TiDB refuses when it has parsed them ----

class ParserWarningsTest : public PlanDiagnosticsTest {
 protected:
  Steps refused(BackendModel& backend, const std::string& text) {
    session_.answer(text, error_packets(8130));
    session_.answer("PING", ok_packets(0, 1));
    return session_.query(backend, text);
  }
};

TEST_F(ParserWarningsTest, FindNoneOfAnotherSessionBeforeThem) {
  EXPECT_EQ(refused(two_, "SELECT /*+ x */ 1; SELECT 2"),
            (Steps{"DO 0", "SELECT /*+ x */ 1; SELECT 2", "PING"}));
  EXPECT_TRUE(session_.model.diagnostics.has_added_warnings());
  EXPECT_TRUE(session_.model.diagnostics.warnings_on_backend());
}

TEST_F(ParserWarningsTest, FollowThoseOfTheStatementBeforeOnItsBackend) {
  session_.query(one_, "SELECT 1");
  EXPECT_EQ(refused(one_, "SELECT /*+ x */ 1; SELECT 2"),
            (Steps{"SELECT /*+ x */ 1; SELECT 2", "PING"}));
  EXPECT_FALSE(session_.model.diagnostics.has_added_warnings());
  EXPECT_EQ(session_.model.diagnostics.last_ok().warnings, 1U);
}

TEST_F(ParserWarningsTest, AreNotAskedForWhereTheParserWarnsOfNothing) {
  EXPECT_EQ(refused(two_, "SELECT 1; SELECT 2"), (Steps{"SELECT 1; SELECT 2", "PING"}));
  EXPECT_FALSE(session_.model.diagnostics.warnings_on_backend());
}

TEST_F(ParserWarningsTest, AreThoseOfAStatementWhereSeveralAreAllowed) {
  session_.set_multi_statements(two_, true);
  EXPECT_EQ(session_.query(two_, "SELECT /*+ x */ 1; SELECT 2"),
            Steps{"SELECT /*+ x */ 1; SELECT 2"});
}

TEST_F(ParserWarningsTest, AreLeftWhereAQuestionWouldTakeWhatSetTransactionHasSet) {
  session_.model.next_isolation = "READ-COMMITTED";
  EXPECT_FALSE(has(refused(two_, "SELECT /*+ x */ 1; SELECT 2"), "DO 0"));
}

// ---- What is asked first ----

TEST_F(PlanDiagnosticsTest, AddedWarningsAreReadBeforeTheyAreAskedAbout) {
  know_warnings({"Warning"});
  session_.answer("SELECT", error_packets(1064));
  session_.query(two_, "SELECT");
  ASSERT_TRUE(session_.model.diagnostics.has_added_warnings());
  session_.answer("SHOW WARNINGS", shown_packets({"Error"}));
  EXPECT_EQ(session_.query(two_, "SELECT @@warning_count").front(), "SHOW WARNINGS");
  EXPECT_EQ(session_.model.diagnostics.warning_count(), 0U) << "that SELECT has none";
}

TEST_F(PlanDiagnosticsTest, WarningsAreReadBeforeAnExecuteByNameAsksAboutThem) {
  session_.query(one_, "PREPARE s FROM 'SELECT @@warning_count'");
  leave_warnings(one_, 1);
  session_.answer("SHOW WARNINGS", shown_packets({"Warning"}));
  EXPECT_EQ(session_.query(one_, "EXECUTE s").front(), "SHOW WARNINGS");
}

TEST_F(PlanDiagnosticsTest, WarningsAreReadBeforeAnExecuteAsksAboutThem) {
  std::uint32_t id = 0;
  session_.prepare(one_, "SELECT @@warning_count", id);
  leave_warnings(one_, 1);
  session_.answer("SHOW WARNINGS", shown_packets({"Warning"}));
  EXPECT_EQ(session_.execute(one_, id).front(), "SHOW WARNINGS");
}

TEST_F(PlanDiagnosticsTest, WarningsOnTheBackendStayForALoneTextThatAsksAboutThem) {
  leave_warnings(one_, 1);
  EXPECT_EQ(session_.query(one_, "SELECT @@warning_count"), Steps{"SELECT @@warning_count"});
}

// It undoes what the statement before needed, as the switch of the plan cache.
TEST_F(PlanDiagnosticsTest, WarningsAreReadBeforeARestoreRunsOnTheirBackend) {
  leave_warnings(one_, 1);
  one_.actual.apply({.kind = sql::ChangeKind::kSetUserVariable, .name = "c", .value = "1"});
  session_.answer("SHOW WARNINGS", shown_packets({"Warning"}));
  EXPECT_EQ(session_.query(one_, "SHOW WARNINGS; SELECT 1"),
            (Steps{"SHOW WARNINGS", "SET @`c`=NULL", "SELECT CAST('x0' AS SIGNED)",
                   "SHOW WARNINGS; SELECT 1"}));
}

TEST_F(PlanDiagnosticsTest, NothingIsAskedFirstWhileSetTransactionWaitsForItsStatement) {
  session_.query(one_, "PREPARE s FROM 'SELECT @@warning_count'");
  leave_warnings(one_, 1);
  session_.model.pins.insert(sql::Pin::kOneShotTransaction);
  EXPECT_NE(session_.query(one_, "EXECUTE s").front(), "SHOW WARNINGS");
}

// ---- The questions between two commands ----

TEST_F(PlanDiagnosticsTest, TheRowsThatACursorFoundAreAskedFor) {
  std::uint32_t id = 0;
  session_.prepare(one_, "SELECT a FROM t", id);
  session_.answer("EXECUTE 1", cursor_packets(0));
  session_.execute(one_, id);
  session_.answer("SELECT FOUND_ROWS()", number_packets(12));
  EXPECT_EQ(session_.capture(one_), Steps{"SELECT FOUND_ROWS()"});
  EXPECT_EQ(session_.model.diagnostics.found_rows(), 12U);
  EXPECT_FALSE(session_.model.diagnostics.found_rows_on_backend());
}

// Each of the two questions ends the other's answer.
TEST_F(PlanDiagnosticsTest, TheRowsThatACursorFoundAreLostToItsWarnings) {
  std::uint32_t id = 0;
  session_.prepare(one_, "SELECT a FROM t", id);
  session_.answer("EXECUTE 1", cursor_packets(1));
  session_.execute(one_, id);
  EXPECT_EQ(session_.capture(one_), Steps{"SHOW WARNINGS"});
  EXPECT_FALSE(session_.model.diagnostics.found_rows_on_backend());
}

TEST_F(PlanDiagnosticsTest, WarningsBehindThoseOfAPrepareAreReadWithThem) {
  std::uint32_t id = 0;
  session_.answer("PREPARE SELECT @a", prepared_packets(4, 1));
  session_.prepare(one_, "SELECT @a", id);
  session_.answer("SELECT", error_packets(1064));
  session_.query(two_, "SELECT");
  ASSERT_TRUE(session_.model.diagnostics.has_added_warnings());
  session_.answer("SHOW WARNINGS", shown_packets({"Error"}));
  EXPECT_EQ(session_.capture(two_), (Steps{"SHOW WARNINGS", "PREPARE SELECT @a", "SHOW WARNINGS"}));
  EXPECT_EQ(session_.model.diagnostics.warning_count(), 2U);
  EXPECT_EQ(session_.closed(), std::vector<std::uint32_t>{4}) << "it was for its warnings only";
}

TEST_F(PlanDiagnosticsTest, NothingIsAskedWhereNothingIsUnknown) {
  session_.query(one_, "SELECT 1");
  EXPECT_EQ(session_.capture(one_), Steps{});
}

// It may have found its last backend busy, and now finds one idle that it left before.
TEST_F(PlanDiagnosticsTest, ABackendKnowsNothingOfWhatTheSessionDidOnAnotherMeanwhile) {
  session_.answer("SELECT a FROM t", rows_packets(0));
  session_.query(two_, "SELECT a FROM t");
  session_.answer("UPDATE t SET a = 1", ok_packets(0));
  session_.query(one_, "UPDATE t SET a = 1");
  EXPECT_EQ(session_.query(two_, "SELECT ROW_COUNT(), 1"),
            Steps{"SELECT (ROW_COUNT()*0+0) AS `ROW_COUNT()`, 1"});
  session_.query(two_, "SELECT a FROM t");
  session_.query(one_, "SELECT a FROM t");
  EXPECT_NE(session_.query(two_, "SELECT FOUND_ROWS(), 1"), Steps{"SELECT FOUND_ROWS(), 1"});
  EXPECT_EQ(session_.query(two_, "SELECT ROW_COUNT(), 1"), Steps{"SELECT ROW_COUNT(), 1"})
      << "the last one ran here";
}

TEST_F(PlanDiagnosticsTest, ASessionThatOthersHaveFollowedFindsNothingOfItsOwn) {
  session_.query(one_, "UPDATE t SET a = 1");
  Command command(protocol::Command::kQuery, "\3SELECT 1", {});
  CommandContext plan{.model = session_.model, .backend = one_, .command = command};
  EXPECT_TRUE(backend_has_diagnostics(plan));
  other_.query(one_, "SELECT 1");
  EXPECT_FALSE(backend_has_diagnostics(plan));
  session_.query(one_, "UPDATE t SET a = 1");
  plan.add(StepKind::kRestore, "DO 0");
  EXPECT_FALSE(backend_has_diagnostics(plan)) << "something goes ahead";
}

TEST_F(PlanDiagnosticsTest, AQuestionAboutAStatementWithoutWarningsIsSentAloneWhereThatRan) {
  session_.query(one_, "SELECT 1");
  EXPECT_EQ(session_.query(one_, "SHOW WARNINGS"), Steps{"SHOW WARNINGS"});
}

TEST_F(PlanDiagnosticsTest, AnExecuteOfAQuestionFindsTheWarningsOnTheirBackend) {
  std::uint32_t id = 0;
  session_.prepare(one_, "SHOW WARNINGS", id);
  leave_warnings(one_, 1);
  EXPECT_EQ(session_.execute(one_, id), Steps{"EXECUTE 1"});
}

TEST_F(PlanDiagnosticsTest, AQuestionAboutWarningsBeginsNoTransaction) {
  know_insert_id(5);
  session_.query(one_, "SET autocommit = 0");
  EXPECT_FALSE(has(session_.query(two_, "SHOW WARNINGS"), "SELECT LAST_INSERT_ID(5)"));
}

}  // namespace
}  // namespace tidepool::tracking

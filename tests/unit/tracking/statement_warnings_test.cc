// What Diagnostics says of warnings, and of what was prepared.
#include <gtest/gtest.h>

#include "told.h"

namespace tidepool::tracking {
namespace {

using protocol::Command;

TEST(StatementWarnings, LeaveWarningsOnTheBackendUntilTheyAreRead) {
  Told told;
  told.run("INSERT IGNORE INTO t VALUES (1)", ok(0, 0, 2));
  EXPECT_TRUE(told.diagnostics.warnings_on_backend());
  told.diagnostics.note_warnings(shown({"Warning", "Error"}));
  EXPECT_FALSE(told.diagnostics.warnings_on_backend());
  EXPECT_EQ(told.diagnostics.warning_count(), 2U);
  EXPECT_EQ(told.diagnostics.error_count(), 1U);
  EXPECT_EQ(told.ask("SHOW WARNINGS"), "Warning");
  EXPECT_EQ(told.ask("SHOW ERRORS"), "Error");
  EXPECT_EQ(told.diagnostics.last_ok().warnings, 0U);
}

TEST(StatementWarnings, CountWarningsThatALimitHides) {
  Told told;
  told.run("INSERT IGNORE INTO t VALUES (1)", ok(0, 0, 3));
  told.diagnostics.note_errors(shown({"Error"}));
  told.diagnostics.note_warnings(shown({"Warning"}), 1);
  EXPECT_EQ(told.diagnostics.warning_count(), 3U);
  EXPECT_EQ(told.diagnostics.error_count(), 1U);
  EXPECT_EQ(told.diagnostics.last_ok().warnings, 3U);
  EXPECT_EQ(told.diagnostics.most_shown(), 1U);
}

TEST(StatementWarnings, AddARefusalToTheWarningsBefore) {
  Told told;
  told.run("SELECT 1/0", rows(1));
  told.run("INSERT IGNORE INTO t VALUES (1)", ok(0, 0, 1));
  told.diagnostics.note_warnings(shown({"Warning"}));
  told.diagnostics.note_pre_execution_error(PreExecutionError::kAppendsWarning, false);
  EXPECT_TRUE(told.diagnostics.has_added_warnings());
  EXPECT_FALSE(told.diagnostics.is_on_backend());
  EXPECT_EQ(told.diagnostics.last_ok().warnings, 2U);
  told.diagnostics.note_warnings(shown({"Note", "Error"}));  // the first one is another session's
  EXPECT_FALSE(told.diagnostics.has_added_warnings());
  const protocol::TextResult all = told.diagnostics.warnings();
  ASSERT_EQ(all.rows.size(), 2U);
  EXPECT_EQ(all.rows[0][0], "Warning");
  EXPECT_EQ(all.rows[1][0], "Error");
}

TEST(StatementWarnings, AreAsTheyWereAfterARefusalWithoutTrace) {
  Told told;
  told.run("UPDATE t SET a = 1", ok(3));
  told.diagnostics.note_pre_execution_error(PreExecutionError::kKeepsDiagnostics, true);
  EXPECT_TRUE(told.diagnostics.is_on_backend());
  EXPECT_FALSE(told.diagnostics.warnings_on_backend());
  EXPECT_EQ(told.diagnostics.row_count(), 3);
}

TEST(StatementWarnings, HaveWhatAPrepareWarnedOf) {
  Told told;
  told.run("UPDATE t SET a = 1", ok(3));
  told.prepare("SELECT @a", 1);
  EXPECT_FALSE(told.diagnostics.is_on_backend());
  EXPECT_EQ(told.diagnostics.last_prepare(), "SELECT @a");
  EXPECT_EQ(told.diagnostics.warning_count(), 1U);
  EXPECT_EQ(told.diagnostics.row_count(), -1);
}

TEST(StatementWarnings, AddARefusalToWhatAPrepareWarnedOf) {
  Told told;
  told.prepare("SELECT @a", 1);
  told.diagnostics.note_pre_execution_error(PreExecutionError::kAppendsWarning, false);
  told.diagnostics.note_warnings(shown({"Error"}));
  told.diagnostics.note_prepare_warnings(shown({"Warning"}));
  EXPECT_EQ(told.diagnostics.last_prepare(), "");
  EXPECT_EQ(told.diagnostics.warning_count(), 2U);
  EXPECT_EQ(told.diagnostics.error_count(), 1U);
  EXPECT_EQ(told.diagnostics.last_ok().warnings, 2U);
}

TEST(StatementWarnings, KeepTheWarningsWhenAQuestionAboutThemIsPrepared) {
  Told told;
  told.run("INSERT IGNORE INTO t VALUES (1)", ok(0, 0, 1));
  told.prepare("SHOW WARNINGS", 1, true);
  EXPECT_TRUE(told.diagnostics.is_on_backend());
  EXPECT_TRUE(told.diagnostics.warnings_on_backend());
  EXPECT_FALSE(told.diagnostics.has_added_warnings());  // the backend has those before it too
  EXPECT_EQ(told.diagnostics.last_ok().warnings, 0U);
}

TEST(StatementWarnings, ShowAnErrorOfTheProxyAsItsWarning) {
  Told told;
  told.run("INSERT IGNORE INTO t VALUES (1)", ok(0, 0, 3));
  told.diagnostics.note_own_error(shown({"Error"}));
  EXPECT_FALSE(told.diagnostics.warnings_on_backend());
  EXPECT_EQ(told.diagnostics.warning_count(), 1U);
  EXPECT_EQ(told.diagnostics.last_ok().warnings, 1U);
}

TEST(StatementWarnings, LeaveTheWarningsOfAStatementBeforeAQuestionOnTheBackend) {
  Told told;
  told.run("SELECT 1; SHOW WARNINGS", rows(1));
  EXPECT_TRUE(told.diagnostics.warnings_on_backend()) << "the answer to SHOW WARNINGS counts none";
}

TEST(StatementWarnings, KeepTheWarningsOfTheStatementBeforeThroughQuestions) {
  Told told;
  told.run("INSERT IGNORE INTO t VALUES (1)", ok(0, 0, 1));
  told.diagnostics.note_warnings(shown({"Warning"}));
  told.run("SHOW WARNINGS; SHOW ERRORS", rows(1));
  EXPECT_EQ(told.diagnostics.warning_count(), 1U);
  EXPECT_FALSE(told.diagnostics.warnings_on_backend());
  told.run("SELECT 1; SHOW WARNINGS", rows(1));
  EXPECT_EQ(told.diagnostics.warning_count(), 0U) << "those of the SELECT are another matter";
}

TEST(StatementWarnings, LeaveAnInsertIdThatAPrepareComputesOnTheBackend) {
  Told told;
  told.prepare("SELECT LAST_INSERT_ID(3)", 0);
  EXPECT_TRUE(told.diagnostics.insert_id_on_backend());
  Told other;
  other.run("INSERT INTO t VALUES ()", ok(1, 5));
  other.prepare("SELECT 1", 0);
  EXPECT_TRUE(other.diagnostics.insert_id_on_backend()) << "the one of before is still there";
  Told none;
  none.prepare("SELECT 1", 0);
  EXPECT_FALSE(none.diagnostics.insert_id_on_backend());
}

TEST(StatementWarnings, HaveNoRowCountOfAPrepareWithoutStatement) {
  Told told;
  told.run("UPDATE t SET a = 1", ok(3));
  told.prepare("-- nothing", 0);
  EXPECT_EQ(told.diagnostics.row_count(), 0);
}

TEST(StatementWarnings, FindTheWarningsOfAPrepareThatFailedByPreparingAgain) {
  const char* text = "SELECT /*+ nonsense() */ a FROM nowhere";
  const sql::Script script = sql::classify(text, {});
  const ResponseSummary failed = error(1146);
  Told told;
  told.diagnostics.note_answer({Command::kStmtPrepare, script, failed}, false);
  told.diagnostics.note_failure({Command::kStmtPrepare, script, failed}, ok(0, 0, 2), text);
  EXPECT_EQ(told.diagnostics.last_prepare(), text);
  EXPECT_EQ(told.diagnostics.warning_count(), 2U);
  EXPECT_FALSE(told.diagnostics.is_on_backend());
  EXPECT_FALSE(told.diagnostics.warnings_on_backend());
}

TEST(StatementWarnings, KeepNoTextOfAPrepareThatLeftNoWarningsOrIsVeryLong) {
  const sql::Script script = sql::classify("SELECT a FROM nowhere", {});
  const ResponseSummary failed = error(1146);
  Told told;
  told.diagnostics.note_failure({Command::kStmtPrepare, script, failed}, ok(0),
                                "SELECT a FROM nowhere");
  EXPECT_EQ(told.diagnostics.last_prepare(), "");
  told.diagnostics.note_failure({Command::kStmtPrepare, script, failed}, ok(0, 0, 1),
                                std::string((std::size_t{64} << 10U) + 1, ' '));
  EXPECT_EQ(told.diagnostics.last_prepare(), "") << "nobody else keeps that one";
  const std::string longest(std::size_t{64} << 10U, ' ');
  told.diagnostics.note_failure({Command::kStmtPrepare, script, failed}, ok(0, 0, 1), longest);
  EXPECT_EQ(told.diagnostics.last_prepare(), longest);
}

TEST(StatementWarnings, KeepTheTextOfAClosedStatementUnlessItIsVeryLong) {
  const auto keeps = [](std::size_t size) {
    Told told;
    const auto text = std::make_shared<const std::string>(size, ' ');
    told.diagnostics.note_prepare(text, sql::classify("SELECT @a", {}), 1, false);
    told.diagnostics.note_close(text);
    return !told.diagnostics.last_prepare().empty();
  };
  EXPECT_TRUE(keeps(std::size_t{64} << 10U));
  EXPECT_FALSE(keeps((std::size_t{64} << 10U) + 1));
}

TEST(StatementWarnings, KeepALongTextWhenAnotherStatementIsClosed) {
  Told told;
  const std::size_t long_size = (std::size_t{64} << 10U) + 1;
  const auto text = std::make_shared<const std::string>(long_size, ' ');
  told.diagnostics.note_prepare(text, sql::classify("SELECT @a", {}), 1, false);
  told.diagnostics.note_close(std::make_shared<const std::string>(long_size, ' '));
  EXPECT_EQ(told.diagnostics.last_prepare(), *text);
}

TEST(StatementWarnings, HaveOneMoreWarningAfterAnExecuteOfAQuestionAboutThem) {
  const sql::Script script = sql::classify("SHOW WARNINGS", {});
  const ResponseSummary answer = rows(1);
  Told told;
  told.diagnostics.note_answer({Command::kStmtExecute, script, answer}, false);
  EXPECT_TRUE(told.diagnostics.warnings_on_backend());
  EXPECT_TRUE(told.diagnostics.has_added_warnings());
  EXPECT_EQ(told.diagnostics.last_ok().warnings, 0U);

  Told query;
  query.diagnostics.note_answer({Command::kQuery, script, answer}, false);
  EXPECT_FALSE(query.diagnostics.has_added_warnings());
  Told failed;
  failed.diagnostics.note_answer({Command::kStmtExecute, script, error(1105)}, false);
  EXPECT_FALSE(failed.diagnostics.has_added_warnings());
  Told there;
  there.run("INSERT IGNORE INTO t VALUES (1)", ok(0, 0, 1));
  there.diagnostics.note_answer({Command::kStmtExecute, script, answer}, false);
  EXPECT_FALSE(there.diagnostics.has_added_warnings()) << "the backend has those before it too";
}

TEST(StatementWarnings, AddTwoRefusals) {
  Told told;
  told.diagnostics.note_pre_execution_error(PreExecutionError::kAppendsWarning, false);
  told.diagnostics.note_pre_execution_error(PreExecutionError::kAppendsWarning, true);
  told.diagnostics.note_warnings(shown({"Note", "Error", "Error"}));
  EXPECT_EQ(told.diagnostics.warning_count(), 2U) << "the first one is another session's";
}

TEST(StatementWarnings, CountNoRefusalBehindAQuestionAboutWarnings) {
  Told told;
  told.run("SHOW WARNINGS", rows(0));
  told.diagnostics.note_pre_execution_error(PreExecutionError::kAppendsWarning, true);
  EXPECT_EQ(told.diagnostics.last_ok().warnings, 0U) << "TiDB tells of none then";
  told.run("SELECT 1", rows(1));
  told.diagnostics.note_pre_execution_error(PreExecutionError::kAppendsWarning, true);
  EXPECT_EQ(told.diagnostics.last_ok().warnings, 1U);
}

TEST(StatementWarnings, LeaveTheBackendWithARefusalOnOneThatKnewNothing) {
  Told told;
  told.run("UPDATE t SET a = 1", ok(3));
  told.diagnostics.note_pre_execution_error(PreExecutionError::kKeepsDiagnostics, false);
  EXPECT_FALSE(told.diagnostics.is_on_backend());
  told.diagnostics.note_pre_execution_error(PreExecutionError::kKeepsDiagnostics, true);
  EXPECT_FALSE(told.diagnostics.is_on_backend()) << "it does not come back";
}

TEST(StatementWarnings, AddTheParsersWarningsToThoseOfTheStatementBefore) {
  Told told;
  told.run("SELECT 1", rows(1));
  told.diagnostics.note_parser_warnings(2, true);
  EXPECT_TRUE(told.diagnostics.warnings_on_backend());
  EXPECT_FALSE(told.diagnostics.has_added_warnings()) << "the backend has all of them";
  EXPECT_EQ(told.diagnostics.last_ok().warnings, 2U);
}

TEST(StatementWarnings, HaveNoWarningsWhereTheParserHasNone) {
  Told told;
  told.run("SELECT 1", rows(1));
  told.diagnostics.note_parser_warnings(0, true);
  EXPECT_FALSE(told.diagnostics.warnings_on_backend());
  told.diagnostics.note_parser_warnings(0, false);
  EXPECT_FALSE(told.diagnostics.warnings_on_backend());
  EXPECT_FALSE(told.diagnostics.has_added_warnings());
}

TEST(StatementWarnings, AddTheParsersWarningsOfABackendThatKnewNothing) {
  Told told;
  told.run("INSERT IGNORE INTO t VALUES (1)", ok(0, 0, 1));
  told.diagnostics.note_warnings(shown({"Warning"}));
  told.diagnostics.note_parser_warnings(2, false);
  EXPECT_TRUE(told.diagnostics.has_added_warnings());
  EXPECT_EQ(told.diagnostics.last_ok().warnings, 3U);
  told.diagnostics.note_warnings(shown({"Note", "Warning", "Warning"}));
  EXPECT_EQ(told.diagnostics.warning_count(), 3U);
}

TEST(StatementWarnings, CountNoParserWarningsBehindAQuestionAboutThem) {
  for (const bool knew : {false, true}) {
    Told told;
    told.run("SHOW WARNINGS", rows(0));
    told.diagnostics.note_parser_warnings(1, knew);
    EXPECT_EQ(told.diagnostics.last_ok().warnings, 0U);
    EXPECT_TRUE(told.diagnostics.warnings_on_backend());
  }
  Told none;
  none.run("SHOW WARNINGS", rows(0));
  none.diagnostics.note_parser_warnings(0, true);
  EXPECT_TRUE(none.diagnostics.warnings_on_backend()) << "the ping does not tell of them";
}

TEST(StatementWarnings, HaveNoWarningsAfterAFetch) {
  for (const bool is_found : {true, false}) {
    Told told;
    told.run("INSERT IGNORE INTO t VALUES (1)", ok(3, 0, 1));
    told.diagnostics.note_warnings(shown({"Warning"}));
    told.diagnostics.note_fetch(is_found);
    EXPECT_EQ(told.diagnostics.warning_count(), 0U);
    EXPECT_EQ(told.diagnostics.last_ok().warnings, 0U);
    EXPECT_EQ(told.diagnostics.row_count(), 3) << "that stays";
    EXPECT_EQ(told.diagnostics.is_on_backend(), is_found);
  }
}

TEST(StatementWarnings, LoseTheWarningsOnTheBackendToAFetch) {
  Told told;
  told.run("INSERT IGNORE INTO t VALUES (1)", ok(0, 0, 1));
  told.diagnostics.note_fetch(true);
  EXPECT_FALSE(told.diagnostics.warnings_on_backend());
  told.diagnostics.note_fetch(false);
  told.diagnostics.note_fetch(true);
  EXPECT_FALSE(told.diagnostics.is_on_backend()) << "it does not come back";
}

TEST(StatementWarnings, AreThoseOfTheStatementThatATextWouldHaveExecuted) {
  Told told;
  told.diagnostics.note_lost_text(sql::classify("SELECT 1", {}).front());
  EXPECT_EQ(told.diagnostics.row_count(), -1);
  told.diagnostics.note_lost_text(sql::classify("UPDATE t SET a = 1", {}).front());
  EXPECT_EQ(told.diagnostics.row_count(), 0);
}

TEST(StatementWarnings, HaveNoWarningsWhereTheAnswerHasNone) {
  Told told;
  told.run("INSERT IGNORE INTO t VALUES (1)", ok(0, 0, 1));
  told.diagnostics.note_warnings(protocol::err_packet({.number = 1105, .message = "no"}, 1));
  EXPECT_FALSE(told.diagnostics.warnings_on_backend());
  EXPECT_EQ(told.diagnostics.warning_count(), 0U);
  EXPECT_EQ(told.diagnostics.warnings().columns.size(), 0U);
}

TEST(StatementWarnings, ShowAllErrorsThoughALimitHidesWarnings) {
  Told told;
  told.run("INSERT IGNORE INTO t VALUES (1)", ok(0, 0, 2));
  told.diagnostics.note_errors(shown({"Error"}));
  told.diagnostics.note_warnings(shown({"Warning"}), 5);
  EXPECT_EQ(told.diagnostics.warning_count(), 1U) << "nothing was hidden";
}

TEST(StatementWarnings, CountHiddenWarningsBehindAQuestionOnlyAsFarAsTheyAreShown) {
  Told told;
  told.run("SELECT 1; SHOW WARNINGS", rows(1));
  told.diagnostics.note_errors(shown({"Error"}));
  told.diagnostics.note_warnings(shown({"Warning"}), 1);
  EXPECT_EQ(told.diagnostics.warning_count(), 2U);
}

TEST(StatementWarnings, LeaveWhatAPrepareWarnedOfWhereItCannotBePreparedAgain) {
  Told told;
  told.prepare("SELECT @a", 1);
  told.diagnostics.note_pre_execution_error(PreExecutionError::kAppendsWarning, false);
  told.diagnostics.note_warnings(shown({"Error"}));
  told.diagnostics.note_prepare_warnings(
      protocol::err_packet({.number = 1105, .message = "no"}, 1));
  EXPECT_EQ(told.diagnostics.warning_count(), 1U);
}

TEST(StatementWarnings, CountNoneOfThoseBehindAPreparedQuestionInTheOkThatIsRepeated) {
  Told told;
  told.run("INSERT IGNORE INTO t VALUES (1)", ok(0, 0, 1));
  told.diagnostics.note_warnings(shown({"Warning"}));
  told.prepare("SHOW WARNINGS", 1);
  told.diagnostics.note_warnings(shown({"Warning", "Warning"}));
  EXPECT_EQ(told.diagnostics.warning_count(), 2U);
  EXPECT_EQ(told.diagnostics.last_ok().warnings, 0U);
}

TEST(StatementWarnings, AnswerNoQuestionAboutWarningsWithACondition) {
  Told told;
  told.run("INSERT IGNORE INTO t VALUES (1)", ok(0, 0, 1));
  told.diagnostics.note_warnings(shown({"Warning"}));
  EXPECT_EQ(told.ask("SHOW WARNINGS WHERE Level = 'Error'"), "");
  EXPECT_EQ(told.ask("SHOW COUNT(*) WARNINGS"), "1");
  EXPECT_EQ(told.diagnostics.row_count(), 0);
  EXPECT_EQ(told.diagnostics.found_rows(), 1U);
}

TEST(StatementWarnings, HaveNoRowCountOfAPreparedQuestion) {
  Told told;
  told.run("UPDATE t SET a = 1", ok(3));
  told.prepare("SHOW WARNINGS", 1);
  EXPECT_EQ(told.diagnostics.row_count(), 0);
}

TEST(StatementWarnings, OfAPrepareGoWithTheNextStatement) {
  Told told;
  told.prepare("SELECT @a", 1);
  told.run("SELECT 1", rows(1));
  EXPECT_EQ(told.diagnostics.last_prepare(), "");
  EXPECT_EQ(told.diagnostics.warning_count(), 0U);
}

TEST(StatementWarnings, CountNoRefusalBehindAQuestionThatTheProxyAnswered) {
  Told told;
  told.run("INSERT IGNORE INTO t VALUES (1)", ok(0, 0, 1));
  told.diagnostics.note_warnings(shown({"Warning"}));
  EXPECT_EQ(told.ask("SHOW WARNINGS"), "Warning");
  told.diagnostics.note_pre_execution_error(PreExecutionError::kAppendsWarning, false);
  EXPECT_EQ(told.diagnostics.last_ok().warnings, 0U);
}

}  // namespace
}  // namespace tidepool::tracking

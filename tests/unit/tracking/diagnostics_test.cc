#include "tidepool/tracking/diagnostics.h"

#include <gtest/gtest.h>

#include "tidepool/protocol/status.h"
#include "told.h"

namespace tidepool::tracking {
namespace {

using protocol::Command;

TEST(Diagnostics, AreThoseOfANewSession) {
  Told told;
  EXPECT_EQ(told.ask("SELECT LAST_INSERT_ID()"), "0");
  EXPECT_EQ(told.diagnostics.warning_count(), 0U);
  EXPECT_FALSE(told.diagnostics.is_on_backend());
}

TEST(Diagnostics, CountTheRowsOfAWrite) {
  Told told;
  told.run("UPDATE t SET a = 1", ok(3));
  EXPECT_TRUE(told.diagnostics.is_on_backend());
  EXPECT_EQ(told.ask("SELECT ROW_COUNT()"), "3");
}

TEST(Diagnostics, HaveNoRowCountAfterASelect) {
  Told told;
  told.run("SELECT 1", rows(1));
  EXPECT_EQ(told.diagnostics.row_count(), -1);
  told.run("SHOW TABLES", rows(2));
  EXPECT_EQ(told.diagnostics.row_count(), 0);
  told.run("EXPLAIN SELECT 1", rows(2));
  EXPECT_EQ(told.diagnostics.row_count(), -1);
  told.run("EXPLAIN DELETE FROM t", rows(2));
  EXPECT_EQ(told.diagnostics.row_count(), 0);
}

TEST(Diagnostics, HaveNoRowCountAfterAnExplainedSelectHoweverItIsWritten) {
  for (const char* text :
       {"EXPLAIN FORMAT='brief' SELECT 1", "EXPLAIN ANALYZE FORMAT = 'row' SELECT 1",
        "EXPLAIN (SELECT 1)", "DESC TABLE t", "EXPLAIN VALUES ROW(1)",
        "EXPLAIN WITH a AS (TABLE t) TABLE a",
        "EXPLAIN FORMAT='x' WITH a AS (SELECT 1) SELECT 2"}) {
    Told told;
    told.run(text, rows(2));
    EXPECT_EQ(told.diagnostics.row_count(), -1) << text;
  }
  for (const char* text : {"EXPLAIN INSERT INTO t SELECT 1", "EXPLAIN REPLACE t SELECT 1", "DESC t",
                           "EXPLAIN UPDATE t SET a = (SELECT 1)", "EXPLAIN FOR CONNECTION 5",
                           "EXPLAIN WITH a AS (SELECT 1) DELETE FROM t", "DESC `SELECT`",
                           "DESC t `select`", "EXPLAIN t SELECT"}) {
    Told told;
    told.run(text, rows(2));
    EXPECT_EQ(told.diagnostics.row_count(), 0) << text;
  }
}

TEST(Diagnostics, AreChangedByTheQuestionItself) {
  Told told;
  told.run("SELECT a FROM t", rows(7));
  EXPECT_EQ(told.ask("SELECT FOUND_ROWS()"), "7");
  EXPECT_EQ(told.ask("SELECT FOUND_ROWS()"), "1");
  EXPECT_EQ(told.ask("SELECT ROW_COUNT()"), "-1");
  EXPECT_FALSE(told.diagnostics.is_on_backend());
}

TEST(Diagnostics, AnswerNothingButALoneFunction) {
  Told told;
  EXPECT_EQ(told.ask("SELECT ROW_COUNT() + 1"), "");
  EXPECT_EQ(told.ask("SELECT ROW_COUNT() FROM t"), "");
  EXPECT_EQ(told.ask("SHOW WARNINGS"), "");
}

TEST(Diagnostics, KeepTheFoundRowsOfBeforeALockingRead) {
  Told told;
  told.run("SELECT a FROM t", rows(7));
  told.run("SELECT a FROM t WHERE id = 1 FOR UPDATE", rows(1), true);
  EXPECT_EQ(told.diagnostics.found_rows(), 7U);
  told.run("SELECT a FROM t WHERE id = 1 FOR UPDATE", rows(1), false);
  EXPECT_EQ(told.diagnostics.found_rows(), 1U);
}

TEST(Diagnostics, KnowALockingReadInTheSessionsMode) {
  const sql::LexMode mode{.no_backslash_escapes = true};
  Told told;
  told.run("SELECT a FROM t", rows(7));
  told.run(R"(SELECT '\' FROM t FOR UPDATE)", rows(1), true, mode);
  EXPECT_EQ(told.diagnostics.found_rows(), 7U);
  told.run(R"(SELECT 'a\', ' FOR UPDATE')", rows(1), true, mode);
  EXPECT_EQ(told.diagnostics.found_rows(), 1U);
}

TEST(Diagnostics, LeaveTheFoundRowsOfACursorOnTheBackend) {
  Told told;
  ResponseSummary opened = rows(0);
  opened.found_rows.reset();
  opened.status = protocol::status::kCursorExists;
  told.run("SELECT a FROM t", opened);
  EXPECT_TRUE(told.diagnostics.found_rows_on_backend());
  told.diagnostics.begin_found_rows();
  told.diagnostics.note_found_rows(one_value("9"));
  EXPECT_FALSE(told.diagnostics.found_rows_on_backend());
  EXPECT_EQ(told.diagnostics.found_rows(), 9U);
}

TEST(Diagnostics, CaptureTheInsertId) {
  Told told;
  EXPECT_FALSE(told.run("INSERT INTO t VALUES ()", ok(1, 5)));
  EXPECT_TRUE(told.diagnostics.insert_id_on_backend());
  std::optional<std::uint64_t> there = 3;
  told.diagnostics.note_insert_id(one_value("5"), there);
  EXPECT_EQ(told.diagnostics.last_insert_id(), 5U);
  EXPECT_EQ(there, 5U);
  EXPECT_FALSE(told.diagnostics.insert_id_on_backend());
}

TEST(Diagnostics, DoNotTakeAnotherSessionsInsertId) {
  Told told;
  told.run("INSERT INTO t(id) VALUES (8)", ok(1, 8));
  std::optional<std::uint64_t> there = 3;
  told.diagnostics.note_insert_id(one_value("3"), there);
  EXPECT_EQ(told.diagnostics.last_insert_id(), 0U);
}

TEST(Diagnostics, TellWhenTheBackendsInsertIdIsSurelyAnotherOne) {
  Told told;
  EXPECT_TRUE(told.run("SELECT LAST_INSERT_ID(4)", rows(1)));
  EXPECT_TRUE(told.run("UPDATE t SET a = LAST_INSERT_ID(4)", ok(1, 4)));
  EXPECT_FALSE(told.run("UPDATE t SET a = 1", ok(1)));
  EXPECT_FALSE(told.run("SELECT 1", rows(1)));
}

TEST(Diagnostics, RepeatWhatThePingSaidAfterAnError) {
  Told told;
  const sql::Script script = sql::classify("SELECT a FROM t", {});
  const ResponseSummary failed = error(1146);
  const CompletedCommand done{Command::kQuery, script, failed};
  told.diagnostics.note_answer(done, false);
  told.diagnostics.note_failure(done, ok(0, 0, 1), "");
  EXPECT_TRUE(told.diagnostics.warnings_on_backend());
  EXPECT_EQ(told.diagnostics.last_ok().warnings, 1U);
  EXPECT_EQ(told.diagnostics.row_count(), -1);
}

TEST(Diagnostics, LoseWhatOnlyTheBackendKnewWithIt) {
  Told told;
  told.run("INSERT INTO t VALUES ()", ok(1, 5, 1));
  told.diagnostics.note_backend_gone();
  EXPECT_FALSE(told.diagnostics.insert_id_on_backend());
  EXPECT_FALSE(told.diagnostics.warnings_on_backend());
  EXPECT_EQ(told.diagnostics.row_count(), 1);
}

TEST(Diagnostics, AreThoseOfTheStatementThatFailedAmongOthers) {
  const char* text = "UPDATE t SET a = 1; SELECT a FROM nowhere; DELETE FROM t";
  const sql::Script script = sql::classify(text, {});
  const ResponseSummary failed = failed_after(1, 1146);
  Told told;
  told.run(text, failed);
  told.diagnostics.note_failure({Command::kQuery, script, failed}, ok(0, 0, 1), "");
  EXPECT_EQ(told.diagnostics.row_count(), -1) << "of the SELECT";
}

TEST(Diagnostics, LeaveAnInsertIdThatAStatementBeforeTheFailedOneMaySetOnTheBackend) {
  Told told;
  told.run("SELECT LAST_INSERT_ID(4); SELECT a FROM nowhere", failed_after(1, 1146));
  EXPECT_TRUE(told.diagnostics.insert_id_on_backend());
  Told other;
  other.run("SELECT 1; SELECT LAST_INSERT_ID(a) FROM nowhere", failed_after(1, 1146));
  EXPECT_TRUE(other.diagnostics.insert_id_on_backend()) << "nor does anybody know of that one";
  Told none;
  none.run("SELECT 1; SELECT a FROM nowhere; SELECT LAST_INSERT_ID(4)", failed_after(1, 1146));
  EXPECT_FALSE(none.diagnostics.insert_id_on_backend()) << "that one was not begun";
}

TEST(Diagnostics, AreThoseOfATextWithoutStatements) {
  Told told;
  told.run("INSERT IGNORE INTO t VALUES (1)", ok(2, 0, 1));
  told.run("-- nothing", ok(0));
  EXPECT_EQ(told.diagnostics.row_count(), 0);
  EXPECT_FALSE(told.diagnostics.warnings_on_backend());
  told.run("-- nothing", error(1064));
  EXPECT_TRUE(told.diagnostics.warnings_on_backend());
}

TEST(Diagnostics, HaveNoRowCountAfterALoad) {
  Told told;
  told.run("LOAD DATA LOCAL INFILE 'x' INTO TABLE t", ok(7));
  EXPECT_EQ(told.diagnostics.row_count(), 0);
  EXPECT_EQ(told.diagnostics.last_ok().affected_rows, 7U) << "which its OK has";
}

TEST(Diagnostics, TellNoSureInsertIdOfATextThatInserts) {
  Told told;
  EXPECT_FALSE(told.run("UPDATE t SET a = 1; INSERT INTO t VALUES (8)", ok(1, 8)));
  EXPECT_TRUE(told.diagnostics.insert_id_on_backend());
}

TEST(Diagnostics, RepeatTheLastOk) {
  Told told;
  ResponseSummary answer = ok(3, 5, 1);
  answer.info = "Rows matched: 3";
  told.run("INSERT INTO t VALUES ()", answer);
  EXPECT_EQ(told.diagnostics.last_ok().affected_rows, 3U);
  EXPECT_EQ(told.diagnostics.last_ok().last_insert_id, 5U);
  EXPECT_EQ(told.diagnostics.last_ok().info, "Rows matched: 3");
  EXPECT_EQ(told.diagnostics.last_ok().warnings, 1U);
  answer = rows(1);
  answer.affected_rows = 9;
  answer.ok_insert_id = 9;
  answer.info = "none";
  told.run("SELECT 1", answer);
  EXPECT_EQ(told.diagnostics.last_ok().affected_rows, 0U) << "rows have no such figures";
  EXPECT_EQ(told.diagnostics.last_ok().last_insert_id, 0U);
  EXPECT_EQ(told.diagnostics.last_ok().info, "");
}

TEST(Diagnostics, HaveTheInsertIdThatASelectHasSetInTheOkThatIsRepeated) {
  Told told;
  told.run("SELECT LAST_INSERT_ID(4)", rows(1));
  std::optional<std::uint64_t> there;
  told.diagnostics.note_insert_id(one_value("4"), there);
  EXPECT_EQ(told.diagnostics.last_ok().last_insert_id, 4U);
}

TEST(Diagnostics, TakeAnInsertIdThatTheOkHasToldThoughTheBackendHadItBefore) {
  Told told;
  told.run("INSERT INTO t VALUES ()", ok(1, 5));
  std::optional<std::uint64_t> there = 5;
  told.diagnostics.note_insert_id(one_value("5"), there);
  EXPECT_EQ(told.diagnostics.last_insert_id(), 5U);
}

TEST(Diagnostics, TakeNoInsertIdFromAnAnswerOfAnotherForm) {
  const std::string no_rows = protocol::make_text_result({protocol::integer_column("x")}, {}, 0, 0);
  for (const std::string& answer :
       {no_rows, protocol::err_packet({.number = 1105, .message = "no"}, 1)}) {
    Told told;
    told.run("INSERT INTO t VALUES ()", ok(1, 5));
    std::optional<std::uint64_t> there = 3;
    told.diagnostics.note_insert_id(answer, there);
    EXPECT_EQ(told.diagnostics.last_insert_id(), 0U);
    EXPECT_EQ(there, 3U);
    EXPECT_FALSE(told.diagnostics.insert_id_on_backend()) << "it is not asked for again";
  }
}

TEST(Diagnostics, KeepTheRowsFoundWhereALoneErrorHasNone) {
  Told told;
  told.run("SELECT a FROM t", rows(7));
  told.diagnostics.note_found_rows(protocol::err_packet({.number = 1105, .message = "no"}, 1));
  EXPECT_EQ(told.diagnostics.found_rows(), 7U);
  EXPECT_TRUE(told.diagnostics.found_rows_here());
  told.run("SELECT a FROM nowhere", error(1146));
  EXPECT_EQ(told.diagnostics.found_rows(), 7U) << "an error finds none";
}

// As TiDB describes them: FOUND_ROWS() may be NULL, the other two not.
TEST(Diagnostics, HaveTheFlagsOfTidbsColumns) {
  Told told;
  const auto flags = [&](const char* text) {
    return told.diagnostics.answer(sql::classify(text, {}).front())->columns.at(0).flags;
  };
  EXPECT_EQ(flags("SELECT LAST_INSERT_ID()"), 0xA1);
  EXPECT_EQ(flags("SELECT ROW_COUNT()"), 0x81);
  EXPECT_EQ(flags("SELECT FOUND_ROWS()"), 0xA0);
}

}  // namespace
}  // namespace tidepool::tracking

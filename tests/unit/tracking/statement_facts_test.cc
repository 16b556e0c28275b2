#include "tidepool/tracking/statement_facts.h"

#include <gtest/gtest.h>

#include "tidepool/protocol/status.h"

namespace tidepool::tracking {
namespace {

using protocol::Command;
using protocol::ResponseSummary;

ResponseSummary ok(std::uint64_t affected_rows, std::uint64_t insert_id = 0,
                   std::uint16_t warnings = 0) {
  ResponseSummary answer;
  answer.outcome = ResponseSummary::Outcome::kOk;
  answer.results = 1;
  answer.affected_rows = affected_rows;
  answer.last_insert_id = insert_id;
  answer.ok_insert_id = insert_id;
  answer.warnings = warnings;
  return answer;
}

ResponseSummary rows(std::uint64_t count) {
  ResponseSummary answer;
  answer.outcome = ResponseSummary::Outcome::kResultSet;
  answer.results = 1;
  answer.result_sets = 1;
  answer.rows = count;
  answer.last_rows = count;
  answer.found_rows = count;
  return answer;
}

ResponseSummary error(std::uint16_t number) {
  ResponseSummary answer;
  answer.outcome = ResponseSummary::Outcome::kError;
  answer.results = 1;
  answer.error_number = number;
  return answer;
}

std::string one_value(const char* value) {
  return protocol::make_text_result({protocol::integer_column("x")}, {{value}}, 0, 0);
}

std::string shown(const std::vector<const char*>& levels) {
  std::vector<protocol::Row> rows;
  for (const char* level : levels)
    rows.push_back({level, "1", std::string("message ") + level});
  return protocol::make_text_result(
      {protocol::string_column("Level"), protocol::integer_column("Code"),
       protocol::string_column("Message")},
      rows, 0, 0);
}

// What a client's statements did, one after the other.
class Told {
 public:
  bool run(const char* text, const ResponseSummary& answer, bool locks_rows = false,
           sql::LexMode mode = {}) {
    const sql::Script script = sql::classify(text, mode);
    return facts.note_answer({Command::kQuery, script, answer}, locks_rows);
  }
  void prepare(const char* text, std::uint16_t warnings, bool knew_facts = false) {
    facts.note_prepare(std::make_shared<const std::string>(text), sql::classify(text, {}), warnings,
                       knew_facts);
  }
  // The only value of the answer; nothing if TiDB must be asked.
  std::string ask(const char* text) {
    const sql::Script script = sql::classify(text, {});
    const auto result = facts.answer(script.front());
    return result ? result->rows.at(0).at(0).value_or("NULL") : "";
  }

  StatementFacts facts;
};

TEST(StatementFacts, AreThoseOfANewSession) {
  Told told;
  EXPECT_EQ(told.ask("SELECT LAST_INSERT_ID()"), "0");
  EXPECT_EQ(told.facts.warning_count(), 0U);
  EXPECT_FALSE(told.facts.is_on_backend());
}

TEST(StatementFacts, CountTheRowsOfAWrite) {
  Told told;
  told.run("UPDATE t SET a = 1", ok(3));
  EXPECT_TRUE(told.facts.is_on_backend());
  EXPECT_EQ(told.ask("SELECT ROW_COUNT()"), "3");
}

TEST(StatementFacts, HaveNoRowCountAfterASelect) {
  Told told;
  told.run("SELECT 1", rows(1));
  EXPECT_EQ(told.facts.row_count(), -1);
  told.run("SHOW TABLES", rows(2));
  EXPECT_EQ(told.facts.row_count(), 0);
  told.run("EXPLAIN SELECT 1", rows(2));
  EXPECT_EQ(told.facts.row_count(), -1);
  told.run("EXPLAIN DELETE FROM t", rows(2));
  EXPECT_EQ(told.facts.row_count(), 0);
}

TEST(StatementFacts, HaveNoRowCountAfterAnExplainedSelectHoweverItIsWritten) {
  for (const char* text :
       {"EXPLAIN FORMAT='brief' SELECT 1", "EXPLAIN ANALYZE FORMAT = 'row' SELECT 1",
        "EXPLAIN (SELECT 1)", "DESC TABLE t", "EXPLAIN VALUES ROW(1)",
        "EXPLAIN WITH a AS (TABLE t) TABLE a",
        "EXPLAIN FORMAT='x' WITH a AS (SELECT 1) SELECT 2"}) {
    Told told;
    told.run(text, rows(2));
    EXPECT_EQ(told.facts.row_count(), -1) << text;
  }
  for (const char* text : {"EXPLAIN INSERT INTO t SELECT 1", "EXPLAIN REPLACE t SELECT 1", "DESC t",
                           "EXPLAIN UPDATE t SET a = (SELECT 1)", "EXPLAIN FOR CONNECTION 5",
                           "EXPLAIN WITH a AS (SELECT 1) DELETE FROM t", "DESC `SELECT`",
                           "DESC t `select`", "EXPLAIN t SELECT"}) {
    Told told;
    told.run(text, rows(2));
    EXPECT_EQ(told.facts.row_count(), 0) << text;
  }
}

TEST(StatementFacts, AreChangedByTheQuestionItself) {
  Told told;
  told.run("SELECT a FROM t", rows(7));
  EXPECT_EQ(told.ask("SELECT FOUND_ROWS()"), "7");
  EXPECT_EQ(told.ask("SELECT FOUND_ROWS()"), "1");
  EXPECT_EQ(told.ask("SELECT ROW_COUNT()"), "-1");
  EXPECT_FALSE(told.facts.is_on_backend());
}

TEST(StatementFacts, AnswerNothingButALoneFunction) {
  Told told;
  EXPECT_EQ(told.ask("SELECT ROW_COUNT() + 1"), "");
  EXPECT_EQ(told.ask("SELECT ROW_COUNT() FROM t"), "");
  EXPECT_EQ(told.ask("SHOW WARNINGS"), "");
}

TEST(StatementFacts, KeepTheFoundRowsOfBeforeALockingRead) {
  Told told;
  told.run("SELECT a FROM t", rows(7));
  told.run("SELECT a FROM t WHERE id = 1 FOR UPDATE", rows(1), true);
  EXPECT_EQ(told.facts.found_rows(), 7U);
  told.run("SELECT a FROM t WHERE id = 1 FOR UPDATE", rows(1), false);
  EXPECT_EQ(told.facts.found_rows(), 1U);
}

TEST(StatementFacts, KnowALockingReadInTheSessionsMode) {
  const sql::LexMode mode{.no_backslash_escapes = true};
  Told told;
  told.run("SELECT a FROM t", rows(7));
  told.run(R"(SELECT '\' FROM t FOR UPDATE)", rows(1), true, mode);
  EXPECT_EQ(told.facts.found_rows(), 7U);
  told.run(R"(SELECT 'a\', ' FOR UPDATE')", rows(1), true, mode);
  EXPECT_EQ(told.facts.found_rows(), 1U);
}

TEST(StatementFacts, LeaveTheFoundRowsOfACursorOnTheBackend) {
  Told told;
  ResponseSummary opened = rows(0);
  opened.found_rows.reset();
  opened.status = protocol::status::kCursorExists;
  told.run("SELECT a FROM t", opened);
  EXPECT_TRUE(told.facts.found_rows_on_backend());
  told.facts.begin_found_rows();
  told.facts.note_found_rows(one_value("9"));
  EXPECT_FALSE(told.facts.found_rows_on_backend());
  EXPECT_EQ(told.facts.found_rows(), 9U);
}

TEST(StatementFacts, CaptureTheInsertId) {
  Told told;
  EXPECT_FALSE(told.run("INSERT INTO t VALUES ()", ok(1, 5)));
  EXPECT_TRUE(told.facts.insert_id_on_backend());
  std::optional<std::uint64_t> there = 3;
  told.facts.note_insert_id(one_value("5"), there);
  EXPECT_EQ(told.facts.last_insert_id(), 5U);
  EXPECT_EQ(there, 5U);
  EXPECT_FALSE(told.facts.insert_id_on_backend());
}

TEST(StatementFacts, DoNotTakeAnotherSessionsInsertId) {
  Told told;
  told.run("INSERT INTO t(id) VALUES (8)", ok(1, 8));
  std::optional<std::uint64_t> there = 3;
  told.facts.note_insert_id(one_value("3"), there);
  EXPECT_EQ(told.facts.last_insert_id(), 0U);
}

TEST(StatementFacts, TellWhenTheBackendsInsertIdIsSurelyAnotherOne) {
  Told told;
  EXPECT_TRUE(told.run("SELECT LAST_INSERT_ID(4)", rows(1)));
  EXPECT_TRUE(told.run("UPDATE t SET a = LAST_INSERT_ID(4)", ok(1, 4)));
  EXPECT_FALSE(told.run("UPDATE t SET a = 1", ok(1)));
  EXPECT_FALSE(told.run("SELECT 1", rows(1)));
}

TEST(StatementFacts, LeaveWarningsOnTheBackendUntilTheyAreRead) {
  Told told;
  told.run("INSERT IGNORE INTO t VALUES (1)", ok(0, 0, 2));
  EXPECT_TRUE(told.facts.warnings_on_backend());
  told.facts.note_warnings(shown({"Warning", "Error"}));
  EXPECT_FALSE(told.facts.warnings_on_backend());
  EXPECT_EQ(told.facts.warning_count(), 2U);
  EXPECT_EQ(told.facts.error_count(), 1U);
  EXPECT_EQ(told.ask("SHOW WARNINGS"), "Warning");
  EXPECT_EQ(told.ask("SHOW ERRORS"), "Error");
  EXPECT_EQ(told.facts.last_ok().warnings, 0U);
}

TEST(StatementFacts, CountWarningsThatALimitHides) {
  Told told;
  told.run("INSERT IGNORE INTO t VALUES (1)", ok(0, 0, 3));
  told.facts.note_errors(shown({"Error"}));
  told.facts.note_warnings(shown({"Warning"}), 1);
  EXPECT_EQ(told.facts.warning_count(), 3U);
  EXPECT_EQ(told.facts.error_count(), 1U);
  EXPECT_EQ(told.facts.last_ok().warnings, 3U);
  EXPECT_EQ(told.facts.most_shown(), 1U);
}

TEST(StatementFacts, AddARefusalToTheWarningsBefore) {
  Told told;
  told.run("SELECT 1/0", rows(1));
  told.run("INSERT IGNORE INTO t VALUES (1)", ok(0, 0, 1));
  told.facts.note_warnings(shown({"Warning"}));
  told.facts.note_refusal(Refusal::kAddsWarning, false);
  EXPECT_TRUE(told.facts.has_added_warnings());
  EXPECT_FALSE(told.facts.is_on_backend());
  EXPECT_EQ(told.facts.last_ok().warnings, 2U);
  told.facts.note_warnings(shown({"Note", "Error"}));  // the first one is another session's
  EXPECT_FALSE(told.facts.has_added_warnings());
  const protocol::TextResult all = told.facts.warnings();
  ASSERT_EQ(all.rows.size(), 2U);
  EXPECT_EQ(all.rows[0][0], "Warning");
  EXPECT_EQ(all.rows[1][0], "Error");
}

TEST(StatementFacts, AreAsTheyWereAfterARefusalWithoutTrace) {
  Told told;
  told.run("UPDATE t SET a = 1", ok(3));
  told.facts.note_refusal(Refusal::kWithoutTrace, true);
  EXPECT_TRUE(told.facts.is_on_backend());
  EXPECT_FALSE(told.facts.warnings_on_backend());
  EXPECT_EQ(told.facts.row_count(), 3);
}

TEST(StatementFacts, HaveWhatAPrepareWarnedOf) {
  Told told;
  told.run("UPDATE t SET a = 1", ok(3));
  told.prepare("SELECT @a", 1);
  EXPECT_FALSE(told.facts.is_on_backend());
  EXPECT_EQ(told.facts.last_prepare(), "SELECT @a");
  EXPECT_EQ(told.facts.warning_count(), 1U);
  EXPECT_EQ(told.facts.row_count(), -1);
}

TEST(StatementFacts, AddARefusalToWhatAPrepareWarnedOf) {
  Told told;
  told.prepare("SELECT @a", 1);
  told.facts.note_refusal(Refusal::kAddsWarning, false);
  told.facts.note_warnings(shown({"Error"}));
  told.facts.note_prepare_warnings(shown({"Warning"}));
  EXPECT_EQ(told.facts.last_prepare(), "");
  EXPECT_EQ(told.facts.warning_count(), 2U);
  EXPECT_EQ(told.facts.error_count(), 1U);
  EXPECT_EQ(told.facts.last_ok().warnings, 2U);
}

TEST(StatementFacts, KeepTheWarningsWhenAQuestionAboutThemIsPrepared) {
  Told told;
  told.run("INSERT IGNORE INTO t VALUES (1)", ok(0, 0, 1));
  told.prepare("SHOW WARNINGS", 1, true);
  EXPECT_TRUE(told.facts.is_on_backend());
  EXPECT_TRUE(told.facts.warnings_on_backend());
  EXPECT_FALSE(told.facts.has_added_warnings());  // the backend has those before it too
  EXPECT_EQ(told.facts.last_ok().warnings, 0U);
}

TEST(StatementFacts, RepeatWhatThePingSaidAfterAnError) {
  Told told;
  const sql::Script script = sql::classify("SELECT a FROM t", {});
  const ResponseSummary failed = error(1146);
  const Answered done{Command::kQuery, script, failed};
  told.facts.note_answer(done, false);
  told.facts.note_failure(done, ok(0, 0, 1), "");
  EXPECT_TRUE(told.facts.warnings_on_backend());
  EXPECT_EQ(told.facts.last_ok().warnings, 1U);
  EXPECT_EQ(told.facts.row_count(), -1);
}

TEST(StatementFacts, LoseWhatOnlyTheBackendKnewWithIt) {
  Told told;
  told.run("INSERT INTO t VALUES ()", ok(1, 5, 1));
  told.facts.note_backend_gone();
  EXPECT_FALSE(told.facts.insert_id_on_backend());
  EXPECT_FALSE(told.facts.warnings_on_backend());
  EXPECT_EQ(told.facts.row_count(), 1);
}

TEST(StatementFacts, ShowAnErrorOfTheProxyAsItsWarning) {
  Told told;
  told.run("INSERT IGNORE INTO t VALUES (1)", ok(0, 0, 3));
  told.facts.note_own_error(shown({"Error"}));
  EXPECT_FALSE(told.facts.warnings_on_backend());
  EXPECT_EQ(told.facts.warning_count(), 1U);
  EXPECT_EQ(told.facts.last_ok().warnings, 1U);
}

}  // namespace
}  // namespace tidepool::tracking

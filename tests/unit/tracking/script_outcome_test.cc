#include "tidepool/tracking/script_outcome.h"

#include <array>

#include <gtest/gtest.h>

namespace tidepool::tracking {
namespace {

using Outcome = protocol::ResponseSummary::Outcome;

protocol::ResponseSummary ok(std::uint32_t results = 1) {
  protocol::ResponseSummary answer;
  answer.outcome = Outcome::kOk;
  answer.results = results;
  return answer;
}

// The statement after `done` others failed.
protocol::ResponseSummary failed(std::uint32_t done, std::uint16_t number = 1146) {
  protocol::ResponseSummary answer;
  answer.outcome = Outcome::kError;
  answer.results = done + 1;
  answer.error_number = number;
  return answer;
}

struct ScriptOutcome {
  GlobalSettings globals;
  sql::SessionState desired;
  sql::SessionState actual;
  sql::PinReasons pins;

  void run(const char* text, const protocol::ResponseSummary& answer) {
    const sql::Script script = sql::classify(text, {});
    globals.note(script);
    pins = apply_outcome(script, answer, pins, globals, desired, actual);
  }
};

TEST(ScriptOutcome, AnOkBringsTheChangesToSessionAndBackend) {
  ScriptOutcome outcome;
  outcome.run("SET time_zone = '+02:00'", ok());
  EXPECT_NE(outcome.desired, sql::SessionState());
  EXPECT_EQ(outcome.desired, outcome.actual);
  EXPECT_TRUE(outcome.pins.empty());
}

TEST(ScriptOutcome, DefaultIsWhatTheBackendBeganWithUntilASetGlobalNamesTheVariable) {
  ScriptOutcome outcome;
  outcome.run("SET time_zone = '+02:00', tidb_mem_quota_query = 5", ok());
  outcome.run("SET GLOBAL time_zone = '+03:00'", ok());
  outcome.run("SET tidb_mem_quota_query = DEFAULT", ok());
  EXPECT_TRUE(outcome.desired.is_exact());

  outcome.run("SET time_zone = DEFAULT", ok());

  EXPECT_FALSE(outcome.desired.is_exact());
  EXPECT_FALSE(outcome.actual.is_exact());
  outcome.run("SET time_zone = '+01:00'", ok());
  EXPECT_TRUE(outcome.desired.is_exact());
}

TEST(ScriptOutcome, AllFormsOfSetGlobalNameTheirVariables) {
  for (const char* text :
       {"SET GLOBAL tx_isolation = 'READ-COMMITTED'", "SET @a = 1, @@global.TX_ISOLATION = @b",
        "SET GLOBAL TRANSACTION ISOLATION LEVEL READ COMMITTED",
        "SELECT 1; SET sql_mode = '', GLOBAL transaction_isolation = 'READ-COMMITTED'"}) {
    ScriptOutcome outcome;
    outcome.run(text, ok());
    outcome.run("SET tx_isolation = DEFAULT", ok());
    EXPECT_FALSE(outcome.desired.is_exact()) << text;
  }
}

TEST(ScriptOutcome, AnErrorBringsNone) {
  ScriptOutcome outcome;
  outcome.run("USE gone", failed(0, 1049));
  EXPECT_EQ(outcome.desired.database(), "");
  EXPECT_TRUE(outcome.pins.empty());
}

TEST(ScriptOutcome, OfSeveralStatementsOnlyThoseBeforeTheErrorHold) {
  ScriptOutcome outcome;
  outcome.run("USE a; USE b; USE gone", failed(2, 1049));
  EXPECT_EQ(outcome.desired.database(), "b");
}

TEST(ScriptOutcome, AParseErrorMeansThatNothingRan) {
  ScriptOutcome outcome;
  outcome.run("SET @x = 1; BROKEN", failed(0, 1064));
  EXPECT_TRUE(outcome.pins.empty());
}

TEST(ScriptOutcome, ASetOfSeveralThatFailsLeavesThemUnknown) {
  ScriptOutcome outcome;
  outcome.run("SET time_zone = '+02:00', sql_mode = 'NONSENSE'", failed(0, 1231));
  EXPECT_TRUE(outcome.pins.empty()) << "they can be read back";
  EXPECT_FALSE(outcome.desired.is_exact());
  EXPECT_EQ(outcome.desired, outcome.actual);
  EXPECT_EQ(outcome.desired.computed().size(), 2U);
}

TEST(ScriptOutcome, ABadCharacterMeansThatNoSetRan) {
  ScriptOutcome outcome;
  outcome.run("SET NAMES gbk", ok());
  outcome.run("SET @a = 1, @b = 'x'", failed(0, 1300));
  EXPECT_TRUE(outcome.desired.is_exact());

  ScriptOutcome converts;
  converts.run("SET @a = 1, @b = HEX('x')", failed(0, 1300));
  EXPECT_FALSE(converts.desired.is_exact()) << "the text is UTF-8: the function failed";
}

TEST(ScriptOutcome, AFailedQueryMayHaveAssigned) {
  ScriptOutcome outcome;
  outcome.run("SELECT @a := id, nonsense(1) FROM t", failed(0, 1690));
  EXPECT_FALSE(outcome.desired.is_exact());
  EXPECT_TRUE(outcome.pins.contains(sql::Pin::kUserVariable))
      << "it may have the type without the value";
  outcome.run("SET @a = 1", ok());
  EXPECT_TRUE(outcome.pins.empty());
}

TEST(ScriptOutcome, AnAssignmentThatFoundNoRowLeavesATypeWithoutItsValue) {
  protocol::ResponseSummary none = ok();
  ScriptOutcome write;
  write.run("UPDATE t SET v = (@e := v + 1)", none);
  EXPECT_TRUE(write.pins.contains(sql::Pin::kUserVariable));
  none.affected_rows = 1;
  write.run("UPDATE t SET v = (@e := v + 1)", none);
  EXPECT_TRUE(write.pins.empty());

  protocol::ResponseSummary rows;
  rows.outcome = Outcome::kResultSet;
  rows.results = 1;
  rows.found_rows = 0;
  ScriptOutcome read;
  read.run("SELECT @e := v FROM t", rows);
  EXPECT_TRUE(read.pins.contains(sql::Pin::kUserVariable));
  rows.found_rows = 1;
  read.run("SELECT @e := v FROM t", rows);
  EXPECT_TRUE(read.pins.empty());

  for (const char* text :
       {"SET @e = 1", "DO @e := 1", "LOAD DATA LOCAL INFILE 'x' INTO TABLE t (@e)"}) {
    ScriptOutcome other;
    other.run(text, ok());
    EXPECT_TRUE(other.pins.empty()) << text;
  }
}

TEST(ScriptOutcome, APrepareGivesATypeOnly) {
  const sql::StateChanges unrestorable = {{sql::ChangeKind::kUnrestorableUserVariable, "a"}};
  EXPECT_EQ(planned_changes(sql::classify("SELECT @a := ?", {}), ok()), unrestorable);
  EXPECT_EQ(planned_changes(sql::classify("SELECT @a := 1, nonsense", {}), failed(0, 1054)),
            unrestorable);
  EXPECT_TRUE(planned_changes(sql::classify("SELECT @a := 1 1", {}), failed(0, 1064)).empty());
  EXPECT_TRUE(planned_changes(sql::classify("SET @a = ?", {}), ok()).empty());

  ScriptOutcome explained;
  explained.run("EXPLAIN SELECT @a := 1, nonsense", failed(0, 1054));
  EXPECT_TRUE(explained.pins.contains(sql::Pin::kUserVariable));
}

TEST(ScriptOutcome, APinOfAVariableGoesWithItsCause) {
  ScriptOutcome outcome;
  outcome.run("SET tidb_snapshot = @x", ok());
  EXPECT_EQ(outcome.pins, sql::PinReasons{sql::Pin::kSessionVariable});
  outcome.run("SET tidb_snapshot = ''", ok());
  EXPECT_EQ(outcome.pins, sql::PinReasons{sql::Pin::kSessionVariable}) << "no literal is followed";
  ScriptOutcome named;
  named.run("SET @\u00e4 = 1 + 1", ok());
  EXPECT_EQ(named.pins, sql::PinReasons{sql::Pin::kUserVariable});
}

TEST(ScriptOutcome, ASetOfNamesOrGlobalsAmongOthersThatFailsLeavesThemUnknownToo) {
  for (const char* text :
       {"SET NAMES latin1, time_zone = 'bad'", "SET time_zone = '+01:00', GLOBAL bad = 1"}) {
    ScriptOutcome outcome;
    outcome.run(text, failed(0, 1193));
    EXPECT_FALSE(outcome.desired.is_exact()) << text;
  }
  ScriptOutcome single;
  single.run("SET time_zone = 'bad'", failed(0, 1298));
  EXPECT_TRUE(single.pins.empty());
}

TEST(ScriptOutcome, WhatIsPreparedMaySetTheInsertIdWhenItIsPlanned) {
  EXPECT_TRUE(plans_insert_id(sql::classify("SELECT LAST_INSERT_ID(7)", {})));
  EXPECT_TRUE(plans_insert_id(sql::classify("UPDATE t SET a = LAST_INSERT_ID(7)", {})));
  EXPECT_FALSE(plans_insert_id(sql::classify("SELECT LAST_INSERT_ID()", {})));
  EXPECT_FALSE(plans_insert_id(sql::classify("INSERT INTO t VALUES (1)", {})));
}

TEST(ScriptOutcome, ASetOfOneThatFailsLeavesNothing) {
  for (const char* text : {"SET max_connections = @a", "SET nonsense = 1", "SET @a = nonsense",
                           "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE",
                           "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "SET ROLE nobody"}) {
    ScriptOutcome outcome;
    outcome.run(text, failed(0, 1193));
    EXPECT_TRUE(outcome.pins.empty()) << text;
    EXPECT_TRUE(outcome.desired.is_exact()) << text;
  }
}

TEST(ScriptOutcome, ASetOfSeveralThatFailsLeavesEachOfThemToTheBackend) {
  ScriptOutcome outcome;
  outcome.run("SET @a = 1, NAMES latin1, time_zone = 'bad'", failed(0, 1298));
  EXPECT_FALSE(outcome.desired.is_exact());
  EXPECT_EQ(outcome.desired, outcome.actual);
  outcome.run("SET NAMES utf8mb4, time_zone = '+01:00', @a = NULL", ok());
  EXPECT_TRUE(outcome.desired.is_exact());

  ScriptOutcome assigned;
  assigned.run("SELECT @b := 1, nonsense()", failed(0, 1305));
  EXPECT_FALSE(assigned.desired.user_variables().is_exact());
}

TEST(ScriptOutcome, ASetWithAnUnknownColumnHasNotBegun) {
  ScriptOutcome outcome;
  outcome.run("SET @a = 1, time_zone = '+01:00', @b = nonsense + 1", failed(0, 1054));
  EXPECT_TRUE(outcome.desired.user_variables().find("a") == nullptr);
  EXPECT_TRUE(outcome.desired.computed().empty());

  ScriptOutcome assigned;  // with the type of the expression from then on
  assigned.run("SET @a = (@b := 1), @c = nonsense + 1", failed(0, 1054));
  EXPECT_FALSE(assigned.desired.user_variables().is_exact());
}

TEST(ScriptOutcome, AVariableThatTidbDoesNotKnowIsNotWaitedFor) {
  ScriptOutcome outcome;
  auto answer = failed(0, 1193);
  answer.message = "Unknown system variable 'nonsense'";
  outcome.run("SET time_zone = '+01:00', Nonsense = 1", answer);
  EXPECT_EQ(outcome.desired.computed().size(), 1U);
  EXPECT_TRUE(outcome.pins.empty());
  EXPECT_FALSE(outcome.desired.lex_mode().uncertain);
}

TEST(ScriptOutcome, WhatTidbRefusesAsAWholeLeavesNothing) {
  for (const std::uint16_t number : std::array<std::uint16_t, 3>{1064, 1300, 8130}) {
    ScriptOutcome outcome;
    outcome.run("SET @a = 1, time_zone = 'bad'", failed(0, number));
    EXPECT_TRUE(outcome.pins.empty()) << number;
  }
}

TEST(ScriptOutcome, WhatCannotBeMovedPins) {
  ScriptOutcome outcome;
  outcome.run("CREATE TEMPORARY TABLE t (a INT)", ok());
  EXPECT_TRUE(outcome.pins.contains(sql::Pin::kTemporaryTable));
}

TEST(ScriptOutcome, ATransactionForTheNextStatementIsConsumedByIt) {
  ScriptOutcome outcome;
  outcome.run("SET TRANSACTION ISOLATION LEVEL READ COMMITTED", ok());
  EXPECT_TRUE(outcome.pins.contains(sql::Pin::kOneShotTransaction));

  outcome.run("SELECT 1", ok());

  EXPECT_FALSE(outcome.pins.contains(sql::Pin::kOneShotTransaction));
}

TEST(ScriptOutcome, WhatTidbCannotPlanPinsNothing) {
  ScriptOutcome outcome;
  outcome.run("CALL p()", failed(0, 8108));
  EXPECT_TRUE(outcome.pins.empty());
  outcome.run("CALL p()", failed(0, 1305));
  EXPECT_EQ(outcome.pins, sql::PinReasons{sql::Pin::kUnknownStatement});
}

TEST(ScriptOutcome, AStatementThatFailsMayHaveLeftATransactionForTheNextStatement) {
  ScriptOutcome outcome;
  outcome.run("SET TRANSACTION ISOLATION LEVEL READ COMMITTED", ok());

  outcome.run("INSERT INTO t VALUES (1)", failed(0, 1062));

  EXPECT_TRUE(outcome.pins.contains(sql::Pin::kOneShotTransaction));
}

TEST(ScriptOutcome, ATransactionForTheNextStatementIsConsumedByTheNextOfItsText) {
  ScriptOutcome outcome;
  outcome.run("SET TRANSACTION ISOLATION LEVEL READ COMMITTED; BEGIN", ok(2));
  EXPECT_TRUE(outcome.pins.empty());
}

TEST(ScriptOutcome, ATimeToReadFromOutlivesWhatReadsNoTable) {
  ScriptOutcome outcome;
  outcome.run("SET TRANSACTION READ ONLY AS OF TIMESTAMP '2026-01-01'", ok());
  outcome.run("SELECT 1", ok());
  outcome.run("SELECT a FROM t", failed(0));
  EXPECT_TRUE(outcome.pins.contains(sql::Pin::kStaleRead));

  outcome.run("SELECT a FROM t", ok());

  EXPECT_TRUE(outcome.pins.empty());
}

TEST(ScriptOutcome, OnlyReadsAndBeginMayFollowARestoreUnseen) {
  EXPECT_TRUE(is_harmless(sql::classify("SELECT 1", {})));
  EXPECT_TRUE(is_harmless(sql::classify("BEGIN", {})));
  EXPECT_FALSE(is_harmless(sql::classify("DELETE FROM t", {})));
  EXPECT_FALSE(is_harmless(sql::classify("SELECT 1; SELECT 2", {})));
  EXPECT_FALSE(is_harmless(sql::classify("SELECT * FROM t FOR UPDATE", {})));
}

}  // namespace
}  // namespace tidepool::tracking

#include "tidepool/tracking/effects.h"

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

struct Effects {
  GlobalSettings globals;
  sql::SessionState desired;
  sql::SessionState actual;
  sql::PinReasons pins;

  void run(const char* text, const protocol::ResponseSummary& answer) {
    const sql::Script script = sql::classify(text, {});
    globals.note(script);
    pins = apply_effects(script, answer, pins, globals, desired, actual);
  }
};

TEST(Effects, AnOkBringsTheChangesToSessionAndBackend) {
  Effects effects;
  effects.run("SET time_zone = '+02:00'", ok());
  EXPECT_NE(effects.desired, sql::SessionState());
  EXPECT_EQ(effects.desired, effects.actual);
  EXPECT_TRUE(effects.pins.empty());
}

TEST(Effects, DefaultIsWhatTheBackendBeganWithUntilASetGlobalNamesTheVariable) {
  Effects effects;
  effects.run("SET time_zone = '+02:00', tidb_mem_quota_query = 5", ok());
  effects.run("SET GLOBAL time_zone = '+03:00'", ok());
  effects.run("SET tidb_mem_quota_query = DEFAULT", ok());
  EXPECT_TRUE(effects.desired.is_exact());

  effects.run("SET time_zone = DEFAULT", ok());

  EXPECT_FALSE(effects.desired.is_exact());
  EXPECT_FALSE(effects.actual.is_exact());
  effects.run("SET time_zone = '+01:00'", ok());
  EXPECT_TRUE(effects.desired.is_exact());
}

TEST(Effects, AllFormsOfSetGlobalNameTheirVariables) {
  for (const char* text :
       {"SET GLOBAL tx_isolation = 'READ-COMMITTED'", "SET @a = 1, @@global.TX_ISOLATION = @b",
        "SET GLOBAL TRANSACTION ISOLATION LEVEL READ COMMITTED",
        "SELECT 1; SET sql_mode = '', GLOBAL transaction_isolation = 'READ-COMMITTED'"}) {
    Effects effects;
    effects.run(text, ok());
    effects.run("SET tx_isolation = DEFAULT", ok());
    EXPECT_FALSE(effects.desired.is_exact()) << text;
  }
}

TEST(Effects, AnErrorBringsNone) {
  Effects effects;
  effects.run("USE gone", failed(0, 1049));
  EXPECT_EQ(effects.desired.database(), "");
  EXPECT_TRUE(effects.pins.empty());
}

TEST(Effects, OfSeveralStatementsOnlyThoseBeforeTheErrorHold) {
  Effects effects;
  effects.run("USE a; USE b; USE gone", failed(2, 1049));
  EXPECT_EQ(effects.desired.database(), "b");
}

TEST(Effects, AParseErrorMeansThatNothingRan) {
  Effects effects;
  effects.run("SET @x = 1; BROKEN", failed(0, 1064));
  EXPECT_TRUE(effects.pins.empty());
}

TEST(Effects, ASetOfSeveralThatFailsLeavesThemUnknown) {
  Effects effects;
  effects.run("SET time_zone = '+02:00', sql_mode = 'NONSENSE'", failed(0, 1231));
  EXPECT_TRUE(effects.pins.empty()) << "they can be read back";
  EXPECT_FALSE(effects.desired.is_exact());
  EXPECT_EQ(effects.desired, effects.actual);
  EXPECT_EQ(effects.desired.computed().size(), 2U);
}

TEST(Effects, ABadCharacterMeansThatNoSetRan) {
  Effects effects;
  effects.run("SET NAMES gbk", ok());
  effects.run("SET @a = 1, @b = 'x'", failed(0, 1300));
  EXPECT_TRUE(effects.desired.is_exact());

  Effects converts;
  converts.run("SET @a = 1, @b = HEX('x')", failed(0, 1300));
  EXPECT_FALSE(converts.desired.is_exact()) << "the text is UTF-8: the function failed";
}

TEST(Effects, AFailedQueryMayHaveAssigned) {
  Effects effects;
  effects.run("SELECT @a := id, nonsense(1) FROM t", failed(0, 1690));
  EXPECT_FALSE(effects.desired.is_exact());
  EXPECT_TRUE(effects.pins.contains(sql::Pin::kUserVariable))
      << "it may have the type without the value";
  effects.run("SET @a = 1", ok());
  EXPECT_TRUE(effects.pins.empty());
}

TEST(Effects, AnAssignmentThatFoundNoRowLeavesATypeWithoutItsValue) {
  protocol::ResponseSummary none = ok();
  Effects write;
  write.run("UPDATE t SET v = (@e := v + 1)", none);
  EXPECT_TRUE(write.pins.contains(sql::Pin::kUserVariable));
  none.affected_rows = 1;
  write.run("UPDATE t SET v = (@e := v + 1)", none);
  EXPECT_TRUE(write.pins.empty());

  protocol::ResponseSummary rows;
  rows.outcome = Outcome::kResultSet;
  rows.results = 1;
  rows.found_rows = 0;
  Effects read;
  read.run("SELECT @e := v FROM t", rows);
  EXPECT_TRUE(read.pins.contains(sql::Pin::kUserVariable));
  rows.found_rows = 1;
  read.run("SELECT @e := v FROM t", rows);
  EXPECT_TRUE(read.pins.empty());

  for (const char* text :
       {"SET @e = 1", "DO @e := 1", "LOAD DATA LOCAL INFILE 'x' INTO TABLE t (@e)"}) {
    Effects other;
    other.run(text, ok());
    EXPECT_TRUE(other.pins.empty()) << text;
  }
}

TEST(Effects, APrepareGivesATypeOnly) {
  const sql::StateChanges unrestorable = {{sql::ChangeKind::kUnrestorableUserVariable, "a"}};
  EXPECT_EQ(planned_changes(sql::classify("SELECT @a := ?", {}), ok()), unrestorable);
  EXPECT_EQ(planned_changes(sql::classify("SELECT @a := 1, nonsense", {}), failed(0, 1054)),
            unrestorable);
  EXPECT_TRUE(planned_changes(sql::classify("SELECT @a := 1 1", {}), failed(0, 1064)).empty());
  EXPECT_TRUE(planned_changes(sql::classify("SET @a = ?", {}), ok()).empty());

  Effects explained;
  explained.run("EXPLAIN SELECT @a := 1, nonsense", failed(0, 1054));
  EXPECT_TRUE(explained.pins.contains(sql::Pin::kUserVariable));
}

TEST(Effects, APinOfAVariableGoesWithItsCause) {
  Effects effects;
  effects.run("SET tidb_snapshot = @x", ok());
  EXPECT_EQ(effects.pins, sql::PinReasons{sql::Pin::kSessionVariable});
  effects.run("SET tidb_snapshot = ''", ok());
  EXPECT_EQ(effects.pins, sql::PinReasons{sql::Pin::kSessionVariable}) << "no literal is followed";
  Effects named;
  named.run("SET @\u00e4 = 1 + 1", ok());
  EXPECT_EQ(named.pins, sql::PinReasons{sql::Pin::kUserVariable});
}

TEST(Effects, ASetOfNamesOrGlobalsAmongOthersThatFailsLeavesThemUnknownToo) {
  for (const char* text :
       {"SET NAMES latin1, time_zone = 'bad'", "SET time_zone = '+01:00', GLOBAL bad = 1"}) {
    Effects effects;
    effects.run(text, failed(0, 1193));
    EXPECT_FALSE(effects.desired.is_exact()) << text;
  }
  Effects single;
  single.run("SET time_zone = 'bad'", failed(0, 1298));
  EXPECT_TRUE(single.pins.empty());
}

TEST(Effects, WhatIsPreparedMaySetTheInsertIdWhenItIsPlanned) {
  EXPECT_TRUE(plans_insert_id(sql::classify("SELECT LAST_INSERT_ID(7)", {})));
  EXPECT_TRUE(plans_insert_id(sql::classify("UPDATE t SET a = LAST_INSERT_ID(7)", {})));
  EXPECT_FALSE(plans_insert_id(sql::classify("SELECT LAST_INSERT_ID()", {})));
  EXPECT_FALSE(plans_insert_id(sql::classify("INSERT INTO t VALUES (1)", {})));
}

TEST(Effects, ASetOfOneThatFailsLeavesNothing) {
  for (const char* text : {"SET max_connections = @a", "SET nonsense = 1", "SET @a = nonsense",
                           "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE",
                           "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "SET ROLE nobody"}) {
    Effects effects;
    effects.run(text, failed(0, 1193));
    EXPECT_TRUE(effects.pins.empty()) << text;
    EXPECT_TRUE(effects.desired.is_exact()) << text;
  }
}

TEST(Effects, ASetOfSeveralThatFailsLeavesEachOfThemToTheBackend) {
  Effects effects;
  effects.run("SET @a = 1, NAMES latin1, time_zone = 'bad'", failed(0, 1298));
  EXPECT_FALSE(effects.desired.is_exact());
  EXPECT_EQ(effects.desired, effects.actual);
  effects.run("SET NAMES utf8mb4, time_zone = '+01:00', @a = NULL", ok());
  EXPECT_TRUE(effects.desired.is_exact());

  Effects assigned;
  assigned.run("SELECT @b := 1, nonsense()", failed(0, 1305));
  EXPECT_FALSE(assigned.desired.user_variables().is_exact());
}

TEST(Effects, ASetWithAnUnknownColumnHasNotBegun) {
  Effects effects;
  effects.run("SET @a = 1, time_zone = '+01:00', @b = nonsense + 1", failed(0, 1054));
  EXPECT_TRUE(effects.desired.user_variables().find("a") == nullptr);
  EXPECT_TRUE(effects.desired.computed().empty());

  Effects assigned;  // with the type of the expression from then on
  assigned.run("SET @a = (@b := 1), @c = nonsense + 1", failed(0, 1054));
  EXPECT_FALSE(assigned.desired.user_variables().is_exact());
}

TEST(Effects, AVariableThatTidbDoesNotKnowIsNotWaitedFor) {
  Effects effects;
  auto answer = failed(0, 1193);
  answer.message = "Unknown system variable 'nonsense'";
  effects.run("SET time_zone = '+01:00', Nonsense = 1", answer);
  EXPECT_EQ(effects.desired.computed().size(), 1U);
  EXPECT_TRUE(effects.pins.empty());
  EXPECT_FALSE(effects.desired.lex_mode().uncertain);
}

TEST(Effects, WhatTidbRefusesAsAWholeLeavesNothing) {
  for (const std::uint16_t number : std::array<std::uint16_t, 3>{1064, 1300, 8130}) {
    Effects effects;
    effects.run("SET @a = 1, time_zone = 'bad'", failed(0, number));
    EXPECT_TRUE(effects.pins.empty()) << number;
  }
}

TEST(Effects, WhatCannotBeMovedPins) {
  Effects effects;
  effects.run("CREATE TEMPORARY TABLE t (a INT)", ok());
  EXPECT_TRUE(effects.pins.contains(sql::Pin::kTemporaryTable));
}

TEST(Effects, ATransactionForTheNextStatementIsConsumedByIt) {
  Effects effects;
  effects.run("SET TRANSACTION ISOLATION LEVEL READ COMMITTED", ok());
  EXPECT_TRUE(effects.pins.contains(sql::Pin::kOneShotTransaction));

  effects.run("SELECT 1", ok());

  EXPECT_FALSE(effects.pins.contains(sql::Pin::kOneShotTransaction));
}

TEST(Effects, WhatTidbCannotPlanPinsNothing) {
  Effects effects;
  effects.run("CALL p()", failed(0, 8108));
  EXPECT_TRUE(effects.pins.empty());
  effects.run("CALL p()", failed(0, 1305));
  EXPECT_EQ(effects.pins, sql::PinReasons{sql::Pin::kUnknownStatement});
}

TEST(Effects, AStatementThatFailsMayHaveLeftATransactionForTheNextStatement) {
  Effects effects;
  effects.run("SET TRANSACTION ISOLATION LEVEL READ COMMITTED", ok());

  effects.run("INSERT INTO t VALUES (1)", failed(0, 1062));

  EXPECT_TRUE(effects.pins.contains(sql::Pin::kOneShotTransaction));
}

TEST(Effects, ATransactionForTheNextStatementIsConsumedByTheNextOfItsText) {
  Effects effects;
  effects.run("SET TRANSACTION ISOLATION LEVEL READ COMMITTED; BEGIN", ok(2));
  EXPECT_TRUE(effects.pins.empty());
}

TEST(Effects, ATimeToReadFromOutlivesWhatReadsNoTable) {
  Effects effects;
  effects.run("SET TRANSACTION READ ONLY AS OF TIMESTAMP '2026-01-01'", ok());
  effects.run("SELECT 1", ok());
  effects.run("SELECT a FROM t", failed(0));
  EXPECT_TRUE(effects.pins.contains(sql::Pin::kStaleRead));

  effects.run("SELECT a FROM t", ok());

  EXPECT_TRUE(effects.pins.empty());
}

TEST(Effects, OnlyAnErrorThatMayHaveTouchedATransactionIsProbed) {
  const sql::Script one = sql::classify("SELECT 1", {});
  const sql::SessionState plain;
  EXPECT_FALSE(must_probe(one, ok(), true, plain));
  EXPECT_FALSE(must_probe(one, failed(0), false, plain));
  EXPECT_TRUE(must_probe(one, failed(0), true, plain));
  EXPECT_TRUE(must_probe(sql::classify("BEGIN; SELECT x", {}), failed(1), false, plain));
  sql::SessionState manual;
  manual.apply(sql::classify("SET autocommit = 0", {}).front().changes);
  EXPECT_TRUE(must_probe(one, failed(0), false, manual));
}

TEST(Effects, OnlyReadsAndBeginMayFollowARestoreUnseen) {
  EXPECT_TRUE(is_harmless(sql::classify("SELECT 1", {})));
  EXPECT_TRUE(is_harmless(sql::classify("BEGIN", {})));
  EXPECT_FALSE(is_harmless(sql::classify("DELETE FROM t", {})));
  EXPECT_FALSE(is_harmless(sql::classify("SELECT 1; SELECT 2", {})));
  EXPECT_FALSE(is_harmless(sql::classify("SELECT * FROM t FOR UPDATE", {})));
}

}  // namespace
}  // namespace tidepool::tracking

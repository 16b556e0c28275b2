#include "tidepool/tracking/held_resources.h"

#include <gtest/gtest.h>

#include "tidepool/protocol/text_result.h"

namespace tidepool::tracking {
namespace {

using sql::Pin;
using Outcome = protocol::ResponseSummary::Outcome;

protocol::ResponseSummary ok(std::uint16_t warnings = 0) {
  protocol::ResponseSummary answer;
  answer.outcome = Outcome::kOk;
  answer.warnings = warnings;
  return answer;
}

protocol::ResponseSummary error(std::uint16_t number = 1050) {
  protocol::ResponseSummary answer;
  answer.outcome = Outcome::kError;
  answer.error_number = number;
  return answer;
}

struct Held {
  HeldResources held;
  sql::PinReasons pins;
  std::string database = "d";

  void run(std::string_view text, const protocol::ResponseSummary& answer = ok(),
           std::string_view rows = {}, bool is_prepared = false) {
    const sql::Script script = sql::classify(text, {});
    pins.insert(script.pins());
    pins = held.settle(pins, {.script = script,
                              .executed = answer.has_error() ? 0 : script.size(),
                              .answer = answer,
                              .database = database,
                              .rows = rows,
                              .is_prepared = is_prepared});
  }
  void get(std::string_view text, const char* value) {
    run(text, ok(), protocol::make_text_result({protocol::integer_column("x")}, {{value}}, 2, 0));
  }
};

TEST(HeldResources, PinForATemporaryTableUntilItIsDropped) {
  Held held;
  held.run("CREATE TEMPORARY TABLE t (a INT)");
  EXPECT_EQ(held.pins, sql::PinReasons{Pin::kTemporaryTable});
  held.run("DROP TABLE d.T");
  EXPECT_TRUE(held.pins.empty());
}

TEST(HeldResources, KnowTheDatabaseOfATable) {
  Held held;
  held.run("USE e; CREATE TEMPORARY TABLE t (a INT)");
  held.run("DROP TABLE t");
  EXPECT_FALSE(held.pins.empty()) << "e.t is there, d.t was dropped";
  held.run("CREATE TEMPORARY TABLE `e.t` (a INT); DROP TABLE e.t");
  EXPECT_FALSE(held.pins.empty()) << "the dot is part of the name";
  held.run("DROP TABLE d.`e.t`");
  EXPECT_TRUE(held.pins.empty());
}

TEST(HeldResources, PinUntilTheLastOfSeveralTablesIsDropped) {
  Held held;
  held.run("CREATE TEMPORARY TABLE a (a INT)");
  held.run("CREATE TEMPORARY TABLE IF NOT EXISTS a (a INT)", ok(1));
  held.run("CREATE TEMPORARY TABLE b (a INT)");
  held.run("CREATE TEMPORARY TABLE b (a INT)", error());
  held.run("DROP TEMPORARY TABLE a");
  EXPECT_FALSE(held.pins.empty());
  held.run("DROP TABLE b, nothing", error(1051));
  EXPECT_FALSE(held.pins.empty());
  held.run("DROP TEMPORARY TABLE IF EXISTS b, nothing", ok(1));
  EXPECT_FALSE(held.pins.empty()) << "TiDB drops none of them";
  held.run("DROP TEMPORARY TABLE IF EXISTS b", ok());
  EXPECT_TRUE(held.pins.empty());
}

TEST(HeldResources, DoNotPinForATableThatWasNotMade) {
  Held held;
  held.run("CREATE TEMPORARY TABLE t (a INT)", error());
  EXPECT_TRUE(held.pins.empty());
}

TEST(HeldResources, NeverLetGoOfATableWhoseNameTheyAreNotSureOf) {
  Held prepared;
  prepared.run("CREATE TEMPORARY TABLE t (a INT)", ok(), {}, true);
  prepared.run("DROP TABLE t");
  EXPECT_FALSE(prepared.pins.empty());
  Held accented;
  accented.run("CREATE TEMPORARY TABLE `\xc3\xa4` (a INT)");
  accented.run("DROP TABLE `\xc3\xa4`");
  EXPECT_FALSE(accented.pins.empty());
  accented.held.clear();
}

TEST(HeldResources, CountLocks) {
  Held held;
  held.get("SELECT GET_LOCK('a', 1)", "1");
  held.get("SELECT GET_LOCK('A', 1)", "1");
  held.get("SELECT GET_LOCK('b', 0)", "0");
  EXPECT_EQ(held.pins, sql::PinReasons{Pin::kLock});
  held.get("SELECT RELEASE_LOCK('a')", "1");
  held.get("SELECT RELEASE_LOCK('other')", "0");
  EXPECT_FALSE(held.pins.empty());
  held.run("DO RELEASE_LOCK('a')");
  EXPECT_TRUE(held.pins.empty());
}

TEST(HeldResources, DoNotPinForALockThatSomebodyElseHas) {
  Held held;
  held.get("SELECT GET_LOCK('a', 0)", "0");
  EXPECT_TRUE(held.pins.empty());
  held.run("SELECT GET_LOCK('', 0)", error(3057));
  EXPECT_TRUE(held.pins.empty());
}

TEST(HeldResources, PinForALockOfUnknownNameUntilAllAreReleased) {
  for (const char* text : {"DO GET_LOCK('a', 1)", "SELECT GET_LOCK(CONCAT('a', 'b'), 1)",
                           "SELECT GET_LOCK(?, 1)", "EXPLAIN SELECT GET_LOCK('a', 1)"}) {
    Held held;
    held.run(text);
    held.run("DO RELEASE_LOCK('a')");
    EXPECT_FALSE(held.pins.empty()) << text;
    held.run("SELECT RELEASE_ALL_LOCKS()");
    EXPECT_TRUE(held.pins.empty()) << text;
  }
}

TEST(HeldResources, PinWhereAFailedStatementMayHaveGotALock) {
  Held held;
  held.run("SELECT GET_LOCK('a', 1), JSON_EXTRACT('x', '$')", error(3140));
  EXPECT_EQ(held.pins, sql::PinReasons{Pin::kLock});
}

TEST(HeldResources, PinForALockThatPlanningTakes) {
  HeldResources held;
  const auto prepare = [&](const char* text, const protocol::ResponseSummary& answer) {
    return held.settle_prepare({}, sql::classify(text, {}), answer);
  };
  EXPECT_TRUE(prepare("SELECT 1", ok()).empty());
  EXPECT_TRUE(prepare("SELECT GET_LOCK(?, 10)", ok()).empty());
  EXPECT_TRUE(prepare("SELECT GET_LOCK('a', 1", error(1064)).empty());
  EXPECT_EQ(prepare("SELECT GET_LOCK('a', 1)", ok()), sql::PinReasons{Pin::kLock});
}

TEST(HeldResources, DoNotPinForTableLocksThatTidbDoesNotTake) {
  Held held;
  held.run("LOCK TABLES t WRITE", ok(1));
  EXPECT_TRUE(held.pins.empty());
  held.run("LOCK TABLES t WRITE", ok());
  EXPECT_EQ(held.pins, sql::PinReasons{Pin::kTableLock});
}

TEST(HeldResources, ConcernOnlyWhatCanBeHeld) {
  EXPECT_FALSE(concerns_held_resources(sql::classify("SELECT a FROM t", {})));
  EXPECT_FALSE(concerns_held_resources(sql::classify("CREATE TABLE t (a INT)", {})));
  EXPECT_TRUE(concerns_held_resources(sql::classify("SELECT 1; DROP TABLE t", {})));
}

TEST(HeldResources, PinForATableWhoseNameNobodyCanCompare) {
  Held held;
  held.run("CREATE TEMPORARY TABLE `\xc3\xa4` (a INT)");
  held.run("DROP TABLE `\xc3\xa4`");
  EXPECT_TRUE(held.pins.contains(Pin::kTemporaryTable));
  Held other;
  other.run("DROP TABLE `\xc3\xa4`");
  EXPECT_FALSE(other.pins.contains(Pin::kTemporaryTable));
}

TEST(HeldResources, PinForALockWhoseAnswerIsNoSingleValue) {
  for (const std::string& rows :
       {protocol::make_text_result({protocol::integer_column("x")}, {{"1"}, {"1"}}, 2, 0),
        protocol::make_text_result({protocol::integer_column("x"), protocol::integer_column("y")},
                                   {{"1", "1"}}, 2, 0),
        protocol::make_text_result({protocol::integer_column("x")}, {}, 2, 0), std::string("?")}) {
    Held held;
    held.run("SELECT GET_LOCK('a', 1)", ok(), rows);
    held.run("SELECT RELEASE_LOCK('a')");
    EXPECT_TRUE(held.pins.contains(Pin::kLock));
  }
}

TEST(HeldResources, PinForALockWithoutAKnownName) {
  Held held;
  held.get("SELECT GET_LOCK(@a, 1)", "1");
  EXPECT_TRUE(held.pins.contains(Pin::kLock));
}

TEST(HeldResources, PinForALockThatAPreparePlansBehindAQuestionMark) {
  const auto pins_of = [](const char* text) {
    const sql::Script script = sql::classify(text, {});
    HeldResources held;
    return held.settle_prepare({}, script, ok());
  };
  EXPECT_TRUE(pins_of("SELECT GET_LOCK('a', 1)").contains(Pin::kLock));
  EXPECT_TRUE(pins_of("SELECT GET_LOCK('a', 1), ?").contains(Pin::kLock))
      << "that one is constant, whatever else there is";
  EXPECT_FALSE(pins_of("SELECT GET_LOCK(?, 1)").contains(Pin::kLock));
  EXPECT_FALSE(pins_of("SELECT 1").contains(Pin::kLock));
}

TEST(HeldResources, AreConcernedByWhatMayChangeThem) {
  const auto concerned = [](const char* text) {
    return concerns_held_resources(sql::classify(text, {}));
  };
  for (const char* text :
       {"CREATE TEMPORARY TABLE t (a INT)", "DROP TABLE t", "SELECT GET_LOCK('a', 1)",
        "SELECT RELEASE_LOCK('a')", "DO RELEASE_ALL_LOCKS()", "LOCK TABLES t READ",
        "SELECT 1; DROP TABLE t"})
    EXPECT_TRUE(concerned(text)) << text;
  for (const char* text : {"SELECT 1", "DROP DATABASE d", "SET @a = 1", "BEGIN", ""})
    EXPECT_FALSE(concerned(text)) << text;
}

TEST(HeldResources, FoldTheNamesOfTablesAsTidbDoes) {
  Held held;
  held.run("CREATE TEMPORARY TABLE `AZ@[` (a INT)");
  held.run("DROP TABLE `az@[`");
  EXPECT_FALSE(held.pins.contains(Pin::kTemporaryTable));
}

}  // namespace
}  // namespace tidepool::tracking

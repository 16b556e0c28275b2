#include "tidepool/session/retry.h"

#include <string>

#include <gtest/gtest.h>

namespace tidepool::session {
namespace {

using namespace std::chrono_literals;
using protocol::Command;

constexpr Duration kBudget = 10s;

Retryability of(const char* text, bool commits_itself = true) {
  return retryability(Command::kQuery, sql::classify(text, {}), commits_itself);
}

struct ClassRow {
  const char* text;
  Retryability wanted;
};

TEST(Retryability, IsThatOfTheStatement) {
  const ClassRow rows[] = {
      {"", Retryability::kHarmless},
      {"SELECT 1", Retryability::kHarmless},
      {"SELECT 1; SELECT 2", Retryability::kHarmless},
      {"SHOW TABLES", Retryability::kHarmless},
      {"SELECT * FROM t FOR UPDATE", Retryability::kOther},
      {"SELECT GET_LOCK('a', 1)", Retryability::kOther},
      {"SELECT NEXTVAL(s)", Retryability::kOther},
      {"SELECT @x := 1", Retryability::kOther},
      {"SELECT LAST_INSERT_ID(5)", Retryability::kOther},
      {"SELECT 1; INSERT INTO t VALUES (1)", Retryability::kOther},
      {"INSERT INTO t VALUES (1)", Retryability::kWrite},
      {"UPDATE t SET a = a + 1", Retryability::kWrite},
      {"DELETE FROM t", Retryability::kWrite},
      {"REPLACE INTO t VALUES (1)", Retryability::kWrite},
      {"UPDATE t SET a = LAST_INSERT_ID(a + 1)", Retryability::kWrite},
      {"UPDATE t SET a = (@x := @x + 1)", Retryability::kOther},
      {"LOAD DATA LOCAL INFILE 'f' INTO TABLE t", Retryability::kOther},
      {"BEGIN", Retryability::kHarmless},
      {"USE d", Retryability::kHarmless},
      {"SET time_zone = '+02:00'", Retryability::kHarmless},
      {"SET GLOBAL time_zone = '+02:00'", Retryability::kOther},
      {"COMMIT", Retryability::kCommits},
      {"ROLLBACK", Retryability::kCommits},
      {"CREATE TABLE t (a INT)", Retryability::kCommits},
      {"ANALYZE TABLE t", Retryability::kOther},
      {"KILL 5", Retryability::kOther},
      {"NONSENSE", Retryability::kOther},
  };
  for (const ClassRow& row : rows)
    EXPECT_EQ(of(row.text), row.wanted) << row.text;
}

TEST(Retryability, OfAWriteThatDoesNotCommitItselfIsThatOfItsTransaction) {
  EXPECT_EQ(of("INSERT INTO t VALUES (1)", false), Retryability::kUncommitted);
  EXPECT_EQ(of("UPDATE t SET a = LAST_INSERT_ID(a)", false), Retryability::kUncommitted);
  EXPECT_EQ(of("BEGIN", false), Retryability::kCommits) << "it commits what is open";
  EXPECT_EQ(of("SELECT 1", false), Retryability::kHarmless);
}

TEST(Retryability, OfCommandsWithoutAText) {
  for (const Command harmless : {Command::kPing, Command::kStmtPrepare, Command::kInitDb,
                                 Command::kStatistics, Command::kFieldList, Command::kStmtReset}) {
    EXPECT_EQ(retryability(harmless, {}, true), Retryability::kHarmless);
  }
  EXPECT_EQ(retryability(Command::kStmtFetch, {}, true), Retryability::kOther);
  EXPECT_EQ(retryability(Command::kStmtSendLongData, {}, true), Retryability::kOther);
}

TEST(Retryability, OfAnExecuteIsThatOfItsText) {
  EXPECT_EQ(retryability(Command::kStmtExecute, sql::classify("SELECT ?", {}), true),
            Retryability::kHarmless);
  EXPECT_EQ(
      retryability(Command::kStmtExecute, sql::classify("DELETE FROM t WHERE a = ?", {}), true),
      Retryability::kWrite);
}

TEST(FailureKinds, AreTiDBsOwn) {
  for (const int number : {8005, 8022, 8027, 8028, 9001, 9003, 9004, 9007})
    EXPECT_EQ(failure_kind(static_cast<std::uint16_t>(number)), FailureKind::kConflict) << number;
  for (const int number : {8252, 9002, 9005, 9008, 9010, 9011, 9012, 9013})
    EXPECT_EQ(failure_kind(static_cast<std::uint16_t>(number)), FailureKind::kUnavailable)
        << number;
  for (const int number : {1062, 1064, 1105, 1146, 1205, 1213, 1317, 3024, 8229})
    EXPECT_EQ(failure_kind(static_cast<std::uint16_t>(number)), FailureKind::kFinal) << number;
}

constexpr auto kLost = FailureKind::kLost;
constexpr auto kConflict = FailureKind::kConflict;
constexpr auto kUnavailable = FailureKind::kUnavailable;
constexpr auto kFinal = FailureKind::kFinal;
constexpr auto kRetry = Verdict::kRetry;
constexpr auto kPassOn = Verdict::kPassOn;
constexpr auto kNotExecuted = Verdict::kNotExecuted;
constexpr auto kUnknown = Verdict::kOutcomeUnknown;
constexpr auto kHangUp = Verdict::kHangUp;

constexpr Retryability kClasses[] = {Retryability::kHarmless, Retryability::kWrite,
                                     Retryability::kUncommitted, Retryability::kCommits,
                                     Retryability::kOther};
constexpr const char* kClassNames[] = {"harmless", "write", "uncommitted", "commits", "other"};

// A row of docs/retries.md: what is decided for each class of statement.
struct Row {
  const char* what;
  Failure failure;
  Verdict wanted[5];
};

const Row kRows[] = {
    {"lost before it was sent", {.kind = kLost}, {kRetry, kRetry, kRetry, kRetry, kRetry}},
    {"lost before it was sent, pinned",
     {.kind = kLost, .is_pinned = true},
     {kNotExecuted, kNotExecuted, kNotExecuted, kNotExecuted, kNotExecuted}},
    {"lost after it was sent",
     {.kind = kLost, .was_sent = true},
     {kRetry, kUnknown, kNotExecuted, kUnknown, kUnknown}},
    {"lost after it was sent, pinned",
     {.kind = kLost, .was_sent = true, .is_pinned = true},
     {kNotExecuted, kUnknown, kNotExecuted, kUnknown, kUnknown}},
    {"lost in the middle of the answer",
     {.kind = kLost, .was_sent = true, .was_answered = true},
     {kHangUp, kHangUp, kHangUp, kHangUp, kHangUp}},
    {"conflict",
     {.kind = kConflict, .was_sent = true},
     {kRetry, kRetry, kPassOn, kPassOn, kPassOn}},
    {"conflict, pinned",
     {.kind = kConflict, .was_sent = true, .is_pinned = true},
     {kPassOn, kPassOn, kPassOn, kPassOn, kPassOn}},
    {"conflict in the middle of the answer",
     {.kind = kConflict, .was_sent = true, .was_answered = true},
     {kPassOn, kPassOn, kPassOn, kPassOn, kPassOn}},
    {"unavailable",
     {.kind = kUnavailable, .was_sent = true},
     {kRetry, kPassOn, kPassOn, kPassOn, kPassOn}},
    {"any other error",
     {.kind = kFinal, .was_sent = true},
     {kPassOn, kPassOn, kPassOn, kPassOn, kPassOn}},
    {"lost before it was sent, not allowed",
     {.kind = kLost, .is_allowed = false},
     {kNotExecuted, kNotExecuted, kNotExecuted, kNotExecuted, kNotExecuted}},
    {"lost after it was sent, not allowed",
     {.kind = kLost, .was_sent = true, .is_allowed = false},
     {kNotExecuted, kUnknown, kNotExecuted, kUnknown, kUnknown}},
    {"conflict, not allowed",
     {.kind = kConflict, .was_sent = true, .is_allowed = false},
     {kPassOn, kPassOn, kPassOn, kPassOn, kPassOn}},
    {"lost before it was sent, too late",
     {.kind = kLost, .elapsed = kBudget},
     {kNotExecuted, kNotExecuted, kNotExecuted, kNotExecuted, kNotExecuted}},
    {"unavailable, too late",
     {.kind = kUnavailable, .was_sent = true, .elapsed = kBudget},
     {kPassOn, kPassOn, kPassOn, kPassOn, kPassOn}},
};

TEST(Retry, EachRowOfTheTable) {
  for (const Row& row : kRows) {
    for (std::size_t i = 0; i < std::size(kClasses); ++i) {
      Failure failure = row.failure;
      failure.statement = kClasses[i];
      EXPECT_EQ(decide(failure, kBudget, 0.5).verdict, row.wanted[i])
          << row.what << ", " << kClassNames[i];
    }
  }
}

TEST(Retry, AnotherBackendIsTriedAtOnceTheFirstTime) {
  EXPECT_EQ(decide({.kind = kLost}, kBudget, 1.0).delay, Duration::zero());
  EXPECT_GT(decide({.kind = kLost, .attempt = 1}, kBudget, 1.0).delay, Duration::zero());
}

TEST(Retry, DelaysGrowWithTheAttemptsUpToASecondAndAreSpread) {
  const auto delay = [](unsigned attempt, double jitter) {
    const Failure failure{
        .kind = kConflict, .statement = Retryability::kWrite, .was_sent = true, .attempt = attempt};
    return decide(failure, kBudget, jitter).delay;
  };
  EXPECT_EQ(delay(0, 1.0), 20ms);
  EXPECT_EQ(delay(1, 1.0), 40ms);
  EXPECT_EQ(delay(5, 1.0), 640ms);
  EXPECT_EQ(delay(6, 1.0), 1s);
  EXPECT_EQ(delay(1000, 1.0), 1s);
  EXPECT_EQ(delay(5, 0.5), 320ms);
  EXPECT_EQ(delay(5, 0.0), 0ms);
}

TEST(Retry, ABudgetOfNothingIsNever) {
  EXPECT_EQ(decide({.kind = kLost}, Duration::zero(), 0.5).verdict, kNotExecuted);
}

TEST(Retry, IsNotBegunIfItsDelayWouldEndAfterTheBudget) {
  const Failure failure{.kind = kConflict,
                        .statement = Retryability::kWrite,
                        .was_sent = true,
                        .attempt = 9,
                        .elapsed = kBudget - 500ms};
  EXPECT_EQ(decide(failure, kBudget, 0.1).verdict, kRetry);
  EXPECT_EQ(decide(failure, kBudget, 0.9).verdict, kPassOn);
}

}  // namespace
}  // namespace tidepool::session

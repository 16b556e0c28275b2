#include "tidepool/session/departure.h"

#include <gtest/gtest.h>

namespace tidepool::session {
namespace {

using std::chrono::seconds;
using Verdict = Departure::Verdict;

constexpr TimePoint kStart{seconds(1000)};

TEST(Departure, LetsWhatRunsGoOnForTheGrace) {
  Departure departure(seconds(5));
  departure.end_input(kStart);
  const Departure::Running running{.since = kStart - seconds(100), .can_be_killed = true};

  EXPECT_EQ(departure.judge(running, kStart + seconds(4)).verdict, Verdict::kWait);
  EXPECT_EQ(departure.judge(running, kStart + seconds(4)).again, seconds(1));
  EXPECT_EQ(departure.judge(running, kStart + seconds(5)).verdict, Verdict::kKill);
}

TEST(Departure, CountsTheGraceOfALaterStatementFromItsBeginning) {
  Departure departure(seconds(5));
  departure.end_input(kStart);
  const Departure::Running running{.since = kStart + seconds(7), .can_be_killed = true};

  EXPECT_EQ(departure.judge(running, kStart + seconds(11)).verdict, Verdict::kWait);
  EXPECT_EQ(departure.judge(running, kStart + seconds(12)).verdict, Verdict::kKill);
}

TEST(Departure, GivesUpWhatCannotBeKilled) {
  Departure departure(seconds(5));
  departure.end_input(kStart);

  EXPECT_EQ(departure.judge(Departure::Running{.since = kStart}, kStart + seconds(5)).verdict,
            Verdict::kGiveUp);
}

TEST(Departure, GivesUpWhatDoesNotEndWhenKilled) {
  Departure departure(seconds(5));
  departure.end_input(kStart);
  const Departure::Running running{.since = kStart, .can_be_killed = true};
  departure.note_kill(kStart + seconds(5));

  const TimePoint end = kStart + seconds(5) + Departure::kKillTimeout;
  EXPECT_EQ(departure.judge(running, end - seconds(1)).verdict, Verdict::kWait);
  EXPECT_EQ(departure.judge(running, end).verdict, Verdict::kGiveUp);
}

TEST(Departure, GivesTheNextStatementAfterAKillAGraceOfItsOwn) {
  Departure departure(seconds(5));
  departure.end_input(kStart);
  departure.note_kill(kStart + seconds(5));
  const Departure::Running running{.since = kStart + seconds(6), .can_be_killed = true};

  EXPECT_EQ(departure.judge(running, kStart + seconds(10)).verdict, Verdict::kWait);
  EXPECT_EQ(departure.judge(running, kStart + seconds(11)).verdict, Verdict::kKill);
}

TEST(Departure, NeverKillsACommit) {
  Departure departure(seconds(0));
  departure.end_input(kStart);
  const Departure::Running running{.since = kStart, .is_boundary = true, .can_be_killed = true};

  const TimePoint end = kStart + Departure::kBoundaryLimit;
  EXPECT_EQ(departure.judge(running, end - seconds(1)).verdict, Verdict::kWait);
  EXPECT_EQ(departure.judge(running, end).verdict, Verdict::kGiveUp);
}

TEST(Departure, LooksAgainWhileNothingRuns) {
  Departure departure(seconds(0));
  departure.end_input(kStart);

  const auto next = departure.judge(std::nullopt, kStart);

  EXPECT_EQ(next.verdict, Verdict::kWait);
  EXPECT_GT(next.again, Duration::zero()) << "the loop would spin";
}

}  // namespace
}  // namespace tidepool::session

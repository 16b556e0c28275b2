#include "tidepool/pool/dial_gate.h"

#include <gtest/gtest.h>

namespace tidepool::pool {
namespace {

using Demand = DialGate::Demand;

using std::chrono::milliseconds;
using std::chrono::seconds;

const Error kRefused{Code::kRefused, "nobody listens"};

class DialGateTest : public ::testing::Test {
 protected:
  bool may_dial(TimePoint now, std::size_t under_way) const {
    return gate_.next(now, under_way).has_value();
  }

  Limits limits_;
  DialGate gate_{limits_, 1};
  TimePoint now_{std::chrono::hours(1)};
};

TEST_F(DialGateTest, LetsAFewDialAtOnce) {
  limits_.max_dials = 3;
  EXPECT_TRUE(may_dial(now_, 2));
  EXPECT_FALSE(may_dial(now_, 3));
}

TEST_F(DialGateTest, HoldsTheRateInEveryWindow) {
  limits_.dial_rate = 3;
  std::vector<TimePoint> begun;
  for (int ms = 0; ms < 10'000; ms += 37) {
    const TimePoint now = now_ + milliseconds(ms);
    while (may_dial(now, 0)) {
      gate_.begin(now);
      begun.push_back(now);
    }
  }
  ASSERT_GE(begun.size(), 28U);
  for (std::size_t i = 3; i < begun.size(); ++i)
    EXPECT_GE(begun[i] - begun[i - 3], seconds(1)) << i;
}

TEST_F(DialGateTest, FollowsARateThatChanges) {
  limits_.dial_rate = 4;
  for (int i = 0; i < 4; ++i)
    gate_.begin(now_);
  limits_.dial_rate = 2;
  EXPECT_FALSE(may_dial(now_ + milliseconds(999), 0));
  EXPECT_TRUE(may_dial(now_ + seconds(1), 0));
  limits_.dial_rate = 6;
  EXPECT_TRUE(may_dial(now_, 0));
}

TEST_F(DialGateTest, ProbesOneAtATimeWhileTidbIsAway) {
  gate_.fail(0, kRefused, now_, Demand::kWaiter, now_);
  const TimePoint later = now_ + limits_.backoff_max;
  EXPECT_TRUE(gate_.is_unavailable());
  EXPECT_TRUE(may_dial(later, 0));
  EXPECT_FALSE(may_dial(later, 1));
  EXPECT_EQ(gate_.last_error()->message, "nobody listens");

  gate_.succeed(0);

  EXPECT_FALSE(gate_.is_unavailable());
  EXPECT_TRUE(may_dial(now_, 1));
  EXPECT_FALSE(gate_.last_error());
}

// The pause before the next dial, found by asking.
Duration pause_after(const DialGate& gate, TimePoint from) {
  Duration pause{};
  while (!gate.next(from + pause, 0))
    pause += milliseconds(1);
  return pause;
}

TEST_F(DialGateTest, PausesGrowWithFullJitterUpToTheirLimit) {
  limits_.backoff_initial = milliseconds(100);
  limits_.backoff_max = milliseconds(1600);
  Duration longest{};
  Duration shortest = seconds(10);
  for (int round = 0; round < 200; ++round) {
    gate_.succeed(0);
    for (int i = 0; i < 8; ++i) {
      gate_.fail(0, kRefused, now_, Demand::kWaiter, now_);
      const Duration pause = pause_after(gate_, now_);
      EXPECT_LE(pause, std::min(milliseconds(100) * (1 << i), milliseconds(1600)));
      if (i == 7) {
        longest = std::max(longest, pause);
        shortest = std::min(shortest, pause);
      }
      now_ += seconds(2);
    }
  }
  EXPECT_GT(longest, milliseconds(1400));
  EXPECT_LT(shortest, milliseconds(200));
}

TEST_F(DialGateTest, TakesDialsThatFailTogetherForOneFailure) {
  limits_.backoff_initial = milliseconds(1);
  limits_.backoff_max = seconds(100);
  for (int i = 0; i < 12; ++i)
    gate_.fail(0, kRefused, now_, Demand::kWaiter, now_ + milliseconds(i + 1));
  EXPECT_TRUE(may_dial(now_ + milliseconds(15), 0));
}

TEST_F(DialGateTest, KnocksSeldomWhereTheAccountIsRefused) {
  const Error denied{Code::kAuth, "Access denied", 1045, "28000"};
  limits_.backoff_initial = milliseconds(100);
  limits_.backoff_max = milliseconds(200);
  limits_.backoff_refused = seconds(60);
  int dials = 0;
  for (const TimePoint end = now_ + std::chrono::minutes(60); now_ < end;
       now_ += milliseconds(100)) {
    if (!may_dial(now_, 0)) {
      EXPECT_TRUE(gate_.is_hopeless(now_)) << "whoever comes is told at once";
      continue;
    }
    EXPECT_EQ(may_dial(now_, 1), dials == 0) << "one probe at a time";
    ++dials;
    gate_.begin(now_);
    gate_.fail(0, denied, now_, Demand::kWaiter, now_);
  }
  EXPECT_GT(dials, 50);
  EXPECT_LT(dials, 130);

  gate_.succeed(0);
  EXPECT_TRUE(may_dial(now_, 1));
  EXPECT_FALSE(gate_.is_hopeless(now_));
}

TEST_F(DialGateTest, WaitsPatientlyForATidbThatIsAway) {
  gate_.fail(0, kRefused, now_, Demand::kWaiter, now_);
  EXPECT_TRUE(gate_.is_unavailable());
  EXPECT_FALSE(gate_.is_hopeless(now_));
}

TEST_F(DialGateTest, DialsSeldomForNobodyWhereTheAccountIsRefused) {
  limits_.backoff_refused = milliseconds(10);
  EXPECT_TRUE(gate_.may_dial_unasked(now_));
  gate_.fail(0, {Code::kAuth, "Access denied", 1045, "28000"}, now_, Demand::kInAdvance, now_);

  EXPECT_TRUE(may_dial(now_ + milliseconds(10), 0)) << "for one who waits";
  EXPECT_FALSE(gate_.may_dial_unasked(now_ + seconds(59)));
  EXPECT_TRUE(gate_.may_dial_unasked(now_ + seconds(60)));
  gate_.forget_refusals();
  EXPECT_TRUE(gate_.may_dial_unasked(now_));
}

TEST_F(DialGateTest, WhatNobodyAskedForDoesNotLengthenThePauseOfThoseWhoCome) {
  limits_.backoff_initial = milliseconds(100);
  limits_.backoff_refused = seconds(60);
  for (int i = 0; i < 20; ++i) {
    gate_.fail(0, {Code::kAuth, "Access denied", 1045, "28000"}, now_, Demand::kInAdvance, now_);
    EXPECT_TRUE(may_dial(now_ + seconds(1), 0)) << i;
    now_ += seconds(60);
  }
}

TEST_F(DialGateTest, TellsWhoWasNeverThereFromWhoIsSlow) {
  EXPECT_FALSE(gate_.is_absent());
  gate_.fail(0, kRefused, now_, Demand::kWaiter, now_);
  EXPECT_TRUE(gate_.is_absent());
  gate_.fail(0, {Code::kTimeout, "no answer"}, now_, Demand::kWaiter, now_);
  EXPECT_FALSE(gate_.is_absent()) << "it may be waking up";
  gate_.succeed(0);
  gate_.fail(0, kRefused, now_, Demand::kWaiter, now_);
  EXPECT_FALSE(gate_.is_absent()) << "it was there";
}

TEST_F(DialGateTest, AnotherServerIsTakenForNoTidbAtOnce) {
  gate_.fail(0, {Code::kNotTidb, "MySQL", 2003, "HY000"}, now_, Demand::kWaiter, now_);
  EXPECT_TRUE(gate_.is_absent()) << "its answers are not TiDB's";
  EXPECT_TRUE(gate_.is_hopeless(now_));
  EXPECT_TRUE(may_dial(now_ + limits_.backoff_refused, 0));
}

class DialGateEndpointsTest : public ::testing::Test {
 protected:
  static Limits three() {
    Limits limits;
    limits.endpoints = 3;
    return limits;
  }

  const Limits limits_ = three();
  DialGate gate_{limits_, 1};
  TimePoint now_{std::chrono::hours(1)};
};

TEST_F(DialGateEndpointsTest, PrefersTheFirstOfThoseThatAnswer) {
  EXPECT_EQ(gate_.next(now_, 0), 0U);
  gate_.fail(0, kRefused, now_, Demand::kWaiter, now_);
  EXPECT_EQ(gate_.next(now_, 0), 1U) << "at once";
  EXPECT_EQ(gate_.next(now_, 1), 1U) << "not away: several at once";
  EXPECT_FALSE(gate_.is_unavailable());
  gate_.fail(1, kRefused, now_, Demand::kWaiter, now_);
  EXPECT_EQ(gate_.next(now_, 0), 2U);
  gate_.fail(2, kRefused, now_, Demand::kWaiter, now_);
  EXPECT_TRUE(gate_.is_unavailable());
  const TimePoint later = now_ + limits_.backoff_max;
  EXPECT_EQ(gate_.next(later, 0), 0U);
  EXPECT_FALSE(gate_.next(later, 1));
}

TEST_F(DialGateEndpointsTest, NobodyWaitsForTheProbeOfABetterOne) {
  EXPECT_FALSE(gate_.next_probe(now_));
  gate_.fail(0, kRefused, now_, Demand::kWaiter, now_);
  gate_.succeed(1);
  const TimePoint later = now_ + limits_.backoff_max;
  EXPECT_EQ(gate_.next(later, 0), 1U);
  EXPECT_EQ(gate_.next_probe(later), 0U);

  gate_.fail(0, kRefused, later, Demand::kWaiter, later);
  gate_.fail(0, kRefused, later + seconds(1), Demand::kWaiter, later + seconds(1));
  EXPECT_EQ(gate_.next(later + seconds(20), 0), 1U);

  gate_.succeed(0);
  EXPECT_EQ(gate_.next(later, 0), 0U);
  EXPECT_FALSE(gate_.next_probe(later));
}

TEST_F(DialGateEndpointsTest, ARefusalOfTheAccountConcernsAllOfThem) {
  gate_.fail(0, {Code::kAuth, "Access denied", 1045, "28000"}, now_, Demand::kWaiter, now_);
  EXPECT_FALSE(gate_.next(now_, 0));
  EXPECT_TRUE(gate_.is_hopeless(now_));
  EXPECT_EQ(gate_.next(now_ + limits_.backoff_refused, 0), 0U);
}

}  // namespace
}  // namespace tidepool::pool

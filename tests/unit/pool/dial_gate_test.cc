#include "tidepool/pool/dial_gate.h"

#include <gtest/gtest.h>

namespace tidepool::pool {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Error kRefused{Code::kRefused, "nobody listens"};

class DialGateTest : public ::testing::Test {
 protected:
  Limits limits_;
  DialGate gate_{limits_, 1};
  TimePoint now_{std::chrono::hours(1)};
};

TEST_F(DialGateTest, LetsAFewDialAtOnce) {
  limits_.max_dials = 3;
  EXPECT_TRUE(gate_.may_dial(now_, 2));
  EXPECT_FALSE(gate_.may_dial(now_, 3));
}

TEST_F(DialGateTest, HoldsTheRateInEveryWindow) {
  limits_.dial_rate = 3;
  std::vector<TimePoint> begun;
  for (int ms = 0; ms < 10'000; ms += 37) {
    const TimePoint now = now_ + milliseconds(ms);
    while (gate_.may_dial(now, 0)) {
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
  EXPECT_FALSE(gate_.may_dial(now_ + milliseconds(999), 0));
  EXPECT_TRUE(gate_.may_dial(now_ + seconds(1), 0));
  limits_.dial_rate = 6;
  EXPECT_TRUE(gate_.may_dial(now_, 0));
}

TEST_F(DialGateTest, ProbesOneAtATimeWhileTidbIsAway) {
  gate_.fail(kRefused, now_, now_);
  const TimePoint later = now_ + limits_.backoff_max;
  EXPECT_TRUE(gate_.is_away());
  EXPECT_TRUE(gate_.may_dial(later, 0));
  EXPECT_FALSE(gate_.may_dial(later, 1));
  EXPECT_EQ(gate_.last_error()->message, "nobody listens");

  gate_.succeed();

  EXPECT_FALSE(gate_.is_away());
  EXPECT_TRUE(gate_.may_dial(now_, 1));
  EXPECT_FALSE(gate_.last_error());
}

// The pause before the next dial, found by asking.
Duration pause_after(const DialGate& gate, TimePoint from) {
  Duration pause{};
  while (!gate.may_dial(from + pause, 0))
    pause += milliseconds(1);
  return pause;
}

TEST_F(DialGateTest, PausesGrowWithFullJitterUpToTheirLimit) {
  limits_.backoff_initial = milliseconds(100);
  limits_.backoff_max = milliseconds(1600);
  Duration longest{};
  Duration shortest = seconds(10);
  for (int round = 0; round < 200; ++round) {
    gate_.succeed();
    for (int i = 0; i < 8; ++i) {
      gate_.fail(kRefused, now_, now_);
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
    gate_.fail(kRefused, now_, now_ + milliseconds(i + 1));
  EXPECT_TRUE(gate_.may_dial(now_ + milliseconds(15), 0));
}

}  // namespace
}  // namespace tidepool::pool

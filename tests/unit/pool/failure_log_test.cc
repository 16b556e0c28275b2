#include "tidepool/pool/failure_log.h"

#include <gtest/gtest.h>

namespace tidepool::pool {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;

TEST(FailureLog, TellsTheFirstAndThenCountsEqualOnes) {
  FailureLog log;
  TimePoint now{minutes(5)};
  EXPECT_EQ(log.note("refused", now), 1U);
  for (int i = 0; i < 1000; ++i)
    EXPECT_FALSE(log.note("refused", now += milliseconds(10)));

  EXPECT_EQ(log.note("refused", now + minutes(1)), 1001U);
}

TEST(FailureLog, TellsAChangeAtOnce) {
  FailureLog log;
  const TimePoint now{minutes(5)};
  EXPECT_TRUE(log.note("refused", now));
  EXPECT_FALSE(log.note("refused", now));
  EXPECT_EQ(log.note("timeout", now), 2U);
}

TEST(FailureLog, BeginsAnewOnceAllIsWell) {
  FailureLog log;
  const TimePoint now{minutes(5)};
  EXPECT_TRUE(log.note("refused", now));
  EXPECT_FALSE(log.note("refused", now));
  EXPECT_EQ(log.end(), 1U);
  EXPECT_EQ(log.end(), 0U);
  EXPECT_EQ(log.note("refused", now), 1U);
}

}  // namespace
}  // namespace tidepool::pool

#include "tidepool/base/histogram.h"

#include <thread>

#include <gtest/gtest.h>

#include "tidepool/base/counter.h"
#include "tidepool/base/enum_array.h"

namespace tidepool {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Histogram, PutsADurationIntoTheFirstBucketThatHoldsIt) {
  Histogram histogram(kDialBounds);

  histogram.observe(microseconds(-5));  // counts as zero
  histogram.observe(milliseconds(1));   // a bound belongs to its bucket
  histogram.observe(microseconds(1001));
  histogram.observe(seconds(3600));

  const auto snapshot = histogram.snapshot();
  ASSERT_EQ(snapshot.counts.size(), kDialBounds.size() + 1);
  EXPECT_EQ(snapshot.counts[0], 2U);
  EXPECT_EQ(snapshot.counts[1], 1U);
  EXPECT_EQ(snapshot.counts.back(), 1U);
  EXPECT_EQ(snapshot.count, 4U);
  EXPECT_NEAR(snapshot.sum_seconds, 3600.002001, 1e-9);
  EXPECT_DOUBLE_EQ(snapshot.upper_seconds[0], 0.001);
  EXPECT_DOUBLE_EQ(snapshot.upper_seconds.back(), 60);
}

TEST(Histogram, SnapshotsOfSeveralWorkersAddUp) {
  Histogram one;
  Histogram other;
  one.observe(microseconds(40));
  other.observe(microseconds(60));
  other.observe(seconds(61));

  Histogram::Snapshot sum;
  sum.add(one.snapshot());
  sum.add(other.snapshot());

  EXPECT_EQ(sum.counts[0], 1U);
  EXPECT_EQ(sum.counts[1], 1U);
  EXPECT_EQ(sum.counts.back(), 1U);
  EXPECT_EQ(sum.count, 3U);
  EXPECT_NEAR(sum.sum_seconds, 61.0001, 1e-9);
}

TEST(Histogram, LosesNothingWhenThreadsObserveAtOnce) {
  Histogram histogram;
  Counter counter;
  Gauge gauge;
  const auto work = [&] {
    for (int i = 0; i < 1000; ++i) {
      histogram.observe(microseconds(i));
      counter.add(2);
      gauge.add(3);
      gauge.sub();
    }
  };

  std::thread one(work);
  std::thread other(work);
  while (histogram.snapshot().count < 2000)
    std::this_thread::yield();
  one.join();
  other.join();

  EXPECT_NEAR(histogram.snapshot().sum_seconds, 2 * 0.4995, 1e-9);
  EXPECT_EQ(counter.value(), 4000U);
  EXPECT_EQ(gauge.value(), 4000);
}

TEST(EnumArray, IsIndexedByItsEnum) {
  enum class Colour { kRed, kGreen };
  EnumArray<Colour, Counter, 2> counts;

  counts[Colour::kGreen].add();

  EXPECT_EQ(counts[Colour::kRed].value(), 0U);
  EXPECT_EQ(counts[decltype(counts)::key(1)].value(), 1U);
}

}  // namespace
}  // namespace tidepool

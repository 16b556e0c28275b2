#include "stagger.h"

#include <gtest/gtest.h>

namespace tidepool::pool {
namespace {

constexpr TimePoint at(int second) {
  return TimePoint{std::chrono::seconds(second)};
}
constexpr std::chrono::seconds kTen{10};

TEST(Stagger, TakesTheLatestTimeWhenNothingIsNear) {
  EXPECT_EQ(pick_end(at(20), at(100), kTen, {}), at(100));
  EXPECT_EQ(pick_end(at(20), at(100), kTen, {at(90), at(110), at(30)}), at(100));
}

TEST(Stagger, KeepsItsDistanceFromEachOther) {
  EXPECT_EQ(pick_end(at(20), at(100), kTen, {at(95)}), at(85));
  EXPECT_EQ(pick_end(at(20), at(100), kTen, {at(105)}), at(95));
  EXPECT_EQ(pick_end(at(20), at(100), kTen, {at(81), at(100), at(91)}), at(71));
  EXPECT_EQ(pick_end(at(20), at(100), kTen, {at(100), at(70)}), at(90));
}

TEST(Stagger, TakesTheWidestGapWhenNoPlaceIsFree) {
  EXPECT_EQ(pick_end(at(80), at(100), kTen, {at(98), at(84)}), at(91));
  EXPECT_EQ(pick_end(at(80), at(100), kTen, {at(100), at(90), at(80)}), at(95));
  EXPECT_EQ(pick_end(at(80), at(100), kTen, {at(100), at(92), at(79)}), at(86));
  EXPECT_EQ(pick_end(at(80), at(100), kTen, {at(89), at(97)}),
            at(80) + std::chrono::milliseconds(4500));
}

TEST(Stagger, StaysWithinItsBounds) {
  std::vector<TimePoint> taken;
  for (int i = 0; i < 50; ++i) {
    const TimePoint one = pick_end(at(20), at(100), kTen, taken);
    EXPECT_GE(one, at(20));
    EXPECT_LE(one, at(100));
    taken.push_back(one);
  }
}

}  // namespace
}  // namespace tidepool::pool

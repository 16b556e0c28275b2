#include "tidepool/tracking/prepared_bytes.h"

#include <utility>

#include <gtest/gtest.h>

namespace tidepool::tracking {
namespace {

class PreparedBytesTest : public ::testing::Test {
 protected:
  PreparedBytesTest() {
    pool_.set_limit(1000);
    for (PreparedBytes* session : {&one_, &two_}) {
      session->set_limit(600);
      session->join(&pool_);
    }
  }

  Gauge gauge_;
  PoolPreparedBytes pool_{gauge_};
  PreparedBytes one_;
  PreparedBytes two_;
};

TEST_F(PreparedBytesTest, OfASessionAreAtMostItsLimit) {
  PreparedShare first;
  PreparedShare second;
  EXPECT_EQ(first.try_set(one_, 400), PreparedLimit::kNone);
  EXPECT_EQ(second.try_set(one_, 201), PreparedLimit::kSession);
  EXPECT_EQ(second.bytes(), 0U);
  EXPECT_EQ(one_.bytes(), 400U);
  EXPECT_EQ(second.try_set(one_, 200), PreparedLimit::kNone);
  EXPECT_EQ(gauge_.value(), 600);
}

TEST_F(PreparedBytesTest, OfAllSessionsOfAPoolAreAtMostItsLimit) {
  PreparedShare first;
  PreparedShare second;
  EXPECT_EQ(first.try_set(one_, 600), PreparedLimit::kNone);
  EXPECT_EQ(second.try_set(two_, 401), PreparedLimit::kPool);
  EXPECT_EQ(gauge_.value(), 600);
  EXPECT_EQ(two_.bytes(), 0U);
  EXPECT_EQ(second.try_set(two_, 400), PreparedLimit::kNone);
}

TEST_F(PreparedBytesTest, WithoutLimitsAreAnyNumber) {
  pool_.set_limit(0);
  one_.set_limit(0);
  PreparedShare share;
  EXPECT_EQ(share.try_set(one_, std::size_t{1} << 40U), PreparedLimit::kNone);
}

TEST_F(PreparedBytesTest, GoBackWithWhatTookThem) {
  {
    PreparedShare share;
    EXPECT_EQ(share.try_set(one_, 600), PreparedLimit::kNone);
    PreparedShare moved = std::move(share);
    EXPECT_EQ(one_.bytes(), 600U);
    EXPECT_EQ(moved.try_set(one_, 500), PreparedLimit::kNone);
    EXPECT_EQ(gauge_.value(), 500);
  }
  EXPECT_EQ(one_.bytes(), 0U);
  EXPECT_EQ(gauge_.value(), 0);
}

TEST_F(PreparedBytesTest, ThatAreThereCountWhateverTheLimits) {
  PreparedShare share;
  share.set(one_, 5000);
  EXPECT_EQ(gauge_.value(), 5000);
  PreparedShare other;
  EXPECT_EQ(other.try_set(one_, 1), PreparedLimit::kSession);
  EXPECT_EQ(other.try_set(two_, 1), PreparedLimit::kPool);
  share.set(one_, 10);
  EXPECT_EQ(other.try_set(two_, 1), PreparedLimit::kNone);
}

TEST_F(PreparedBytesTest, GoAlongToAnotherPool) {
  Gauge other_gauge;
  PoolPreparedBytes other(other_gauge);
  PreparedShare share;
  share.set(one_, 100);
  one_.join(&other);
  EXPECT_EQ(gauge_.value(), 0);
  EXPECT_EQ(other_gauge.value(), 100);
  share.release();
  EXPECT_EQ(other_gauge.value(), 0);
  one_.join(nullptr);
}

TEST_F(PreparedBytesTest, GoBackWhenAnotherShareTakesTheirPlace) {
  PreparedShare share;
  PreparedShare other;
  share.set(one_, 100);
  other.set(two_, 30);
  share = std::move(other);
  EXPECT_EQ(one_.bytes(), 0U);
  EXPECT_EQ(two_.bytes(), 30U);
  EXPECT_EQ(share.bytes(), 30U);
  EXPECT_EQ(gauge_.value(), 30);
  share.release();
  EXPECT_EQ(gauge_.value(), 0);
}

TEST_F(PreparedBytesTest, StayWhenAShareIsMovedToItself) {
  PreparedShare share;
  share.set(one_, 100);
  PreparedShare& same = share;
  share = std::move(same);
  EXPECT_EQ(share.bytes(), 100U);
  EXPECT_EQ(one_.bytes(), 100U);
}

TEST(PreparedBytes, OfNoPoolAreLimitedByTheirSession) {
  PreparedBytes memory;
  memory.set_limit(100);
  EXPECT_EQ(memory.pool_limit(), 0U);
  PreparedShare share;
  EXPECT_EQ(share.try_set(memory, 100), PreparedLimit::kNone);
  EXPECT_EQ(share.try_set(memory, 101), PreparedLimit::kSession);
  share.set(memory, 150);
  EXPECT_EQ(memory.bytes(), 150U);
  share.set(memory, 50);
  EXPECT_EQ(memory.bytes(), 50U);
  share.release();
  EXPECT_EQ(memory.bytes(), 0U);
}

TEST_F(PreparedBytesTest, OfTheSamePoolAreCountedOnce) {
  PreparedShare share;
  share.set(one_, 100);
  one_.join(&pool_);
  EXPECT_EQ(gauge_.value(), 100);
  EXPECT_EQ(one_.pool_limit(), 1000U);
  share.set(one_, 100);
  EXPECT_EQ(one_.bytes(), 100U);
}

}  // namespace
}  // namespace tidepool::tracking

// What the planner decides by itself; what becomes of it in the broker is in broker_life_test.cc
// and broker_endpoints_test.cc.
#include "tidepool/pool/dial_planner.h"

#include <variant>
#include <vector>

#include <gtest/gtest.h>

namespace tidepool::pool {
namespace {

using std::chrono::seconds;
using State = BackendRecord::State;
using Replacement = BackendRecord::Replacement;
using Purpose = Dial::Purpose;

Limits limits_of(unsigned size, unsigned max_overflow, unsigned min_idle = 0) {
  Limits limits;
  limits.size = size;
  limits.max_overflow = max_overflow;
  limits.min_idle = min_idle;
  return limits;
}

TEST(SpareDials, FillUpToMinIdleWithinSizeAndCap) {
  struct Row {
    const char* what;
    SpareFigures figures;
    unsigned expected;
  };
  const Limits limits = limits_of(5, 2, 2);
  const std::vector<Row> rows = {
      {"an empty pool", {}, 2},
      {"enough are ready", {.ready = 2, .kept = 4, .total = 4}, 0},
      {"one is missing", {.ready = 1, .kept = 3, .total = 3}, 1},
      {"it is on its way", {.ready = 1, .coming = 1, .dialling = 1, .kept = 3, .total = 4}, 0},
      {"a waiter will take what is on its way",
       {.ready = 1, .waiting = 1, .coming = 1, .dialling = 1, .kept = 2, .total = 3},
       1},
      {"waiters that nothing was dialled for",
       {.ready = 0, .waiting = 1, .kept = 1, .total = 1},
       3},
      {"no more than size", {.ready = 0, .kept = 4, .total = 4}, 1},
      {"dials of other variants count for size",
       {.ready = 0, .dialling = 1, .kept = 4, .total = 5},
       0},
      {"no more than the cap", {.ready = 0, .kept = 3, .total = 7}, 0},
      {"more than size, after a reload", {.ready = 0, .kept = 6, .total = 6}, 0},
  };
  for (const Row& row : rows)
    EXPECT_EQ(spare_dials(row.figures, limits), row.expected) << row.what;
  EXPECT_EQ(spare_dials({}, limits_of(5, 2)), 0U) << "without min_idle";
}

class DialPlannerTest : public ::testing::Test {
 protected:
  explicit DialPlannerTest(const Limits& limits = limits_of(1, 1)) : pool_(limits, 1) {}

  // A leased backend whose life is over.
  BackendRecord& expired() {
    BackendRecord& record = pool_.backends.add();
    record.profile = 1;
    record.expires = now_;
    pool_.lease(record, {});
    return record;
  }
  std::vector<DialOrder> dials() {
    std::vector<DialOrder> found;
    for (const Order& order : std::exchange(orders_, {}))
      if (const auto* dial = std::get_if<DialOrder>(&order.what)) found.push_back(*dial);
    return found;
  }

  BrokerState pool_;
  DialPlanner planner_{pool_};
  Orders orders_;
  TimePoint now_{seconds{1000}};
};

class FullPoolTest : public DialPlannerTest {
 protected:
  FullPoolTest() : DialPlannerTest(limits_of(1, 0)) {}
};

TEST_F(DialPlannerTest, WithRoomTheReplacementComesBeforeTheEnd) {
  BackendRecord& record = expired();
  EXPECT_FALSE(planner_.ends_at_release(record, now_));
  planner_.tick(now_, orders_);
  const auto ordered = dials();
  ASSERT_EQ(ordered.size(), 1U);
  EXPECT_EQ(record.replacement(), Replacement::kDialling);
  EXPECT_FALSE(planner_.ends_at_release(record, now_)) << "it is on its way";

  const Dial made = pool_.dials.succeed(ordered[0].dial);
  planner_.succeeded(made, pool_.backends.add(), now_, orders_);

  EXPECT_EQ(record.replacement(), Replacement::kReady);
  EXPECT_TRUE(planner_.ends_at_release(record, now_));
}

TEST_F(DialPlannerTest, AReplacementThatFailedIsDialledAgain) {
  BackendRecord& record = expired();
  planner_.tick(now_, orders_);
  planner_.failed(pool_.dials.fail(dials().at(0).dial, {Code::kRefused, "refused"}, now_));
  EXPECT_EQ(record.replacement(), Replacement::kNone);
  planner_.tick(now_ + seconds{10}, orders_);
  EXPECT_EQ(dials().size(), 1U);
}

TEST_F(DialPlannerTest, AnIdleBackendGivesItsAgeToItsReplacementAndGoes) {
  BackendRecord& record = expired();
  planner_.tick(now_, orders_);
  pool_.make_idle(record, now_ - seconds{5});
  BackendRecord& next = pool_.backends.add();
  planner_.succeeded(pool_.dials.succeed(dials().at(0).dial), next, now_, orders_);
  EXPECT_EQ(record.state(), State::kClosing);
  EXPECT_EQ(next.idle_since, now_ - seconds{5});
}

TEST_F(FullPoolTest, TheReplacementIsDialledInThePlaceOfTheOneThatWent) {
  BackendRecord& record = expired();
  planner_.tick(now_, orders_);
  EXPECT_TRUE(dials().empty());
  ASSERT_TRUE(planner_.ends_at_release(record, now_));
  pool_.retire(record, RetireReason::kRecycle, orders_);
  planner_.dial_deferred(now_, orders_);
  EXPECT_TRUE(dials().empty()) << "it still counts against the cap";

  pool_.backends.erase(record.id);
  planner_.dial_deferred_probe(now_, orders_);
  EXPECT_TRUE(dials().empty()) << "it is no probe";
  planner_.dial_deferred(now_, orders_);

  EXPECT_EQ(dials().size(), 1U);
}

TEST_F(DialPlannerTest, ADrainDialsNothing) {
  BackendRecord& record = expired();
  pool_.is_draining = true;
  EXPECT_TRUE(planner_.ends_at_release(record, now_));
  planner_.tick(now_, orders_);
  EXPECT_TRUE(dials().empty());
}

TEST_F(DialPlannerTest, WarmUpCountsWhatIsThere) {
  expired();
  planner_.warm_up(2, {.worker = 0, .profile = 4}, now_, orders_);
  const auto ordered = dials();
  ASSERT_EQ(ordered.size(), 1U);
  EXPECT_EQ(ordered[0].profile, 4U);
  planner_.warm_up(9, {.worker = 0, .profile = 4}, now_, orders_);
  EXPECT_TRUE(dials().empty()) << "the cap is reached";
}

TEST_F(FullPoolTest, SpareBackendsAreLikeTheLastThatWasWanted) {
  pool_.limits.min_idle = 1;
  planner_.note_wanted(3, 7);
  planner_.tick(now_, orders_);
  const auto ordered = dials();
  ASSERT_EQ(ordered.size(), 1U);
  EXPECT_EQ(ordered[0].profile, 7U);
}

}  // namespace
}  // namespace tidepool::pool

#include "parking.h"

#include <functional>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

namespace tidepool::pool {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using State = BackendRecord::State;

constexpr TimePoint kNow{seconds{1000}};

class ParkingTest : public ::testing::Test {
 protected:
  ParkingTest() {
    pool_.limits.size = 1;
    pool_.limits.parking = {.limit = seconds{1}, .busy = seconds{1}};
  }
  BackendRecord& leased(const LeaseRequest& request = {}) {
    BackendRecord& record = pool_.backends.add();
    record.profile = request.profile;
    record.expires = kNow + seconds{60};
    pool_.lease(record, request);
    return record;
  }
  BackendId parked(const LeaseRequest& request = {}, Duration since = Duration{}) {
    BackendRecord& record = leased(request);
    pool_.backends.set_state(record, State::kParked);
    record.idle_since = kNow - since;
    return record.id;
  }
  std::vector<BackendId> recalled() {
    std::vector<BackendId> found;
    for (const Order& order : std::exchange(orders_, {}))
      found.push_back(std::get<RecallOrder>(order.what).backend);
    return found;
  }
  using Ids = std::vector<BackendId>;

  BrokerState pool_{Limits{}, 1};
  Orders orders_;
};

TEST_F(ParkingTest, ABackendIsParkedUnlessItIsNeededElsewhere) {
  struct Row {
    const char* what;
    std::function<void(BrokerState&, BackendRecord&)> change;
    TimePoint last_wait;
    bool expected;
  };
  const TimePoint lately = kNow - milliseconds{999};
  const auto nothing = [](BrokerState&, BackendRecord&) {};
  const std::vector<Row> rows = {
      {"nobody ever waited", nothing, {}, true},
      {"it is the last one at hand while sessions queue", nothing, lately, false},
      {"the queue was empty for long", nothing, kNow - seconds{1}, true},
      {"there is room for another", [](BrokerState& pool, BackendRecord&) { pool.limits.size = 2; },
       lately, true},
      {"another is idle", [](BrokerState& pool, BackendRecord&) { pool.backends.add(); }, lately,
       true},
      {"its life is over",
       [](BrokerState&, BackendRecord& record) { record.expires = kNow; },
       {},
       false},
      {"the pool drains",
       [](BrokerState& pool, BackendRecord&) { pool.is_draining = true; },
       {},
       false},
      {"somebody waits",
       [](BrokerState& pool, BackendRecord&) {
         pool.queue.add({.id = 1, .worker = 0, .request = {}, .since = {}, .deadline = {}},
                        WaitQueue::End::kBack);
       },
       {},
       false},
  };
  for (const Row& row : rows) {
    BrokerState pool{pool_.limits, 1};
    BackendRecord& record = pool.backends.add();
    record.expires = kNow + seconds{60};
    pool.lease(record, {});
    row.change(pool, record);
    EXPECT_EQ(may_park(pool, record, row.last_wait, kNow), row.expected) << row.what;
  }
}

TEST_F(ParkingTest, TheOneParkedFirstIsRecalledFirstAndOnce) {
  const BackendId first = parked({.profile = 1});
  const BackendId other = parked({.profile = 2});
  const BackendId second = parked({.profile = 1});
  EXPECT_TRUE(can_recall(pool_));
  EXPECT_TRUE(recall_oldest_of(pool_, 1, orders_));
  EXPECT_TRUE(recall_oldest_of(pool_, 1, orders_));
  EXPECT_FALSE(recall_oldest_of(pool_, 1, orders_));
  EXPECT_EQ(recalled(), (Ids{first, second}));
  EXPECT_TRUE(recall_oldest_but(pool_, 1, orders_));
  EXPECT_EQ(recalled(), Ids{other});
  EXPECT_FALSE(recall_oldest_but(pool_, 1, orders_));
  EXPECT_FALSE(can_recall(pool_));
}

TEST_F(ParkingTest, LeasesOfAUserAndOfADatabaseAreRecalledFromThoseAtTheirLimits) {
  const BackendId one = parked({.user = 1, .database = 5});
  const BackendId two = parked({.user = 2, .database = 5});
  parked({.user = 3, .database = 6});
  recall_leases_of(pool_, {.user = 1, .max_leases = 1}, orders_);
  EXPECT_EQ(recalled(), Ids{one});
  recall_leases_of(pool_, {.user = 3}, orders_);
  EXPECT_EQ(recalled(), Ids{}) << "a user without a limit, in no database";
  recall_leases_of(pool_, {.user = 9, .database = 5}, orders_);
  EXPECT_EQ(recalled(), Ids{two}) << "the first has been asked";
}

TEST_F(ParkingTest, ThoseParkedForTooLongOrAtTheEndOfTheirLivesAreRecalled) {
  const BackendId late = parked({}, seconds{1});
  const BackendId ended = parked();
  pool_.backends.at(ended).expires = kNow;
  const BackendId fresh = parked({}, milliseconds{999});
  recall_due(pool_, kNow, orders_);
  EXPECT_EQ(recalled(), (Ids{late, ended}));
  recall_all(pool_, orders_);
  EXPECT_EQ(recalled(), Ids{fresh});
}

}  // namespace
}  // namespace tidepool::pool

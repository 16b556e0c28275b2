#include "tidepool/pool/wait_queue.h"

#include <vector>

#include <gtest/gtest.h>

namespace tidepool::pool {
namespace {

class WaitQueueTest : public ::testing::Test {
 protected:
  void wait(WaiterId id, const LeaseRequest& request, WaitQueue::End end = WaitQueue::End::kBack) {
    queue_.add({.id = id, .worker = 0, .request = request, .since = {}, .deadline = {}}, end);
  }
  // All that wait, in the order in which they would be served.
  std::vector<WaiterId> order(unsigned max_leases_per_database = 0) const {
    std::vector<WaiterId> ids;
    WaitQueue::Turns turns(queue_, shares_, max_leases_per_database);
    while (const Waiter* next = turns.next([](const Waiter&) { return true; })) {
      ids.push_back(next->id);
      turns.plan(*next);
    }
    return ids;
  }
  static LeaseRequest of(std::uint64_t user, std::uint64_t profile = 1) {
    return {.profile = profile, .user = user};
  }
  using Ids = std::vector<WaiterId>;

  WaitQueue queue_;
  Shares shares_;
};

TEST_F(WaitQueueTest, OneUserIsServedInTheOrderOfArrivalWhateverTheVariants) {
  wait(1, of(1, 1));
  wait(2, of(1, 2));
  wait(3, of(1, 1));
  EXPECT_EQ(order(), (Ids{1, 2, 3}));
}

TEST_F(WaitQueueTest, UsersTakeTurns) {
  for (const WaiterId id : {1U, 2U, 3U})
    wait(id, of(1));
  for (const WaiterId id : {4U, 5U})
    wait(id, of(2));
  EXPECT_EQ(order(), (Ids{1, 4, 2, 5, 3}));
  shares_.take(1, 0);
  EXPECT_EQ(order(), (Ids{4, 1, 5, 2, 3}));
}

TEST_F(WaitQueueTest, UrgentOnesAndThoseAtTheFrontComeFirst) {
  wait(1, of(1));
  wait(2, of(1), WaitQueue::End::kFront);
  wait(3, {.profile = 1, .is_urgent = true, .user = 2}, WaitQueue::End::kFront);
  EXPECT_EQ(order(), (Ids{3, 2, 1}));
}

TEST_F(WaitQueueTest, WhoMayHaveNoMoreIsPassed) {
  const LeaseRequest limited{.profile = 1, .user = 1, .max_leases = 1};
  wait(1, limited);
  wait(2, limited);
  wait(3, of(2));
  EXPECT_EQ(order(), (Ids{1, 3}));
}

TEST_F(WaitQueueTest, DatabasesMakeLinesOnlyWhereTheyAreLimited) {
  wait(1, {.profile = 1, .database = 7});
  wait(2, {.profile = 1, .database = 7});
  wait(3, {.profile = 1, .database = 8});
  int lines = 0;
  queue_.for_each_line([&](const Waiter&) { ++lines; });
  EXPECT_EQ(lines, 1);

  queue_.set_by_database(true);

  EXPECT_EQ(order(1), (Ids{1, 3}));
  EXPECT_EQ(order(0), (Ids{1, 2, 3}));
  EXPECT_EQ(queue_.size(), 3U);
}

TEST_F(WaitQueueTest, ForgetsThoseWhoAreErased) {
  for (const WaiterId id : {1U, 2U, 3U, 4U})
    wait(id, of(id % 2));
  queue_.erase(2);
  queue_.erase(99);
  EXPECT_EQ(order(), (Ids{1, 4, 3}));
  queue_.erase_if([](const Waiter& one) { return one.id != 4; });
  EXPECT_EQ(order(), (Ids{4}));
  EXPECT_EQ(queue_.size(), 1U);
  queue_.erase(4);
  EXPECT_TRUE(queue_.is_empty());
}

}  // namespace
}  // namespace tidepool::pool

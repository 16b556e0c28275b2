#include "waiters.h"

#include <string>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

namespace tidepool::pool {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr TimePoint kNow{seconds{1000}};
const Error kRefused{Code::kRefused, "Connection refused"};

class WaitersTest : public ::testing::Test {
 protected:
  WaitersTest() {
    pool_.limits.size = 1;
    pool_.limits.max_overflow = 1;
    pool_.limits.absence_patience = seconds{5};
  }
  void wait(WaiterId id, Duration for_long, Duration left) {
    pool_.queue.add(
        {.id = id, .worker = 0, .request = {}, .since = kNow - for_long, .deadline = kNow + left},
        WaitQueue::End::kBack);
  }
  void fail_a_dial() {
    Orders dialled;
    pool_.dials.begin({}, kNow, dialled);
    pool_.dials.fail(std::get<DialOrder>(dialled.at(0).what).dial, kRefused, kNow);
  }
  std::vector<FailOrder> failed() {
    std::vector<FailOrder> found;
    for (const Order& order : std::exchange(orders_, {}))
      found.push_back(std::get<FailOrder>(order.what));
    return found;
  }

  BrokerState pool_{Limits{}, 1};
  Orders orders_;
};

TEST_F(WaitersTest, TheQueueIsFullBeyondThoseForWhomABackendCanBeOpened) {
  EXPECT_FALSE(is_queue_full(pool_)) << "without a limit";
  pool_.limits.max_waiters = 1;
  wait(1, {}, seconds{1});
  wait(2, {}, seconds{1});
  EXPECT_FALSE(is_queue_full(pool_)) << "two may get backends, a third may queue";
  wait(3, {}, seconds{1});
  EXPECT_TRUE(is_queue_full(pool_));
  pool_.queue.erase(3);
  fail_a_dial();
  EXPECT_TRUE(is_queue_full(pool_)) << "TiDB is away: nobody may get one";
}

TEST_F(WaitersTest, OnlyThoseWhoseDeadlineHasPassedFail) {
  pool_.backends.add();
  wait(1, seconds{9}, seconds{0});
  wait(2, seconds{9}, milliseconds{1});
  fail_due_waiters(pool_, kNow, orders_);
  const auto orders = failed();
  ASSERT_EQ(orders.size(), 1U);
  EXPECT_EQ(orders[0].waiter, 1U);
  EXPECT_EQ(orders[0].error.code, Code::kTimeout);
  EXPECT_EQ(orders[0].error.message,
            "Too many connections: no TiDB connection became free in time (0 leased, 0 dialling, "
            "1 idle of at most 2; 2 sessions waiting)");
  EXPECT_EQ(pool_.queue.size(), 1U);
}

TEST_F(WaitersTest, ATidbThatWasNeverThereIsNotWaitedForUntilTheDeadline) {
  fail_a_dial();
  wait(1, seconds{5}, seconds{60});
  wait(2, seconds{4}, seconds{60});
  fail_due_waiters(pool_, kNow, orders_);
  const auto orders = failed();
  ASSERT_EQ(orders.size(), 1U);
  EXPECT_EQ(orders[0].waiter, 1U);
  EXPECT_EQ(orders[0].error.mysql_errno, 2003U);
  EXPECT_NE(orders[0].error.message.find(kRefused.message), std::string::npos);
}

TEST_F(WaitersTest, AllAreToldTheSame) {
  wait(1, {}, seconds{1});
  wait(2, {}, seconds{1});
  fail_all_waiters(pool_, kRefused, orders_);
  EXPECT_EQ(failed().size(), 2U);
  EXPECT_TRUE(pool_.queue.is_empty());
  fail_a_dial();
  const Error full = full_queue_error(pool_);
  EXPECT_EQ(full.code, Code::kBusy);
  EXPECT_NE(full.message.find("last dial error: " + kRefused.message), std::string::npos);
}

}  // namespace
}  // namespace tidepool::pool

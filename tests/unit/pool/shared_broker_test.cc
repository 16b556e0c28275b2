#include "tidepool/pool/shared_broker.h"

#include <thread>

#include <gtest/gtest.h>

namespace tidepool::pool {
namespace {

constexpr TimePoint kNow{std::chrono::hours{1}};
constexpr TimePoint kLater = kNow + std::chrono::seconds{30};

class SharedBrokerTest : public ::testing::Test {
 protected:
  SharedBrokerTest() {
    for (WorkerIndex worker = 0; worker < 2; ++worker) {
      broker_.join(worker, [this, worker](Orders orders) {
        for (Order& order : orders)
          delivered_[worker].push_back(std::move(order));
      });
    }
  }
  static Limits limits() {
    Limits limits;
    limits.size = 2;
    limits.max_overflow = 1;
    return limits;
  }
  WaiterId wait(WorkerIndex worker) {
    return broker_.with([&](Broker& broker, Orders& orders) {
      return broker.enqueue(worker, {}, kLater, kNow, orders);
    });
  }
  std::int64_t gauge(BackendState state) { return stats_.backends[state].value(); }

  PoolStats stats_;
  SharedBroker broker_{limits(), 1, stats_};
  std::array<Orders, 2> delivered_;
};

TEST_F(SharedBrokerTest, DeliversEachWorkerItsOwnOrders) {
  wait(0);
  wait(1);

  ASSERT_EQ(delivered_[0].size(), 1U);
  ASSERT_EQ(delivered_[1].size(), 1U);
  EXPECT_TRUE(std::holds_alternative<DialOrder>(delivered_[0][0].what));
  EXPECT_TRUE(std::holds_alternative<DialOrder>(delivered_[1][0].what));
}

TEST_F(SharedBrokerTest, DeliversOutsideOfTheMutex) {
  bool looked = false;
  broker_.join(0, [&](const Orders&) { looked = broker_.counts().dialling == 1; });
  wait(0);
  EXPECT_TRUE(looked);
}

TEST_F(SharedBrokerTest, ShowsWhatItCounts) {
  EXPECT_EQ(stats_.cap.value(), 3);
  EXPECT_EQ(stats_.size.value(), 2);

  wait(0);
  EXPECT_EQ(gauge(BackendState::kDialling), 1);
  EXPECT_EQ(stats_.waiters.value(), 1);

  const DialId dial = std::get<DialOrder>(delivered_[0][0].what).dial;
  const BackendId backend = broker_.with(
      [&](Broker& broker, Orders& orders) { return broker.dialled(dial, 0, kNow, orders); });
  EXPECT_EQ(gauge(BackendState::kDialling), 0);
  EXPECT_EQ(gauge(BackendState::kLeased), 1);
  EXPECT_EQ(stats_.waiters.value(), 0);

  broker_.with([&](Broker& broker, Orders& orders) { broker.release(backend, 0, kNow, orders); });
  EXPECT_EQ(gauge(BackendState::kLeased), 0);
  EXPECT_EQ(gauge(BackendState::kIdle), 1);

  broker_.with([&](Broker& broker, Orders& orders) {
    broker.retire(backend, RetireReason::kDirty, kNow, orders);
  });
  EXPECT_EQ(gauge(BackendState::kClosing), 1);
  broker_.with([&](Broker& broker, Orders& orders) { broker.closed(backend, kNow, orders); });
  EXPECT_EQ(gauge(BackendState::kClosing), 0);
}

TEST_F(SharedBrokerTest, TellsTheLastDialErrorUntilADialSucceeds) {
  EXPECT_EQ(broker_.last_dial_error(), "");
  wait(0);
  const DialId dial = std::get<DialOrder>(delivered_[0][0].what).dial;

  broker_.with([&](Broker& broker, Orders& orders) {
    broker.dial_failed(dial, Error{Code::kRefused, "nobody listens"}, kNow, orders);
  });

  EXPECT_EQ(broker_.last_dial_error(), "nobody listens");
}

TEST_F(SharedBrokerTest, KeepsTheFactsOfTheLastBackend) {
  EXPECT_EQ(broker_.info(), nullptr);
  PoolInfo info;
  info.server.version = "8.0.11-TiDB-v8.5.4";
  broker_.set_info(info);
  const auto held = broker_.info();
  info.server.version = "8.0.11-TiDB-v9.0.0";
  broker_.set_info(info);

  EXPECT_EQ(held->server.version, "8.0.11-TiDB-v8.5.4") << "whoever holds the old ones keeps them";
  EXPECT_EQ(broker_.info()->server.version, "8.0.11-TiDB-v9.0.0");
}

TEST_F(SharedBrokerTest, HoldsTheCapWhenManyThreadsAsk) {
  std::mutex mutex;
  int dials = 0;
  for (WorkerIndex worker = 0; worker < 2; ++worker) {
    broker_.join(worker, [&](const Orders& orders) {
      const std::lock_guard lock(mutex);
      for (const Order& order : orders)
        dials += std::holds_alternative<DialOrder>(order.what);
    });
  }
  std::vector<std::thread> threads;
  for (WorkerIndex worker = 0; worker < 2; ++worker) {
    threads.emplace_back([this, worker] {
      for (int i = 0; i < 100; ++i)
        wait(worker);
    });
  }
  for (std::thread& thread : threads)
    thread.join();

  EXPECT_EQ(dials, 3);
  EXPECT_EQ(broker_.counts().waiting, 200U);
}

}  // namespace
}  // namespace tidepool::pool

// Two workers on two threads share one backend.
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../loop_run.h"
#include "eventually.h"
#include "fake_tidb.h"
#include "tidepool/pool/worker_pool.h"

namespace tidepool::pool {
namespace {

// Takes and releases leases one after the other on its own loop and thread.
class Customer final : public LeaseSink {
 public:
  Customer(WorkerIndex index, SharedBroker& broker, const WorkerPoolOptions& options)
      : pool_(std::make_unique<WorkerPool>(loop_, index, broker, options)), index_(index) {}
  ~Customer() override = default;

  WorkerPool* pool() { return pool_.get(); }
  void start(int rounds) {
    rounds_ = rounds;
    loop_.post([this] { next(); });
    thread_ = std::thread([this] {
      loop_.run();
      ticket_ = {};
      pool_.reset();
    });
  }
  void drain() {
    loop_.post([this] { pool_->drain(); });
  }
  void stop() { loop_.stop(); }
  void join() { thread_.join(); }
  int done() const { return done_; }
  int errors() const { return errors_; }

 private:
  void next() {
    if (rounds_-- == 0) return;
    ticket_ = pool_->wait({.state = index_}, std::chrono::seconds(60), *this);
  }
  void on_lease(Lease lease) override {
    // What one worker wrote into a backend's memory, the other reads.
    lease.model().last_session += 1;
    lease.release(Release::kClean);
    ++done_;
    next();
  }
  void on_no_lease(const Error&) override { ++errors_; }

  net::Loop loop_;
  std::unique_ptr<WorkerPool> pool_;
  WorkerIndex index_;
  Ticket ticket_;
  std::thread thread_;
  int rounds_ = 0;
  std::atomic<int> done_ = 0;
  std::atomic<int> errors_ = 0;
};

TEST(PoolMove, TakesTheOneBackendFromLoopToLoop) {
  testing::FakeTidb tidb;
  Limits limits;
  limits.size = 1;
  limits.max_overflow = 0;
  PoolStats stats;
  SharedBroker broker(limits, 1, stats);
  WorkerPoolOptions options;
  options.dial.endpoints = {{"127.0.0.1", tidb.port()}};
  options.dial.user = "app";
  options.dial.password = "secret";
  options.dial.tls = backend::TlsMode::kDisabled;
  Customer one(0, broker, options);
  Customer two(1, broker, options);
  one.pool()->set_peers({one.pool(), two.pool()});
  two.pool()->set_peers({one.pool(), two.pool()});

  one.start(200);
  two.start(200);

  EXPECT_TRUE(testing::eventually([&] { return one.done() == 200 && two.done() == 200; }));
  EXPECT_EQ(one.errors() + two.errors(), 0);
  EXPECT_EQ(tidb.server().connections(), 1);
  EXPECT_EQ(stats.leases.value(), 400U);

  one.drain();
  EXPECT_TRUE(testing::eventually([&] { return broker.counts().total() == 0; }));
  for (Customer* customer : {&one, &two})
    customer->stop();
  for (Customer* customer : {&one, &two})
    customer->join();
  EXPECT_THAT(tidb.commands(), ::testing::ElementsAre("QUIT"));
}

}  // namespace
}  // namespace tidepool::pool

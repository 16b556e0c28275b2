// A worker's pool on a loop that the test runs, before a fake TiDB.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

#include "../loop_run.h"
#include "eventually.h"
#include "fake_tidb.h"
#include "tidepool/pool/worker_pool.h"

namespace tidepool::testing {

// Waits for one lease.
struct Taker final : pool::LeaseSink {
  void on_lease(pool::Lease got) override {
    taken = true;
    ticket = {};
    lease = std::move(got);
    if (on_taken) on_taken(lease);
  }
  void on_no_lease(const Error& reason) override {
    ticket = {};
    error = reason;
  }

  pool::Lease lease;
  std::optional<Error> error;
  bool taken = false;
  std::function<void(pool::Lease&)> on_taken;
  pool::Ticket ticket;  // last: it refers to this
};

class PoolTest : public ::testing::Test {
 protected:
  PoolTest() {
    limits_.size = 1;
    limits_.max_overflow = 0;
    limits_.recycle_jitter = 0;
    limits_.dial_rate = 1000;
    limits_.backoff_initial = std::chrono::milliseconds(5);
    limits_.backoff_max = std::chrono::milliseconds(20);
    options_.name = "test";
    options_.dial.endpoints = {{"127.0.0.1", tidb_.port()}};
    options_.dial.user = "app";
    options_.dial.password = "secret";
    options_.dial.tls = backend::TlsMode::kDisabled;
  }

  void open() {
    broker_ = std::make_unique<pool::SharedBroker>(limits_, 1, stats_);
    pool_ = std::make_unique<pool::WorkerPool>(loop_, 0, *broker_, options_);
  }
  // The pool may go at any time; its loop then closes clean.
  void close() {
    pool_.reset();
    broker_.reset();
    EXPECT_TRUE(eventually([&] { return tidb_.server().open_connections() == 0; }));
    tidb_.forget();
  }
  void TearDown() override { pool_.reset(); }

  pool::WorkerPool& pool() { return *pool_; }
  pool::SharedBroker& broker() { return *broker_; }
  pool::BrokerCounts counts() const { return broker_->counts(); }
  bool run(const std::function<bool()>& until) { return run_until(loop_, until); }

  void take(Taker& taker, const pool::LeaseRequest& request = {},
            Duration timeout = std::chrono::seconds(60)) {
    taker.ticket = pool_->wait(request, timeout, taker);
  }
  // Opens a backend and leaves it idle.
  void give_one_back() {
    Taker taker;
    take(taker);
    ASSERT_TRUE(run([&] { return bool(taker.lease); }));
    taker.lease.release(pool::Release::kClean);
  }

  FakeTidb tidb_;
  pool::Limits limits_;
  pool::WorkerPoolOptions options_;
  pool::PoolStats stats_;
  net::Loop loop_;
  std::unique_ptr<pool::SharedBroker> broker_;
  std::unique_ptr<pool::WorkerPool> pool_;
};

}  // namespace tidepool::testing

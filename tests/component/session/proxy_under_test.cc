#include "proxy_under_test.h"

#include <algorithm>
#include <cstdlib>

#include <gtest/gtest.h>

#include "eventually.h"
#include "reload.h"
#include "shared_state.h"
#include "tidepool/net/process.h"
#include "worker.h"

namespace tidepool::testing {
namespace {

// Once for the test program, before main.
const bool kPrepared = (net::prepare_process(8), true);

}  // namespace

ProxyUnderTest::ProxyUnderTest(config::Config config, Parts parts) : config_(std::move(config)) {
  auto shared = proxy::build_shared_state(config_);
  if (!shared) std::abort();
  shared_ = std::move(*shared);
  if (parts.login_key != nullptr) shared_->login_key = std::move(parts.login_key);
  if (parts.password_checks != nullptr) shared_->password_checks = std::move(parts.password_checks);
  // Nothing that depends on how fast this machine is, unless a test asks for it.
  set_parking({.limit = std::chrono::hours(1), .busy = {}});
  proxy::Inherited none(config_.listeners.size());
  for (int i = 0; i < config_.workers; ++i) {
    workers_.push_back(std::make_unique<proxy::Worker>(*shared_, static_cast<unsigned>(i)));
    const auto bound = workers_.back()->listen(i == 0 ? nullptr : workers_.front().get(), none);
    EXPECT_TRUE(bound) << bound.error().message;
  }
  for (std::size_t pool = 0; pool < shared_->pools.size(); ++pool) {
    std::vector<pool::WorkerPool*> peers;
    for (const auto& worker : workers_)
      peers.push_back(worker->pool(pool));
    for (const auto& worker : workers_)
      worker->set_peers(pool, peers);
  }
  for (const auto& worker : workers_) {
    worker->let_in();
    worker->start();
  }
}

void ProxyUnderTest::set_parking(const pool::Parking& parking) {
  parking_ = parking;
  for (const auto& pool : shared_->pools) {
    pool::Limits limits = proxy::limits_of(pool->config);
    limits.parking = parking;
    pool->broker.set_limits(limits);
  }
}

ProxyUnderTest::~ProxyUnderTest() {
  for (const auto& worker : workers_)
    worker->drain();
  for (const auto& worker : workers_)
    worker->close_sessions();
  for (const auto& worker : workers_)
    worker->drain_pools();
  EXPECT_TRUE(eventually([&] {
    return std::none_of(workers_.begin(), workers_.end(),
                        [](const auto& worker) { return worker->has_backends(); });
  })) << "backends are left after the drain";
  EXPECT_EQ(sessions(), 0U);
  EXPECT_EQ(counts().total(), 0U) << "the broker still counts backends";
  EXPECT_EQ(counts().waiting, 0U);
  for (const auto& worker : workers_)
    worker->stop();
  for (const auto& worker : workers_)
    worker->join();
  for (int i = 0; i < static_cast<int>(session::kSessionActivities); ++i)
    EXPECT_EQ(sessions_in(static_cast<session::SessionActivity>(i)), 0) << "gauge of state " << i;
  for (int i = 0; i < sql::kPinCount; ++i)
    EXPECT_EQ(pinned(static_cast<sql::Pin>(i)), 0) << "gauge of pin " << i;
  EXPECT_EQ(shared_->commands.bytes.value(), 0) << "what commands take is not given back";
  EXPECT_EQ(shared_->commands.waiting.value(), 0);
  for (const auto& pool : shared_->pools)
    EXPECT_EQ(pool->stats.prepared_bytes.value(), 0) << "what statements take is not given back";
}

pool::PoolStats& ProxyUnderTest::pool_stats(std::size_t pool) {
  return shared_->pools[pool]->stats;
}

session::CommandStats& ProxyUnderTest::commands() {
  return shared_->commands;
}

session::LoginStats& ProxyUnderTest::logins() {
  return shared_->logins;
}

pool::BrokerCounts ProxyUnderTest::counts() const {
  return shared_->pools[0]->broker.counts();
}

bool ProxyUnderTest::knows_server() const {
  return shared_->pools[0]->broker.info() != nullptr;
}

std::uint16_t ProxyUnderTest::port(std::size_t listener) const {
  const std::string address = workers_.front()->addresses()[listener];
  return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
}

std::size_t ProxyUnderTest::sessions() const {
  std::size_t sum = 0;
  for (const auto& worker : workers_)
    sum += worker->sessions();
  return sum;
}

std::int64_t ProxyUnderTest::sessions_in(session::SessionActivity state) const {
  std::int64_t sum = 0;
  for (const auto& stats : shared_->pools[0]->sessions)
    sum += stats->sessions[state].value();
  return sum;
}

std::int64_t ProxyUnderTest::pinned(sql::Pin pin) const {
  std::int64_t sum = 0;
  for (const auto& stats : shared_->pools[0]->sessions)
    sum += stats->pinned[pin].value();
  return sum;
}

std::uint64_t ProxyUnderTest::answered_locally() const {
  return total(&session::SessionStats::answered_locally);
}

std::uint64_t ProxyUnderTest::total(Counter session::SessionStats::*counter) const {
  std::uint64_t sum = 0;
  for (const auto& stats : shared_->pools[0]->sessions)
    sum += ((*stats).*counter).value();
  return sum;
}

std::uint64_t ProxyUnderTest::retries(session::RetryReason reason) const {
  std::uint64_t sum = 0;
  for (const auto& stats : shared_->pools[0]->sessions)
    sum += stats->retries[reason].value();
  return sum;
}

std::uint64_t ProxyUnderTest::replays(session::ReplayResult result) const {
  std::uint64_t sum = 0;
  for (const auto& stats : shared_->pools[0]->sessions)
    sum += stats->replays[result].value();
  return sum;
}

std::uint64_t ProxyUnderTest::unknown_outcomes() const {
  std::uint64_t sum = 0;
  for (const auto& stats : shared_->pools[0]->sessions)
    sum += stats->unknown_outcomes.value();
  return sum;
}

std::uint64_t ProxyUnderTest::timeouts(session::TimeoutKind kind) const {
  std::uint64_t sum = 0;
  for (const auto& stats : shared_->pools[0]->sessions)
    sum += stats->timeouts[kind].value();
  return sum;
}

Result<std::size_t> ProxyUnderTest::apply(const config::Config& next) {
  auto applied = proxy::apply_config(*shared_, workers_, next);
  set_parking(parking_);
  return applied;
}

bool ProxyUnderTest::drain_removed_pools() {
  return !proxy::drain_removed_pools(*shared_, workers_).empty();
}

void ProxyUnderTest::set_accepting(bool on) {
  for (const auto& worker : workers_)
    worker->set_accepting(on);
}

void ProxyUnderTest::drain() {
  for (const auto& worker : workers_)
    worker->drain();
}

void ProxyUnderTest::close_sessions() {
  for (const auto& worker : workers_)
    worker->close_sessions();
}

}  // namespace tidepool::testing

// What the configuration says of a pool reaches those who act on it.
#include "shared_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidepool::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// No value is a default, so that one that is forgotten shows.
config::Pool unusual_pool() {
  config::Pool pool;
  pool.name = "orders";
  pool.endpoints = {{"a.example", 4001}, {"::1", 4002}};
  pool.user = "p.orders";
  pool.password = "secret";
  pool.tls = {config::TlsMode::kVerifyCa, "/ca.pem", config::TlsVersion::k13, false};
  pool.size = 6;
  pool.max_overflow = 7;
  pool.recycle = seconds(61);
  pool.recycle_jitter = 0.5;
  pool.idle_timeout = seconds(62);
  pool.min_idle = 2;
  pool.connect_timeout = seconds(63);
  pool.max_dials = 8;
  pool.backoff = {milliseconds(64), milliseconds(65)};
  pool.max_prepared = 9;
  return pool;
}

TEST(PoolOptions, HoldHowToDial) {
  const pool::WorkerPoolOptions options = pool_options(unusual_pool());

  EXPECT_EQ(options.name, "orders");
  EXPECT_EQ(options.max_prepared, 9U);
  const backend::DialOptions& dial = options.dial;
  ASSERT_EQ(dial.endpoints.size(), 2U);
  EXPECT_EQ(dial.endpoints[0].host, "a.example");
  EXPECT_EQ(dial.endpoints[0].port, 4001);
  EXPECT_EQ(dial.endpoints[1].host, "::1");
  EXPECT_EQ(dial.endpoints[1].port, 4002);
  EXPECT_EQ(dial.user, "p.orders");
  EXPECT_EQ(dial.password, "secret");
  EXPECT_EQ(dial.ca_file, "/ca.pem");
  EXPECT_EQ(dial.tls_min_version, backend::TlsVersion::k13);
  EXPECT_EQ(dial.connect_timeout, seconds(63));
  EXPECT_EQ(dial.database, "") << "that is the sessions' own affair";
}

TEST(PoolOptions, HoldEachModeOfTls) {
  const std::pair<config::TlsMode, backend::TlsMode> all[] = {
      {config::TlsMode::kVerifyIdentity, backend::TlsMode::kVerifyIdentity},
      {config::TlsMode::kVerifyCa, backend::TlsMode::kVerifyCa},
      {config::TlsMode::kRequired, backend::TlsMode::kRequired},
      {config::TlsMode::kDisabled, backend::TlsMode::kDisabled},
  };
  for (const auto& [said, wanted] : all) {
    config::Pool pool;
    pool.tls.mode = said;
    EXPECT_EQ(pool_options(pool).dial.tls, wanted) << to_string(wanted);
  }
  EXPECT_EQ(pool_options(config::Pool{}).dial.tls_min_version, backend::TlsVersion::k12);
}

TEST(PoolState, HoldsItsLimitsAndAPlaceForEachWorkersFigures) {
  const config::Pool pool = unusual_pool();
  PoolState shared(pool, 3, 1);

  const pool::Limits limits =
      shared.broker.with([](pool::Broker& broker, pool::Orders&) { return broker.pool().limits; });

  EXPECT_EQ(limits.size, 6U);
  EXPECT_EQ(limits.max_overflow, 7U);
  EXPECT_EQ(limits.min_idle, 2U);
  EXPECT_EQ(limits.max_dials, 8U);
  EXPECT_EQ(limits.recycle, seconds(61));
  EXPECT_EQ(limits.recycle_jitter, 0.5);
  EXPECT_EQ(limits.idle_timeout, seconds(62));
  EXPECT_EQ(limits.backoff_initial, milliseconds(64));
  EXPECT_EQ(limits.backoff_max, milliseconds(65));
  EXPECT_EQ(shared.sessions.size(), 3U);
}

TEST(BuildSharedState, SaysWhichCertificateOfAListenerCannotBeUsed) {
  config::Config config;
  config.listeners[0].tls = {config::ClientTlsMode::kOptional, "/nowhere/tls.pem", "/nowhere/key"};

  const auto shared = build_shared_state(config);

  ASSERT_FALSE(shared);
  EXPECT_THAT(shared.error().message, ::testing::HasSubstr("'/nowhere/tls.pem'"));
}

TEST(BuildSharedState, ShowsWhatIsConfiguredInItsFigures) {
  config::Config config;
  config.workers = 3;
  config.max_clients = 77;
  config.pools = {unusual_pool()};

  const auto shared = build_shared_state(config);

  ASSERT_TRUE(shared) << shared.error().message;
  EXPECT_EQ((*shared)->process.workers.value(), 3);
  EXPECT_EQ((*shared)->process.max_clients.value(), 77);
  ASSERT_EQ((*shared)->pools.size(), 1U);
  EXPECT_EQ((*shared)->pools[0]->config.name, "orders");
  EXPECT_EQ((*shared)->login_key->get(), nullptr) << "made when somebody asks for it";
  ASSERT_EQ((*shared)->tls.size(), 1U);
  EXPECT_EQ((*shared)->tls[0], nullptr) << "no TLS on its listener";
}

}  // namespace
}  // namespace tidepool::proxy

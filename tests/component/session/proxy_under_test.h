// The proxy's workers as Server runs them, each on its own thread, without signals and HTTP; before
// a fake TiDB.
//
// Its end is part of every test: sessions closed, pools drained, threads joined, loops closed clean
// (Loop's destructor aborts otherwise).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tidepool/config/config.h"
#include "tidepool/pool/broker.h"
#include "tidepool/pool/pool_stats.h"
#include "tidepool/session/login_key.h"
#include "tidepool/session/password_checks.h"
#include "tidepool/session/session_stats.h"
#include "tidepool/sql/state/pin.h"

// The tests see neither, so that a change of the session does not have all of them compiled anew.
namespace tidepool::proxy {
struct SharedState;
class Worker;
}  // namespace tidepool::proxy

namespace tidepool::testing {

class ProxyUnderTest {
 public:
  // Others than every process has; null: those.
  struct Parts {
    std::unique_ptr<session::LoginKey> login_key = nullptr;
    std::unique_ptr<session::PasswordChecks> password_checks = nullptr;
  };

  explicit ProxyUnderTest(config::Config config) : ProxyUnderTest(std::move(config), Parts()) {}
  ProxyUnderTest(config::Config config, Parts parts);
  ProxyUnderTest(const ProxyUnderTest&) = delete;
  ProxyUnderTest& operator=(const ProxyUnderTest&) = delete;
  ~ProxyUnderTest();

  std::uint16_t port(std::size_t listener = 0) const;
  pool::PoolStats& pool_stats(std::size_t pool = 0);
  session::LoginStats& logins();
  session::CommandStats& commands();
  void set_parking(const pool::Parking& parking);
  pool::BrokerCounts counts() const;
  bool knows_server() const;
  // Sessions that are alive, on all workers.
  std::size_t sessions() const;
  // Sum over the workers' statistics of the pool.
  std::int64_t sessions_in(session::SessionActivity state) const;
  std::int64_t pinned(sql::Pin pin) const;
  std::uint64_t answered_locally() const;
  std::uint64_t total(Counter session::SessionStats::*counter) const;
  std::uint64_t retries(session::RetryReason reason) const;
  std::uint64_t replays(session::ReplayResult result) const;
  std::uint64_t unknown_outcomes() const;
  std::uint64_t timeouts(session::TimeoutKind kind) const;

  // As after a reload of this configuration.
  Result<std::size_t> apply(const config::Config& next);
  bool drain_removed_pools();
  void set_accepting(bool on);
  void drain();           // no more clients; sessions end when they can
  void close_sessions();  // now

 private:
  config::Config config_;
  pool::Parking parking_;
  std::unique_ptr<proxy::SharedState> shared_;
  std::vector<std::unique_ptr<proxy::Worker>> workers_;
};

}  // namespace tidepool::testing

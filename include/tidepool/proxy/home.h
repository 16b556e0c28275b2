// What all workers share: the configuration, the pools' brokers, the statistics, the keys. Owned by
// the server; outlives the workers. Constant once they run, except what locks itself or is atomic.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tidepool/base/error.h"
#include "tidepool/config/config.h"
#include "tidepool/metrics/process_stats.h"
#include "tidepool/net/tls_context.h"
#include "tidepool/pool/prepare_memory.h"
#include "tidepool/pool/shared_broker.h"
#include "tidepool/pool/worker_pool.h"
#include "tidepool/protocol/auth.h"
#include "tidepool/session/registry.h"
#include "tidepool/session/session_stats.h"

namespace tidepool::proxy {

// One pool of the configuration, as far as it is not a worker's.
struct PoolHome {
  PoolHome(const config::Pool& pool, int workers, std::uint64_t seed);

  const config::Pool& config;
  pool::PoolStats stats;
  std::vector<std::unique_ptr<session::SessionStats>> sessions;  // one a worker
  pool::SharedBroker broker;
  pool::PrepareMemory prepares;
};

struct Home {
  explicit Home(const config::Config& settings) : config(settings) {}

  const config::Config& config;
  std::vector<std::unique_ptr<PoolHome>> pools;
  std::vector<std::unique_ptr<net::TlsContext>> tls;  // one a listener; null: no TLS there
  std::optional<protocol::RsaKey> rsa_key;
  session::LoginStats logins;
  session::Registry registry;
  metrics::ProcessStats process;
  std::atomic<std::uint32_t> next_session_id = 1;
  std::atomic<bool> draining = false;
};

// Pools, keys and certificates; an error says which file or value is wrong.
Result<std::unique_ptr<Home>> build_home(const config::Config& config);

pool::WorkerPoolOptions pool_options(const config::Pool& pool);

}  // namespace tidepool::proxy

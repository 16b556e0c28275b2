// What all workers share: the configuration, the pools' brokers, the statistics, the keys. Owned by
// the server; outlives the workers. Constant once they run, except what locks itself or is atomic.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <sys/types.h>
#include <vector>

#include "tidepool/base/error.h"
#include "tidepool/config/config.h"
#include "tidepool/metrics/process_stats.h"
#include "tidepool/net/tls_context.h"
#include "tidepool/pool/shared_broker.h"
#include "tidepool/pool/worker_pool.h"
#include "tidepool/protocol/packet.h"
#include "tidepool/session/command_memory.h"
#include "tidepool/session/failed_logins.h"
#include "tidepool/session/login_key.h"
#include "tidepool/session/login_places.h"
#include "tidepool/session/password_checks.h"
#include "tidepool/session/password_proofs.h"
#include "tidepool/session/prepare_cache.h"
#include "tidepool/session/registry.h"
#include "tidepool/session/session_stats.h"
#include "tidepool/tracking/global_settings.h"
#include "tidepool/tracking/prepared_bytes.h"

namespace tidepool::proxy {

// One pool of the configuration, as far as it is not a worker's.
struct PoolState {
  PoolState(const config::Pool& pool, int workers, std::uint64_t seed);

  config::Pool config;      // changed by a reload, under SharedState::mutex
  bool is_removed = false;  // from the configuration, under the mutex; comes back with its name
  bool is_drained = false;  // and its backends are closed
  bool came_later = false;  // by a reload: whether it reaches TiDB says nothing about readiness
  pool::PoolStats stats;
  std::vector<std::unique_ptr<session::SessionStats>> sessions;  // one a worker
  pool::SharedBroker broker;
  session::PrepareCache prepares;
  tracking::PoolPreparedBytes prepared_bytes{stats.prepared_bytes};
};

// What the listeners show to clients, one each; null: no TLS there. A client in its login keeps
// what it was shown.
using ListenerTls = std::vector<std::shared_ptr<net::TlsContext>>;

// The numbers of those who may log in as a user of the configuration, by its name.
using UnixUsers = std::map<std::string, std::vector<uid_t>>;

struct SharedState {
  explicit SharedState(config::Config settings) : config(std::move(settings)) {}

  PoolState* find_pool(const std::string& name);

  // Written by the main thread only. Under the mutex: what a reload changes while others read it.
  mutable std::mutex mutex;
  config::Config config;
  std::vector<std::unique_ptr<PoolState>> pools;  // never fewer
  ListenerTls tls;
  UnixUsers unix_users;
  std::unique_ptr<session::LoginKey> login_key = std::make_unique<session::LoginKey>();
  std::unique_ptr<session::PasswordChecks> password_checks =
      std::make_unique<session::PasswordChecks>();
  session::PasswordProofs password_proofs;
  session::ProofStats proofs;
  session::FailedLogins failed_logins;
  session::LoginStats logins;
  session::LoginPlaces places{logins};
  session::CommandStats commands;
  // A command takes memory twice: whole, and on its way to the backend.
  session::CommandMemory command_memory{commands, 2 * protocol::kMaxPacketBytes + (4U << 20U)};
  session::Registry registry;
  tracking::GlobalSettings global_settings;
  metrics::ProcessStats process;
  std::atomic<std::uint32_t> next_session_id = 1;
  std::atomic<bool> draining = false;
};

// Pools, keys and certificates; an error says which file or value is wrong.
Result<std::unique_ptr<SharedState>> build_shared_state(const config::Config& config);

// Looks up their names, which may take its time.
UnixUsers unix_users_of(const config::Config& config);

// Reads the certificates of the listeners.
Result<ListenerTls> load_tls(const config::Config& config);

pool::Limits limits_of(const config::Pool& pool);
session::LoginLimits login_limits_of(const config::Config& config);
// What may let in whom, for the statistics.
std::vector<session::LoginsByUser::User> proofs_of(const config::Config& config);
pool::WorkerPoolOptions pool_options(const config::Pool& pool);

}  // namespace tidepool::proxy

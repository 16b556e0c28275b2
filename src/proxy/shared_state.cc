#include "shared_state.h"

#include <random>

#include "tidepool/base/log.h"
#include "tidepool/config/unix_user.h"
#include "tidepool/net/peer_user.h"

namespace tidepool::proxy {
namespace {

backend::TlsMode tls_mode_of(config::TlsMode mode) {
  switch (mode) {
    case config::TlsMode::kVerifyIdentity: return backend::TlsMode::kVerifyIdentity;
    case config::TlsMode::kVerifyCa: return backend::TlsMode::kVerifyCa;
    case config::TlsMode::kRequired: return backend::TlsMode::kRequired;
    case config::TlsMode::kDisabled: return backend::TlsMode::kDisabled;
  }
  return backend::TlsMode::kVerifyIdentity;
}

}  // namespace

pool::Limits limits_of(const config::Pool& pool) {
  pool::Limits limits;
  limits.size = static_cast<unsigned>(pool.size);
  limits.max_overflow = static_cast<unsigned>(pool.max_overflow);
  limits.min_idle = static_cast<unsigned>(pool.min_idle);
  limits.max_dials = static_cast<unsigned>(pool.max_dials);
  limits.endpoints = static_cast<unsigned>(pool.endpoints.size());
  limits.dial_rate = static_cast<unsigned>(pool.dial_rate);
  limits.max_waiters = static_cast<unsigned>(pool.max_waiters);
  limits.max_leases_per_database = static_cast<unsigned>(pool.max_leases_per_database);
  limits.recycle = pool.recycle;
  limits.recycle_jitter = pool.recycle_jitter;
  limits.idle_timeout = pool.idle_timeout;
  limits.ping_interval = pool.ping_interval;
  limits.backoff_initial = pool.backoff.initial;
  limits.backoff_max = pool.backoff.max;
  limits.backoff_refused = pool.backoff.refused;
  return limits;
}

session::LoginLimits login_limits_of(const config::Config& config) {
  return {.clients = static_cast<std::size_t>(config.max_clients),
          .pending = static_cast<std::size_t>(config.max_pending_logins),
          .pending_per_network = static_cast<std::size_t>(config.max_pending_logins_per_address)};
}

std::vector<session::LoginsByUser::User> proofs_of(const config::Config& config) {
  using protocol::Proof;
  std::vector<session::LoginsByUser::User> users;
  for (const config::User& user : config.users) {
    if (user.is_passed_through) continue;  // there is no end of their names
    users.push_back({user.name, {}});
    std::vector<Proof>& proofs = users.back().proofs;
    if (user.has_password) proofs.push_back(Proof::kPrimary);
    if (user.has_secondary_password) proofs.push_back(Proof::kSecondary);
    if (!user.certificate_names.empty()) proofs.push_back(Proof::kCertificate);
    if (!user.unix_users.empty()) proofs.push_back(Proof::kUnixUser);
  }
  return users;
}

PoolState::PoolState(const config::Pool& pool, int workers, std::uint64_t seed)
    : config(pool),
      broker(limits_of(pool), seed, stats),
      prepares({.life = pool.prepare_cache_ttl}) {
  for (const config::Endpoint& endpoint : pool.endpoints) {
    const bool is_v6 = endpoint.host.find(':') != std::string::npos;
    const std::string host = is_v6 ? "[" + endpoint.host + "]" : endpoint.host;
    stats.endpoints.push_back(
        std::make_unique<pool::EndpointStats>(host + ":" + std::to_string(endpoint.port)));
  }
  prepared_bytes.set_limit(pool.max_prepared_memory);
  for (int i = 0; i < workers; ++i)
    sessions.push_back(std::make_unique<session::SessionStats>());
}

Result<std::unique_ptr<SharedState>> build_shared_state(const config::Config& config) {
  auto shared = std::make_unique<SharedState>(config);
  std::random_device seed;
  for (const config::Pool& pool : config.pools) {
    shared->pools.push_back(std::make_unique<PoolState>(pool, config.workers, seed()));
  }
  auto tls = load_tls(config);
  if (!tls) return tl::unexpected(tls.error());
  shared->tls = std::move(*tls);
  shared->unix_users = unix_users_of(config);
  shared->process.workers.set(config.workers);
  shared->process.max_clients.set(config.max_clients);
  shared->places.set_limits(login_limits_of(config));
  shared->logins.users.show(proofs_of(config));
  shared->command_memory.set_limit(config.command_memory);
  shared->process.last_reload_ok.set(1);
  return shared;
}

UnixUsers unix_users_of(const config::Config& config) {
  UnixUsers all;
  for (const config::User& user : config.users) {
    for (const std::string& name : user.unix_users) {
      // Checked a moment ago; a user that is gone since then is left out.
      const auto number = config::unix_user_number(name);
      if (number) all[user.name].push_back(*number);
      if (number == net::overflow_user())
        log::warn("stands for all Unix users without a number here, and so logs nobody in",
                  {{"user", user.name}, {"unix_user", name}});
    }
  }
  return all;
}

Result<ListenerTls> load_tls(const config::Config& config) {
  ListenerTls all;
  for (const config::Listener& listener : config.listeners) {
    if (listener.tls.mode == config::ClientTlsMode::kOff) {
      all.push_back(nullptr);
      continue;
    }
    auto context = net::TlsContext::load(
        listener.tls.certificate, listener.tls.key,
        {.ca_file = listener.tls.client_ca,
         .are_required = listener.tls.verify_client == config::VerifyClient::kRequired});
    if (!context) return tl::unexpected(context.error());
    all.push_back(std::move(*context));
  }
  return all;
}

PoolState* SharedState::find_pool(const std::string& name) {
  for (const auto& pool : pools) {
    if (pool->config.name == name) return pool.get();
  }
  return nullptr;
}

pool::WorkerPoolOptions pool_options(const config::Pool& pool) {
  pool::WorkerPoolOptions options;
  options.name = pool.name;
  options.control_timeout = pool.control_timeout;
  options.max_prepared = static_cast<std::size_t>(pool.max_prepared);
  for (const config::Endpoint& endpoint : pool.endpoints) {
    options.dial.endpoints.push_back({endpoint.host, endpoint.port});
  }
  options.dial.user = pool.user;
  options.dial.password = pool.password;
  options.dial.tls = tls_mode_of(pool.tls.mode);
  options.dial.tls_min_version = pool.tls.min_version == config::TlsVersion::k13
                                     ? backend::TlsVersion::k13
                                     : backend::TlsVersion::k12;
  options.dial.ca_file = pool.tls.ca;
  options.dial.server_key_file = pool.tls.server_public_key;
  options.dial.connect_timeout = pool.connect_timeout;
  options.dial.attributes = {{"program_name", "tidepool"}, {"tidepool_pool", pool.name}};
  return options;
}

}  // namespace tidepool::proxy

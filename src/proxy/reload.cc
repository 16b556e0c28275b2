#include "reload.h"

#include <random>
#include <utility>

namespace tidepool::proxy {
namespace {

// Whether backends of the one are no backends of the other.
bool is_elsewhere(const config::Pool& one, const config::Pool& two) {
  return one.user != two.user || one.password != two.password || one.tls != two.tls;
}

void replace_backends(PoolState& pool) {
  const session::PrepareCache::Change forget(pool.prepares);
  pool.broker.with(
      [](pool::Broker& broker, pool::Orders& orders) { broker.replace_all(Clock::now(), orders); });
}

// What workers share of the pools. Answers the numbers of those whose backends are to go.
std::vector<std::size_t> update_pools(SharedState& shared, const config::Config& next) {
  std::vector<std::size_t> replaced;
  for (std::size_t i = 0; i < shared.pools.size(); ++i) {
    PoolState& pool = *shared.pools[i];
    const config::Pool* wanted = next.find_pool(pool.config.name);
    pool.is_removed = wanted == nullptr;
    if (wanted == nullptr) continue;
    if (is_elsewhere(pool.config, *wanted)) replaced.push_back(i);
    pool.config = *wanted;
    pool.broker.set_limits(limits_of(*wanted));
    pool.prepared_bytes.set_limit(wanted->max_prepared_memory);
  }
  std::random_device seed;
  for (const config::Pool& pool : next.pools) {
    if (shared.find_pool(pool.name) != nullptr) continue;
    shared.pools.push_back(std::make_unique<PoolState>(pool, next.workers, seed()));
    shared.pools.back()->came_later = true;
  }
  return replaced;
}

void set_peers(const Workers& workers, std::size_t number) {
  std::vector<pool::WorkerPool*> peers;
  for (const auto& worker : workers)
    peers.push_back(worker->pool(number));
  for (const auto& worker : workers)
    worker->call([&] { worker->set_peers(number, peers); });
}

}  // namespace

bool has_sessions(const PoolState& pool) {
  const pool::BrokerCounts counts = pool.broker.counts();
  std::int64_t count = counts.leased + counts.parked + counts.waiting;
  for (const auto& stats : pool.sessions) {
    for (std::size_t i = 0; i < session::kSessionActivities; ++i)
      count += stats->sessions[static_cast<session::SessionActivity>(i)].value();
  }
  return count > 0;
}

Result<std::size_t> apply_config(SharedState& shared, const Workers& workers,
                                 const config::Config& next) {
  auto tls = load_tls(next);
  if (!tls) return tl::unexpected(tls.error());
  UnixUsers unix_users = unix_users_of(next);
  {
    const std::lock_guard lock(shared.mutex);
    shared.tls = std::move(*tls);
    shared.unix_users = std::move(unix_users);
  }
  return apply_users(shared, workers, next);
}

std::size_t apply_users(SharedState& shared, const Workers& workers, const config::Config& next) {
  const std::size_t before = shared.pools.size();
  std::vector<std::size_t> replaced;
  {
    const std::lock_guard lock(shared.mutex);
    replaced = update_pools(shared, next);
    shared.config = next;
  }
  shared.process.max_clients.set(next.max_clients);
  shared.places.set_limits(login_limits_of(next));
  shared.logins.users.show(proofs_of(next));
  shared.command_memory.set_limit(next.command_memory);
  for (const auto& worker : workers)
    worker->call([&] { worker->add_pools(); });
  for (std::size_t number = before; number < shared.pools.size(); ++number)
    set_peers(workers, number);
  for (const auto& worker : workers)
    worker->call([&] { worker->apply(next, shared.tls, replaced); });
  // With the account that they have now.
  for (std::size_t number = 0; number < before; ++number) {
    PoolState& pool = *shared.pools[number];
    if (pool.is_removed || !std::exchange(pool.is_drained, false)) continue;
    workers.front()->call([&] { workers.front()->resume_pool(number); });
  }
  workers.front()->call([&] { workers.front()->start_pools(before); });
  for (const std::size_t number : replaced)
    replace_backends(*shared.pools[number]);
  return shared.pools.size() - before;
}

std::vector<PoolState*> drain_removed_pools(SharedState& shared, const Workers& workers) {
  std::vector<PoolState*> drained;
  for (std::size_t number = 0; number < shared.pools.size(); ++number) {
    PoolState& pool = *shared.pools[number];
    if (!pool.is_removed || pool.is_drained || has_sessions(pool)) continue;
    workers.front()->call([&] { workers.front()->drain_pool(number); });
    pool.is_drained = true;
    pool.config.password.clear();
    for (const auto& worker : workers)
      worker->call([&] { worker->pool(number)->forget_password(); });
    drained.push_back(&pool);
  }
  return drained;
}

}  // namespace tidepool::proxy

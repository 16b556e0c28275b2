// What the server looks after while it runs: the files of its configuration.
#include <algorithm>
#include <ctime>
#include <set>
#include <utility>

#include "server_impl.h"
#include "tidepool/base/log.h"

namespace tidepool::proxy {
namespace {

constexpr std::chrono::milliseconds kFilePoll{500};

}  // namespace

// Read again when one of them changes: also a certificate that could not be read.
void Server::watch_files(const config::Config& config) {
  std::vector<std::string> paths;
  if (!source_.file.empty()) paths.push_back(source_.file);
  for (const config::Listener& listener : config.listeners) {
    if (listener.tls.mode == config::ClientTlsMode::kOff) continue;
    paths.push_back(listener.tls.certificate);
    paths.push_back(listener.tls.key);
    if (!listener.tls.client_ca.empty()) paths.push_back(listener.tls.client_ca);
  }
  for (const config::Pool& pool : config.pools)  // for the metric of its end: dials read it anew
    if (!pool.tls.ca.empty()) paths.push_back(pool.tls.ca);
  files_.watch(paths);
}

void Server::poll_files() {
  if (shared_->draining || takeover_.has_handed_over()) return;
  if (shared_->config.reload_on_change && files_.has_changed()) reload("a file has changed");
  watch_pools();
  reload_timer_.start(kFilePoll, [this] { poll_files(); });
}

void Server::watch_pools() {
  passthrough_.tick();
  for (const PoolState* pool : drain_removed_pools(*shared_, workers_)) {
    http_.remove_pool(pool->config.name);
    log::info("removed pool drained", {{"pool", pool->config.name}});
  }
}

// All of it or nothing.
void Server::reload(const char* why) {
  if (shared_->draining) return log::info("configuration not reloaded: this process drains");
  const Result<void> done = read_again();
  metrics::ProcessStats& stats = shared_->process;
  stats.last_reload_time.set(std::time(nullptr));
  stats.last_reload_ok.set(done ? 1 : 0);
  if (done) {
    stats.reloads.add();
    log::info("configuration reloaded", {{"why", why}});
  } else {
    stats.failed_reloads.add();
    log::error("configuration not reloaded, nothing has changed",
               {{"why", why}, {"error", done.error().message}});
  }
}

Result<void> Server::read_again() {
  files_.accept();  // what changes from here on is another change
  const config::LoadResult loaded = source_.load();
  if (!loaded) {
    std::string all;
    for (const std::string& problem : loaded.error())
      all += (all.empty() ? "" : "; ") + problem;
    return fail(Code::kConfig, all);
  }
  config::Config current = passthrough_.base();
  for (const auto& pool : shared_->pools)  // it may come back, and be as it was built
    if (pool->is_removed) current.pools.push_back(pool->config);
  std::vector<std::string> kept;
  const config::Config next = config::reloadable(current, loaded->config, kept);
  watch_files(next);
  if (const auto applied = passthrough_.change_base(next); !applied)
    return tl::unexpected(applied.error());
  log::configure(next.log.level, next.log.format);
  http_.set_hosts();
  http_.show_certificates(passthrough_.base().pools);
  for (const std::string& line : loaded->warnings)
    log::warn(line);
  for (const std::string& key : kept)
    log::warn("not changed: this needs a restart", {{"key", key}});
  return {};
}

// `change` puts something in force, and answers how many pools are new.
template <class Change>
Result<void> Server::apply(Change change) {
  std::set<std::string> drained;
  for (const auto& pool : shared_->pools) {
    if (pool->is_drained) drained.insert(pool->config.name);
  }
  const Result<std::size_t> added = change();
  if (!added) return tl::unexpected(added.error());
  for (std::size_t i = 0; i < shared_->pools.size(); ++i) {
    const bool is_new = i + *added >= shared_->pools.size();
    const PoolState& pool = *shared_->pools[i];
    if (is_new || (drained.count(pool.config.name) > 0 && !pool.is_drained)) http_.add_pool(pool);
  }
  return {};
}

// Users pass through by pools of their own, which come and go.
Passthrough::Events Server::passthrough_events() {
  const auto is_free = [this](const std::string& name, const config::Pool& like) {
    const PoolState* pool = shared_->find_pool(name);
    // What is fixed when a pool is built must be right.
    return pool == nullptr ||
           (pool->is_removed && pool->is_drained && pool->config.endpoints == like.endpoints &&
            pool->config.prepare_cache_ttl == like.prepare_cache_ttl);
  };
  return {.apply_all =
              [this](const config::Config& next) {
                return apply([&] { return apply_config(*shared_, workers_, next); });
              },
          .apply_users =
              [this](const config::Config& next) {
                // Nothing in it can fail.
                (void)apply(
                    [&]() -> Result<std::size_t> { return apply_users(*shared_, workers_, next); });
              },
          .is_free = is_free,
          .has_sessions =
              [this](const std::string& name) {
                const PoolState* pool = shared_->find_pool(name);
                return pool != nullptr && has_sessions(*pool);
              }};
}

}  // namespace tidepool::proxy

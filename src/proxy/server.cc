// The main thread's part: build, announce, wait for a signal, drain.
#include "tidepool/proxy/server.h"

#include <algorithm>
#include <csignal>
#include <ctime>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "tidepool/admin/http_server.h"
#include "tidepool/base/log.h"
#include "tidepool/base/process_memory.h"
#include "tidepool/metrics/exporter.h"
#include "tidepool/net/loop.h"
#include "tidepool/net/process.h"
#include "tidepool/net/signal.h"
#include "tidepool/net/timer.h"
#include "tidepool/proxy/file_watch.h"
#include "tidepool/proxy/home.h"
#include "tidepool/proxy/memory_gate.h"
#include "tidepool/proxy/reload.h"
#include "tidepool/proxy/worker.h"

namespace tidepool::proxy {
namespace {

constexpr const char* kVersion = TIDEPOOL_VERSION;
constexpr std::chrono::milliseconds kDrainPoll{20};
constexpr std::chrono::seconds kPoolDrainTimeout{2};
constexpr std::chrono::milliseconds kMemoryPoll{250};
constexpr std::chrono::milliseconds kFilePoll{500};

class Server {
 public:
  Server(std::unique_ptr<Home> home, const config::Source& source);

  Result<void> start();
  void run();

 private:
  void add_metrics(const PoolHome& pool);
  Result<void> start_http();
  std::string render_metrics() const;
  admin::Readiness readiness() const;
  admin::Status status() const;
  void on_signal(const char* name);
  void watch_memory();
  void watch_files(const config::Config& config);
  void poll_files();
  void reload(const char* why);
  Result<void> read_again();
  void poll_drain();
  void poll_pools();
  void stop_workers();
  template <class Action>
  void for_all(Action action) {
    for (const auto& worker : workers_)
      action(*worker);
  }

  const config::Source& source_;
  std::unique_ptr<Home> home_;
  metrics::Exporter exporter_;
  const TimePoint started_ = Clock::now();
  net::Loop loop_;
  net::Timer drain_timer_{loop_};
  net::Timer memory_timer_{loop_};
  MemoryGate memory_gate_;
  TimePoint deadline_{};
  net::Timer reload_timer_{loop_};
  FileWatch files_;
  Workers workers_;
  std::vector<std::unique_ptr<net::Signal>> signals_;
  std::unique_ptr<admin::HttpServer> http_;
};

Server::Server(std::unique_ptr<Home> home, const config::Source& source)
    : source_(source),
      home_(std::move(home)),
      exporter_({.version = kVersion, .process = &home_->process, .logins = &home_->logins}) {}

Result<void> Server::start() {
  for (int i = 0; i < home_->config.workers; ++i) {
    workers_.push_back(std::make_unique<Worker>(*home_, static_cast<unsigned>(i)));
    auto bound = workers_.back()->listen(i == 0 ? nullptr : workers_.front().get());
    if (!bound) return bound;
  }
  for (std::size_t pool = 0; pool < home_->pools.size(); ++pool) {
    std::vector<pool::WorkerPool*> peers;
    for_all([&](Worker& worker) { peers.push_back(worker.pool(pool)); });
    for_all([&](Worker& worker) { worker.set_peers(pool, peers); });
  }
  for (const auto& pool : home_->pools)
    add_metrics(*pool);
  if (auto serving = start_http(); !serving) return serving;
  signals_.push_back(
      std::make_unique<net::Signal>(loop_, SIGTERM, [this] { on_signal("SIGTERM"); }));
  signals_.push_back(std::make_unique<net::Signal>(loop_, SIGINT, [this] { on_signal("SIGINT"); }));
  signals_.push_back(std::make_unique<net::Signal>(loop_, SIGHUP, [this] { reload("SIGHUP"); }));
  for (const std::string& address : workers_.front()->addresses()) {
    log::info("listening", {{"address", address}});
  }
  return {};
}

void Server::add_metrics(const PoolHome& pool) {
  metrics::PoolSource source{.pool = pool.config.name, .stats = &pool.stats, .sessions = {}};
  for (const auto& sessions : pool.sessions)
    source.sessions.push_back(sessions.get());
  exporter_.add_pool(std::move(source));
}

Result<void> Server::start_http() {
  const config::Http& config = home_->config.http;
  if (!config.enabled) return {};
  auto http = admin::HttpServer::start({config.host, config.port},
                                       {.metrics = [this] { return render_metrics(); },
                                        .readiness = [this] { return readiness(); },
                                        .status = [this] { return status(); }});
  if (!http) return tl::unexpected(http.error());
  http_ = std::move(*http);
  log::info("serving HTTP", {{"host", config.host}, {"port", http_->port()}});
  return {};
}

std::string Server::render_metrics() const {
  home_->process.ready.set(readiness().ready ? 1 : 0);
  return exporter_.render();
}

admin::Readiness Server::readiness() const {
  if (home_->draining) return {false, "draining"};
  const std::lock_guard lock(home_->mutex);
  for (const auto& pool : home_->pools) {
    if (pool->broker.facts() != nullptr || pool->is_removed || pool->came_later) continue;
    const std::string error = pool->broker.last_dial_error();
    return {false, "pool " + pool->config.name + " has not reached TiDB yet" +
                       (error.empty() ? "" : ": " + error)};
  }
  return {true, "ready"};
}

admin::Status Server::status() const {
  admin::Status status;
  status.version = kVersion;
  status.uptime = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - started_);
  status.readiness = readiness();
  const std::lock_guard lock(home_->mutex);
  status.workers = home_->config.workers;
  status.clients = home_->process.clients.value();
  status.max_clients = home_->config.max_clients;
  for (const metrics::PoolSummary& summary : exporter_.summaries()) {
    const PoolHome* pool = home_->find_pool(summary.pool);
    if (pool == nullptr) continue;
    const config::Endpoint& endpoint = pool->config.endpoints.front();
    status.pools.push_back({summary, endpoint.host + ":" + std::to_string(endpoint.port),
                            pool->broker.last_dial_error()});
  }
  return status;
}

// While the memory is short, new clients wait in the kernel's queue.
void Server::watch_memory() {
  const std::uint64_t limit = home_->config.memory_limit;
  const bool was_open = home_->process.accepting.value() != 0;
  if (limit > 0 && !was_open) trim_memory();
  const std::uint64_t resident = limit > 0 ? resident_memory() : 0;
  const bool is_open = memory_gate_.is_open(limit, resident, home_->process.clients.value());
  if (is_open != was_open) {
    home_->process.accepting.set(is_open ? 1 : 0);
    if (!is_open) home_->process.accept_pauses.add();
    log::warn(is_open ? "memory is below its limit: new clients are let in"
                      : "memory_limit is reached: new clients wait",
              {{"resident_bytes", resident}, {"memory_limit", limit}});
    for_all([is_open](Worker& worker) { worker.set_accepting(is_open); });
  }
  if (!home_->draining) memory_timer_.start(kMemoryPoll, [this] { watch_memory(); });
}

// Read again when one of them changes: also a certificate that could not be read.
void Server::watch_files(const config::Config& config) {
  std::vector<std::string> paths;
  if (!source_.file.empty()) paths.push_back(source_.file);
  for (const config::Listener& listener : config.listeners) {
    if (listener.tls.mode == config::ClientTlsMode::kOff) continue;
    paths.push_back(listener.tls.certificate);
    paths.push_back(listener.tls.key);
  }
  files_.watch(paths);
}

void Server::poll_files() {
  if (home_->draining) return;
  if (home_->config.reload_on_change && files_.has_changed()) reload("a file has changed");
  for (const PoolHome* pool : drain_removed_pools(*home_, workers_)) {
    exporter_.remove_pool(pool->config.name);
    log::info("removed pool drained", {{"pool", pool->config.name}});
  }
  reload_timer_.start(kFilePoll, [this] { poll_files(); });
}

// All of it or nothing.
void Server::reload(const char* why) {
  if (home_->draining) return;
  const Result<void> done = read_again();
  metrics::ProcessStats& stats = home_->process;
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
  config::Config current = home_->config;
  for (const auto& pool : home_->pools)  // it may come back, and be as it was built
    if (pool->is_removed) current.pools.push_back(pool->config);
  std::vector<std::string> kept;
  const config::Config next = config::reloadable(current, loaded->config, kept);
  watch_files(next);
  std::set<std::string> drained;
  for (const auto& pool : home_->pools) {
    if (pool->is_drained) drained.insert(pool->config.name);
  }
  const auto added = apply_config(*home_, workers_, next);
  if (!added) return tl::unexpected(added.error());
  for (std::size_t i = 0; i < home_->pools.size(); ++i) {
    const bool is_new = i + *added >= home_->pools.size();
    const PoolHome& pool = *home_->pools[i];
    if (is_new || (drained.count(pool.config.name) > 0 && !pool.is_drained)) add_metrics(pool);
  }
  log::configure(next.log.level, next.log.format);
  for (const std::string& line : loaded->warnings)
    log::warn(line);
  for (const std::string& key : kept)
    log::warn("not changed: this needs a restart", {{"key", key}});
  return {};
}

void Server::run() {
  home_->process.accepting.set(1);
  for_all([](Worker& worker) { worker.start(); });
  watch_memory();
  watch_files(home_->config);
  poll_files();
  loop_.run();
  for_all([](Worker& worker) { worker.join(); });
  if (http_) http_->stop();
  log::info("stopped");
}

// The first signal drains, the second ends at once.
void Server::on_signal(const char* name) {
  if (home_->draining) return stop_workers();
  log::info("draining", {{"signal", name}});
  home_->draining = true;
  deadline_ = Clock::now() + home_->config.drain_timeout;
  for_all([](Worker& worker) { worker.drain(); });
  poll_drain();
}

void Server::poll_drain() {
  const bool empty = std::all_of(workers_.begin(), workers_.end(),
                                 [](const auto& worker) { return worker->sessions() == 0; });
  const bool late = Clock::now() >= deadline_;
  if (!empty && !late) {
    drain_timer_.start(kDrainPoll, [this] { poll_drain(); });
    return;
  }
  if (!empty) log::warn("drain_timeout has passed: closing what still runs");
  for_all([](Worker& worker) { worker.close_sessions(); });
  for_all([](Worker& worker) { worker.drain_pools(); });
  deadline_ = Clock::now() + kPoolDrainTimeout;
  poll_pools();
}

void Server::poll_pools() {
  const bool empty = std::none_of(workers_.begin(), workers_.end(),
                                  [](const auto& worker) { return worker->has_backends(); });
  if (empty || Clock::now() >= deadline_) return stop_workers();
  drain_timer_.start(kDrainPoll, [this] { poll_pools(); });
}

void Server::stop_workers() {
  drain_timer_.stop();
  memory_timer_.stop();
  reload_timer_.stop();
  for_all([](Worker& worker) { worker.stop(); });
  loop_.stop();
}

}  // namespace

int run(const config::Config& config, const config::Source& source) {
  net::prepare_process();
  auto home = build_home(config);
  if (!home) {
    log::error("cannot start", {{"error", home.error().message}});
    return 1;
  }
  Server server(std::move(*home), source);
  if (const auto started = server.start(); !started) {
    log::error("cannot start", {{"error", started.error().message}});
    return 1;
  }
  server.run();
  return 0;
}

}  // namespace tidepool::proxy

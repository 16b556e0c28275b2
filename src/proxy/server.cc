// The main thread's part: build, announce, wait for a signal, drain.
#include "tidepool/proxy/server.h"

#include <algorithm>
#include <csignal>
#include <memory>
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
#include "tidepool/proxy/home.h"
#include "tidepool/proxy/memory_gate.h"
#include "tidepool/proxy/worker.h"

namespace tidepool::proxy {
namespace {

constexpr const char* kVersion = TIDEPOOL_VERSION;
constexpr std::chrono::milliseconds kDrainPoll{20};
constexpr std::chrono::seconds kPoolDrainTimeout{2};
constexpr std::chrono::milliseconds kMemoryPoll{250};

class Server {
 public:
  explicit Server(std::unique_ptr<Home> home);

  Result<void> start();
  void run();

 private:
  void add_metrics();
  Result<void> start_http();
  std::string render_metrics() const;
  admin::Readiness readiness() const;
  admin::Status status() const;
  void on_signal(const char* name);
  void watch_memory();
  void poll_drain();
  void poll_pools();
  void stop_workers();
  template <class Action>
  void for_all(Action action) {
    for (const auto& worker : workers_)
      action(*worker);
  }

  std::unique_ptr<Home> home_;
  metrics::Exporter exporter_;
  const TimePoint started_ = Clock::now();
  net::Loop loop_;
  net::Timer drain_timer_{loop_};
  net::Timer memory_timer_{loop_};
  MemoryGate memory_gate_;
  TimePoint deadline_{};
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::unique_ptr<net::Signal>> signals_;
  std::unique_ptr<admin::HttpServer> http_;
};

Server::Server(std::unique_ptr<Home> home)
    : home_(std::move(home)),
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
  add_metrics();
  if (auto serving = start_http(); !serving) return serving;
  signals_.push_back(
      std::make_unique<net::Signal>(loop_, SIGTERM, [this] { on_signal("SIGTERM"); }));
  signals_.push_back(std::make_unique<net::Signal>(loop_, SIGINT, [this] { on_signal("SIGINT"); }));
  for (const std::string& address : workers_.front()->addresses()) {
    log::info("listening", {{"address", address}});
  }
  return {};
}

void Server::add_metrics() {
  for (const auto& pool : home_->pools) {
    metrics::PoolSource source{.pool = pool->config.name, .stats = &pool->stats, .sessions = {}};
    for (const auto& sessions : pool->sessions)
      source.sessions.push_back(sessions.get());
    exporter_.add_pool(std::move(source));
  }
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
  for (const auto& pool : home_->pools) {
    if (pool->broker.facts() != nullptr) continue;
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
  status.workers = home_->config.workers;
  status.clients = home_->process.clients.value();
  status.max_clients = home_->config.max_clients;
  const auto summaries = exporter_.summaries();
  for (std::size_t i = 0; i < summaries.size(); ++i) {
    const config::Endpoint& endpoint = home_->pools[i]->config.endpoints.front();
    status.pools.push_back({summaries[i], endpoint.host + ":" + std::to_string(endpoint.port),
                            home_->pools[i]->broker.last_dial_error()});
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

void Server::run() {
  home_->process.accepting.set(1);
  for_all([](Worker& worker) { worker.start(); });
  watch_memory();
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
  for_all([](Worker& worker) { worker.stop(); });
  loop_.stop();
}

}  // namespace

int run(const config::Config& config) {
  net::prepare_process();
  auto home = build_home(config);
  if (!home) {
    log::error("cannot start", {{"error", home.error().message}});
    return 1;
  }
  Server server(std::move(*home));
  if (const auto started = server.start(); !started) {
    log::error("cannot start", {{"error", started.error().message}});
    return 1;
  }
  server.run();
  return 0;
}

}  // namespace tidepool::proxy

#include "server_http.h"

#include <utility>

#include "tidepool/admin/status_routes.h"
#include "tidepool/base/log.h"

namespace tidepool::proxy {
namespace {

constexpr const char* kVersion = TIDEPOOL_VERSION;

std::string name_of(const config::Listener& listener) {
  if (listener.is_socket()) return listener.socket_path;
  const bool is_v6 = listener.host.find(':') != std::string::npos;
  const std::string host = is_v6 ? "[" + listener.host + "]" : listener.host;
  return host + ":" + std::to_string(listener.port);
}

// By a CA file of its own.
bool verifies(const config::Tls& tls) {
  const bool is_verified =
      tls.mode == config::TlsMode::kVerifyIdentity || tls.mode == config::TlsMode::kVerifyCa;
  return is_verified && !tls.ca.empty();
}

}  // namespace

ServerHttp::ServerHttp(SharedState& shared)
    : shared_(shared),
      exporter_({.version = kVersion,
                 .process = &shared.process,
                 .logins = &shared.logins,
                 .proofs = &shared.proofs,
                 .commands = &shared.commands}) {}

void ServerHttp::add_pool(const PoolState& pool) {
  metrics::PoolSource source{.pool = pool.config.name, .stats = &pool.stats, .sessions = {}};
  for (const auto& sessions : pool.sessions)
    source.sessions.push_back(sessions.get());
  exporter_.add_pool(std::move(source));
}

void ServerHttp::show_certificates(const std::vector<config::Pool>& pools) {
  std::vector<metrics::CertificateFile> all;
  const std::vector<config::Listener>& listeners = shared_.config.listeners;
  for (std::size_t i = 0; i < listeners.size(); ++i) {
    if (shared_.tls[i] == nullptr) continue;
    const std::string name = name_of(listeners[i]);
    all.push_back(
        {.key = "tls.certificate", .listener = name, .expires = shared_.tls[i]->expires()});
    if (const auto expires = net::last_expiry(listeners[i].tls.client_ca))
      all.push_back({.key = "tls.client_ca", .listener = name, .expires = *expires});
  }
  for (const config::Pool& pool : pools) {
    if (!verifies(pool.tls)) continue;
    if (const auto expires = net::last_expiry(pool.tls.ca))
      all.push_back({.key = "tls.ca", .pool = pool.name, .expires = *expires});
  }
  exporter_.set_certificates(std::move(all));
}

Result<void> ServerHttp::start(net::UniqueFd inherited) {
  const config::Http& config = shared_.config.http;
  if (!config.enabled) return {};
  auto http = admin::HttpServer::listen(
      {config.host, config.port},
      admin::status_routes({.metrics = [this] { return render_metrics(); },
                            .readiness = [this] { return readiness(); },
                            .status = [this] { return status(); }}),
      inherited.release());
  if (!http) return tl::unexpected(http.error());
  http_ = std::move(*http);
  set_hosts();
  return {};
}

void ServerHttp::set_hosts() {
  if (!http_) return;
  std::vector<std::string> names = shared_.config.http.hosts;
  names.push_back(shared_.config.http.host);
  http_->set_hosts(std::move(names));
}

void ServerHttp::serve() {
  if (!http_) return;
  http_->serve();
  log::info("serving HTTP", {{"host", shared_.config.http.host}, {"port", http_->port()}});
}

void ServerHttp::pause() {
  if (http_) http_->pause();
}

void ServerHttp::stop() {
  if (http_) http_->stop();
}

std::string ServerHttp::render_metrics() const {
  shared_.process.ready.set(readiness().ready ? 1 : 0);
  return exporter_.render();
}

admin::Readiness ServerHttp::readiness() const {
  if (shared_.draining) return {false, "draining"};
  const std::lock_guard lock(shared_.mutex);
  for (const auto& pool : shared_.pools) {
    if (pool->broker.info() != nullptr || pool->is_removed || pool->came_later) continue;
    const std::string error = pool->broker.last_dial_error();
    return {false, "pool " + pool->config.name + " has not reached TiDB yet" +
                       (error.empty() ? "" : ": " + error)};
  }
  return {true, "ready"};
}

admin::Status ServerHttp::status() const {
  admin::Status status;
  status.version = kVersion;
  status.uptime = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - started_);
  status.readiness = readiness();
  const std::lock_guard lock(shared_.mutex);
  status.workers = shared_.config.workers;
  status.clients = shared_.process.clients.value();
  status.max_clients = shared_.config.max_clients;
  for (const metrics::PoolSummary& summary : exporter_.summaries()) {
    const PoolState* pool = shared_.find_pool(summary.pool);
    if (pool == nullptr) continue;
    const config::Endpoint& endpoint = pool->config.endpoints.front();
    status.pools.push_back({summary, endpoint.host + ":" + std::to_string(endpoint.port),
                            pool->broker.last_dial_error()});
  }
  return status;
}

}  // namespace tidepool::proxy

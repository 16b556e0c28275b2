// What the server tells over HTTP: metrics, readiness and the status page. Owned by the server; on
// the main thread, but for the handlers, which only read what locks itself or is atomic.
#pragma once

#include <memory>
#include <string>

#include "shared_state.h"
#include "tidepool/admin/http_server.h"
#include "tidepool/admin/status.h"
#include "tidepool/base/clock.h"
#include "tidepool/config/config.h"
#include "tidepool/metrics/exporter.h"
#include "tidepool/net/fd.h"

namespace tidepool::proxy {

class ServerHttp {
 public:
  explicit ServerHttp(SharedState& shared);

  void add_pool(const PoolState& pool);
  void remove_pool(const std::string& pool) { exporter_.remove_pool(pool); }
  // At the start and after a reload. `pools`: those of the configuration as it was written.
  void show_certificates(const std::vector<config::Pool>& pools);

  // Binds, unless a socket was inherited or HTTP is off.
  Result<void> start(net::UniqueFd inherited);
  // By the configuration that is in force: a name to listen on is a name to be called by.
  void set_hosts();
  void serve();
  void pause();
  void stop();
  // The listening socket; -1: HTTP is off.
  int fd() const { return http_ ? http_->fd() : -1; }

 private:
  std::string render_metrics() const;
  admin::Readiness readiness() const;
  admin::Status status() const;

  SharedState& shared_;
  metrics::Exporter exporter_;
  const TimePoint started_ = Clock::now();
  std::unique_ptr<admin::HttpServer> http_;
};

}  // namespace tidepool::proxy

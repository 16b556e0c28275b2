// What operators ask: /metrics, /healthz, /readyz, / (the status page) and /status.json.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tidepool/admin/http_route.h"
#include "tidepool/admin/status.h"

namespace tidepool::admin {

// Called from the server's threads, several at a time.
struct HttpSources {
  std::function<std::string()> metrics;  // Exporter::render()
  std::function<Readiness()> readiness;
  std::function<Status()> status;
};

std::vector<HttpRoute> status_routes(const HttpSources& sources);

}  // namespace tidepool::admin

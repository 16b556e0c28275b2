#include "tidepool/admin/status_routes.h"

#include <utility>

namespace tidepool::admin {

std::vector<HttpRoute> status_routes(const HttpSources& sources) {
  std::vector<HttpRoute> routes;
  const auto add = [&routes](std::string path, HttpHandler handler, HttpRank rank) {
    routes.push_back({.path = std::move(path), .handler = std::move(handler), .rank = rank});
  };
  add(
      "/",
      [status = sources.status](const HttpRequest&) {
        return HttpAnswer{.type = "text/html; charset=utf-8", .body = to_html(status())};
      },
      HttpRank::kWork);
  add(
      "/status.json",
      [status = sources.status](const HttpRequest&) {
        return HttpAnswer{.type = "application/json", .body = to_json(status())};
      },
      HttpRank::kWork);
  add(
      "/metrics",
      [metrics = sources.metrics](const HttpRequest&) {
        return HttpAnswer{.type = "text/plain; version=0.0.4; charset=utf-8", .body = metrics()};
      },
      HttpRank::kWork);
  add(
      "/healthz", [](const HttpRequest&) { return HttpAnswer{.body = "ok\n"}; }, HttpRank::kLoop);
  add(
      "/readyz",
      [readiness = sources.readiness](const HttpRequest&) {
        const Readiness now = readiness();
        return HttpAnswer{.status = now.ready ? 200 : 503,
                          .type = "text/plain; charset=utf-8",
                          .body = (now.ready ? "ready" : now.reason) + "\n"};
      },
      HttpRank::kProbe);
  return routes;
}

}  // namespace tidepool::admin

// What the status page shows: a snapshot that the proxy fills in, and its two forms.
//
// No secret belongs in here: the page has no login. Texts may come from TiDB or from a user;
// to_html() escapes them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "tidepool/metrics/exporter.h"

namespace tidepool::admin {

// Whether new clients should be sent here, and if not, why: one sentence for a human.
struct Readiness {
  bool ready = false;
  std::string reason;
};

struct PoolStatus {
  metrics::PoolSummary figures;  // of Exporter::summaries()
  std::string address;           // of TiDB: host:port
  std::string last_dial_error;   // its text; empty: none so far
};

struct Status {
  std::string version;
  std::chrono::seconds uptime{0};
  Readiness readiness{};
  std::int64_t workers = 0;
  std::int64_t clients = 0;
  std::int64_t max_clients = 0;
  std::vector<PoolStatus> pools{};
};

std::string to_json(const Status& status);

// A complete page without any external resource, which reloads itself.
std::string to_html(const Status& status);

}  // namespace tidepool::admin

// Writes everything that Tidepool counts in Prometheus' text format; the one place that names the
// metrics.
//
// Owned by the proxy. It reads counters that others own and write (pool_stats.h, session_stats.h,
// process_stats.h) and asks the kernel about the process. Any thread may call any function;
// render() takes about a millisecond and is meant for the HTTP thread. docs/metrics.md lists the
// names, which are stable.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tidepool/metrics/process_stats.h"
#include "tidepool/pool/pool_stats.h"
#include "tidepool/session/session_stats.h"

namespace tidepool::metrics {

// One pool and all that belongs to it. The statistics must live until remove_pool() has returned,
// or the exporter is gone.
struct PoolSource {
  std::string pool;  // the label: the name of the pool in the configuration
  const pool::PoolStats* stats = nullptr;
  std::vector<const session::SessionStats*> sessions;  // added up; one a worker, or a single one
};

// The figures of one pool at this moment, for the status page and the error texts of the pool.
struct PoolSummary {
  std::string pool;
  std::int64_t cap = 0;
  std::int64_t size = 0;
  std::int64_t waiters = 0;
  std::vector<std::pair<std::string, std::int64_t>> backends;  // by state, all states
  std::vector<std::pair<std::string, std::int64_t>> sessions;  // by state, all states
  std::vector<std::pair<std::string, std::int64_t>> pinned;    // by reason, only those above zero
  std::int64_t last_dial_error_time = 0;                       // Unix seconds; 0: none
};

// A file of certificates that the configuration names.
struct CertificateFile {
  std::string key;            // of the configuration, such as "tls.ca"
  std::string listener = {};  // whose it is: its address, or the path of its socket
  std::string pool = {};      // or the pool's name
  std::int64_t expires = 0;   // Unix seconds
};

class Exporter {
 public:
  struct Sources {
    std::string version;
    const ProcessStats* process = nullptr;            // must outlive the exporter
    const session::LoginStats* logins = nullptr;      // must outlive the exporter
    const session::ProofStats* proofs = nullptr;      // the same
    const session::CommandStats* commands = nullptr;  // the same
  };

  explicit Exporter(Sources sources);
  ~Exporter();
  Exporter(const Exporter&) = delete;
  Exporter& operator=(const Exporter&) = delete;

  // Names must differ.
  void add_pool(PoolSource source);
  void remove_pool(const std::string& pool);

  // In the place of those before.
  void set_certificates(std::vector<CertificateFile> certificates);

  // Content type "text/plain; version=0.0.4".
  std::string render() const;

  // In the order in which the pools were added.
  std::vector<PoolSummary> summaries() const;

 private:
  class Collector;
  std::unique_ptr<Collector> collector_;
};

}  // namespace tidepool::metrics

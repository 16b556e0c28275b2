#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sys/resource.h>
#include <unistd.h>

#include "families.h"
#include "tidepool/base/process_memory.h"

namespace tidepool::metrics {
namespace {

double open_fds() {
  std::error_code failed;
  const std::filesystem::directory_iterator entries("/proc/self/fd", failed);
  if (failed) return 0;
  // One of them is the directory itself, open for this loop.
  return static_cast<double>(std::distance(begin(entries), end(entries))) - 1;
}

double max_fds() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  return static_cast<double>(limit.rlim_cur);
}

double cpu_seconds() {
  timespec used{};
  if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) != 0) return 0;
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

double value_of(const Gauge& gauge) {
  return static_cast<double>(gauge.value());
}

}  // namespace

void add_certificate_families(Page& page, const std::vector<CertificateFile>& certificates) {
  Family expiry =
      page.gauge("tidepool_certificate_expiry_timestamp_seconds",
                 "Unix time at which the first certificate of a listener's chain, or the last one "
                 "of a file of authorities, expires.");
  for (const CertificateFile& one : certificates) {
    const bool is_listeners = one.pool.empty();
    expiry.value({{is_listeners ? "listener" : "pool", is_listeners ? one.listener : one.pool},
                  {"key", one.key}},
                 static_cast<double>(one.expires));
  }
}

void add_process_families(Page& page, const ProcessStats& stats, const ProcessFacts& facts) {
  page.gauge("tidepool_build_info", "Always 1; the label says which Tidepool this is.")
      .value({{"version", facts.version}}, 1);
  page.gauge("tidepool_ready", "1 while /readyz answers 200, else 0.")
      .value({}, value_of(stats.ready));
  page.gauge("tidepool_workers", "Event loops.").value({}, value_of(stats.workers));
  page.gauge("tidepool_clients", "Client connections open, those in their login included.")
      .value({}, value_of(stats.clients));
  page.gauge("tidepool_clients_max", "Client connections allowed.")
      .value({}, value_of(stats.max_clients));
  page.gauge("tidepool_accepting", "1 while new clients are let in, 0 while they wait for memory.")
      .value({}, value_of(stats.accepting));
  page.counter("tidepool_accept_pauses_total", "Times that new clients had to wait for memory.")
      .value({}, static_cast<double>(stats.accept_pauses.value()));
  page.counter("tidepool_memory_trims_total",
               "Times that the heap was gone through for pages to give back to the kernel.")
      .value({}, static_cast<double>(stats.memory_trims.value()));
  Family reloads = page.counter("tidepool_config_reloads_total",
                                "Times that the configuration was read again, by result.");
  reloads.value({{"result", "ok"}}, static_cast<double>(stats.reloads.value()));
  reloads.value({{"result", "failed"}}, static_cast<double>(stats.failed_reloads.value()));
  page.gauge("tidepool_config_last_reload_successful",
             "0 if the configuration was wrong when it was last read, else 1.")
      .value({}, value_of(stats.last_reload_ok));
  page.gauge("tidepool_config_last_reload_timestamp_seconds",
             "Unix time at which the configuration was last read again; 0: never.")
      .value({}, value_of(stats.last_reload_time));
  Family takeovers = page.counter(
      "tidepool_takeovers_total",
      "ok: 1 if this process took over from another one; failed: times that another one was to "
      "take over from this one and could not.");
  takeovers.value({{"result", "ok"}}, static_cast<double>(stats.takeovers.value()));
  takeovers.value({{"result", "failed"}}, static_cast<double>(stats.failed_takeovers.value()));
  page.gauge("tidepool_start_time_seconds", "Unix time at which the process started.")
      .value({}, facts.start_time_seconds);
  page.gauge("tidepool_uptime_seconds", "Time since the process started.")
      .value({}, facts.uptime_seconds);
  page.counter("tidepool_process_cpu_seconds_total", "CPU time used, user and system.")
      .value({}, cpu_seconds());
  page.gauge("tidepool_process_resident_memory_bytes", "Resident memory.")
      .value({}, static_cast<double>(resident_memory()));
  page.gauge("tidepool_process_open_fds", "File descriptors open.").value({}, open_fds());
  page.gauge("tidepool_process_max_fds", "File descriptors allowed.").value({}, max_fds());
}

}  // namespace tidepool::metrics

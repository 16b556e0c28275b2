#include "families.h"

namespace tidepool::metrics {
namespace {

// clang-format off
constexpr auto kCertificateFamilies = std::to_array<FamilyRow<CertificateFile>>({
  gauge<&CertificateFile::expires>({"tidepool_certificate_expiry_timestamp_seconds",
    "Unix time at which the first certificate of a listener's chain, or the last one of a file of authorities, expires",
    "As last loaded. `tls.certificate`: the chain that a listener shows; `tls.client_ca` of a listener, `tls.ca` of a pool "
    "that verifies TiDB: the authorities, of which the last to expire leaves the file good for nothing. The system's own "
    "authorities are not shown, nor `tls.server_public_key`, which is compared and not judged by its date"}),
});

constexpr auto kBuildFamilies = std::to_array<FamilyRow<ProcessInfo>>({
  gauge<&ProcessInfo::version>({"tidepool_build_info",
    "Always 1; the label says which Tidepool this is"}, "version"),
});

constexpr auto kProcessFamilies = std::to_array<FamilyRow<ProcessStats>>({
  gauge<&ProcessStats::ready>({"tidepool_ready",
    "1 while /readyz answers 200, else 0"}),
  gauge<&ProcessStats::workers>({"tidepool_workers",
    "Event loops"}),
  gauge<&ProcessStats::clients>({"tidepool_clients",
    "Client connections open, those in their login included"}),
  gauge<&ProcessStats::max_clients>({"tidepool_clients_max",
    "Clients that may be logged in",
    "See `max_clients`"}),
  gauge<&ProcessStats::accepting>({"tidepool_accepting",
    "1 while new clients are let in, 0 while they wait for memory",
    "See `memory_limit`"}),
  counter<&ProcessStats::accept_pauses>({"tidepool_accept_pauses_total",
    "Times that new clients had to wait for memory"}),
  counter<&ProcessStats::memory_trims>({"tidepool_memory_trims_total",
    "Times that the heap was gone through for pages to give back to the kernel"}),
  counters<&ProcessStats::reloads, &ProcessStats::failed_reloads>({"tidepool_config_reloads_total",
    "Times that the configuration was read again, by result",
    "`ok`, or `failed` and nothing changed"}, "result", {"ok", "failed"}),
  gauge<&ProcessStats::last_reload_ok>({"tidepool_config_last_reload_successful",
    "0 if the configuration was wrong when it was last read, else 1"}),
  gauge<&ProcessStats::last_reload_time>({"tidepool_config_last_reload_timestamp_seconds",
    "Unix time at which the configuration was last read again; 0: never"}),
  counters<&ProcessStats::takeovers, &ProcessStats::failed_takeovers>({"tidepool_takeovers_total",
    "ok: 1 if this process took over from another one; failed: times that another one was to take over from this one and "
    "could not",
    "See [deployment.md](deployment.md#upgrades)"}, "result", {"ok", "failed"}),
});

constexpr auto kKernelFamilies = std::to_array<FamilyRow<ProcessInfo>>({
  gauge<&ProcessInfo::start_time_seconds>({"tidepool_start_time_seconds",
    "Unix time at which the process started"}),
  gauge<&ProcessInfo::uptime_seconds>({"tidepool_uptime_seconds",
    "Time since the process started"}),
  counter<&ProcessInfo::cpu_seconds>({"tidepool_process_cpu_seconds_total",
    "CPU time used, user and system"}),
  gauge<&ProcessInfo::resident_bytes>({"tidepool_process_resident_memory_bytes",
    "Resident memory"}),
  gauge<&ProcessInfo::open_fds>({"tidepool_process_open_fds",
    "File descriptors open"}),
  gauge<&ProcessInfo::max_fds>({"tidepool_process_max_fds",
    "File descriptors allowed"}),
});
// clang-format on

}  // namespace

FamilyRows<CertificateFile> certificate_families() {
  return kCertificateFamilies;
}

FamilyRows<ProcessInfo> build_families() {
  return kBuildFamilies;
}

FamilyRows<ProcessStats> process_families() {
  return kProcessFamilies;
}

FamilyRows<ProcessInfo> kernel_families() {
  return kKernelFamilies;
}

}  // namespace tidepool::metrics

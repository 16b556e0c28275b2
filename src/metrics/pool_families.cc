#include "families.h"

namespace tidepool::metrics {
namespace {

using pool::EndpointStats;
using pool::PoolStats;

// clang-format off
constexpr auto kPoolFamilies = std::to_array<FamilyRow<PoolStats>>({
  gauge<&PoolStats::cap>({"tidepool_pool_cap",
    "Backends that the pool may hold at most: size + max_overflow"}),
  gauge<&PoolStats::size>({"tidepool_pool_size",
    "Backends that the pool keeps open while they are used"}),
  gauge<&PoolStats::backends>({"tidepool_backends",
    "Connections to TiDB by state; their sum never exceeds the cap"}, "state"),
  gauge<&PoolStats::waiters>({"tidepool_waiters",
    "Sessions queued for a lease"}),
  counter<&PoolStats::leases>({"tidepool_leases_total",
    "Leases granted"}),
  counter<&PoolStats::lease_timeouts>({"tidepool_lease_timeouts_total",
    "Waiters that got no lease before their deadline"}),
  counter<&PoolStats::waiters_refused>({"tidepool_waiters_refused_total",
    "Sessions that found the queue full",
    "See `max_waiters`"}),
  histogram<&PoolStats::lease_wait>({"tidepool_lease_wait_seconds",
    "Time from asking for a lease to getting it or giving up"}),
  counter<&PoolStats::dials>({"tidepool_dials_total",
    "Attempts to open a backend, finished, by result"}, "result"),
  histogram<&PoolStats::dial_duration>({"tidepool_dial_duration_seconds",
    "Time of a dial, failed ones too: name, TCP, TLS and login"}),
  gauge<&PoolStats::last_dial_error_time>({"tidepool_last_dial_error_timestamp_seconds",
    "Unix time of the last dial that failed; 0: none so far"}),
  gauge<&PoolStats::unavailable>({"tidepool_tidb_unavailable",
    "1 while no endpoint takes a dial, or TiDB refuses the account: one probe at a time; else 0", "",
    "tidepool_tidb_away"}),
});

constexpr auto kEndpointFamilies = std::to_array<FamilyRow<EndpointStats>>({
  gauge<&EndpointStats::backends>({"tidepool_endpoint_backends",
    "Connections open to the endpoint",
    "An endpoint is `host:port`"}),
  gauge<&EndpointStats::up>({"tidepool_endpoint_up",
    "1 if the last dial to the endpoint succeeded; 0 if it failed, or none was made"}),
  counter<&EndpointStats::dials>({"tidepool_endpoint_dials_total",
    "Attempts to open a backend at the endpoint, finished, by result"}, "result"),
});

constexpr auto kBackendFamilies = std::to_array<FamilyRow<PoolStats>>({
  counter<&PoolStats::retired>({"tidepool_backends_retired_total",
    "Backends taken out of the pool, by reason"}, "reason"),
  gauge<&PoolStats::prepared_bytes>({"tidepool_prepared_bytes",
    "Bytes of the prepared statements of sessions",
    "See `max_prepared_memory`"}),
  counter<&PoolStats::restores>({"tidepool_restores_total",
    "Leases whose backend had another state than the session"}),
  counter<&PoolStats::restore_statements>({"tidepool_restore_statements_total",
    "Statements and resets sent to restore a session's state"}),
  counter<&PoolStats::captures>({"tidepool_captures_total",
    "Times that session state was read back from a backend before another session got it"}),
});
// clang-format on

}  // namespace

FamilyRows<PoolStats> pool_families() {
  return kPoolFamilies;
}

FamilyRows<EndpointStats> endpoint_families() {
  return kEndpointFamilies;
}

FamilyRows<PoolStats> backend_families() {
  return kBackendFamilies;
}

}  // namespace tidepool::metrics

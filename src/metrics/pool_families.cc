#include "families.h"

namespace tidepool::metrics {

using pool::PoolStats;

namespace {

template <class Write>
void by_endpoint(const AllParts<PoolStats>& pools, Write write) {
  for (const auto& parts : pools)
    for (const PoolStats* stats : parts.stats)
      for (const auto& endpoint : stats->endpoints)
        write(parts.pool, *endpoint);
}

void add_endpoint_families(Page& page, const AllParts<PoolStats>& pools) {
  Family backends = page.gauge("tidepool_endpoint_backends", "Connections open to the endpoint.");
  by_endpoint(pools, [&](const std::string& pool, const pool::EndpointStats& one) {
    backends.value({{"pool", pool}, {"endpoint", one.endpoint}},
                   static_cast<double>(one.backends.value()));
  });
  Family up =
      page.gauge("tidepool_endpoint_up", "1 if the last dial to the endpoint succeeded, else 0.");
  by_endpoint(pools, [&](const std::string& pool, const pool::EndpointStats& one) {
    up.value({{"pool", pool}, {"endpoint", one.endpoint}}, static_cast<double>(one.up.value()));
  });
  Family dials = page.counter("tidepool_endpoint_dials_total",
                              "Attempts to open a backend at the endpoint, by result.");
  by_endpoint(pools, [&](const std::string& pool, const pool::EndpointStats& one) {
    for (std::size_t i = 0; i < pool::kDialResults; ++i) {
      const auto result = decltype(one.dials)::key(i);
      dials.value({{"pool", pool}, {"endpoint", one.endpoint}, {"result", to_string(result)}},
                  static_cast<double>(one.dials[result].value()));
    }
  });
}

}  // namespace

void add_pool_families(Page& page, const AllParts<PoolStats>& pools) {
  by_pool(page.gauge("tidepool_pool_cap",
                     "Backends that the pool may hold at most: size + max_overflow."),
          pools, &PoolStats::cap);
  by_pool(
      page.gauge("tidepool_pool_size", "Backends that the pool keeps open while they are used."),
      pools, &PoolStats::size);
  by_enum(page.gauge("tidepool_backends",
                     "Connections to TiDB by state; their sum never exceeds the cap."),
          pools, "state", &PoolStats::backends);
  by_pool(page.gauge("tidepool_waiters", "Sessions queued for a lease."), pools,
          &PoolStats::waiters);

  by_pool(page.counter("tidepool_leases_total", "Leases granted."), pools, &PoolStats::leases);
  by_pool(page.counter("tidepool_lease_timeouts_total",
                       "Waiters that got no lease before their deadline."),
          pools, &PoolStats::lease_timeouts);
  by_pool(page.counter("tidepool_waiters_refused_total", "Sessions that found the queue full."),
          pools, &PoolStats::waiters_refused);
  by_pool(page.histogram("tidepool_lease_wait_seconds",
                         "Time from asking for a lease to getting it or giving up."),
          pools, &PoolStats::lease_wait);

  by_enum(page.counter("tidepool_dials_total", "Attempts to open a backend, finished, by result."),
          pools, "result", &PoolStats::dials);
  by_pool(
      page.histogram("tidepool_dial_duration_seconds", "Time of a dial: name, TCP, TLS and login."),
      pools, &PoolStats::dial_duration);
  by_pool(page.gauge("tidepool_last_dial_error_timestamp_seconds",
                     "Unix time of the last dial that failed; 0: none."),
          pools, &PoolStats::last_dial_error_time);
  by_pool(page.gauge("tidepool_tidb_away",
                     "1 while no endpoint takes a dial: one probe at a time, else 0."),
          pools, &PoolStats::away);
  add_endpoint_families(page, pools);
  by_enum(
      page.counter("tidepool_backends_retired_total", "Backends taken out of the pool, by reason."),
      pools, "reason", &PoolStats::retired);

  by_pool(page.gauge("tidepool_prepared_bytes", "Bytes of the prepared statements of sessions."),
          pools, &PoolStats::prepared_bytes);
  by_pool(page.counter("tidepool_restores_total",
                       "Leases whose backend had another state than the session."),
          pools, &PoolStats::restores);
  by_pool(page.counter("tidepool_restore_statements_total",
                       "Statements and resets sent to restore a session's state."),
          pools, &PoolStats::restore_statements);
  by_pool(page.counter("tidepool_captures_total",
                       "Times that session state was read back from a backend."),
          pools, &PoolStats::captures);
}

}  // namespace tidepool::metrics

// How backends end: idle timeouts, pings.
#include <algorithm>

#include "lifetime.h"
#include "tidepool/base/check.h"
#include "tidepool/pool/broker.h"

namespace tidepool::pool {

void Broker::retire_by_time(TimePoint now, Orders& orders) {
  const BackendTable::List& idle = pool_.backends.in(State::kIdle);
  const BackendTable::List oldest_first(idle.rbegin(), idle.rend());
  unsigned remaining = pool_.backends.kept();
  for (const BackendId id : oldest_first) {
    BackendRecord& record = pool_.backends.at(id);
    const auto reason = reason_to_retire(record, pool_.limits, pool_.figures(), remaining, now);
    if (!reason) continue;
    pool_.retire(record, *reason, orders);
    --remaining;
  }
}

// One at a time: it cannot be lent meanwhile.
void Broker::ping_by_time(TimePoint now, Orders& orders) {
  if (pool_.backends.count(State::kPinging) > 0) return;
  const BackendTable::List& idle = pool_.backends.in(State::kIdle);
  const auto found = std::find_if(idle.rbegin(), idle.rend(), [&](BackendId id) {
    return is_ping_due(pool_.backends.at(id), pool_.limits, now);
  });
  if (found == idle.rend()) return;
  BackendRecord& record = pool_.backends.at(*found);
  pool_.backends.set_state(record, State::kPinging);
  orders.push_back({record.worker, PingOrder{record.id}});
}

void Broker::pinged(BackendId backend, TimePoint now, Orders& orders) {
  BackendRecord& record = pool_.backends.at(backend);
  TIDEPOOL_CHECK(record.state() == State::kPinging);
  record.heard_at = now;
  record.is_suspect = false;
  if (pool_.is_draining) return pool_.retire(record, RetireReason::kShutdown, orders);
  pool_.backends.set_state(record, State::kIdle);
  pool_.backends.sort_in(record);  // a ping is no use: it is as idle as before
  schedule(now, orders);
  ping_by_time(now, orders);
}

void Broker::set_elsewhere(unsigned backends, TimePoint now, Orders& orders) {
  pool_.limits.elsewhere = backends;
  while (pool_.backends.open() > pool_.limits.cap() && pool_.backends.count(State::kIdle) > 0) {
    pool_.retire(pool_.backends.at(pool_.backends.in(State::kIdle).back()), RetireReason::kOverflow,
                 orders);
  }
  if (pool_.backends.open() > pool_.limits.cap()) {
    for (const BackendId backend : pool_.backends.in(State::kParked))
      pool_.recall(pool_.backends.at(backend), orders);
  }
  schedule(now, orders);
}

void Broker::suspect_idle() {
  for (const BackendId id : pool_.backends.in(State::kIdle))
    pool_.backends.at(id).is_suspect = true;
}

std::optional<std::uint64_t> Broker::holder_of(std::uint64_t connection) const {
  const BackendRecord* record = pool_.backends.find_connection(connection);
  if (record == nullptr) return std::nullopt;
  const bool is_held = record->is_held();
  return is_held ? record->holder : 0;
}

void Broker::end_idle(std::uint64_t connection, TimePoint now, Orders& orders) {
  BackendRecord* found = pool_.backends.find_connection(connection);
  if (found == nullptr) return;
  BackendRecord& record = *found;
  record.expires = std::min(record.expires, now);  // one that is being pinged goes after that
  if (record.state() != State::kIdle) return;
  pool_.retire(record, RetireReason::kKilled, orders);
  schedule(now, orders);
}

}  // namespace tidepool::pool

// Parked backends: their holders' sessions left something there that only they can read back.
#include <algorithm>

#include "tidepool/base/check.h"
#include "tidepool/pool/broker.h"

namespace tidepool::pool {

bool Broker::park(BackendId backend, TimePoint now) {
  BackendRecord& record = pool_.backends.at(backend);
  TIDEPOOL_CHECK(record.state() == State::kLeased);
  const bool is_busy = last_wait_ != TimePoint{} && now - last_wait_ < pool_.limits.parking.busy;
  const bool is_last =
      pool_.backends.count(State::kIdle) == 0 && pool_.total() >= pool_.limits.own_size();
  const bool is_needed = !pool_.queue.is_empty() || (is_busy && is_last);
  if (pool_.is_draining || now >= record.expires || is_needed) return false;
  pool_.backends.set_state(record, State::kParked);
  record.idle_since = now;
  return true;
}

void Broker::unpark(BackendId backend, TimePoint now, Orders& orders) {
  BackendRecord& record = pool_.backends.at(backend);
  TIDEPOOL_CHECK(record.state() == State::kParked);
  pool_.backends.set_state(record, State::kLeased);
  schedule(now, orders);  // who was to get it needs another one
}

// The one of this variant that was parked first. False: none is left.
bool Broker::recall_for(std::uint64_t variant, Orders& orders) {
  const BackendTable::List& parked = pool_.backends.in(State::kParked);
  const auto found = std::find_if(parked.begin(), parked.end(), [&](BackendId id) {
    const BackendRecord& record = pool_.backends.at(id);
    return record.variant == variant && !record.is_recalled;
  });
  if (found == parked.end()) return false;
  pool_.recall(pool_.backends.at(*found), orders);
  return true;
}

// Parked ones are leases too, of those who may have no more of them.
void Broker::recall_of(const Want& want, Orders& orders) {
  for (const BackendId id : pool_.backends.in(State::kParked)) {
    BackendRecord& record = pool_.backends.at(id);
    const bool is_users = want.max_leases > 0 && record.user == want.user;
    const bool is_databases = want.database != 0 && record.database == want.database;
    if (is_users || is_databases) pool_.recall(record, orders);
  }
}

void Broker::recall_by_time(TimePoint now, Orders& orders) {
  for (const BackendId id : pool_.backends.in(State::kParked)) {
    BackendRecord& record = pool_.backends.at(id);
    const bool is_due = now - record.idle_since >= pool_.limits.parking.limit;
    if (now >= record.expires || is_due) pool_.recall(record, orders);
  }
}

}  // namespace tidepool::pool

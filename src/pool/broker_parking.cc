// Parked backends: their holders' sessions left something there that only they can read back.
#include <algorithm>

#include "tidepool/base/check.h"
#include "tidepool/pool/broker.h"

namespace tidepool::pool {

bool Broker::park(BackendId backend, TimePoint now) {
  BackendRecord& record = backends_.at(backend);
  TIDEPOOL_CHECK(record.state() == State::kLeased);
  const bool is_busy = last_wait_ != TimePoint{} && now - last_wait_ < limits_.parking.busy;
  const bool is_last = backends_.count(State::kIdle) == 0 && counts().total() >= limits_.own_size();
  const bool is_needed = !queue_.is_empty() || (is_busy && is_last);
  if (draining_ || now >= record.expires || is_needed) return false;
  backends_.set_state(record, State::kParked);
  record.idle_since = now;
  return true;
}

void Broker::unpark(BackendId backend, TimePoint now, Orders& orders) {
  BackendRecord& record = backends_.at(backend);
  TIDEPOOL_CHECK(record.state() == State::kParked);
  backends_.set_state(record, State::kLeased);
  schedule(now, orders);  // who was to get it needs another one
}

void Broker::recall(BackendRecord& record, Orders& orders) {
  if (record.is_recalled) return;
  record.is_recalled = true;
  orders.push_back({record.worker, RecallOrder{record.id}});
}

// The one of this variant that was parked first. False: none is left.
bool Broker::recall_for(std::uint64_t variant, Orders& orders) {
  const BackendTable::List& parked = backends_.in(State::kParked);
  const auto found = std::find_if(parked.begin(), parked.end(), [&](BackendId id) {
    const BackendRecord& record = backends_.at(id);
    return record.variant == variant && !record.is_recalled;
  });
  if (found == parked.end()) return false;
  recall(backends_.at(*found), orders);
  return true;
}

// Parked ones are leases too, of those who may have no more of them.
void Broker::recall_of(const Want& want, Orders& orders) {
  for (const BackendId id : backends_.in(State::kParked)) {
    BackendRecord& record = backends_.at(id);
    const bool is_users = want.max_leases > 0 && record.user == want.user;
    const bool is_databases = want.database != 0 && record.database == want.database;
    if (is_users || is_databases) recall(record, orders);
  }
}

void Broker::recall_by_time(TimePoint now, Orders& orders) {
  for (const BackendId id : backends_.in(State::kParked)) {
    BackendRecord& record = backends_.at(id);
    const bool is_due = now - record.idle_since >= limits_.parking.limit;
    if (now >= record.expires || is_due) recall(record, orders);
  }
}

}  // namespace tidepool::pool

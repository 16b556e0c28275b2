#include "parking.h"

#include "lifetime.h"

namespace tidepool::pool {
namespace {

using State = BackendRecord::State;

template <class Suits>
bool recall_first(BrokerState& pool, Suits suits, Orders& orders) {
  for (BackendRecord* record : pool.backends.in(State::kParked)) {
    if (record->is_recalled || !suits(*record)) continue;
    pool.recall(*record, orders);
    return true;
  }
  return false;
}

template <class Suits>
void recall_if(BrokerState& pool, Suits suits, Orders& orders) {
  for (BackendRecord* record : pool.backends.in(State::kParked))
    if (suits(*record)) pool.recall(*record, orders);
}

}  // namespace

bool may_park(const BrokerState& pool, const BackendRecord& record, TimePoint last_wait,
              TimePoint now) {
  const bool is_busy = last_wait != TimePoint{} && now - last_wait < pool.limits.parking.busy;
  const bool is_last =
      pool.backends.count(State::kIdle) == 0 && pool.total() >= pool.limits.own_size();
  const bool is_needed = !pool.queue.is_empty() || (is_busy && is_last);
  return !pool.is_draining && !is_life_over(record, now) && !is_needed;
}

bool can_recall(const BrokerState& pool) {
  for (const BackendRecord* record : pool.backends.in(State::kParked))
    if (!record->is_recalled) return true;
  return false;
}

bool recall_oldest_of(BrokerState& pool, std::uint64_t profile, Orders& orders) {
  return recall_first(
      pool, [&](const BackendRecord& record) { return record.profile == profile; }, orders);
}

bool recall_oldest_but(BrokerState& pool, std::uint64_t profile, Orders& orders) {
  return recall_first(
      pool, [&](const BackendRecord& record) { return record.profile != profile; }, orders);
}

void recall_leases_of(BrokerState& pool, const LeaseRequest& request, Orders& orders) {
  const auto is_theirs = [&](const BackendRecord& record) {
    const bool is_users = request.max_leases > 0 && record.user == request.user;
    const bool is_databases = request.database != 0 && record.database == request.database;
    return is_users || is_databases;
  };
  recall_if(pool, is_theirs, orders);
}

void recall_due(BrokerState& pool, TimePoint now, Orders& orders) {
  const auto is_due = [&](const BackendRecord& record) {
    return is_life_over(record, now) || now - record.idle_since >= pool.limits.parking.limit;
  };
  recall_if(pool, is_due, orders);
}

void recall_all(BrokerState& pool, Orders& orders) {
  recall_if(
      pool, [](const BackendRecord&) { return true; }, orders);
}

}  // namespace tidepool::pool

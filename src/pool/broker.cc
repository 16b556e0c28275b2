#include "tidepool/pool/broker.h"

#include <algorithm>
#include <utility>

#include "tidepool/base/check.h"

namespace tidepool::pool {
Broker::Broker(const Limits& limits, std::uint64_t seed)
    : pool_(limits, seed), planner_(pool_), random_(seed) {
  pool_.queue.set_by_database(pool_.limits.max_leases_per_database > 0);
}

std::optional<BackendId> Broker::try_acquire(WorkerIndex worker, const Want& want) {
  if (!pool_.queue.is_empty()) {
    const Waiter* before =
        next_waiter([&](const Waiter& one) { return one.want.variant == want.variant; });
    if (before != nullptr) return std::nullopt;
  }
  const std::optional<BackendId> found = pool_.backends.pick_idle(worker, want, Reach::kOwnWorker);
  if (!found || !pool_.allows(want)) return std::nullopt;
  planner_.note_wanted(worker, want.variant);
  pool_.lease(pool_.backends.at(*found), want);
  return found;
}

WaiterId Broker::enqueue(WorkerIndex worker, const Want& want, TimePoint deadline, TimePoint now,
                         Orders& orders) {
  const WaiterId id = ++last_waiter_;
  last_wait_ = now;
  planner_.note_wanted(worker, want.variant);
  const auto is_served = [&] {
    return pool_.allows(want) &&
           pool_.backends.pick_idle(worker, want, Reach::kAllWorkers).has_value();
  };
  if (is_full() && !want.is_urgent && !is_served()) {
    orders.push_back({worker, FailOrder{id, full_error()}});
    return id;
  }
  pool_.queue.add({id, worker, want, now, deadline},
                  want.is_urgent ? WaitQueue::End::kFront : WaitQueue::End::kBack);
  schedule(now, orders);
  return id;
}

void Broker::requeue(WaiterId waiter, WorkerIndex worker, const Want& want, TimePoint deadline,
                     TimePoint now, Orders& orders) {
  pool_.queue.add({waiter, worker, want, now, deadline}, WaitQueue::End::kFront);
  schedule(now, orders);
}

void Broker::cancel(WaiterId waiter, TimePoint now, Orders& orders) {
  pool_.queue.erase(waiter);
  schedule(now, orders);
}

void Broker::release(BackendId backend, std::uint64_t state, TimePoint now, Orders& orders) {
  BackendRecord& record = pool_.backends.at(backend);
  TIDEPOOL_CHECK(record.is_held());
  record.state_hash = state;
  if (const std::optional<RetireReason> reason = end_at_release(record, now)) {
    pool_.retire(record, *reason, orders);
  } else {
    pool_.make_idle(record, now);
  }
  schedule(now, orders);
}

std::optional<RetireReason> Broker::end_at_release(const BackendRecord& record, TimePoint now) {
  if (pool_.is_draining) return RetireReason::kShutdown;
  if (planner_.ends_at_release(record, now)) return RetireReason::kRecycle;
  if (pool_.backends.open() > pool_.limits.cap())
    return RetireReason::kOverflow;  // it has become smaller
  return std::nullopt;
}

void Broker::retire(BackendId backend, TimePoint now, Orders& orders) {
  BackendRecord* record = pool_.backends.find(backend);
  if (record == nullptr || record->state() == State::kClosing) return;
  Orders none;  // its worker knows
  pool_.retire(*record, RetireReason::kLost, none);
  schedule(now, orders);
}

void Broker::closed(BackendId backend, TimePoint now, Orders& orders) {
  const BackendRecord* record = pool_.backends.find(backend);
  if (record == nullptr) return;
  TIDEPOOL_CHECK(record->state() == State::kClosing);
  pool_.backends.erase(backend);
  planner_.dial_deferred_probe(now, orders);  // waiters would go where the others are
  schedule(now, orders);
  planner_.dial_deferred(now, orders);
}

void Broker::tick(TimePoint now, Orders& orders) {
  expire_waiters(now, orders);
  retire_by_time(now, orders);
  recall_by_time(now, orders);
  if (pool_.is_draining) return;
  schedule(now, orders);
  planner_.tick(now, orders);
  ping_by_time(now, orders);
}

void Broker::drain(Orders& orders) {
  pool_.is_draining = true;
  const BackendTable::List idle = pool_.backends.in(State::kIdle);
  for (const BackendId backend : idle)
    pool_.retire(pool_.backends.at(backend), RetireReason::kShutdown, orders);
  for (const BackendId backend : pool_.backends.in(State::kParked))
    pool_.recall(pool_.backends.at(backend), orders);
}

void Broker::resume(TimePoint now, Orders& orders) {
  pool_.is_draining = false;
  schedule(now, orders);
}

void Broker::set_limits(const Limits& limits, TimePoint now, Orders& orders) {
  const Parking parking = pool_.limits.parking;
  const unsigned endpoints = pool_.limits.endpoints;
  const unsigned elsewhere = pool_.limits.elsewhere;
  pool_.limits = limits;
  pool_.limits.parking = parking;
  pool_.limits.endpoints = endpoints;
  pool_.limits.elsewhere = elsewhere;
  pool_.queue.set_by_database(pool_.limits.max_leases_per_database > 0);
  schedule(now, orders);
}

void Broker::renew_all(TimePoint now, Orders& orders) {
  for (auto& [id, record] : pool_.backends)
    record.expires = std::min(record.expires, now);
  pool_.dials.outdate();
  pool_.dials.forget_refusals();
  schedule(now, orders);
}

void Broker::forget_refusals(TimePoint now, Orders& orders) {
  pool_.dials.forget_refusals();
  schedule(now, orders);
}

}  // namespace tidepool::pool

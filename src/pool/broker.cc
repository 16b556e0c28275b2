#include "tidepool/pool/broker.h"

#include <algorithm>

#include "lifetime.h"
#include "parking.h"
#include "tidepool/base/check.h"
#include "waiters.h"

namespace tidepool::pool {

Broker::Broker(const Limits& limits, std::uint64_t seed)
    : pool_(limits, seed), scheduler_(pool_), planner_(pool_), random_(seed) {
  pool_.queue.set_by_database(pool_.limits.max_leases_per_database > 0);
}

std::optional<BackendId> Broker::try_acquire(WorkerIndex worker, const LeaseRequest& request) {
  if (!pool_.queue.is_empty() && scheduler_.has_waiter(request.profile)) return std::nullopt;
  BackendRecord* found = pool_.backends.pick_idle(worker, request, Reach::kOwnWorker);
  if (found == nullptr || !pool_.allows(request)) return std::nullopt;
  planner_.note_wanted(worker, request.profile);
  pool_.lease(*found, request);
  return found->id;
}

WaiterId Broker::enqueue(WorkerIndex worker, const LeaseRequest& request, TimePoint deadline,
                         TimePoint now, Orders& orders) {
  const WaiterId id = ++last_waiter_;
  last_wait_ = now;
  planner_.note_wanted(worker, request.profile);
  const auto is_served = [&] {
    return pool_.allows(request) &&
           pool_.backends.pick_idle(worker, request, Reach::kAllWorkers) != nullptr;
  };
  if (is_queue_full(pool_) && !request.is_urgent && !is_served()) {
    orders.push_back({worker, FailOrder{id, full_queue_error(pool_)}});
    return id;
  }
  pool_.queue.add({id, worker, request, now, deadline},
                  request.is_urgent ? WaitQueue::End::kFront : WaitQueue::End::kBack);
  schedule(now, orders);
  return id;
}

void Broker::requeue(WaiterId waiter, WorkerIndex worker, const LeaseRequest& request,
                     TimePoint deadline, TimePoint now, Orders& orders) {
  pool_.queue.add({waiter, worker, request, now, deadline}, WaitQueue::End::kFront);
  schedule(now, orders);
}

void Broker::cancel(WaiterId waiter, TimePoint now, Orders& orders) {
  pool_.queue.erase(waiter);
  schedule(now, orders);
}

bool Broker::try_park(BackendId backend, TimePoint now) {
  BackendRecord& record = pool_.backends.at(backend);
  TIDEPOOL_CHECK(record.state() == State::kLeased);
  if (!may_park(pool_, record, last_wait_, now)) return false;
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

void Broker::retire(BackendId backend, RetireReason reason, TimePoint now, Orders& orders) {
  BackendRecord* record = pool_.backends.find(backend);
  if (record != nullptr && !record->is_closing()) {
    Orders none;  // its worker knows
    pool_.retire(*record, reason, none);
    schedule(now, orders);
  }
  // Whatever ended this one may have ended the idle ones too, without their having heard of it.
  if (reason == RetireReason::kLost || reason == RetireReason::kError) suspect_idle();
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

BackendId Broker::dialled(DialId dial, std::uint64_t connection, TimePoint now, Orders& orders) {
  const Dial made = pool_.dials.succeed(dial);
  const TimePoint expires = made.is_outdated ? now : new_end_of_life(now);
  BackendRecord& record = pool_.backends.add();
  const BackendId id = record.id;
  record.worker = made.worker;
  record.tidb_connection = connection;
  record.profile = made.profile;
  record.expires = expires;
  record.endpoint = made.endpoint;
  record.idle_since = now;
  planner_.succeeded(made, record, now, orders);
  if (pool_.is_draining) {
    pool_.retire(record, RetireReason::kShutdown, orders);
  } else {
    schedule(now, orders);
  }
  return id;
}

// Each life is shortened by chance, so that those that begin together do not end together.
TimePoint Broker::new_end_of_life(TimePoint now) {
  if (pool_.limits.recycle.count() <= 0) return TimePoint::max();
  std::uniform_real_distribution<double> shorter(0.0, pool_.limits.recycle_jitter);
  return end_of_life(pool_.limits, pool_.backends.ends_of_life(), shorter(random_), now);
}

void Broker::dial_failed(DialId dial, const Error& error, TimePoint now, Orders& orders) {
  planner_.failed(pool_.dials.fail(dial, error, now));
  schedule(now, orders);
}

void Broker::pinged(BackendId backend, TimePoint now, Orders& orders) {
  BackendRecord& record = pool_.backends.at(backend);
  TIDEPOOL_CHECK(record.state() == State::kPinging);
  record.heard_at = now;
  record.is_suspect = false;
  if (pool_.is_draining) return pool_.retire(record, RetireReason::kShutdown, orders);
  if (record.replacement() == BackendRecord::Replacement::kReady) {
    pool_.retire(record, RetireReason::kRecycle, orders);
  } else {
    pool_.backends.set_state(record, State::kIdle);
    pool_.backends.sort_in(record);  // a ping is no use: it is as idle as before
  }
  schedule(now, orders);
  ping_by_time(now, orders);
}

void Broker::suspect_idle() {
  for (BackendRecord* record : pool_.backends.in(State::kIdle))
    record->is_suspect = true;
}

std::optional<std::uint64_t> Broker::holder_of(std::uint64_t connection) const {
  const BackendRecord* record = pool_.backends.find_connection(connection);
  if (record == nullptr) return std::nullopt;
  return record->is_held() ? record->holder : 0;
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

void Broker::tick(TimePoint now, Orders& orders) {
  fail_due_waiters(pool_, now, orders);
  retire_by_time(now, orders);
  recall_due(pool_, now, orders);
  if (pool_.is_draining) return;
  schedule(now, orders);
  planner_.tick(now, orders);
  ping_by_time(now, orders);
}

void Broker::retire_by_time(TimePoint now, Orders& orders) {
  const BackendTable::List& idle = pool_.backends.in(State::kIdle);
  const BackendTable::List oldest_first(idle.rbegin(), idle.rend());
  for (BackendRecord* record : oldest_first) {
    const auto reason = reason_to_retire(*record, pool_.limits, pool_.figures(), now);
    if (reason) pool_.retire(*record, *reason, orders);
  }
}

// One at a time: it cannot be lent meanwhile.
void Broker::ping_by_time(TimePoint now, Orders& orders) {
  if (pool_.backends.count(State::kPinging) > 0) return;
  const BackendTable::List& idle = pool_.backends.in(State::kIdle);
  const auto found = std::find_if(idle.rbegin(), idle.rend(), [&](const BackendRecord* record) {
    return is_ping_due(*record, pool_.limits, now);
  });
  if (found == idle.rend()) return;
  BackendRecord& record = **found;
  pool_.backends.set_state(record, State::kPinging);
  orders.push_back({record.worker, PingOrder{record.id}});
}

void Broker::warm_up(unsigned count, std::uint64_t profile, WorkerIndex worker, TimePoint now,
                     Orders& orders) {
  if (pool_.is_draining) return;
  planner_.warm_up(count, {.worker = worker, .profile = profile}, now, orders);
}

void Broker::drain(Orders& orders) {
  pool_.is_draining = true;
  const BackendTable::List idle = pool_.backends.in(State::kIdle);
  for (BackendRecord* record : idle)
    pool_.retire(*record, RetireReason::kShutdown, orders);
  recall_all(pool_, orders);
}

void Broker::resume(TimePoint now, Orders& orders) {
  pool_.is_draining = false;
  schedule(now, orders);
}

void Broker::set_limits(const Limits& limits, TimePoint now, Orders& orders) {
  const unsigned endpoints = pool_.limits.endpoints;
  const unsigned reserved_by_peer = pool_.limits.reserved_by_peer;
  pool_.limits = limits;
  pool_.limits.endpoints = endpoints;
  pool_.limits.reserved_by_peer = reserved_by_peer;
  pool_.queue.set_by_database(pool_.limits.max_leases_per_database > 0);
  schedule(now, orders);
}

void Broker::set_reserved_by_peer(unsigned backends, TimePoint now, Orders& orders) {
  pool_.limits.reserved_by_peer = backends;
  while (pool_.backends.open() > pool_.limits.cap() && pool_.backends.count(State::kIdle) > 0) {
    pool_.retire(*pool_.backends.in(State::kIdle).back(), RetireReason::kOverflow, orders);
  }
  if (pool_.backends.open() > pool_.limits.cap()) recall_all(pool_, orders);
  schedule(now, orders);
}

void Broker::replace_all(TimePoint now, Orders& orders) {
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

#include "tidepool/pool/broker.h"

#include <algorithm>
#include <utility>

#include "tidepool/base/check.h"

namespace tidepool::pool {
Broker::Broker(const Limits& limits, std::uint64_t seed)
    : limits_(limits), gate_(limits_, seed), random_(seed) {
  queue_.set_by_database(limits_.max_leases_per_database > 0);
}

std::optional<BackendId> Broker::try_acquire(WorkerIndex worker, const Want& want) {
  if (!queue_.is_empty()) {
    const Waiter* before =
        next_waiter([&](const Waiter& one) { return one.want.variant == want.variant; });
    if (before != nullptr) return std::nullopt;
  }
  const std::optional<BackendId> found = backends_.pick_idle(worker, want, Reach::kOwnWorker);
  if (!found || !allows(want)) return std::nullopt;
  last_wanted_ = {.worker = worker, .variant = want.variant};
  lease(backends_.at(*found), want);
  return found;
}

WaiterId Broker::enqueue(WorkerIndex worker, const Want& want, TimePoint deadline, TimePoint now,
                         Orders& orders) {
  const WaiterId id = next_waiter_++;
  last_wait_ = now;
  last_wanted_ = {.worker = worker, .variant = want.variant};
  const auto is_served = [&] {
    return allows(want) && backends_.pick_idle(worker, want, Reach::kAllWorkers).has_value();
  };
  if (is_full() && !want.is_urgent && !is_served()) {
    orders.push_back({worker, FailOrder{id, full_error()}});
    return id;
  }
  queue_.add({id, worker, want, now, deadline},
             want.is_urgent ? WaitQueue::End::kFront : WaitQueue::End::kBack);
  schedule(now, orders);
  return id;
}

void Broker::requeue(WaiterId waiter, WorkerIndex worker, const Want& want, TimePoint deadline,
                     TimePoint now, Orders& orders) {
  queue_.add({waiter, worker, want, now, deadline}, WaitQueue::End::kFront);
  schedule(now, orders);
}

void Broker::cancel(WaiterId waiter, TimePoint now, Orders& orders) {
  queue_.erase(waiter);
  schedule(now, orders);
}

void Broker::release(BackendId backend, std::uint64_t state, TimePoint now, Orders& orders) {
  BackendRecord& record = backends_.at(backend);
  TIDEPOOL_CHECK(record.is_held());
  record.state_hash = state;
  if (const std::optional<RetireReason> reason = end_at_release(record, now)) {
    begin_retire(record, *reason, orders);
  } else {
    make_idle(record, now);
  }
  schedule(now, orders);
}

std::optional<RetireReason> Broker::end_at_release(const BackendRecord& record, TimePoint now) {
  if (draining_) return RetireReason::kShutdown;
  if (retires_at_release(record, now)) return RetireReason::kRecycle;
  if (backends_.open() > limits_.cap()) return RetireReason::kOverflow;  // it has become smaller
  return std::nullopt;
}

void Broker::retire(BackendId backend, TimePoint now, Orders& orders) {
  BackendRecord* record = backends_.find(backend);
  if (record == nullptr || record->state() == State::kClosing) return;
  Orders none;  // its worker knows
  begin_retire(*record, RetireReason::kLost, none);
  schedule(now, orders);
}

void Broker::closed(BackendId backend, TimePoint now, Orders& orders) {
  const BackendRecord* record = backends_.find(backend);
  if (record == nullptr) return;
  TIDEPOOL_CHECK(record->state() == State::kClosing);
  backends_.erase(backend);
  // Those who wait would go where the others are.
  if (!owed_.empty() && owed_.back().is_probe) dial_owed(now, orders);
  schedule(now, orders);
  dial_owed(now, orders);
}

void Broker::tick(TimePoint now, Orders& orders) {
  expire_waiters(now, orders);
  retire_by_time(now, orders);
  recall_by_time(now, orders);
  if (draining_) return;
  schedule(now, orders);
  dial_owed(now, orders);
  replace_by_time(now, orders);
  probe_endpoint(now, orders);
  keep_min_idle(now, orders);
  ping_by_time(now, orders);
}

void Broker::drain(Orders& orders) {
  draining_ = true;
  const BackendTable::List idle = backends_.in(State::kIdle);
  for (const BackendId backend : idle)
    begin_retire(backends_.at(backend), RetireReason::kShutdown, orders);
  for (const BackendId backend : backends_.in(State::kParked))
    recall(backends_.at(backend), orders);
}

void Broker::resume(TimePoint now, Orders& orders) {
  draining_ = false;
  schedule(now, orders);
}

void Broker::set_limits(const Limits& limits, TimePoint now, Orders& orders) {
  const Parking parking = limits_.parking;
  const unsigned endpoints = limits_.endpoints;
  const unsigned elsewhere = limits_.elsewhere;
  limits_ = limits;
  limits_.parking = parking;
  limits_.endpoints = endpoints;
  limits_.elsewhere = elsewhere;
  queue_.set_by_database(limits_.max_leases_per_database > 0);
  schedule(now, orders);
}

void Broker::renew_all(TimePoint now, Orders& orders) {
  for (auto& [id, record] : backends_)
    record.expires = std::min(record.expires, now);
  for (auto& [id, dial] : dials_)
    dial.is_outdated = true;
  gate_.forget_refusals();
  schedule(now, orders);
}

void Broker::forget_refusals(TimePoint now, Orders& orders) {
  gate_.forget_refusals();
  schedule(now, orders);
}

BrokerCounts Broker::counts() const {
  BrokerCounts counts;
  counts.dialling = static_cast<unsigned>(dials_.size());
  counts.idle = backends_.count(State::kIdle) + backends_.count(State::kPinging);
  counts.leased = backends_.count(State::kLeased);
  counts.parked = backends_.count(State::kParked);
  counts.closing = backends_.count(State::kClosing);
  counts.waiting = static_cast<unsigned>(queue_.size());
  return counts;
}

void Broker::end_hold(BackendRecord& record) {
  if (record.is_held()) shares_.give_back(record.user, record.database);
}

void Broker::make_idle(BackendRecord& record, TimePoint now) {
  end_hold(record);
  backends_.set_state(record, State::kIdle);
  record.idle_since = now;
}

void Broker::begin_retire(BackendRecord& record, RetireReason reason, Orders& orders) {
  end_hold(record);
  backends_.set_state(record, State::kClosing);
  orders.push_back({record.worker, RetireOrder{record.id, reason}});
}

}  // namespace tidepool::pool

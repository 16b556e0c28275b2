// When the broker has a backend opened, and what becomes of it.
#include <algorithm>

#include "tidepool/base/check.h"
#include "tidepool/pool/broker.h"

namespace tidepool::pool {

BackendId Broker::dialled(DialId dial, WorkerIndex worker, TimePoint now, Orders& orders) {
  const auto found = dials_.find(dial);
  TIDEPOOL_CHECK(found != dials_.end());
  const Dial made = found->second;
  dials_.erase(found);
  const TimePoint expires = made.is_outdated ? now : end_of_life(now);
  BackendRecord& record = backends_.add();
  const BackendId id = record.id;
  record.worker = worker;
  record.variant = made.variant;
  record.expires = expires;
  record.endpoint = made.endpoint;
  gate_.succeed(record.endpoint);
  if (made.is_probe) leave_endpoints_beyond(record.endpoint, now);
  if (draining_) {
    begin_retire(record, RetireReason::kShutdown, orders);
    return id;
  }
  record.idle_since = now;
  if (made.replaces != 0) replace(made.replaces, record, now, orders);
  schedule(now, orders);
  return id;
}

void Broker::set_connection(BackendId backend, std::uint64_t number) {
  backends_.at(backend).tidb_connection = number;
}

void Broker::dial_failed(DialId dial, const Error& error, TimePoint now, Orders& orders) {
  const auto found = dials_.find(dial);
  TIDEPOOL_CHECK(found != dials_.end());
  const Dial failed = found->second;
  dials_.erase(found);
  if (BackendRecord* old = backends_.find(failed.replaces))
    backends_.set_replacement(*old, Replacement::kNone);
  if (!failed.is_outdated) {
    gate_.fail(failed.endpoint, error, failed.begun, failed.is_asked, now);
  }
  schedule(now, orders);
}

void Broker::warm_up(unsigned count, std::uint64_t variant, WorkerIndex worker, TimePoint now,
                     Orders& orders) {
  if (draining_) return;
  const unsigned wanted = std::min(count, limits_.cap());
  while (counts().total() < wanted && may_dial_unasked(now)) {
    start_dial({.worker = worker, .variant = variant}, now, orders);
  }
}

void Broker::start_dial(Dial dial, TimePoint now, Orders& orders) {
  const DialId id = next_dial_++;
  dial.begun = now;
  if (!dial.is_probe) dial.endpoint = gate_.next(now, dials_.size()).value();
  gate_.begin(now);
  orders.push_back({dial.worker, DialOrder{id, dial.variant, dial.endpoint}});
  dials_[id] = dial;
}

unsigned Broker::dials_of(std::uint64_t variant) const {
  return static_cast<unsigned>(std::count_if(dials_.begin(), dials_.end(), [&](const auto& one) {
    return one.second.variant == variant;
  }));
}

}  // namespace tidepool::pool

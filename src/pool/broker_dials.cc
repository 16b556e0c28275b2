// When the broker has a backend opened, and what becomes of it.
#include <algorithm>

#include "tidepool/base/check.h"
#include "tidepool/pool/broker.h"

namespace tidepool::pool {

BackendId Broker::dialled(DialId dial, WorkerIndex worker, TimePoint now, Orders& orders) {
  const Dial made = pool_.dials.succeed(dial);
  const TimePoint expires = made.is_outdated ? now : end_of_life(now);
  BackendRecord& record = pool_.backends.add();
  const BackendId id = record.id;
  record.worker = worker;
  record.variant = made.variant;
  record.expires = expires;
  record.endpoint = made.endpoint;
  if (made.purpose == Dial::Purpose::kProbe) leave_endpoints_beyond(record.endpoint, now);
  if (pool_.is_draining) {
    pool_.retire(record, RetireReason::kShutdown, orders);
    return id;
  }
  record.idle_since = now;
  if (made.replaces != 0) replace(made.replaces, record, now, orders);
  schedule(now, orders);
  return id;
}

void Broker::set_connection(BackendId backend, std::uint64_t number) {
  pool_.backends.at(backend).tidb_connection = number;
}

void Broker::dial_failed(DialId dial, const Error& error, TimePoint now, Orders& orders) {
  const Dial failed = pool_.dials.fail(dial, error, now);
  if (BackendRecord* old = pool_.backends.find(failed.replaces))
    pool_.backends.set_replacement(*old, Replacement::kNone);
  schedule(now, orders);
}

void Broker::warm_up(unsigned count, std::uint64_t variant, WorkerIndex worker, TimePoint now,
                     Orders& orders) {
  if (pool_.is_draining) return;
  const unsigned wanted = std::min(count, pool_.limits.cap());
  while (pool_.total() < wanted && pool_.dials.may_begin_unasked(now)) {
    pool_.dials.begin({.worker = worker, .variant = variant}, now, orders);
  }
}

}  // namespace tidepool::pool

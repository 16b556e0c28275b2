// When the broker has a backend opened, and what becomes of it.
#include "lifetime.h"
#include "tidepool/pool/broker.h"

namespace tidepool::pool {

BackendId Broker::dialled(DialId dial, WorkerIndex worker, TimePoint now, Orders& orders) {
  const Dial made = pool_.dials.succeed(dial);
  const TimePoint expires = made.is_outdated ? now : new_end_of_life(now);
  BackendRecord& record = pool_.backends.add();
  const BackendId id = record.id;
  record.worker = worker;
  record.variant = made.variant;
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

void Broker::set_connection(BackendId backend, std::uint64_t number) {
  pool_.backends.at(backend).tidb_connection = number;
}

void Broker::dial_failed(DialId dial, const Error& error, TimePoint now, Orders& orders) {
  planner_.failed(pool_.dials.fail(dial, error, now));
  schedule(now, orders);
}

void Broker::warm_up(unsigned count, std::uint64_t variant, WorkerIndex worker, TimePoint now,
                     Orders& orders) {
  if (pool_.is_draining) return;
  planner_.warm_up(count, {.worker = worker, .variant = variant}, now, orders);
}

}  // namespace tidepool::pool

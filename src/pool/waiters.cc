#include "waiters.h"

#include <string>

namespace tidepool::pool {
namespace {

std::string figures_text(const BrokerState& pool) {
  const BrokerCounts now = pool.counts();
  const std::string parked = now.parked > 0 ? std::to_string(now.parked) + " parked, " : "";
  std::string text = "(" + std::to_string(now.leased) + " leased, " + parked +
                     std::to_string(now.dialling) + " dialling, " + std::to_string(now.idle) +
                     " idle of at most " + std::to_string(pool.limits.cap()) + "; " +
                     std::to_string(now.waiting) + " sessions waiting)";
  const auto& dial_error = pool.dials.gate().last_error();
  if (dial_error) text += "; last dial error: " + dial_error->message;
  return text;
}

// The number that client libraries give to a closed port (CR_CONN_HOST_ERROR).
Error absent_error(const BrokerState& pool) {
  return Error{Code::kRefused,
               "Can't connect to TiDB, which has not been reached since the start: " +
                   pool.dials.gate().last_error()->message,
               2003, "HY000"};
}

Error timeout_error(const BrokerState& pool) {
  return Error{Code::kTimeout,
               "Too many connections: no TiDB connection became free in time " + figures_text(pool),
               1040, "08004"};
}

}  // namespace

bool is_queue_full(const BrokerState& pool) {
  if (pool.limits.max_waiters == 0) return false;
  const unsigned taken = pool.backends.size();
  const unsigned cap = pool.limits.cap();
  const unsigned room = pool.dials.gate().is_unavailable() || taken > cap ? 0 : cap - taken;
  return pool.queue.size() >= pool.limits.max_waiters + room;
}

Error full_queue_error(const BrokerState& pool) {
  return Error{
      Code::kBusy,
      "Too many connections: the queue for a TiDB connection is full " + figures_text(pool), 1040,
      "08004"};
}

void fail_all_waiters(BrokerState& pool, const Error& error, Orders& orders) {
  pool.queue.erase_if([&](const Waiter& waiter) {
    orders.push_back({waiter.worker, FailOrder{waiter.id, error}});
    return true;
  });
}

void fail_due_waiters(BrokerState& pool, TimePoint now, Orders& orders) {
  const bool is_absent = pool.backends.open() == 0 && pool.dials.gate().is_absent();
  const auto is_due = [&](const Waiter& waiter) {
    return waiter.deadline <= now ||
           (is_absent && now - waiter.since >= pool.limits.absence_patience);
  };
  bool is_any_due = false;
  pool.queue.for_each([&](const Waiter& waiter) { is_any_due = is_any_due || is_due(waiter); });
  if (!is_any_due) return;
  const Error error = is_absent ? absent_error(pool) : timeout_error(pool);
  pool.queue.erase_if([&](const Waiter& waiter) {
    if (!is_due(waiter)) return false;
    orders.push_back({waiter.worker, FailOrder{waiter.id, error}});
    return true;
  });
}

}  // namespace tidepool::pool

// Those who get nothing: a full queue, deadlines, and what they are told.
#include <string>

#include "tidepool/pool/broker.h"

namespace tidepool::pool {

// Those for whom there is room to open a backend do not count, unless TiDB is away.
bool Broker::is_full() const {
  if (pool_.limits.max_waiters == 0) return false;
  const BrokerCounts now = counts();
  const unsigned taken = now.total() - now.dialling;
  const unsigned room =
      pool_.dials.gate().is_away() || taken > pool_.limits.cap() ? 0 : pool_.limits.cap() - taken;
  return pool_.queue.size() >= pool_.limits.max_waiters + room;
}

void Broker::fail_all_waiters(const Error& error, Orders& orders) {
  pool_.queue.erase_if([&](const Waiter& waiter) {
    orders.push_back({waiter.worker, FailOrder{waiter.id, error}});
    return true;
  });
}

// A TiDB that was never there is not waited for as long as one that may come back.
void Broker::expire_waiters(TimePoint now, Orders& orders) {
  const bool is_absent = pool_.backends.open() == 0 && pool_.dials.gate().is_absent();
  const auto is_due = [&](const Waiter& waiter) {
    return waiter.deadline <= now ||
           (is_absent && now - waiter.since >= pool_.limits.absence_patience);
  };
  bool is_any_due = false;
  pool_.queue.for_each([&](const Waiter& waiter) { is_any_due = is_any_due || is_due(waiter); });
  if (!is_any_due) return;
  const Error error = is_absent ? absent_error() : timeout_error();
  pool_.queue.erase_if([&](const Waiter& waiter) {
    if (!is_due(waiter)) return false;
    orders.push_back({waiter.worker, FailOrder{waiter.id, error}});
    return true;
  });
}

// The number is that of clients which find nobody there themselves (CR_CONN_HOST_ERROR).
Error Broker::absent_error() const {
  return Error{Code::kRefused,
               "Can't connect to TiDB, which has not been reached since the start: " +
                   pool_.dials.gate().last_error()->message,
               2003, "HY000"};
}

Error Broker::timeout_error() const {
  return Error{Code::kTimeout,
               "Too many connections: no TiDB connection became free in time " + state_text(), 1040,
               "08004"};
}

Error Broker::full_error() const {
  return Error{Code::kBusy,
               "Too many connections: the queue for a TiDB connection is full " + state_text(),
               1040, "08004"};
}

std::string Broker::state_text() const {
  const BrokerCounts now = counts();
  const std::string parked = now.parked > 0 ? std::to_string(now.parked) + " parked, " : "";
  std::string text = "(" + std::to_string(now.leased) + " leased, " + parked +
                     std::to_string(now.dialling) + " dialling, " + std::to_string(now.idle) +
                     " idle of at most " + std::to_string(pool_.limits.cap()) + "; " +
                     std::to_string(now.waiting) + " sessions waiting)";
  if (pool_.dials.gate().last_error())
    text += "; last dial error: " + pool_.dials.gate().last_error()->message;
  return text;
}

}  // namespace tidepool::pool

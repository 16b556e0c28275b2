// What the tests of the broker share: a world that plays the workers.
#pragma once

#include <optional>
#include <vector>

#include <gtest/gtest.h>

#include "tidepool/pool/broker.h"

namespace tidepool::pool {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

inline constexpr LeaseRequest kPlain{.profile = 1, .state = 0, .last = 0};

// Plays the workers: dials succeed when told, retired backends close when told. Time is a plain
// number.
class World {
 public:
  explicit World(Limits limits) : broker(limits, 1) {}

  std::optional<BackendId> acquire(const LeaseRequest& request = kPlain, WorkerIndex worker = 0) {
    if (const auto at_once = broker.try_acquire(worker, request)) return at_once;
    waiter = broker.enqueue(worker, request, now + seconds{30}, now, orders);
    return std::nullopt;
  }
  void release(BackendId backend, std::uint64_t state = 0) {
    broker.release(backend, state, now, orders);
  }
  void advance(Duration by) {
    now += by;
    broker.tick(now, orders);
  }
  BrokerCounts counts() const { return broker.pool().counts(); }
  template <class T>
  std::vector<T> take() {
    std::vector<T> found;
    std::erase_if(orders, [&](const Order& order) {
      const T* what = std::get_if<T>(&order.what);
      if (what != nullptr) found.push_back(*what);
      return what != nullptr;
    });
    return found;
  }
  // Lets every dial under way succeed; answers the new backends.
  std::vector<BackendId> finish_dials() {
    std::vector<BackendId> made;
    for (const DialOrder& dial : take<DialOrder>()) {
      made.push_back(broker.dialled(dial.dial, next_connection++, now, orders));
    }
    return made;
  }
  void close_retired() {
    for (const RetireOrder& order : take<RetireOrder>())
      broker.closed(order.backend, now, orders);
  }
  // A leased backend out of nothing.
  BackendId leased(const LeaseRequest& request = kPlain) {
    if (const auto at_once = acquire(request)) return *at_once;
    finish_dials();
    return take<GrantOrder>().at(0).backend;
  }

  Broker broker;
  Orders orders;
  TimePoint now{hours(1)};
  WaiterId waiter = 0;
  std::uint64_t next_connection = 1000;  // TiDB's number of the next backend

 private:
  static constexpr Duration hours(int n) { return std::chrono::hours{n}; }
};

inline Limits small() {
  Limits limits;
  limits.size = 1;
  limits.max_overflow = 1;
  limits.recycle_jitter = 0;
  return limits;
}

}  // namespace tidepool::pool

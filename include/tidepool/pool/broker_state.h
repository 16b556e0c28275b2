// What the broker knows of its pool, and the few things that can happen to a backend there, each
// with the order for its worker. Pure; under the broker's mutex.
//
// The scheduler and the planner of dials decide over it; the broker owns all three.
#pragma once

#include <cstdint>

#include "tidepool/base/clock.h"
#include "tidepool/pool/backend_table.h"
#include "tidepool/pool/broker_types.h"
#include "tidepool/pool/dials.h"
#include "tidepool/pool/shares.h"
#include "tidepool/pool/wait_queue.h"

namespace tidepool::pool {

struct BrokerState {
  BrokerState(const Limits& new_limits, std::uint64_t seed)
      : limits(new_limits), dials(limits, seed) {}
  BrokerState(const BrokerState&) = delete;
  BrokerState& operator=(const BrokerState&) = delete;
  ~BrokerState() = default;

  BrokerCounts counts() const;
  PoolFigures figures() const {
    return {backends.kept(), backends.open(), backends.count(BackendRecord::State::kIdle),
            is_draining};
  }
  // What counts against the cap.
  unsigned total() const { return dials.count() + backends.size(); }
  bool has_room() const { return total() < limits.cap(); }

  // Whether the limits of the user and of the database let it have one more lease.
  bool allows(const LeaseRequest& request) const {
    return shares.allows(request, limits.max_leases_per_database);
  }
  WaitQueue::Turns turns() const { return {queue, shares, limits.max_leases_per_database}; }

  // An idle backend is lent.
  void lease(BackendRecord& record, const LeaseRequest& request);
  // The lease is over.
  void make_idle(BackendRecord& record, TimePoint now);
  // It is to be closed, whatever it is doing.
  void retire(BackendRecord& record, RetireReason reason, Orders& orders);
  // The session that parked it is asked for it, once.
  void recall(BackendRecord& record, Orders& orders);

  Limits limits;
  BackendTable backends;
  WaitQueue queue;
  Shares shares;
  Dials dials;
  bool is_draining = false;

 private:
  void end_hold(const BackendRecord& record) {
    if (record.is_held()) shares.give_back(record.user, record.database);
  }
};

}  // namespace tidepool::pool

// The broker of one pool: who may open a backend, who gets which, who waits. Pure: it knows
// backends by number only, is told the time, and answers with orders for the workers; SharedBroker
// puts the mutex around it.
//
// A thin conductor: BrokerState is what it knows, Scheduler decides who gets what (whatever happens
// ends there), DialPlanner which backends are opened in advance.
//
// Invariants: live backends + dials under way + backends still closing never exceed Limits::cap().
// No waiter that may have a lease waits while a backend of the same profile is idle.
#pragma once

#include <cstdint>
#include <optional>
#include <random>

#include "tidepool/base/clock.h"
#include "tidepool/pool/broker_state.h"
#include "tidepool/pool/broker_types.h"
#include "tidepool/pool/dial_planner.h"
#include "tidepool/pool/scheduler.h"

namespace tidepool::pool {

class Broker {
 public:
  Broker(const Limits& limits, std::uint64_t seed);
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;
  ~Broker() = default;

  // Returns an idle backend of the asking worker itself, unless a waiter of the same profile is in
  // the queue.
  [[nodiscard]] std::optional<BackendId> try_acquire(WorkerIndex worker,
                                                     const LeaseRequest& request);

  // Queues a waiter until a grant, a failure or the deadline. Call after try_acquire() had nothing.
  WaiterId enqueue(WorkerIndex worker, const LeaseRequest& request, TimePoint deadline,
                   TimePoint now, Orders& orders);

  // Back to the head of the queue: the backend that the waiter was granted is gone.
  void requeue(WaiterId waiter, WorkerIndex worker, const LeaseRequest& request, TimePoint deadline,
               TimePoint now, Orders& orders);

  // The session no longer wants the lease. A backend already granted or on its way must be released
  // by its worker.
  void cancel(WaiterId waiter, TimePoint now, Orders& orders);

  // The holder needs the backend no more, but only it can read back what its session left there: it
  // keeps the lease until it goes on with unpark(), or release() after a RecallOrder asked for it
  // (because somebody waits, the backend's life ends or Parking::limit has passed). Has no effect
  // where others need the backend now: read back and release it.
  [[nodiscard]] bool try_park(BackendId backend, TimePoint now);
  void unpark(BackendId backend, TimePoint now, Orders& orders);

  // The lease is over and the backend clean; `state` is the hash of the state that it is in now.
  void release(BackendId backend, std::uint64_t state, TimePoint now, Orders& orders);

  // Its worker will close the backend itself: it counts until closed() says that it is gone. After
  // kLost and kError each idle backend is pinged soon, since TiDB may be stopping: an idle
  // connection of a stopping TiDB looks alive but swallows its next command.
  void retire(BackendId backend, RetireReason reason, TimePoint now, Orders& orders);
  void closed(BackendId backend, TimePoint now, Orders& orders);

  // How a dial ended. `connection` is TiDB's number of the backend, 0: not known. The backend
  // belongs to the worker that dialled, and may be granted in the same call.
  BackendId dialled(DialId dial, std::uint64_t connection, TimePoint now, Orders& orders);
  void dial_failed(DialId dial, const Error& error, TimePoint now, Orders& orders);

  // The backend has answered a ping. One that has not is retired.
  void pinged(BackendId backend, TimePoint now, Orders& orders);

  // The session (0: none) that has the backend with that number of TiDB's; nullopt: there is no
  // such backend.
  [[nodiscard]] std::optional<std::uint64_t> holder_of(std::uint64_t connection) const;
  // Retires the backend with that number of TiDB's if no session has it: a client has killed it.
  void end_idle(std::uint64_t connection, TimePoint now, Orders& orders);

  // What time alone brings: deadlines, lives that end, dials whose backoff is over. Call every 100
  // ms or so.
  void tick(TimePoint now, Orders& orders);

  // Opens backends until `count` exist, without a waiter: at the start, to learn about TiDB.
  void warm_up(unsigned count, std::uint64_t profile, WorkerIndex worker, TimePoint now,
               Orders& orders);

  // Retires what is idle, recalls what is parked; leased backends retire when they are released; no
  // more dials without a waiter.
  void drain(Orders& orders);

  // Other limits from now on, but for the number of endpoints and what is elsewhere; backends
  // beyond a smaller cap go when they are given back.
  void set_limits(const Limits& limits, TimePoint now, Orders& orders);
  // Another process may have so many of the backends. What is idle beyond what is left goes now,
  // the rest when it is given back; call it again until it is all gone.
  void set_reserved_by_peer(unsigned backends, TimePoint now, Orders& orders);
  // Every backend that exists now, or is being dialled, is at the end of its life: the account has
  // changed.
  void replace_all(TimePoint now, Orders& orders);
  // After drain(): as before it.
  void resume(TimePoint now, Orders& orders);

  // An account or its rights may have changed: a dial that waits for the end of a refusal is due.
  void forget_refusals(TimePoint now, Orders& orders);

  // What is there, to be looked at.
  const BrokerState& pool() const { return pool_; }

 private:
  using State = BackendRecord::State;
  using Reach = BackendTable::Reach;

  void schedule(TimePoint now, Orders& orders) { scheduler_.run(now, orders); }
  std::optional<RetireReason> end_at_release(const BackendRecord& record, TimePoint now);
  void retire_by_time(TimePoint now, Orders& orders);
  void ping_by_time(TimePoint now, Orders& orders);
  void suspect_idle();
  TimePoint new_end_of_life(TimePoint now);

  BrokerState pool_;
  Scheduler scheduler_;
  DialPlanner planner_;
  std::mt19937_64 random_;
  WaiterId last_waiter_ = 0;
  TimePoint last_wait_{};  // when a session last had to queue
};

}  // namespace tidepool::pool

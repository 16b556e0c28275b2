// The broker of one pool: who may open a backend, who gets which, who waits. Pure: it knows
// backends by number only, is told the time, and answers with orders for the workers; SharedBroker
// puts the mutex around it.
//
// Invariant: live backends + dials under way + backends still closing never exceed Limits::cap().
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <optional>
#include <random>
#include <string>
#include <unordered_map>

#include "tidepool/base/clock.h"
#include "tidepool/pool/broker_types.h"
#include "tidepool/pool/shares.h"

namespace tidepool::pool {

// The pool's numbers at one moment, for error texts, the status page and tests.
struct BrokerCounts {
  unsigned dialling = 0;
  unsigned idle = 0;
  unsigned leased = 0;
  unsigned parked = 0;
  unsigned closing = 0;
  unsigned waiting = 0;

  unsigned total() const { return dialling + idle + leased + parked + closing; }
};

class Broker {
 public:
  Broker(const Limits& limits, std::uint64_t seed);

  // A lease at once: only an idle backend of the asking worker itself, when nobody else waits for
  // such a one.
  std::optional<BackendId> try_acquire(WorkerIndex worker, const Want& want, TimePoint now);

  // Queues a waiter until a grant, a failure or the deadline. Call after try_acquire() had nothing.
  WaiterId enqueue(WorkerIndex worker, const Want& want, TimePoint deadline, TimePoint now,
                   Orders& orders);

  // Back to the head of the queue: the backend that the waiter was granted is gone.
  void requeue(WaiterId waiter, WorkerIndex worker, const Want& want, TimePoint deadline,
               TimePoint now, Orders& orders);

  // The session no longer wants the lease. A backend already granted or on its way must be released
  // by its worker.
  void cancel(WaiterId waiter);

  // The holder needs the backend no more, but only it can read back what its session left there: it
  // keeps the lease until it goes on with unpark(), or release() after a RecallOrder asked for it
  // (because somebody waits, the backend's life ends or Parking::limit has passed). False: others
  // need the backend now, read back and release it.
  bool park(BackendId backend, TimePoint now);
  void unpark(BackendId backend, TimePoint now, Orders& orders);

  // The lease is over and the backend clean; `state` is the hash of the state that it is in now.
  void release(BackendId backend, std::uint64_t state, TimePoint now, Orders& orders);

  // The holder will close the backend itself (lost, dirty): it counts until closed() says that it
  // is gone.
  void retire(BackendId backend);
  void closed(BackendId backend, TimePoint now, Orders& orders);

  // How a dial ended. The backend belongs to the worker that dialled, and may be granted in the
  // same call.
  BackendId dialled(DialId dial, WorkerIndex worker, TimePoint now, Orders& orders);
  void dial_failed(DialId dial, const Error& error, TimePoint now, Orders& orders);

  // What time alone brings: deadlines, lives that end, dials whose backoff is over. Call every 100
  // ms or so.
  void tick(TimePoint now, Orders& orders);

  // Opens backends until `count` exist, without a waiter: at the start, to learn about TiDB.
  void warm_up(unsigned count, std::uint64_t variant, WorkerIndex worker, TimePoint now,
               Orders& orders);

  // Retires what is idle, recalls what is parked; leased backends retire when they are released; no
  // more dials without a waiter.
  void drain(Orders& orders);

  BrokerCounts counts() const;
  const std::optional<Error>& last_dial_error() const { return last_error_; }
  const Limits& limits() const { return limits_; }
  void set_parking(const Parking& parking) { limits_.parking = parking; }

 private:
  enum class NodeState : std::uint8_t { kIdle, kLeased, kParked, kClosing };
  struct Node {
    NodeState state = NodeState::kLeased;
    WorkerIndex worker = 0;
    std::uint64_t variant = 0;
    std::uint64_t state_hash = 0;
    TimePoint expires;                     // end of life
    TimePoint idle_since;                  // or parked since
    std::list<BackendId>::iterator place;  // in idle_ or parked_, while it is there
    bool is_recalled = false;              // parked, and its holder asked for it
    bool has_holder = false;               // leased or parked, by:
    std::uint64_t user = 0;
    std::uint64_t database = 0;
  };
  struct Waiter {
    WaiterId id;
    WorkerIndex worker;
    Want want;
    TimePoint since;
    TimePoint deadline;
  };
  struct Dial {
    WorkerIndex worker;
    std::uint64_t variant;
  };

  std::optional<BackendId> pick_idle(WorkerIndex worker, const Want& want, bool own_only) const;
  bool somebody_waits_for(std::uint64_t variant) const;
  void lease(BackendId backend);
  void leave_list(Node& node);
  void make_idle(BackendId backend, TimePoint now);
  void hand_to(const std::deque<Waiter>::iterator& waiter, BackendId backend, Orders& orders);
  std::deque<Waiter>::iterator next_waiter_for(const Node& node);
  bool allows(const Want& want) const {
    return shares_.allows(want, limits_.max_leases_per_database);
  }
  std::deque<Waiter>::iterator next_waiter(const std::uint64_t* variant);
  std::deque<Waiter>::iterator add_waiter(Waiter waiter, bool in_front);
  void erase_waiter(const std::deque<Waiter>::iterator& waiter);
  template <class Predicate>
  void erase_waiters(Predicate predicate);
  void serve_from_idle(Orders& orders);
  bool is_full() const;
  void end_hold(Node& node);
  void hold(Node& node, const Want& want);
  void recall_of(const Want& want, Orders& orders);
  void begin_retire(BackendId backend, RetireReason reason, Orders& orders);
  void dial_for_waiters(TimePoint now, Orders& orders);
  bool may_dial(TimePoint now) const;
  void start_dial(std::uint64_t variant, WorkerIndex worker, Orders& orders);
  bool recall_for(std::uint64_t variant, Orders& orders);
  void recall(BackendId backend, Orders& orders);
  void recall_by_time(TimePoint now, Orders& orders);
  void make_room(std::uint64_t variant, Orders& orders);
  unsigned dials_of(std::uint64_t variant) const;
  bool has_backend_of(std::uint64_t variant) const;
  void fail_all_waiters(const Error& error, Orders& orders);
  void expire_waiters(TimePoint now, Orders& orders);
  void retire_by_time(TimePoint now, Orders& orders);
  Error timeout_error() const;
  Error full_error() const;
  std::string state_text() const;
  TimePoint end_of_life(TimePoint now);
  static bool is_permanent(const Error& error);

  Limits limits_;
  std::mt19937_64 random_;
  std::unordered_map<BackendId, Node> nodes_;
  std::list<BackendId> idle_;    // most recently used first
  std::list<BackendId> parked_;  // oldest first
  std::deque<Waiter> waiters_;   // first come first, among those of one user
  Shares shares_;
  std::unordered_map<DialId, Dial> dials_;
  std::uint64_t next_id_ = 1;
  unsigned closing_ = 0;
  unsigned failures_in_a_row_ = 0;
  TimePoint no_dial_before_{};
  TimePoint last_wait_{};  // when a session last had to queue
  std::optional<Error> last_error_;
  bool draining_ = false;
};

}  // namespace tidepool::pool

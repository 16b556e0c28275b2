// The words that the broker and the workers' pools exchange: who wants a lease, and what a worker
// is ordered to do.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "tidepool/base/clock.h"
#include "tidepool/base/error.h"
#include "tidepool/pool/pool_stats.h"

namespace tidepool::pool {

using BackendId = std::uint64_t;  // 0: none
using WaiterId = std::uint64_t;   // 0: none
using DialId = std::uint64_t;
using WorkerIndex = unsigned;
using EndpointIndex = unsigned;  // in order of preference

// How long a session may keep a backend between its statements because only it can read back what
// is there.
struct Parking {
  std::chrono::milliseconds limit{std::chrono::seconds{1}};  // then it is asked to give it up
  // For so long after a session had to queue, the last backend at hand is not parked at all: read
  // back while its session thinks, it costs the next one nothing.
  std::chrono::milliseconds busy{std::chrono::seconds{1}};
};

// How large the pool is and how long its backends live; the words are SQLAlchemy's.
struct Limits {
  unsigned size = 5;              // backends kept while they are idle
  unsigned max_overflow = 10;     // backends beyond that while sessions wait
  unsigned reserved_by_peer = 0;  // of these, what another process may have open
  unsigned min_idle = 0;          // idle ones kept ready, within `size`
  unsigned max_dials = 4;         // dials under way at once
  unsigned endpoints = 1;         // to choose from
  unsigned dial_rate = 20;        // dials begun within any second; 1 or more
  unsigned max_waiters = 0;  // sessions that may queue beyond the backends to open; 0: no limit
  unsigned max_leases_per_database = 0;                        // 0: no limit
  std::chrono::milliseconds recycle{std::chrono::minutes{5}};  // a backend's life; 0: no end
  double recycle_jitter = 0.2;  // the life is shortened by up to this fraction
  std::chrono::milliseconds idle_timeout{std::chrono::seconds{300}};  // 0: none
  std::chrono::milliseconds ping_interval{0};  // of idle backends; 0: no pings
  std::chrono::milliseconds overflow_linger{std::chrono::seconds{1}};
  Parking parking;
  std::chrono::milliseconds backoff_initial{100};
  std::chrono::milliseconds backoff_max{std::chrono::seconds{10}};
  std::chrono::milliseconds backoff_refused{std::chrono::seconds{5}};
  // How long sessions wait for a TiDB that was never there (see DialGate::is_absent()).
  std::chrono::milliseconds absence_patience{std::chrono::seconds{5}};

  unsigned cap() const {
    const unsigned all = size + max_overflow;
    return all - std::min(all, reserved_by_peer);
  }
  unsigned own_size() const { return std::min(size, cap()); }
};

// What a session asks of the backend that it is to get.
struct LeaseRequest {
  std::uint64_t profile = 0;   // must be equal: what was fixed at the backend's login
  std::uint64_t state = 0;     // better equal: the hash of the session's state
  BackendId last = 0;          // best: the one that this session had before
  bool is_urgent = false;      // before all who wait
  std::uint64_t user = 0;      // whose share of the pool the lease counts for; 0: no user's
  unsigned max_leases = 0;     // that the user may have at once; 0: no limit
  std::uint64_t database = 0;  // that the session is in; 0: none
  std::uint64_t holder = 0;    // the session's number; 0: none, it is for the proxy itself
};

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

// The figures of a pool that a backend's life depends on.
struct PoolFigures {
  unsigned kept = 0;  // as BackendTable::kept()
  unsigned open = 0;
  unsigned idle = 0;
  bool is_draining = false;
};

// What the broker tells a worker to do. Orders are carried out on that worker's loop.
struct DialOrder {
  DialId dial;
  std::uint64_t profile;
  EndpointIndex endpoint = 0;
};
struct GrantOrder {  // the backend is this worker's: lend it to the waiter
  WaiterId waiter;
  BackendId backend;
};
struct MoveOrder {  // take the backend off this loop and hand it to another worker, for its waiter
  BackendId backend;
  WorkerIndex to;
  WaiterId waiter;
};
struct RetireOrder {
  BackendId backend;
  RetireReason reason;
};
struct PingOrder {  // see whether the idle backend still answers; tell the broker with pinged()
  BackendId backend;
};
struct RecallOrder {  // ask the session that parked the backend to give it up
  BackendId backend;
};
struct FailOrder {  // the waiter gets no lease
  WaiterId waiter;
  Error error;
};

struct Order {
  WorkerIndex worker;
  std::variant<DialOrder, GrantOrder, MoveOrder, RetireOrder, PingOrder, RecallOrder, FailOrder>
      what;
};
using Orders = std::vector<Order>;

}  // namespace tidepool::pool

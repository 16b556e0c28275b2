// What a pool counts. One PoolStats a pool, owned by it; written by the worker threads and the
// broker, read by the metrics layer at any time. The names in the comments are metric labels: they
// are stable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tidepool/base/counter.h"
#include "tidepool/base/enum_array.h"
#include "tidepool/base/error.h"
#include "tidepool/base/histogram.h"

namespace tidepool::pool {

// Where a backend that counts against the cap is in its life. Every backend is in exactly one
// state.
enum class BackendState : std::uint8_t {
  kDialling,
  kIdle,
  kLeased,
  kParked,     // kept by a session that is between statements and left there what only it can read
  kResetting,  // between two leases
  kClosing,    // retired, its socket not yet closed
};
inline constexpr std::size_t kBackendStates = 6;

enum class DialResult : std::uint8_t {
  kOk,
  kAuth,
  kQuota,
  kTls,
  kRefused,
  kNotTidb,
  kTimeout,
  kBackend,
  kOther
};
inline constexpr std::size_t kDialResults = 9;

enum class RetireReason : std::uint8_t {
  kRecycle,   // reached the end of its life
  kIdle,      // not used for idle_timeout
  kLost,      // TiDB closed it, or said that it shuts down
  kOverflow,  // beyond `size` and not needed any more
  kError,     // something on it failed, so that its state is unknown
  kProfile,   // idle with other client flags than the session that needs its place
  kDirty,     // its session's state could not be undone, or its client left while it was executing
  kShutdown,  // the proxy stops
  kKilled,    // a client has killed it while it was idle
};
inline constexpr std::size_t kRetireReasons = 9;

constexpr const char* to_string(BackendState state) {
  switch (state) {
    case BackendState::kDialling: return "dialling";
    case BackendState::kIdle: return "idle";
    case BackendState::kLeased: return "leased";
    case BackendState::kParked: return "parked";
    case BackendState::kResetting: return "resetting";
    case BackendState::kClosing: return "closing";
  }
  return "?";
}

constexpr const char* to_string(DialResult result) {
  switch (result) {
    case DialResult::kOk: return "ok";
    case DialResult::kAuth: return "auth";
    case DialResult::kQuota: return "quota";
    case DialResult::kTls: return "tls";
    case DialResult::kRefused: return "refused";
    case DialResult::kNotTidb: return "not_tidb";
    case DialResult::kTimeout: return "timeout";
    case DialResult::kBackend: return "backend";
    case DialResult::kOther: return "other";
  }
  return "?";
}

constexpr const char* to_string(RetireReason reason) {
  switch (reason) {
    case RetireReason::kRecycle: return "recycle";
    case RetireReason::kIdle: return "idle";
    case RetireReason::kLost: return "lost";
    case RetireReason::kOverflow: return "overflow";
    case RetireReason::kError: return "error";
    case RetireReason::kProfile: return "variant";
    case RetireReason::kDirty: return "dirty";
    case RetireReason::kShutdown: return "shutdown";
    case RetireReason::kKilled: return "killed";
  }
  return "?";
}

// The label for a dial that failed with this.
DialResult dial_result_of(const Error& error);

// Of one endpoint of the pool.
struct EndpointStats {
  explicit EndpointStats(std::string address) : endpoint(std::move(address)) {}

  const std::string endpoint;  // host:port
  Gauge backends;              // open there
  Gauge up;                    // 1: the last dial succeeded, 0: it failed, or there was none
  EnumArray<DialResult, Counter, kDialResults> dials;
};

struct PoolStats {
  Gauge cap;   // size + max_overflow: set once, or by a reload
  Gauge size;  // backends kept open while they are used

  EnumArray<BackendState, Gauge, kBackendStates> backends;
  Gauge waiters;

  Counter leases;           // granted
  Counter lease_timeouts;   // waiters that reached their deadline
  Counter waiters_refused;  // sessions that found the queue full
  Histogram lease_wait;     // of every waiter, granted at once, late or never

  EnumArray<DialResult, Counter, kDialResults> dials;  // finished
  Gauge unavailable;                                   // 1 while no endpoint takes a dial
  Histogram dial_duration{kDialBounds};                // of all of them
  Gauge last_dial_error_time;                          // Unix time in seconds; 0: none so far

  // In order of preference; complete before anybody counts.
  std::vector<std::unique_ptr<EndpointStats>> endpoints;

  EnumArray<RetireReason, Counter, kRetireReasons> retired;

  Counter restores;            // leases whose backend had another state than the session
  Counter restore_statements;  // statements and resets that those took
  Counter captures;  // times that state was read back before a backend went to another session

  Gauge prepared_bytes;  // that the prepared statements of sessions take

  // One dial to that endpoint has ended so.
  void count_dial(std::size_t endpoint, DialResult result);
  // There is one backend more on that endpoint (1), or one less (-1).
  void count_backend(std::size_t endpoint, int change);
};

}  // namespace tidepool::pool

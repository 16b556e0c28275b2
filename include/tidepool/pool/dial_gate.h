// Whether the pool may dial now, and which endpoint: never more than Limits::dial_rate dials in any
// second, few at once, the first endpoint of those that answer. While none answers, one probe at a
// time with pauses that grow. While TiDB refuses the account, the pauses are longer, and dials in
// advance are rarer still. Pure: it is told the time and what became of each dial. Owned by the
// broker.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <random>
#include <vector>

#include "tidepool/base/clock.h"
#include "tidepool/base/error.h"
#include "tidepool/pool/broker_types.h"

namespace tidepool::pool {

class DialGate {
 public:
  // Why a dial was begun.
  enum class Demand : std::uint8_t { kWaiter, kInAdvance };

  // `limits` must outlive it, and may change, but for the number of endpoints.
  DialGate(const Limits& limits, std::uint64_t seed)
      : limits_(limits), random_(seed), endpoints_(limits.endpoints) {}

  // The endpoint that the next dial goes to; nothing: none may begin now.
  std::optional<EndpointIndex> next(TimePoint now, std::size_t under_way) const;
  // Returns a better endpoint than the one in use, if a dial in advance is to try it again.
  std::optional<EndpointIndex> next_probe(TimePoint now) const;

  // Whether a dial without a waiter (in advance, or to learn about TiDB) may begin now, as far as
  // refusals are concerned: TiDB locks an account that fails too often.
  bool may_dial_unasked(TimePoint now) const;

  void begin(TimePoint now);
  void succeed(EndpointIndex endpoint);
  // `begun`: when the dial was. Dials that fail together are one failure. A refusal of a dial in
  // advance does not lengthen the pause of those who come.
  void fail(EndpointIndex endpoint, const Error& error, TimePoint begun, Demand demand,
            TimePoint now);

  // The account has changed.
  void forget_refusals();

  // No endpoint answers, or TiDB refuses the account.
  bool is_unavailable() const { return refusals_ > 0 || first_healthy() == endpoints_.size(); }
  // It is unavailable for a reason that waiting does not mend, and the next dial is not yet due.
  bool is_hopeless(TimePoint now) const;
  // No endpoint was ever reached, and each is absent: its name is not known, its port is closed, or
  // what listens is no TiDB. An endpoint that does not answer in time may be waking up, and is not
  // absent.
  bool is_absent() const;
  // Of the last dial, if it failed.
  const std::optional<Error>& last_error() const { return last_error_; }

 private:
  struct Endpoint {
    unsigned failures = 0;  // in a row
    TimePoint failed_at{};
    TimePoint not_before{};
    bool is_absent = false;  // as the last dial found
  };

  bool is_within_rate(TimePoint now) const;
  std::size_t first_healthy() const;
  Duration pause_after(unsigned failures);
  Duration pause_after_refusal(unsigned refusals);

  const Limits& limits_;
  std::mt19937_64 random_;
  std::deque<TimePoint> recent_;  // the last dials' beginnings, at most dial_rate
  std::vector<Endpoint> endpoints_;
  unsigned refusals_ = 0;  // of the account, in a row
  TimePoint refused_at_{};
  TimePoint refused_until_{};
  TimePoint account_refused_at_{};  // by the last dial; else never
  bool was_reached_ = false;        // by any dial so far
  std::optional<Error> last_error_;
};

// Whether waiting cannot mend the error, so that waiters are told at once.
bool is_permanent(const Error& error);

}  // namespace tidepool::pool

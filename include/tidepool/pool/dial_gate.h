// Whether the pool may dial now: never more than Limits::dial_rate dials in any second, few at
// once, and while TiDB is away one probe at a time, with pauses that grow. Pure: it is told the
// time and what became of each dial. Owned by the broker.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <random>

#include "tidepool/base/clock.h"
#include "tidepool/base/error.h"
#include "tidepool/pool/broker_types.h"

namespace tidepool::pool {

class DialGate {
 public:
  // `limits` must outlive it, and may change.
  DialGate(const Limits& limits, std::uint64_t seed) : limits_(limits), random_(seed) {}

  bool may_dial(TimePoint now, std::size_t under_way) const;
  void begin(TimePoint now);
  void succeed();
  // `begun`: when the dial was. Dials that fail together are one failure.
  void fail(const Error& error, TimePoint begun, TimePoint now);

  // The last dial failed: TiDB counts as away.
  bool is_away() const { return failures_ > 0; }
  // The last dial failed for a reason that waiting does not mend, and the next one is not yet due.
  bool is_hopeless(TimePoint now) const;
  // Of the last dial, if it failed.
  const std::optional<Error>& last_error() const { return last_error_; }

 private:
  const Limits& limits_;
  std::mt19937_64 random_;
  std::deque<TimePoint> recent_;  // the last dials' beginnings, at most dial_rate
  unsigned failures_ = 0;         // in a row
  TimePoint failed_at_{};
  TimePoint not_before_{};
  std::optional<Error> last_error_;
};

// What waiting cannot mend: whoever waits is told at once.
bool is_permanent(const Error& error);

}  // namespace tidepool::pool

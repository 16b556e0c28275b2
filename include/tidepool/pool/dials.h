// The dials of a pool that are under way, and the gate that each must pass. Pure; part of the
// broker, under its mutex.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "tidepool/base/clock.h"
#include "tidepool/pool/broker_types.h"
#include "tidepool/pool/dial_gate.h"

namespace tidepool::pool {

struct Dial {
  enum class Purpose : std::uint8_t {
    kReserve,  // in advance, without a waiter
    kWaiter,   // for a waiter
    kProbe,    // tries `endpoint` again, which is better than the one in use; without a waiter
  };

  WorkerIndex worker = 0;
  std::uint64_t profile = 0;
  Purpose purpose = Purpose::kReserve;
  EndpointIndex endpoint = 0;  // where the gate says, unless it is a probe
  BackendId replaces = 0;
  TimePoint begun{};
  bool is_outdated = false;  // begun before the account changed
};

class Dials {
 public:
  // `limits` must outlive it, and may change, but for the number of endpoints.
  Dials(const Limits& limits, std::uint64_t seed) : gate_(limits, seed) {}

  // Whether a dial might begin now, if there were room for a backend.
  bool may_begin(TimePoint now) const { return may_begin_besides(0, now); }
  // The same, while so many other dials are as good as begun.
  bool may_begin_besides(unsigned others, TimePoint now) const {
    return gate_.next(now, count() + others).has_value();
  }
  // The same for a dial without a waiter.
  bool may_begin_unasked(TimePoint now) const {
    return may_begin(now) && gate_.may_dial_unasked(now);
  }

  // Requires may_begin(), or a probe of an endpoint that the gate has told.
  void begin(Dial dial, TimePoint now, Orders& orders);
  // It has ended so. Returns what it was.
  Dial succeed(DialId id);
  Dial fail(DialId id, const Error& error, TimePoint now);

  // The account has changed: those under way may still have been let in as the old one.
  void outdate();
  void forget_refusals() { gate_.forget_refusals(); }

  const DialGate& gate() const { return gate_; }
  unsigned count() const { return static_cast<unsigned>(under_way_.size()); }
  unsigned count(std::uint64_t profile) const;
  bool is_probing() const;
  // Each that is under way is passed to `visit`.
  template <class Visit>
  void for_each(Visit visit) const {
    for (const auto& [id, dial] : under_way_)
      visit(dial);
  }

 private:
  Dial take(DialId id);

  DialGate gate_;
  std::unordered_map<DialId, Dial> under_way_;
  DialId last_id_ = 0;
};

}  // namespace tidepool::pool

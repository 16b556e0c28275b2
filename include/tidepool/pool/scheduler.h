// Who gets what: the one scheduler over the queue. It serves the waiters in their turns from what
// is idle, and has backends brought for the others in the same turns. Pure; part of the broker,
// under its mutex.
#pragma once

#include <cstdint>

#include "tidepool/base/clock.h"
#include "tidepool/pool/broker_state.h"

namespace tidepool::pool {

class Supply;

class Scheduler {
 public:
  // `pool` must outlive it.
  explicit Scheduler(BrokerState& pool) : pool_(pool) {}

  // To be called after everything that happens to the pool.
  void run(TimePoint now, Orders& orders) {
    if (!pool_.queue.is_empty() && !pool_.is_draining) serve(now, orders);
  }

  // Whether a waiter that may have a lease waits for that profile.
  bool has_waiter(std::uint64_t profile) const;

 private:
  enum class Outlook : std::uint8_t {
    kComes,    // a backend for the waiter is there soon
    kNothing,  // no other waiter of the profile gets one now either
  };

  void serve(TimePoint now, Orders& orders);
  void grant_idle(TimePoint now, Orders& orders);
  void swap_profile(const Waiter& waiter, TimePoint now, Orders& orders);
  bool is_starved_by(const Waiter& waiter, const Waiter& rival, TimePoint now) const;
  void bring_backends(TimePoint now, Orders& orders);
  bool can_bring(TimePoint now) const;
  Outlook bring_backend(const Waiter& waiter, Supply& supply, TimePoint now, Orders& orders);
  Outlook make_room(const Waiter& waiter, Orders& orders);
  Supply supply() const;
  void hand_to(const Waiter& waiter, BackendRecord& record, Orders& orders);
  // The waiter of those for whom `suits` says so whose turn it is; null: there is none.
  template <class Suits>
  const Waiter* next_waiter(Suits suits) const {
    return pool_.turns().next(suits);
  }

  BrokerState& pool_;
  TimePoint last_swap_{};  // when a backend last had to go although its profile was wanted
};

}  // namespace tidepool::pool

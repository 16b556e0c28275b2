// Which backends are dialled without a waiter: the first ones, spare ones, the
// replacements of those at the end of their lives, and probes of a better endpoint. Pure; part of
// the broker, under its mutex.
//
// Dials for those who wait are the scheduler's. All of them pass the one gate of Dials.
#pragma once

#include <vector>

#include "tidepool/base/clock.h"
#include "tidepool/pool/broker_state.h"

namespace tidepool::pool {

// What decides how many spare backends of one profile are to be dialled.
struct SpareFigures {
  unsigned ready = 0;     // idle ones of the profile
  unsigned waiting = 0;   // sessions that wait for the profile
  unsigned coming = 0;    // dials of the profile under way
  unsigned dialling = 0;  // all dials under way
  unsigned kept = 0;      // as BackendTable::kept()
  unsigned total = 0;     // as BrokerState::total()
};
// So many that Limits::min_idle are ready once all dials have succeeded and all waiters are served;
// never beyond Limits::size, where they would be overflow.
unsigned spare_dials(const SpareFigures& figures, const Limits& limits);

class DialPlanner {
 public:
  // `pool` must outlive it.
  explicit DialPlanner(BrokerState& pool) : pool_(pool) {}

  // A session of that worker wants such a backend. Spare ones are like the last that was wanted.
  void note_wanted(WorkerIndex worker, std::uint64_t profile) {
    wanted_by_ = worker;
    wanted_profile_ = profile;
  }

  // Opens backends until `count` exist.
  void warm_up(unsigned count, const Dial& like, TimePoint now, Orders& orders);

  // A lease ends. Whether its backend is to be closed since its life is over; if that is to make
  // room for the replacement, the replacement is dialled once it is closed.
  [[nodiscard]] bool ends_at_release(const BackendRecord& record, TimePoint now);

  // The dial has brought that backend, which is idle: the one that it replaces goes, and those on
  // worse endpoints go one after the other if it was a probe.
  void succeeded(const Dial& dial, BackendRecord& record, TimePoint now, Orders& orders);
  // The dial has failed.
  void failed(const Dial& dial);

  // A backend is closed. To be called before the scheduler uses its place, ...
  void dial_deferred_probe(TimePoint now, Orders& orders);
  // ... and after that.
  void dial_deferred(TimePoint now, Orders& orders);

  // What time brings: replacements, then probes, then spare backends.
  void tick(TimePoint now, Orders& orders);

 private:
  void replace_due(TimePoint now, Orders& orders);
  void replace(BackendRecord& record, TimePoint now, Orders& orders);
  void probe_better_endpoint(TimePoint now, Orders& orders);
  void leave_endpoints_beyond(EndpointIndex endpoint, TimePoint now);
  void keep_spare_ones(TimePoint now, Orders& orders);
  Dial after(const BackendRecord& record, TimePoint now) const;

  BrokerState& pool_;
  std::vector<Dial> deferred_;  // in the places of backends that were retired for them
  WorkerIndex wanted_by_ = 0;
  std::uint64_t wanted_profile_ = 0;
};

}  // namespace tidepool::pool

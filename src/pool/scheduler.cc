#include "tidepool/pool/scheduler.h"

#include <algorithm>
#include <vector>

#include "parking.h"
#include "supply.h"
#include "waiters.h"

namespace tidepool::pool {
namespace {

using State = BackendRecord::State;
using Reach = BackendTable::Reach;

// A waiter for whose profile there are backends may take the place of a backend that others want
// once it has waited this much longer than they. And where there are fewer places than profiles,
// each profile keeps its place for so long: a dial takes longer than a statement.
constexpr std::chrono::milliseconds kProfilePatience{250};

}  // namespace

bool Scheduler::has_waiter(std::uint64_t profile) const {
  return next_waiter([profile](const Waiter& one) { return one.request.profile == profile; }) !=
         nullptr;
}

void Scheduler::serve(TimePoint now, Orders& orders) {
  const DialGate& gate = pool_.dials.gate();
  if (pool_.backends.open() == 0 && gate.is_hopeless(now))
    return fail_all_waiters(pool_, *gate.last_error(), orders);
  grant_idle(now, orders);
  bring_backends(now, orders);
}

// Each turn serves a waiter or ends.
void Scheduler::grant_idle(TimePoint now, Orders& orders) {
  while (pool_.backends.count(State::kIdle) > 0) {
    const Waiter* waiter = next_waiter([](const Waiter&) { return true; });
    if (waiter == nullptr) return;
    BackendRecord* record =
        pool_.backends.pick_idle(waiter->worker, waiter->request, Reach::kAllWorkers);
    if (record == nullptr) {
      swap_profile(*waiter, now, orders);
      waiter = next_waiter([&](const Waiter& one) {
        return pool_.backends.pick_idle(one.worker, one.request, Reach::kAllWorkers) != nullptr;
      });
      if (waiter == nullptr) return;
      record = pool_.backends.pick_idle(waiter->worker, waiter->request, Reach::kAllWorkers);
    }
    hand_to(*waiter, *record, orders);
  }
}

// The next waiter waits in vain, since no idle backend has its profile: one of them goes, even if
// another waiter would take it.
void Scheduler::swap_profile(const Waiter& waiter, TimePoint now, Orders& orders) {
  if (pool_.has_room() || pool_.backends.count(State::kClosing) > 0 || !pool_.dials.may_begin(now))
    return;
  if (supply().take(waiter.request.profile)) return;
  const BackendTable::List& idle = pool_.backends.in(State::kIdle);
  const auto found = std::find_if(idle.rbegin(), idle.rend(), [&](const BackendRecord* record) {
    const Waiter* rival =
        next_waiter([&](const Waiter& one) { return one.request.profile == record->profile; });
    if (rival == nullptr) return true;
    if (!is_starved_by(waiter, *rival, now)) return false;
    last_swap_ = now;
    return true;
  });
  if (found != idle.rend()) pool_.retire(**found, RetireReason::kProfile, orders);
}

bool Scheduler::is_starved_by(const Waiter& waiter, const Waiter& rival, TimePoint now) const {
  if (rival.since - waiter.since > kProfilePatience) return true;
  return !pool_.backends.has_open(waiter.request.profile) && now - last_swap_ >= kProfilePatience;
}

// No idle backend suits a waiter. Thousands may wait, and this runs for each that comes: it stops
// as soon as no waiter can be helped.
void Scheduler::bring_backends(TimePoint now, Orders& orders) {
  if (!can_bring(now)) return;
  Supply coming = supply();
  WaitQueue::Turns plan = pool_.turns();
  std::vector<std::uint64_t> given_up;  // profiles that get no more now
  while (can_bring(now)) {
    const Waiter* waiter = plan.next([&](const Waiter& one) {
      return std::find(given_up.begin(), given_up.end(), one.request.profile) == given_up.end();
    });
    if (waiter == nullptr) break;
    plan.plan(*waiter);
    if (bring_backend(*waiter, coming, now, orders) == Outlook::kNothing)
      given_up.push_back(waiter->request.profile);
  }
  if (pool_.backends.count(State::kParked) == 0) return;
  pool_.queue.for_each_line([&](const Waiter& head) {
    if (!plan.allows(head.request)) recall_leases_of(pool_, head.request, orders);
  });
}

bool Scheduler::can_bring(TimePoint now) const {
  if (can_recall(pool_)) return true;
  const bool has_room = pool_.has_room() || pool_.backends.count(State::kIdle) > 0;
  return has_room && pool_.dials.may_begin(now);
}

// Asks a parked backend back, dials one, or makes room for one.
Scheduler::Outlook Scheduler::bring_backend(const Waiter& waiter, Supply& supply, TimePoint now,
                                            Orders& orders) {
  const std::uint64_t profile = waiter.request.profile;
  if (supply.take(profile)) return Outlook::kComes;
  const bool may_dial = pool_.dials.may_begin(now);
  const bool is_large = pool_.total() >= pool_.limits.own_size();
  if ((is_large || !may_dial) && recall_oldest_of(pool_, profile, orders)) return Outlook::kComes;
  if (!may_dial) return Outlook::kNothing;
  if (pool_.has_room()) {
    const Dial dial{.worker = waiter.worker, .profile = profile, .purpose = Dial::Purpose::kWaiter};
    pool_.dials.begin(dial, now, orders);
    return Outlook::kComes;
  }
  if (supply.take_place()) return Outlook::kComes;
  const unsigned closing = pool_.backends.count(State::kClosing);
  if (!pool_.dials.may_begin_besides(closing, now)) return Outlook::kNothing;
  return make_room(waiter, orders);
}

// Retires the idle backend that was used longest ago, or has one given up that is parked; its place
// is free once it is closed.
Scheduler::Outlook Scheduler::make_room(const Waiter& waiter, Orders& orders) {
  const BackendTable::List& idle = pool_.backends.in(State::kIdle);
  if (!idle.empty()) {
    pool_.retire(*idle.back(), RetireReason::kProfile, orders);
    return Outlook::kComes;
  }
  const bool is_recalled = recall_oldest_but(pool_, waiter.request.profile, orders);
  return is_recalled ? Outlook::kComes : Outlook::kNothing;
}

// Backends on their way: dialled, pinged, or asked back from a session that parks them; places that
// become free.
Supply Scheduler::supply() const {
  Supply found;
  pool_.dials.for_each([&](const Dial& dial) { found.add(dial.profile); });
  for (const BackendRecord* record : pool_.backends.in(State::kPinging))
    found.add(record->profile);
  for (const BackendRecord* record : pool_.backends.in(State::kParked))
    if (record->is_recalled) found.add_recalled(record->profile);
  for (unsigned i = 0; i < pool_.backends.count(State::kClosing); ++i)
    found.add_place();
  return found;
}

void Scheduler::hand_to(const Waiter& waiter, BackendRecord& record, Orders& orders) {
  if (record.worker == waiter.worker) {
    orders.push_back({record.worker, GrantOrder{waiter.id, record.id}});
  } else {
    orders.push_back({record.worker, MoveOrder{record.id, waiter.worker, waiter.id}});
    record.worker = waiter.worker;
  }
  pool_.lease(record, waiter.request);
  pool_.queue.erase_head(waiter);
}

}  // namespace tidepool::pool

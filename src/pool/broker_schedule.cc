// Who gets what: the one scheduler over the queue. It runs after everything that happens, serves
// the waiters in their turns from what is idle, and has backends brought for the others in the same
// turns.
#include <algorithm>
#include <optional>
#include <vector>

#include "supply.h"
#include "tidepool/pool/broker.h"

namespace tidepool::pool {
namespace {

// A waiter for whose variant there are backends may take the place of a backend that others want
// once it has waited this much longer than they. And where there are fewer places than variants,
// each variant keeps its place for so long: a dial takes longer than a statement.
constexpr std::chrono::milliseconds kVariantPatience{250};

}  // namespace

void Broker::schedule(TimePoint now, Orders& orders) {
  if (queue_.is_empty() || draining_) return;
  if (backends_.open() == 0 && gate_.is_hopeless(now))
    return fail_all_waiters(*gate_.last_error(), orders);
  grant_idle(now, orders);
  bring_backends(now, orders);
}

// Each turn serves a waiter or ends.
void Broker::grant_idle(TimePoint now, Orders& orders) {
  while (backends_.count(State::kIdle) > 0) {
    const Waiter* waiter = next_waiter([](const Waiter&) { return true; });
    if (waiter == nullptr) return;
    std::optional<BackendId> backend =
        backends_.pick_idle(waiter->worker, waiter->want, Reach::kAllWorkers);
    if (!backend) {
      swap_variant(*waiter, now, orders);
      waiter = next_waiter([&](const Waiter& one) {
        return backends_.pick_idle(one.worker, one.want, Reach::kAllWorkers).has_value();
      });
      if (waiter == nullptr) return;
      backend = backends_.pick_idle(waiter->worker, waiter->want, Reach::kAllWorkers);
    }
    hand_to(*waiter, *backend, orders);
  }
}

// The next of all waits in vain for another variant than those of the idle backends: one of them
// goes, even if somebody else would take it.
void Broker::swap_variant(const Waiter& waiter, TimePoint now, Orders& orders) {
  if (counts().total() < limits_.cap() || backends_.count(State::kClosing) > 0 || !may_dial(now))
    return;
  if (supply().take(waiter.want.variant)) return;
  const BackendTable::List& idle = backends_.in(State::kIdle);
  const auto found = std::find_if(idle.rbegin(), idle.rend(), [&](BackendId id) {
    const std::uint64_t variant = backends_.at(id).variant;
    const Waiter* rival =
        next_waiter([variant](const Waiter& one) { return one.want.variant == variant; });
    if (rival == nullptr) return true;
    if (!is_starved_by(waiter, *rival, now)) return false;
    last_swap_ = now;
    return true;
  });
  if (found != idle.rend()) begin_retire(backends_.at(*found), RetireReason::kVariant, orders);
}

bool Broker::is_starved_by(const Waiter& waiter, const Waiter& rival, TimePoint now) const {
  if (rival.since - waiter.since > kVariantPatience) return true;
  return !backends_.has_open(waiter.want.variant) && now - last_swap_ >= kVariantPatience;
}

// Nothing idle suits anybody. Thousands may wait, and this runs for each that comes: it stops as
// soon as nobody can be helped.
void Broker::bring_backends(TimePoint now, Orders& orders) {
  if (!can_bring(now)) return;
  Supply coming = supply();
  WaitQueue::Turns plan = turns();
  std::vector<std::uint64_t> given_up;  // variants that get no more now
  while (can_bring(now)) {
    const Waiter* waiter = plan.next([&](const Waiter& one) {
      return std::find(given_up.begin(), given_up.end(), one.want.variant) == given_up.end();
    });
    if (waiter == nullptr) break;
    plan.plan(*waiter);
    if (!bring_backend(*waiter, coming, now, orders)) given_up.push_back(waiter->want.variant);
  }
  if (backends_.count(State::kParked) == 0) return;
  queue_.for_each_line([&](const Waiter& head) {
    if (!plan.allows(head.want)) recall_of(head.want, orders);
  });
}

bool Broker::can_bring(TimePoint now) const {
  const BackendTable::List& parked = backends_.in(State::kParked);
  const bool can_recall = std::any_of(parked.begin(), parked.end(),
                                      [&](BackendId id) { return !backends_.at(id).is_recalled; });
  if (can_recall) return true;
  const bool has_room = counts().total() < limits_.cap() || backends_.count(State::kIdle) > 0;
  return has_room && may_dial(now);
}

// Asks a parked backend back, dials one, or makes room for one; false: nobody else who waits for
// this variant gets one now either.
bool Broker::bring_backend(const Waiter& waiter, Supply& supply, TimePoint now, Orders& orders) {
  const std::uint64_t variant = waiter.want.variant;
  if (supply.take(variant)) return true;
  const bool is_large = counts().total() >= limits_.own_size();
  if (is_large && recall_for(variant, orders)) return true;
  if (!may_dial(now)) return recall_for(variant, orders);
  if (counts().total() < limits_.cap()) {
    start_dial({.worker = waiter.worker, .variant = variant, .is_asked = true}, now, orders);
    return true;
  }
  if (supply.take_place()) return true;
  const std::size_t under_way = dials_.size() + backends_.count(State::kClosing);
  return gate_.next(now, under_way).has_value() && make_room(waiter, orders);
}

// Retires the idle backend that was used longest ago, or has one given up that is parked; its place
// is free once it is closed.
bool Broker::make_room(const Waiter& waiter, Orders& orders) {
  const BackendTable::List& idle = backends_.in(State::kIdle);
  if (!idle.empty()) {
    begin_retire(backends_.at(idle.back()), RetireReason::kVariant, orders);
    return true;
  }
  const BackendTable::List& parked = backends_.in(State::kParked);
  const auto found = std::find_if(parked.begin(), parked.end(), [&](BackendId id) {
    const BackendRecord& record = backends_.at(id);
    return record.variant != waiter.want.variant && !record.is_recalled;
  });
  if (found == parked.end()) return false;
  recall(backends_.at(*found), orders);
  return true;
}

// Backends on their way: dialled, pinged, or asked back from a session that parks them; places that
// become free.
Supply Broker::supply() const {
  Supply found;
  for (const auto& [id, dial] : dials_)
    found.add(dial.variant);
  for (const BackendId id : backends_.in(State::kPinging))
    found.add(backends_.at(id).variant);
  for (const BackendId id : backends_.in(State::kParked)) {
    const BackendRecord& record = backends_.at(id);
    if (record.is_recalled) found.add_recalled(record.variant);
  }
  for (unsigned i = 0; i < backends_.count(State::kClosing); ++i)
    found.add_place();
  return found;
}

void Broker::hand_to(const Waiter& waiter, BackendId backend, Orders& orders) {
  BackendRecord& record = backends_.at(backend);
  if (record.worker == waiter.worker) {
    orders.push_back({record.worker, GrantOrder{waiter.id, backend}});
  } else {
    orders.push_back({record.worker, MoveOrder{backend, waiter.worker, waiter.id}});
    record.worker = waiter.worker;
  }
  lease(record, waiter.want);
  queue_.erase_head(waiter);
}

void Broker::lease(BackendRecord& record, const Want& want) {
  backends_.set_state(record, State::kLeased);
  shares_.take(want.user, want.database);
  record.user = want.user;
  record.database = want.database;
  record.holder = want.holder;
}

}  // namespace tidepool::pool

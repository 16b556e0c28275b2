#include "tidepool/pool/dial_planner.h"

#include <algorithm>
#include <utility>

#include "lifetime.h"

namespace tidepool::pool {
namespace {

using State = BackendRecord::State;
using Replacement = BackendRecord::Replacement;
using Purpose = Dial::Purpose;

// Backends migrate to a better endpoint that answers again over this period.
constexpr std::chrono::seconds kMigration{30};

unsigned less(unsigned all, unsigned some) {
  return all - std::min(all, some);
}

}  // namespace

unsigned spare_dials(const SpareFigures& figures, const Limits& limits) {
  if (figures.ready >= limits.min_idle) return 0;
  const unsigned missing = less(limits.min_idle - figures.ready + figures.waiting, figures.coming);
  const unsigned room = std::min(less(limits.size, figures.kept + figures.dialling),
                                 less(limits.cap(), figures.total));
  return std::min(missing, room);
}

void DialPlanner::warm_up(unsigned count, const Dial& like, TimePoint now, Orders& orders) {
  const unsigned wanted = std::min(count, pool_.limits.cap());
  while (pool_.total() < wanted && pool_.dials.may_begin_unasked(now))
    pool_.dials.begin(like, now, orders);
}

bool DialPlanner::ends_at_release(const BackendRecord& record, TimePoint now) {
  if (!is_life_over(record, now)) return false;
  switch (at_end(record, pool_.limits, pool_.figures(), now)) {
    case AtEnd::kRetire: return true;
    case AtEnd::kGoOn: return false;
    case AtEnd::kReplace: break;
  }
  // With room for both, the replacement comes first; and one backend at a time makes room.
  const bool must_wait = pool_.has_room() || pool_.backends.count(State::kClosing) > 0;
  if (must_wait || !pool_.dials.may_begin(now)) return false;
  deferred_.push_back(after(record, now));
  return true;
}

// What follows a backend that goes first: if a better endpoint is due for a probe, that.
Dial DialPlanner::after(const BackendRecord& record, TimePoint now) const {
  Dial dial{.worker = record.worker, .profile = record.profile};
  const auto better = pool_.dials.gate().next_probe(now);
  if (better && *better < record.endpoint) {
    dial.purpose = Purpose::kProbe;
    dial.endpoint = *better;
  }
  return dial;
}

void DialPlanner::succeeded(const Dial& dial, BackendRecord& record, TimePoint now,
                            Orders& orders) {
  if (dial.purpose == Purpose::kProbe) leave_endpoints_beyond(dial.endpoint, now);
  BackendRecord* before = pool_.backends.find(dial.replaces);
  if (before == nullptr || before->is_closing()) return;
  if (pool_.is_draining)  // the new one goes at once
    return pool_.backends.set_replacement(*before, Replacement::kNone);
  pool_.backends.set_replacement(*before, Replacement::kReady);
  if (before->state() == State::kParked) pool_.recall(*before, orders);
  if (before->is_held()) return;
  record.idle_since = before->idle_since;  // as idle as its predecessor
  record.heard_at = now;
  pool_.backends.sort_in(record);
  if (before->state() == State::kIdle) pool_.retire(*before, RetireReason::kRecycle, orders);
}

void DialPlanner::failed(const Dial& dial) {
  if (BackendRecord* before = pool_.backends.find(dial.replaces))
    pool_.backends.set_replacement(*before, Replacement::kNone);
}

void DialPlanner::dial_deferred_probe(TimePoint now, Orders& orders) {
  if (!deferred_.empty() && deferred_.back().purpose == Purpose::kProbe) dial_deferred(now, orders);
}

void DialPlanner::dial_deferred(TimePoint now, Orders& orders) {
  while (!deferred_.empty() && !pool_.is_draining && pool_.dials.may_begin_unasked(now)) {
    Dial dial = deferred_.back();
    if (pool_.dials.is_probing()) dial.purpose = Purpose::kReserve;
    // Another dial may have succeeded there.
    const bool is_there = dial.purpose != Purpose::kProbe &&
                          pool_.backends.kept() + pool_.dials.count() >= pool_.limits.size;
    if (!is_there && !pool_.has_room()) return;
    deferred_.pop_back();
    if (!is_there) pool_.dials.begin(dial, now, orders);
  }
}

void DialPlanner::tick(TimePoint now, Orders& orders) {
  dial_deferred(now, orders);
  replace_due(now, orders);
  probe_better_endpoint(now, orders);
  keep_spare_ones(now, orders);
}

void DialPlanner::replace_due(TimePoint now, Orders& orders) {
  std::vector<std::pair<TimePoint, BackendId>> due;
  for (const auto& [id, record] : pool_.backends) {
    if (now < record.expires || record.is_closing()) continue;
    if (record.replacement() == Replacement::kNone) due.emplace_back(record.expires, id);
  }
  std::sort(due.begin(), due.end());
  for (const auto& [expires, id] : due) {
    if (!pool_.dials.may_begin_unasked(now)) return;
    BackendRecord& record = pool_.backends.at(id);
    if (wants_replacement(record, pool_.limits, pool_.figures(), now)) replace(record, now, orders);
  }
}

// Make before break; where the cap has no room for both, break before make, one after the other.
void DialPlanner::replace(BackendRecord& record, TimePoint now, Orders& orders) {
  if (pool_.has_room()) {
    pool_.backends.set_replacement(record, Replacement::kDialling);
    const Dial dial{.worker = record.worker, .profile = record.profile, .replaces = record.id};
    return pool_.dials.begin(dial, now, orders);
  }
  if (record.state() != State::kIdle || pool_.backends.count(State::kClosing) > 0) return;
  deferred_.push_back(after(record, now));
  pool_.retire(record, RetireReason::kRecycle, orders);
}

// The way back to a better endpoint: a dial tries it, in place of a backend on a worse one.
void DialPlanner::probe_better_endpoint(TimePoint now, Orders& orders) {
  const auto better = pool_.dials.gate().next_probe(now);
  if (!better || pool_.dials.is_probing()) return;
  const auto is_worse = [&](const BackendRecord& record) {
    return !record.is_closing() && record.endpoint > *better &&
           record.replacement() == Replacement::kNone;
  };
  const auto found = std::find_if(pool_.backends.begin(), pool_.backends.end(),
                                  [&](const auto& one) { return is_worse(one.second); });
  if (found == pool_.backends.end()) return;
  const auto probe_for = [&](const BackendRecord& record) {
    return Dial{.worker = record.worker,
                .profile = record.profile,
                .purpose = Purpose::kProbe,
                .endpoint = *better};
  };
  if (pool_.has_room()) {
    pool_.backends.set_replacement(found->second, Replacement::kDialling);
    Dial dial = probe_for(found->second);
    dial.replaces = found->first;
    return pool_.dials.begin(dial, now, orders);
  }
  // A full pool, or an only backend, waits for the end of a life: see ends_at_release().
  if (pool_.backends.size() == 1 || pool_.backends.count(State::kClosing) > 0) return;
  const BackendTable::List& idle = pool_.backends.in(State::kIdle);
  const auto leaving = std::find_if(idle.rbegin(), idle.rend(),
                                    [&](const BackendRecord* record) { return is_worse(*record); });
  if (leaving == idle.rend()) return;
  BackendRecord& record = **leaving;
  deferred_.push_back(probe_for(record));
  pool_.retire(record, RetireReason::kRecycle, orders);
}

// Their lives end soon, one after the other.
void DialPlanner::leave_endpoints_beyond(EndpointIndex endpoint, TimePoint now) {
  std::vector<BackendRecord*> leaving;
  for (auto& [id, record] : pool_.backends)
    if (record.endpoint > endpoint) leaving.push_back(&record);
  TimePoint end = now;
  for (BackendRecord* record : leaving) {
    record->expires = std::min(record->expires, end);
    end += Duration(kMigration) / leaving.size();
  }
}

void DialPlanner::keep_spare_ones(TimePoint now, Orders& orders) {
  if (pool_.limits.min_idle == 0) return;
  SpareFigures figures{.coming = pool_.dials.count(wanted_profile_),
                       .dialling = pool_.dials.count(),
                       .kept = pool_.backends.kept(),
                       .total = pool_.total()};
  for (const State state : {State::kIdle, State::kPinging})
    for (const BackendRecord* record : pool_.backends.in(state))
      if (record->profile == wanted_profile_) ++figures.ready;
  pool_.queue.for_each([&](const Waiter& one) {
    if (one.request.profile == wanted_profile_) ++figures.waiting;
  });
  const Dial dial{.worker = wanted_by_, .profile = wanted_profile_};
  for (unsigned left = spare_dials(figures, pool_.limits);
       left > 0 && pool_.dials.may_begin_unasked(now); --left)
    pool_.dials.begin(dial, now, orders);
}

}  // namespace tidepool::pool

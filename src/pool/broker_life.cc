// How backends end and who follows them: recycling, idle timeouts, spare ones, pings.
#include <algorithm>
#include <iterator>

#include "tidepool/base/check.h"
#include "tidepool/pool/broker.h"
#include "tidepool/pool/stagger.h"

namespace tidepool::pool {
namespace {

// No backend is replaced before this part of its time, whatever the staggering would like.
constexpr double kShortestLife = 0.2;
// Ends of life are this many times closer than an even spread over the whole time would have them,
// so that there is a place for each.
constexpr double kSlack = 1.25;

Duration scaled(Duration time, double factor) {
  return std::chrono::duration_cast<Duration>(
      std::chrono::duration<double, Duration::period>(time) * factor);
}

// What follows a backend that goes first: if a better endpoint is due for a probe, that.
Dial follower_of(const BackendRecord& record, const DialGate& gate, TimePoint now) {
  Dial dial{.worker = record.worker, .variant = record.variant};
  const auto better = gate.next_probe(now);
  if (better && *better < record.endpoint) {
    dial.purpose = Dial::Purpose::kProbe;
    dial.endpoint = *better;
  }
  return dial;
}

}  // namespace

TimePoint Broker::end_of_life(TimePoint now) {
  if (pool_.limits.recycle.count() <= 0) return TimePoint::max();
  const Duration recycle = pool_.limits.recycle;
  std::uniform_real_distribution<double> shorter(0.0, pool_.limits.recycle_jitter);
  const double longest = 1.0 - shorter(random_);
  std::vector<TimePoint> ends = pool_.backends.ends_of_life();
  const std::size_t many = std::max<std::size_t>(pool_.limits.size, ends.size() + 1);
  const Duration spacing = scaled(recycle, 1.0 / (kSlack * static_cast<double>(many)));
  return pick_end(now + scaled(recycle, std::min(kShortestLife, longest)),
                  now + scaled(recycle, longest), spacing, std::move(ends));
}

void Broker::retire_by_time(TimePoint now, Orders& orders) {
  const BackendTable::List& idle = pool_.backends.in(State::kIdle);
  const BackendTable::List oldest_first(idle.rbegin(), idle.rend());
  unsigned remaining = pool_.backends.kept();
  for (const BackendId id : oldest_first) {
    BackendRecord& record = pool_.backends.at(id);
    const bool is_spare = idle.size() <= pool_.limits.min_idle;
    const auto idle_for = now - record.idle_since;
    std::optional<RetireReason> reason;
    if (now >= record.expires && !wants_replacement(record, now)) {
      reason = RetireReason::kRecycle;
    } else if (pool_.limits.idle_timeout.count() > 0 && idle_for >= pool_.limits.idle_timeout &&
               !is_spare) {
      reason = RetireReason::kIdle;
    } else if ((remaining > pool_.limits.size && idle_for >= pool_.limits.overflow_linger) ||
               pool_.backends.open() > pool_.limits.cap()) {  // which has become smaller
      reason = RetireReason::kOverflow;
    }
    if (!reason) continue;
    pool_.retire(record, *reason, orders);
    --remaining;
  }
}

// One that nobody has needed for long would soon be closed for that reason.
bool Broker::wants_replacement(const BackendRecord& record, TimePoint now) const {
  if (pool_.is_draining || pool_.backends.kept() > pool_.limits.size) return false;
  if (record.state() != State::kIdle || pool_.limits.idle_timeout.count() <= 0) return true;
  return (now - record.idle_since) * 2 < pool_.limits.idle_timeout ||
         pool_.backends.count(State::kIdle) <= pool_.limits.min_idle;
}

// Its replacement is there, or none is needed, or has its place only when this one is closed. While
// the replacement is only late (dials fail, or must wait), a good backend goes on.
bool Broker::retires_at_release(const BackendRecord& record, TimePoint now) {
  if (now < record.expires) return false;
  if (record.replacement() == Replacement::kReady || !wants_replacement(record, now)) return true;
  if (record.replacement() == Replacement::kDialling) return false;
  if (pool_.has_room() || pool_.backends.count(State::kClosing) > 0 || !pool_.dials.may_begin(now))
    return false;
  owed_.push_back(follower_of(record, pool_.dials.gate(), now));
  return true;
}

void Broker::replace_by_time(TimePoint now, Orders& orders) {
  std::vector<std::pair<TimePoint, BackendId>> due;
  for (const auto& [id, record] : pool_.backends) {
    if (now < record.expires || record.state() == State::kClosing) continue;
    if (record.replacement() == Replacement::kNone) due.emplace_back(record.expires, id);
  }
  std::sort(due.begin(), due.end());
  for (const auto& [expires, id] : due) {
    if (!pool_.dials.may_begin_unasked(now)) return;
    if (wants_replacement(pool_.backends.at(id), now))
      order_replacement(pool_.backends.at(id), now, orders);
  }
}

// Make before break; where the cap has no room for both, break before make, one after the other.
void Broker::order_replacement(BackendRecord& record, TimePoint now, Orders& orders) {
  if (pool_.has_room()) {
    pool_.backends.set_replacement(record, Replacement::kDialling);
    return pool_.dials.begin(
        {.worker = record.worker, .variant = record.variant, .replaces = record.id}, now, orders);
  }
  if (record.state() != State::kIdle || pool_.backends.count(State::kClosing) > 0) return;
  owed_.push_back(follower_of(record, pool_.dials.gate(), now));
  pool_.retire(record, RetireReason::kRecycle, orders);
}

void Broker::replace(BackendId old, BackendRecord& by, TimePoint now, Orders& orders) {
  BackendRecord* before = pool_.backends.find(old);
  if (before == nullptr || before->state() == State::kClosing) return;
  pool_.backends.set_replacement(*before, Replacement::kReady);
  if (before->state() == State::kParked) pool_.recall(*before, orders);
  if (before->state() != State::kIdle) return;
  pool_.backends.move_before(by, *before);  // as idle as the one before it
  by.idle_since = before->idle_since;
  by.heard_at = now;
  pool_.retire(*before, RetireReason::kRecycle, orders);
}

void Broker::dial_owed(TimePoint now, Orders& orders) {
  while (!owed_.empty() && !pool_.is_draining && pool_.dials.may_begin_unasked(now)) {
    Dial dial = owed_.back();
    if (pool_.dials.is_probing()) dial.purpose = Dial::Purpose::kReserve;
    // Somebody else may have dialled it.
    const bool is_there = dial.purpose != Dial::Purpose::kProbe &&
                          pool_.backends.kept() + pool_.dials.count() >= pool_.limits.size;
    if (!is_there && !pool_.has_room()) return;
    owed_.pop_back();
    if (!is_there) pool_.dials.begin(dial, now, orders);
  }
}

// In advance, and after losses; never beyond `size`, where they would be overflow.
void Broker::keep_min_idle(TimePoint now, Orders& orders) {
  if (pool_.limits.min_idle == 0) return;
  const std::uint64_t variant = last_wanted_.variant;
  const auto spare = [&] {
    const auto ready =
        std::count_if(pool_.backends.begin(), pool_.backends.end(), [&](const auto& one) {
          const bool is_idle =
              one.second.state() == State::kIdle || one.second.state() == State::kPinging;
          return is_idle && one.second.variant == variant;
        });
    std::ptrdiff_t wanted = 0;
    pool_.queue.for_each([&](const Waiter& one) { wanted += one.want.variant == variant ? 1 : 0; });
    return ready + std::max<std::ptrdiff_t>(0, std::ptrdiff_t{pool_.dials.count(variant)} - wanted);
  };
  while (spare() < std::ptrdiff_t{pool_.limits.min_idle} &&
         pool_.backends.kept() + pool_.dials.count() < pool_.limits.size && pool_.has_room() &&
         pool_.dials.may_begin_unasked(now)) {
    pool_.dials.begin(last_wanted_, now, orders);
  }
}

// One at a time: it cannot be lent meanwhile.
void Broker::ping_by_time(TimePoint now, Orders& orders) {
  if (pool_.backends.count(State::kPinging) > 0) return;
  const auto is_due = [&](BackendId id) {
    const BackendRecord& record = pool_.backends.at(id);
    const Duration silent = now - std::max(record.idle_since, record.heard_at);
    return record.is_suspect ||
           (pool_.limits.ping_interval.count() > 0 && silent >= pool_.limits.ping_interval);
  };
  const BackendTable::List& idle = pool_.backends.in(State::kIdle);
  const auto found = std::find_if(idle.rbegin(), idle.rend(), is_due);
  if (found == idle.rend()) return;
  BackendRecord& record = pool_.backends.at(*found);
  pool_.backends.set_state(record, State::kPinging);
  orders.push_back({record.worker, PingOrder{record.id}});
}

void Broker::pinged(BackendId backend, TimePoint now, Orders& orders) {
  BackendRecord& record = pool_.backends.at(backend);
  TIDEPOOL_CHECK(record.state() == State::kPinging);
  record.heard_at = now;
  record.is_suspect = false;
  if (pool_.is_draining) return pool_.retire(record, RetireReason::kShutdown, orders);
  pool_.backends.set_state(record, State::kIdle);
  pool_.backends.sort_in(record);  // a ping is no use: it is as idle as before
  schedule(now, orders);
  ping_by_time(now, orders);
}

void Broker::set_elsewhere(unsigned backends, TimePoint now, Orders& orders) {
  pool_.limits.elsewhere = backends;
  while (pool_.backends.open() > pool_.limits.cap() && pool_.backends.count(State::kIdle) > 0) {
    pool_.retire(pool_.backends.at(pool_.backends.in(State::kIdle).back()), RetireReason::kOverflow,
                 orders);
  }
  if (pool_.backends.open() > pool_.limits.cap()) {
    for (const BackendId backend : pool_.backends.in(State::kParked))
      pool_.recall(pool_.backends.at(backend), orders);
  }
  schedule(now, orders);
}

void Broker::suspect_idle() {
  for (const BackendId id : pool_.backends.in(State::kIdle))
    pool_.backends.at(id).is_suspect = true;
}

std::optional<std::uint64_t> Broker::holder_of(std::uint64_t connection) const {
  const BackendRecord* record = pool_.backends.find_connection(connection);
  if (record == nullptr) return std::nullopt;
  const bool is_held = record->is_held();
  return is_held ? record->holder : 0;
}

void Broker::end_idle(std::uint64_t connection, TimePoint now, Orders& orders) {
  BackendRecord* found = pool_.backends.find_connection(connection);
  if (found == nullptr) return;
  BackendRecord& record = *found;
  record.expires = std::min(record.expires, now);  // one that is being pinged goes after that
  if (record.state() != State::kIdle) return;
  pool_.retire(record, RetireReason::kKilled, orders);
  schedule(now, orders);
}

}  // namespace tidepool::pool

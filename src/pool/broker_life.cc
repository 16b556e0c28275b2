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

template <class Dials>
bool is_probing(const Dials& dials) {
  return std::any_of(dials.begin(), dials.end(),
                     [](const auto& one) { return one.second.is_probe; });
}

// What follows a backend that goes first: if a better endpoint is due for a probe, that.
template <class Dial>
Dial follower_of(const BackendRecord& record, const DialGate& gate, TimePoint now) {
  Dial dial{.worker = record.worker, .variant = record.variant};
  const auto better = gate.next_probe(now);
  dial.is_probe = better && *better < record.endpoint;
  if (dial.is_probe) dial.endpoint = *better;
  return dial;
}

}  // namespace

TimePoint Broker::end_of_life(TimePoint now) {
  if (limits_.recycle.count() <= 0) return TimePoint::max();
  const Duration recycle = limits_.recycle;
  std::uniform_real_distribution<double> shorter(0.0, limits_.recycle_jitter);
  const double longest = 1.0 - shorter(random_);
  std::vector<TimePoint> ends = backends_.ends_of_life();
  const std::size_t many = std::max<std::size_t>(limits_.size, ends.size() + 1);
  const Duration spacing = scaled(recycle, 1.0 / (kSlack * static_cast<double>(many)));
  return pick_end(now + scaled(recycle, std::min(kShortestLife, longest)),
                  now + scaled(recycle, longest), spacing, std::move(ends));
}

void Broker::retire_by_time(TimePoint now, Orders& orders) {
  const BackendTable::List& idle = backends_.in(State::kIdle);
  const BackendTable::List oldest_first(idle.rbegin(), idle.rend());
  unsigned remaining = backends_.kept();
  for (const BackendId id : oldest_first) {
    BackendRecord& record = backends_.at(id);
    const bool is_spare = idle.size() <= limits_.min_idle;
    const auto idle_for = now - record.idle_since;
    std::optional<RetireReason> reason;
    if (now >= record.expires && !wants_replacement(record, now)) {
      reason = RetireReason::kRecycle;
    } else if (limits_.idle_timeout.count() > 0 && idle_for >= limits_.idle_timeout && !is_spare) {
      reason = RetireReason::kIdle;
    } else if ((remaining > limits_.size && idle_for >= limits_.overflow_linger) ||
               backends_.open() > limits_.cap()) {  // which has become smaller
      reason = RetireReason::kOverflow;
    }
    if (!reason) continue;
    begin_retire(record, *reason, orders);
    --remaining;
  }
}

// One that nobody has needed for long would soon be closed for that reason.
bool Broker::wants_replacement(const BackendRecord& record, TimePoint now) const {
  if (draining_ || backends_.kept() > limits_.size) return false;
  if (record.state() != State::kIdle || limits_.idle_timeout.count() <= 0) return true;
  return (now - record.idle_since) * 2 < limits_.idle_timeout ||
         backends_.count(State::kIdle) <= limits_.min_idle;
}

// Its replacement is there, or none is needed, or has its place only when this one is closed. While
// the replacement is only late (dials fail, or must wait), a good backend goes on.
bool Broker::retires_at_release(const BackendRecord& record, TimePoint now) {
  if (now < record.expires) return false;
  if (record.replacement() == Replacement::kReady || !wants_replacement(record, now)) return true;
  if (record.replacement() == Replacement::kDialling) return false;
  if (counts().total() < limits_.cap() || backends_.count(State::kClosing) > 0 || !may_dial(now))
    return false;
  owed_.push_back(follower_of<Dial>(record, gate_, now));
  return true;
}

void Broker::replace_by_time(TimePoint now, Orders& orders) {
  std::vector<std::pair<TimePoint, BackendId>> due;
  for (const auto& [id, record] : backends_) {
    if (now < record.expires || record.state() == State::kClosing) continue;
    if (record.replacement() == Replacement::kNone) due.emplace_back(record.expires, id);
  }
  std::sort(due.begin(), due.end());
  for (const auto& [expires, id] : due) {
    if (!may_dial_unasked(now)) return;
    if (wants_replacement(backends_.at(id), now)) order_replacement(backends_.at(id), now, orders);
  }
}

// Make before break; where the cap has no room for both, break before make, one after the other.
void Broker::order_replacement(BackendRecord& record, TimePoint now, Orders& orders) {
  if (counts().total() < limits_.cap()) {
    backends_.set_replacement(record, Replacement::kDialling);
    return start_dial({.worker = record.worker, .variant = record.variant, .replaces = record.id},
                      now, orders);
  }
  if (record.state() != State::kIdle || backends_.count(State::kClosing) > 0) return;
  owed_.push_back(follower_of<Dial>(record, gate_, now));
  begin_retire(record, RetireReason::kRecycle, orders);
}

void Broker::replace(BackendId old, BackendRecord& by, TimePoint now, Orders& orders) {
  BackendRecord* before = backends_.find(old);
  if (before == nullptr || before->state() == State::kClosing) return;
  backends_.set_replacement(*before, Replacement::kReady);
  if (before->state() == State::kParked) recall(*before, orders);
  if (before->state() != State::kIdle) return;
  backends_.move_before(by, *before);  // as idle as the one before it
  by.idle_since = before->idle_since;
  by.heard_at = now;
  begin_retire(*before, RetireReason::kRecycle, orders);
}

void Broker::dial_owed(TimePoint now, Orders& orders) {
  while (!owed_.empty() && !draining_ && may_dial_unasked(now)) {
    const auto coming = static_cast<unsigned>(dials_.size());
    Dial dial = owed_.back();
    dial.is_probe = dial.is_probe && !is_probing(dials_);
    // Somebody else may have dialled it.
    const bool is_there = !dial.is_probe && backends_.kept() + coming >= limits_.size;
    if (!is_there && counts().total() >= limits_.cap()) return;
    owed_.pop_back();
    if (!is_there) start_dial(dial, now, orders);
  }
}

// In advance, and after losses; never beyond `size`, where they would be overflow.
void Broker::keep_min_idle(TimePoint now, Orders& orders) {
  if (limits_.min_idle == 0) return;
  const std::uint64_t variant = last_wanted_.variant;
  const auto spare = [&] {
    const auto ready = std::count_if(backends_.begin(), backends_.end(), [&](const auto& one) {
      const bool is_idle =
          one.second.state() == State::kIdle || one.second.state() == State::kPinging;
      return is_idle && one.second.variant == variant;
    });
    std::ptrdiff_t wanted = 0;
    queue_.for_each([&](const Waiter& one) { wanted += one.want.variant == variant ? 1 : 0; });
    return ready + std::max<std::ptrdiff_t>(0, dials_of(variant) - wanted);
  };
  while (spare() < std::ptrdiff_t{limits_.min_idle} &&
         backends_.kept() + dials_.size() < limits_.size && counts().total() < limits_.cap() &&
         may_dial_unasked(now)) {
    start_dial(last_wanted_, now, orders);
  }
}

// One at a time: it cannot be lent meanwhile.
void Broker::ping_by_time(TimePoint now, Orders& orders) {
  if (backends_.count(State::kPinging) > 0) return;
  const auto is_due = [&](BackendId id) {
    const BackendRecord& record = backends_.at(id);
    const Duration silent = now - std::max(record.idle_since, record.heard_at);
    return record.is_suspect ||
           (limits_.ping_interval.count() > 0 && silent >= limits_.ping_interval);
  };
  const BackendTable::List& idle = backends_.in(State::kIdle);
  const auto found = std::find_if(idle.rbegin(), idle.rend(), is_due);
  if (found == idle.rend()) return;
  BackendRecord& record = backends_.at(*found);
  backends_.set_state(record, State::kPinging);
  orders.push_back({record.worker, PingOrder{record.id}});
}

void Broker::pinged(BackendId backend, TimePoint now, Orders& orders) {
  BackendRecord& record = backends_.at(backend);
  TIDEPOOL_CHECK(record.state() == State::kPinging);
  record.heard_at = now;
  record.is_suspect = false;
  if (draining_) return begin_retire(record, RetireReason::kShutdown, orders);
  backends_.set_state(record, State::kIdle);
  backends_.sort_in(record);  // a ping is no use: it is as idle as before
  schedule(now, orders);
  ping_by_time(now, orders);
}

void Broker::set_elsewhere(unsigned backends, TimePoint now, Orders& orders) {
  limits_.elsewhere = backends;
  while (backends_.open() > limits_.cap() && backends_.count(State::kIdle) > 0) {
    begin_retire(backends_.at(backends_.in(State::kIdle).back()), RetireReason::kOverflow, orders);
  }
  if (backends_.open() > limits_.cap()) {
    for (const BackendId backend : backends_.in(State::kParked))
      recall(backends_.at(backend), orders);
  }
  schedule(now, orders);
}

void Broker::suspect_idle() {
  for (const BackendId id : backends_.in(State::kIdle))
    backends_.at(id).is_suspect = true;
}

std::optional<std::uint64_t> Broker::holder_of(std::uint64_t connection) const {
  const BackendRecord* record = backends_.find_connection(connection);
  if (record == nullptr) return std::nullopt;
  const bool is_held = record->is_held();
  return is_held ? record->holder : 0;
}

void Broker::end_idle(std::uint64_t connection, TimePoint now, Orders& orders) {
  BackendRecord* found = backends_.find_connection(connection);
  if (found == nullptr) return;
  BackendRecord& record = *found;
  record.expires = std::min(record.expires, now);  // one that is being pinged goes after that
  if (record.state() != State::kIdle) return;
  begin_retire(record, RetireReason::kKilled, orders);
  schedule(now, orders);
}

}  // namespace tidepool::pool

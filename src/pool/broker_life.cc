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
template <class Dial, class Node>
Dial follower_of(const Node& node, const DialGate& gate, TimePoint now) {
  Dial dial{.worker = node.worker, .variant = node.variant};
  const auto better = gate.next_probe(now);
  dial.is_probe = better && *better < node.endpoint;
  if (dial.is_probe) dial.endpoint = *better;
  return dial;
}

}  // namespace

TimePoint Broker::end_of_life(TimePoint now) {
  if (limits_.recycle.count() <= 0) return TimePoint::max();
  const Duration recycle = limits_.recycle;
  std::uniform_real_distribution<double> shorter(0.0, limits_.recycle_jitter);
  const double longest = 1.0 - shorter(random_);
  std::vector<TimePoint> ends;
  for (const auto& [id, node] : nodes_)
    if (node.state != NodeState::kClosing) ends.push_back(node.expires);
  const std::size_t many = std::max<std::size_t>(limits_.size, ends.size() + 1);
  const Duration spacing = scaled(recycle, 1.0 / (kSlack * static_cast<double>(many)));
  return pick_end(now + scaled(recycle, std::min(kShortestLife, longest)),
                  now + scaled(recycle, longest), spacing, std::move(ends));
}

// Backends that count for `size`: not those that close, nor those that only finish their lease.
unsigned Broker::kept() const {
  return static_cast<unsigned>(std::count_if(nodes_.begin(), nodes_.end(), [](const auto& one) {
    return one.second.state != NodeState::kClosing && one.second.successor != Successor::kReady;
  }));
}

void Broker::retire_by_time(TimePoint now, Orders& orders) {
  const std::list<BackendId> oldest_first(idle_.rbegin(), idle_.rend());
  unsigned remaining = kept();
  for (const BackendId id : oldest_first) {
    const Node& node = nodes_.at(id);
    const bool is_spare = idle_.size() <= limits_.min_idle;
    const auto idle_for = now - node.idle_since;
    std::optional<RetireReason> reason;
    if (now >= node.expires && !wants_successor(node, now)) {
      reason = RetireReason::kRecycle;
    } else if (limits_.idle_timeout.count() > 0 && idle_for >= limits_.idle_timeout && !is_spare) {
      reason = RetireReason::kIdle;
    } else if ((remaining > limits_.size && idle_for >= limits_.overflow_linger) ||
               nodes_.size() - closing_ > limits_.cap()) {  // which has become smaller
      reason = RetireReason::kOverflow;
    }
    if (!reason) continue;
    begin_retire(id, *reason, orders);
    --remaining;
  }
}

// One that nobody has needed for long would soon be closed for that reason.
bool Broker::wants_successor(const Node& node, TimePoint now) const {
  if (draining_ || kept() > limits_.size) return false;
  if (node.state != NodeState::kIdle || limits_.idle_timeout.count() <= 0) return true;
  return (now - node.idle_since) * 2 < limits_.idle_timeout || idle_.size() <= limits_.min_idle;
}

// Its successor is there, or none is needed, or has its place only when this one is closed. While
// the successor is only late (dials fail, or must wait), a good backend goes on.
bool Broker::retires_at_release(BackendId backend, TimePoint now) {
  const Node& node = nodes_.at(backend);
  if (now < node.expires) return false;
  if (node.successor == Successor::kReady || !wants_successor(node, now)) return true;
  if (node.successor == Successor::kDialling) return false;
  if (counts().total() < limits_.cap() || closing_ > 0 || !may_dial(now)) return false;
  owed_.push_back(follower_of<Dial>(node, gate_, now));
  return true;
}

void Broker::renew_by_time(TimePoint now, Orders& orders) {
  std::vector<std::pair<TimePoint, BackendId>> due;
  for (const auto& [id, node] : nodes_) {
    if (now < node.expires || node.state == NodeState::kClosing) continue;
    if (node.successor == Successor::kNone) due.emplace_back(node.expires, id);
  }
  std::sort(due.begin(), due.end());
  for (const auto& [expires, id] : due) {
    if (!may_dial(now)) return;
    if (wants_successor(nodes_.at(id), now)) renew(id, now, orders);
  }
}

// Make before break; where the cap has no room for both, break before make, one after the other.
void Broker::renew(BackendId backend, TimePoint now, Orders& orders) {
  Node& node = nodes_.at(backend);
  if (counts().total() < limits_.cap()) {
    node.successor = Successor::kDialling;
    return start_dial({.worker = node.worker, .variant = node.variant, .replaces = backend}, now,
                      orders);
  }
  if (node.state != NodeState::kIdle || closing_ > 0) return;
  owed_.push_back(follower_of<Dial>(node, gate_, now));
  begin_retire(backend, RetireReason::kRecycle, orders);
}

void Broker::succeed_to(BackendId old, BackendId successor, TimePoint now, Orders& orders) {
  const auto found = nodes_.find(old);
  if (found == nodes_.end() || found->second.state == NodeState::kClosing) return;
  Node& before = found->second;
  before.successor = Successor::kReady;
  if (before.state != NodeState::kIdle) {
    if (before.state == NodeState::kParked) recall(old, orders);
    return;
  }
  Node& after = nodes_.at(successor);
  if (after.state == NodeState::kIdle) {  // as idle as the one before it
    idle_.splice(before.place, idle_, after.place);
    after.idle_since = before.idle_since;
    after.heard_at = now;
  }
  begin_retire(old, RetireReason::kRecycle, orders);
}

void Broker::dial_owed(TimePoint now, Orders& orders) {
  while (!owed_.empty() && !draining_ && may_dial(now)) {
    const auto coming = static_cast<unsigned>(dials_.size());
    Dial dial = owed_.back();
    dial.is_probe = dial.is_probe && !is_probing(dials_);
    // Somebody else may have dialled it.
    const bool is_there = !dial.is_probe && kept() + coming >= limits_.size;
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
    const auto ready = std::count_if(nodes_.begin(), nodes_.end(), [&](const auto& one) {
      const bool is_idle =
          one.second.state == NodeState::kIdle || one.second.state == NodeState::kPinging;
      return is_idle && one.second.variant == variant;
    });
    const auto wanted = std::count_if(waiters_.begin(), waiters_.end(), [&](const Waiter& one) {
      return one.want.variant == variant;
    });
    return ready + std::max<std::ptrdiff_t>(0, dials_of(variant) - wanted);
  };
  while (spare() < std::ptrdiff_t{limits_.min_idle} && kept() + dials_.size() < limits_.size &&
         counts().total() < limits_.cap() && may_dial(now)) {
    start_dial(last_wanted_, now, orders);
  }
}

// One at a time: it cannot be lent meanwhile.
void Broker::ping_by_time(TimePoint now, Orders& orders) {
  if (pinging_ > 0) return;
  const auto is_due = [&](BackendId id) {
    const Node& node = nodes_.at(id);
    const Duration silent = now - std::max(node.idle_since, node.heard_at);
    return node.is_suspect ||
           (limits_.ping_interval.count() > 0 && silent >= limits_.ping_interval);
  };
  const auto found = std::find_if(idle_.rbegin(), idle_.rend(), is_due);
  if (found == idle_.rend()) return;
  const BackendId id = *found;
  Node& node = nodes_.at(id);
  leave_list(node);
  node.state = NodeState::kPinging;
  ++pinging_;
  orders.push_back({node.worker, PingOrder{id}});
}

void Broker::pinged(BackendId backend, TimePoint now, Orders& orders) {
  Node& node = nodes_.at(backend);
  TIDEPOOL_CHECK(node.state == NodeState::kPinging);
  leave_list(node);
  node.state = NodeState::kLeased;
  node.heard_at = now;
  node.is_suspect = false;
  if (draining_) return begin_retire(backend, RetireReason::kShutdown, orders);
  const auto waiter = next_waiter_for(node);
  if (waiter != waiters_.end()) {
    hand_to(waiter, backend, orders);
  } else {  // a ping is no use: it is as idle as before
    const auto place = std::find_if(idle_.begin(), idle_.end(), [&](BackendId id) {
      return nodes_.at(id).idle_since <= node.idle_since;
    });
    node.place = idle_.insert(place, backend);
    node.state = NodeState::kIdle;
  }
  ping_by_time(now, orders);
}

void Broker::set_elsewhere(unsigned backends, TimePoint now, Orders& orders) {
  limits_.elsewhere = backends;
  const auto open = [this] { return nodes_.size() - closing_; };
  while (open() > limits_.cap() && !idle_.empty())
    begin_retire(idle_.back(), RetireReason::kOverflow, orders);
  if (open() > limits_.cap()) {
    for (const BackendId backend : parked_)
      recall(backend, orders);
  }
  dial_for_waiters(now, orders);
}

void Broker::suspect_idle() {
  for (const BackendId id : idle_)
    nodes_.at(id).is_suspect = true;
}

}  // namespace tidepool::pool

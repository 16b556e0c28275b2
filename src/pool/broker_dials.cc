// When the broker has a backend opened, and what becomes of it.
#include <algorithm>
#include <optional>
#include <unordered_map>

#include "tidepool/base/check.h"
#include "tidepool/pool/broker.h"

namespace tidepool::pool {

BackendId Broker::dialled(DialId dial, WorkerIndex worker, TimePoint now, Orders& orders) {
  const auto found = dials_.find(dial);
  TIDEPOOL_CHECK(found != dials_.end());
  const BackendId old = found->second.replaces;
  const BackendId id = next_id_++;
  const TimePoint expires = found->second.is_outdated ? now : end_of_life(now);
  Node& node = nodes_[id];
  node.worker = worker;
  node.variant = found->second.variant;
  node.expires = expires;
  node.endpoint = found->second.endpoint;
  const bool is_probe = found->second.is_probe;
  dials_.erase(found);
  gate_.succeed(node.endpoint);
  if (is_probe) leave_endpoints_beyond(node.endpoint, now);
  if (draining_) {
    begin_retire(id, RetireReason::kShutdown, orders);
    return id;
  }
  const auto waiter = next_waiter_for(node);
  if (waiter != waiters_.end()) {
    hand_to(waiter, id, orders);
  } else {
    make_idle(id, now);
  }
  if (old != 0) succeed_to(old, id, now, orders);
  dial_for_waiters(now, orders);
  return id;
}

void Broker::dial_failed(DialId dial, const Error& error, TimePoint now, Orders& orders) {
  const auto found = dials_.find(dial);
  TIDEPOOL_CHECK(found != dials_.end());
  const auto old = nodes_.find(found->second.replaces);
  if (old != nodes_.end()) old->second.successor = Successor::kNone;
  if (!found->second.is_outdated) {
    gate_.fail(found->second.endpoint, error, found->second.begun, now);
  }
  dials_.erase(found);
  if (nodes_.size() == closing_ && gate_.is_hopeless(now)) fail_all_waiters(error, orders);
  if (limits_.endpoints > 1) dial_for_waiters(now, orders);  // the next one may answer
}

void Broker::warm_up(unsigned count, std::uint64_t variant, WorkerIndex worker, TimePoint now,
                     Orders& orders) {
  if (draining_) return;
  const unsigned wanted = std::min(count, limits_.cap());
  while (counts().total() < wanted && may_dial(now)) {
    start_dial({.worker = worker, .variant = variant}, now, orders);
  }
}

// Backends on their way by variant: dialled, pinged, or asked back from a session that parks them.
std::unordered_map<std::uint64_t, unsigned> Broker::on_their_way() const {
  std::unordered_map<std::uint64_t, unsigned> found;
  for (const auto& [id, dial] : dials_)
    ++found[dial.variant];
  for (const BackendId id : parked_) {
    const Node& node = nodes_.at(id);
    if (node.is_recalled) ++found[node.variant];
  }
  if (pinging_ == 0) return found;
  for (const auto& [id, node] : nodes_)
    if (node.state == NodeState::kPinging) ++found[node.variant];
  return found;
}

// Thousands may wait, and this is called for each that comes: it stops as soon as nobody can be
// helped.
void Broker::dial_for_waiters(TimePoint now, Orders& orders) {
  if (waiters_.empty() || draining_) return;
  const auto can_bring = [&] {
    const bool can_recall = std::any_of(parked_.begin(), parked_.end(),
                                        [&](BackendId id) { return !nodes_.at(id).is_recalled; });
    if (can_recall) return true;
    const bool has_room = counts().total() < limits_.cap() || (!idle_.empty() && closing_ == 0);
    return has_room && may_dial(now);
  };
  if (!can_bring()) return;
  auto covered = on_their_way();
  std::optional<Shares> planned;  // with the leases of those before
  for (const Waiter& waiter : waiters_) {
    if (Shares::is_limited(waiter.want, limits_.max_leases_per_database)) {
      if (!planned) planned = shares_;
      if (!planned->allows(waiter.want, limits_.max_leases_per_database)) {
        recall_of(waiter.want, orders);
        continue;
      }
      planned->take(waiter.want.user, waiter.want.database);
    }
    unsigned& cover = covered[waiter.want.variant];
    if (cover > 0) {
      --cover;
    } else if (!bring_backend(waiter, now, orders) || !can_bring()) {
      return;
    }
  }
}

// Asks a parked backend back or dials one; false: nobody after this waiter gets one now either.
bool Broker::bring_backend(const Waiter& waiter, TimePoint now, Orders& orders) {
  const bool is_large = counts().total() >= limits_.own_size();
  if (is_large && recall_for(waiter.want.variant, orders)) return true;
  if (!may_dial(now)) {
    if (!is_large) recall_for(waiter.want.variant, orders);
    return true;
  }
  if (counts().total() >= limits_.cap()) {
    make_room(waiter.want.variant, orders);
    return false;
  }
  start_dial({.worker = waiter.worker, .variant = waiter.want.variant}, now, orders);
  return true;
}

void Broker::start_dial(Dial dial, TimePoint now, Orders& orders) {
  const DialId id = next_id_++;
  dial.begun = now;
  if (!dial.is_probe) dial.endpoint = gate_.next(now, dials_.size()).value();
  gate_.begin(now);
  orders.push_back({dial.worker, DialOrder{id, dial.variant, dial.endpoint}});
  dials_[id] = dial;
}

// Retires the idle backend that was used longest ago and does not suit, or has one given up that is
// parked; its place is free once it is closed.
void Broker::make_room(std::uint64_t variant, Orders& orders) {
  if (closing_ > 0) return;
  const auto found = std::find_if(idle_.rbegin(), idle_.rend(),
                                  [&](BackendId id) { return nodes_.at(id).variant != variant; });
  if (found != idle_.rend()) return begin_retire(*found, RetireReason::kVariant, orders);
  const auto parked = std::find_if(parked_.begin(), parked_.end(),
                                   [&](BackendId id) { return nodes_.at(id).variant != variant; });
  if (parked != parked_.end()) recall(*parked, orders);
}

unsigned Broker::dials_of(std::uint64_t variant) const {
  return static_cast<unsigned>(std::count_if(dials_.begin(), dials_.end(), [&](const auto& one) {
    return one.second.variant == variant;
  }));
}

bool Broker::has_backend_of(std::uint64_t variant) const {
  return std::any_of(nodes_.begin(), nodes_.end(), [&](const auto& one) {
    return one.second.variant == variant && one.second.state != NodeState::kClosing;
  });
}

}  // namespace tidepool::pool

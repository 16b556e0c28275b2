#include "tidepool/pool/broker.h"

#include <algorithm>
#include <utility>

#include "tidepool/base/check.h"

namespace tidepool::pool {
namespace {

// A waiter whose client flags no backend has may take a place from the others once it has waited
// this much longer.
constexpr std::chrono::milliseconds kVariantPatience{250};

}  // namespace

Broker::Broker(const Limits& limits, std::uint64_t seed)
    : limits_(limits), gate_(limits_, seed), random_(seed) {}

std::optional<BackendId> Broker::try_acquire(WorkerIndex worker, const Want& want) {
  if (!waiters_.empty() && somebody_waits_for(want.variant)) return std::nullopt;
  const std::optional<BackendId> found = pick_idle(worker, want, true);
  if (!found || !allows(want)) return std::nullopt;
  last_wanted_ = {.worker = worker, .variant = want.variant};
  lease(*found);
  hold(nodes_.at(*found), want);
  return found;
}

WaiterId Broker::enqueue(WorkerIndex worker, const Want& want, TimePoint deadline, TimePoint now,
                         Orders& orders) {
  const WaiterId id = next_id_++;
  const bool may_have_idle =
      !idle_.empty() && allows(want) && (want.is_urgent || !somebody_waits_for(want.variant));
  const bool was_full = is_full();
  const auto waiter = add_waiter({id, worker, want, now, deadline}, want.is_urgent);
  last_wait_ = now;
  last_wanted_ = {.worker = worker, .variant = want.variant};
  if (may_have_idle) {
    if (const auto found = pick_idle(worker, want, false)) {
      hand_to(waiter, *found, orders);
      return id;
    }
  }
  const bool is_hopeless = nodes_.size() == closing_ && gate_.is_hopeless(now);
  if (is_hopeless || (was_full && !want.is_urgent)) {
    orders.push_back({worker, FailOrder{id, is_hopeless ? *gate_.last_error() : full_error()}});
    erase_waiter(waiter);
    return id;
  }
  if (allows(want)) {
    dial_for_waiters(now, orders);
  } else {  // nothing changes for those before
    recall_of(want, orders);
  }
  return id;
}

void Broker::requeue(WaiterId waiter, WorkerIndex worker, const Want& want, TimePoint deadline,
                     TimePoint now, Orders& orders) {
  const auto place = add_waiter({waiter, worker, want, now, deadline}, true);
  const auto found = pick_idle(worker, want, false);
  if (found && allows(want)) return hand_to(place, *found, orders);
  dial_for_waiters(now, orders);
}

void Broker::release(BackendId backend, std::uint64_t state, TimePoint now, Orders& orders) {
  Node& node = nodes_.at(backend);
  TIDEPOOL_CHECK(node.state == NodeState::kLeased || node.state == NodeState::kParked);
  lease(backend);
  end_hold(node);
  node.state_hash = state;
  if (draining_) return begin_retire(backend, RetireReason::kShutdown, orders);
  if (retires_at_release(backend, now))
    return begin_retire(backend, RetireReason::kRecycle, orders);
  if (nodes_.size() - closing_ > limits_.cap()) {  // it has become smaller
    return begin_retire(backend, RetireReason::kOverflow, orders);
  }
  const auto waiter = next_waiter_for(node);
  if (waiter != waiters_.end()) return hand_to(waiter, backend, orders);
  make_idle(backend, now);
  if (waiters_.empty()) return;
  serve_from_idle(orders);
  dial_for_waiters(now, orders);
}

void Broker::retire(BackendId backend) {
  Orders none;
  const auto found = nodes_.find(backend);
  if (found == nodes_.end() || found->second.state == NodeState::kClosing) return;
  begin_retire(backend, RetireReason::kLost, none);
}

void Broker::closed(BackendId backend, TimePoint now, Orders& orders) {
  const auto found = nodes_.find(backend);
  if (found == nodes_.end()) return;
  TIDEPOOL_CHECK(found->second.state == NodeState::kClosing);
  nodes_.erase(found);
  --closing_;
  serve_from_idle(orders);
  // Those who wait would go where the others are.
  if (!owed_.empty() && owed_.back().is_probe) dial_owed(now, orders);
  dial_for_waiters(now, orders);
  dial_owed(now, orders);
}

void Broker::tick(TimePoint now, Orders& orders) {
  expire_waiters(now, orders);
  retire_by_time(now, orders);
  recall_by_time(now, orders);
  if (draining_) return;
  dial_for_waiters(now, orders);
  dial_owed(now, orders);
  renew_by_time(now, orders);
  probe_endpoint(now, orders);
  keep_min_idle(now, orders);
  ping_by_time(now, orders);
}

void Broker::drain(Orders& orders) {
  draining_ = true;
  const std::list<BackendId> idle = idle_;
  for (const BackendId backend : idle)
    begin_retire(backend, RetireReason::kShutdown, orders);
  for (const BackendId backend : parked_)
    recall(backend, orders);
}

void Broker::set_limits(const Limits& limits) {
  const Parking parking = limits_.parking;
  const unsigned endpoints = limits_.endpoints;
  const unsigned elsewhere = limits_.elsewhere;
  limits_ = limits;
  limits_.parking = parking;
  limits_.endpoints = endpoints;
  limits_.elsewhere = elsewhere;
}

void Broker::renew_all(TimePoint now) {
  for (auto& [id, node] : nodes_)
    node.expires = std::min(node.expires, now);
  for (auto& [id, dial] : dials_)
    dial.is_outdated = true;
  gate_.forget_refusals();
}

BrokerCounts Broker::counts() const {
  BrokerCounts counts;
  counts.dialling = static_cast<unsigned>(dials_.size());
  counts.idle = static_cast<unsigned>(idle_.size()) + pinging_;
  counts.closing = closing_;
  counts.parked = static_cast<unsigned>(parked_.size());
  counts.leased = static_cast<unsigned>(nodes_.size()) - counts.idle - counts.parked - closing_;
  counts.waiting = static_cast<unsigned>(waiters_.size());
  return counts;
}

// The session's last backend, else one in the right state, else the most recently used; own
// worker's before others'.
std::optional<BackendId> Broker::pick_idle(WorkerIndex worker, const Want& want,
                                           bool own_only) const {
  std::optional<BackendId> best;
  int best_rank = 0;
  for (const BackendId id : idle_) {
    const Node& node = nodes_.at(id);
    if (node.variant != want.variant || (own_only && node.worker != worker)) continue;
    int rank = 1;
    if (node.state_hash == want.state) rank += 1;
    if (id == want.last) rank += 2;
    if (node.worker == worker) rank += 4;
    if (rank <= best_rank) continue;
    best = id;
    best_rank = rank;
  }
  return best;
}

// A crowd of those who may have no more is passed by comparing alone.
bool Broker::somebody_waits_for(std::uint64_t variant) const {
  const Want* refused = nullptr;
  return std::any_of(waiters_.begin(), waiters_.end(), [&](const Waiter& one) {
    const Want& want = one.want;
    if (want.variant != variant) return false;
    const bool is_alike = refused != nullptr && refused->user == want.user &&
                          refused->database == want.database &&
                          refused->max_leases == want.max_leases;
    if (is_alike) return false;
    if (allows(want)) return true;
    refused = &want;
    return false;
  });
}

void Broker::lease(BackendId backend) {
  Node& node = nodes_.at(backend);
  leave_list(node);
  node.state = NodeState::kLeased;
}

void Broker::leave_list(Node& node) {
  if (node.state == NodeState::kIdle) idle_.erase(node.place);
  if (node.state == NodeState::kParked) parked_.erase(node.place);
  if (node.state == NodeState::kPinging) --pinging_;
  node.is_recalled = false;
}

void Broker::make_idle(BackendId backend, TimePoint now) {
  Node& node = nodes_.at(backend);
  idle_.push_front(backend);
  node.place = idle_.begin();
  node.state = NodeState::kIdle;
  node.idle_since = now;
}

void Broker::hand_to(const std::deque<Waiter>::iterator& waiter, BackendId backend,
                     Orders& orders) {
  lease(backend);
  Node& node = nodes_.at(backend);
  if (node.worker == waiter->worker) {
    orders.push_back({node.worker, GrantOrder{waiter->id, backend}});
  } else {
    orders.push_back({node.worker, MoveOrder{backend, waiter->worker, waiter->id}});
    node.worker = waiter->worker;
  }
  hold(node, waiter->want);
  erase_waiter(waiter);
}

// The next of those whom this backend suits, unless the next of all waits in vain for another
// variant: then nobody, so that the backend becomes idle and makes room.
std::deque<Broker::Waiter>::iterator Broker::next_waiter_for(const Node& node) {
  const auto suited = next_waiter(&node.variant);
  if (suited == waiters_.end()) return suited;
  const auto first = next_waiter(nullptr);
  if (suited == first) return suited;
  if (dials_of(first->want.variant) > 0 || closing_ > 0) return suited;
  const bool starves =
      !has_backend_of(first->want.variant) || suited->since - first->since > kVariantPatience;
  return starves ? waiters_.end() : suited;
}

void Broker::begin_retire(BackendId backend, RetireReason reason, Orders& orders) {
  Node& node = nodes_.at(backend);
  leave_list(node);
  end_hold(node);
  node.state = NodeState::kClosing;
  node.successor = Successor::kNone;
  ++closing_;
  orders.push_back({node.worker, RetireOrder{backend, reason}});
}

}  // namespace tidepool::pool

// When the broker has a backend opened, and what becomes of it.
#include <algorithm>
#include <optional>

#include "tidepool/base/check.h"
#include "tidepool/pool/broker.h"

namespace tidepool::pool {

BackendId Broker::dialled(DialId dial, WorkerIndex worker, TimePoint now, Orders& orders) {
  const auto found = dials_.find(dial);
  TIDEPOOL_CHECK(found != dials_.end());
  const BackendId id = next_id_++;
  Node& node = nodes_[id];
  node.worker = worker;
  node.variant = found->second.variant;
  node.expires = end_of_life(now);
  dials_.erase(found);
  failures_in_a_row_ = 0;
  no_dial_before_ = {};
  last_error_.reset();
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
  dial_for_waiters(now, orders);
  return id;
}

void Broker::dial_failed(DialId dial, const Error& error, TimePoint now, Orders& orders) {
  dials_.erase(dial);
  last_error_ = error;
  // Exponential backoff with full jitter, so that many proxies do not knock in step.
  const unsigned doublings = std::min(failures_in_a_row_++, 16U);
  const auto ceiling = std::min<std::chrono::milliseconds>(
      limits_.backoff_initial * (1LL << doublings), limits_.backoff_max);
  std::uniform_int_distribution<long long> spread(0, ceiling.count());
  no_dial_before_ = now + std::chrono::milliseconds(spread(random_));
  if (is_permanent(error) && nodes_.empty()) fail_all_waiters(error, orders);
}

void Broker::warm_up(unsigned count, std::uint64_t variant, WorkerIndex worker, TimePoint now,
                     Orders& orders) {
  if (draining_ || now < no_dial_before_) return;
  const unsigned wanted = std::min(count, limits_.cap());
  while (counts().total() < wanted && dials_.size() < limits_.max_dials) {
    start_dial(variant, worker, orders);
  }
}

void Broker::dial_for_waiters(TimePoint now, Orders& orders) {
  if (waiters_.empty() || draining_) return;
  std::unordered_map<std::uint64_t, unsigned> covered;
  for (const auto& [id, dial] : dials_)
    ++covered[dial.variant];
  for (const BackendId id : parked_) {
    const Node& node = nodes_.at(id);
    if (node.is_recalled) ++covered[node.variant];
  }
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
      continue;
    }
    const bool is_large = counts().total() >= limits_.size;
    if (is_large && recall_for(waiter.want.variant, orders)) continue;
    if (!may_dial(now)) {
      if (!is_large) recall_for(waiter.want.variant, orders);
      continue;
    }
    if (counts().total() >= limits_.cap()) return make_room(waiter.want.variant, orders);
    start_dial(waiter.want.variant, waiter.worker, orders);
  }
}

// While TiDB is known to be away, one probe at a time.
bool Broker::may_dial(TimePoint now) const {
  const std::size_t at_once = failures_in_a_row_ > 0 ? 1 : limits_.max_dials;
  return now >= no_dial_before_ && dials_.size() < at_once;
}

void Broker::start_dial(std::uint64_t variant, WorkerIndex worker, Orders& orders) {
  const DialId id = next_id_++;
  dials_[id] = {worker, variant};
  orders.push_back({worker, DialOrder{id, variant}});
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

TimePoint Broker::end_of_life(TimePoint now) {
  if (limits_.recycle.count() <= 0) return TimePoint::max();
  std::uniform_real_distribution<double> shorter(0.0, limits_.recycle_jitter);
  const auto life =
      std::chrono::duration<double, std::milli>(limits_.recycle) * (1.0 - shorter(random_));
  return now + std::chrono::duration_cast<Duration>(life);
}

// What waiting cannot mend: whoever waits is told at once.
bool Broker::is_permanent(const Error& error) {
  return error.code == Code::kAuth || error.code == Code::kTls;
}

}  // namespace tidepool::pool

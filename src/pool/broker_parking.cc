// Parked backends: their holders' sessions left something there that only they can read back.
#include <algorithm>

#include "tidepool/base/check.h"
#include "tidepool/pool/broker.h"

namespace tidepool::pool {

bool Broker::park(BackendId backend, TimePoint now) {
  Node& node = nodes_.at(backend);
  TIDEPOOL_CHECK(node.state == NodeState::kLeased);
  const bool is_busy = last_wait_ != TimePoint{} && now - last_wait_ < limits_.parking.busy;
  const bool is_last = idle_.empty() && counts().total() >= limits_.own_size();
  const bool is_needed = !waiters_.empty() || (is_busy && is_last);
  if (draining_ || now >= node.expires || is_needed) return false;
  node.place = parked_.insert(parked_.end(), backend);
  node.state = NodeState::kParked;
  node.idle_since = now;
  return true;
}

void Broker::unpark(BackendId backend, TimePoint now, Orders& orders) {
  Node& node = nodes_.at(backend);
  TIDEPOOL_CHECK(node.state == NodeState::kParked);
  const bool was_recalled = node.is_recalled;
  lease(backend);
  if (was_recalled) dial_for_waiters(now, orders);  // who was to get it needs another one
}

void Broker::recall(BackendId backend, Orders& orders) {
  Node& node = nodes_.at(backend);
  if (node.is_recalled) return;
  node.is_recalled = true;
  orders.push_back({node.worker, RecallOrder{backend}});
}

// The one of this variant that was parked first. False: none is left.
bool Broker::recall_for(std::uint64_t variant, Orders& orders) {
  const auto found = std::find_if(parked_.begin(), parked_.end(), [&](BackendId id) {
    const Node& node = nodes_.at(id);
    return node.variant == variant && !node.is_recalled;
  });
  if (found == parked_.end()) return false;
  recall(*found, orders);
  return true;
}

// Parked ones are leases too, of those who may have no more of them.
void Broker::recall_of(const Want& want, Orders& orders) {
  for (const BackendId id : parked_) {
    const Node& node = nodes_.at(id);
    const bool is_users = want.max_leases > 0 && node.user == want.user;
    const bool is_databases = want.database != 0 && node.database == want.database;
    if (is_users || is_databases) recall(id, orders);
  }
}

void Broker::recall_by_time(TimePoint now, Orders& orders) {
  for (const BackendId id : parked_) {
    const Node& node = nodes_.at(id);
    if (now >= node.expires || now - node.idle_since >= limits_.parking.limit) recall(id, orders);
  }
}

}  // namespace tidepool::pool

// The way back to a better endpoint.
#include <algorithm>
#include <vector>

#include "tidepool/pool/broker.h"

namespace tidepool::pool {
namespace {

// So long the backends take to move to a better endpoint that answers again.
constexpr std::chrono::seconds kReturn{30};

}  // namespace

// A dial that nobody waits for tries it, in place of a backend on a worse one.
void Broker::probe_endpoint(TimePoint now, Orders& orders) {
  const auto better = gate_.next_probe(now);
  if (!better) return;
  const bool is_probing = std::any_of(dials_.begin(), dials_.end(),
                                      [](const auto& one) { return one.second.is_probe; });
  if (is_probing) return;
  const auto worse = [&](const Node& node) {
    return node.state != NodeState::kClosing && node.endpoint > *better &&
           node.successor == Successor::kNone;
  };
  const auto found = std::find_if(nodes_.begin(), nodes_.end(),
                                  [&](const auto& one) { return worse(one.second); });
  if (found == nodes_.end()) return;
  if (counts().total() < limits_.cap()) {
    found->second.successor = Successor::kDialling;
    return start_dial({.worker = found->second.worker,
                       .variant = found->second.variant,
                       .replaces = found->first,
                       .endpoint = *better,
                       .is_probe = true},
                      now, orders);
  }
  // A full pool, or an only backend, waits for the end of a life: see dial_owed().
  if (nodes_.size() == 1) return;
  const auto idle = std::find_if(idle_.rbegin(), idle_.rend(),
                                 [&](BackendId id) { return worse(nodes_.at(id)); });
  if (idle == idle_.rend() || closing_ > 0) return;
  const Node& leaving = nodes_.at(*idle);
  owed_.push_back({.worker = leaving.worker,
                   .variant = leaving.variant,
                   .endpoint = *better,
                   .is_probe = true});
  begin_retire(*idle, RetireReason::kRecycle, orders);
}

// Their lives end soon, one after the other.
void Broker::leave_endpoints_beyond(EndpointIndex endpoint, TimePoint now) {
  std::vector<Node*> leaving;
  for (auto& [id, node] : nodes_)
    if (node.endpoint > endpoint) leaving.push_back(&node);
  TimePoint end = now;
  for (Node* node : leaving) {
    node->expires = std::min(node->expires, end);
    end += Duration(kReturn) / leaving.size();
  }
}

}  // namespace tidepool::pool

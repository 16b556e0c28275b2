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
  const auto worse = [&](const BackendRecord& record) {
    return record.state() != State::kClosing && record.endpoint > *better &&
           record.replacement() == Replacement::kNone;
  };
  const auto found = std::find_if(backends_.begin(), backends_.end(),
                                  [&](const auto& one) { return worse(one.second); });
  if (found == backends_.end()) return;
  if (counts().total() < limits_.cap()) {
    backends_.set_replacement(found->second, Replacement::kDialling);
    return start_dial({.worker = found->second.worker,
                       .variant = found->second.variant,
                       .replaces = found->first,
                       .endpoint = *better,
                       .is_probe = true},
                      now, orders);
  }
  // A full pool, or an only backend, waits for the end of a life: see dial_owed().
  if (backends_.size() == 1) return;
  const BackendTable::List& idle_ones = backends_.in(State::kIdle);
  const auto idle = std::find_if(idle_ones.rbegin(), idle_ones.rend(),
                                 [&](BackendId id) { return worse(backends_.at(id)); });
  if (idle == idle_ones.rend() || backends_.count(State::kClosing) > 0) return;
  const BackendRecord& leaving = backends_.at(*idle);
  owed_.push_back({.worker = leaving.worker,
                   .variant = leaving.variant,
                   .endpoint = *better,
                   .is_probe = true});
  begin_retire(backends_.at(*idle), RetireReason::kRecycle, orders);
}

// Their lives end soon, one after the other.
void Broker::leave_endpoints_beyond(EndpointIndex endpoint, TimePoint now) {
  std::vector<BackendRecord*> leaving;
  for (auto& [id, record] : backends_)
    if (record.endpoint > endpoint) leaving.push_back(&record);
  TimePoint end = now;
  for (BackendRecord* record : leaving) {
    record->expires = std::min(record->expires, end);
    end += Duration(kReturn) / leaving.size();
  }
}

}  // namespace tidepool::pool

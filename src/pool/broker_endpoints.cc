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
  const auto better = pool_.dials.gate().next_probe(now);
  if (!better) return;
  if (pool_.dials.is_probing()) return;
  const auto worse = [&](const BackendRecord& record) {
    return record.state() != State::kClosing && record.endpoint > *better &&
           record.replacement() == Replacement::kNone;
  };
  const auto found = std::find_if(pool_.backends.begin(), pool_.backends.end(),
                                  [&](const auto& one) { return worse(one.second); });
  if (found == pool_.backends.end()) return;
  if (pool_.has_room()) {
    pool_.backends.set_replacement(found->second, Replacement::kDialling);
    return pool_.dials.begin({.worker = found->second.worker,
                              .variant = found->second.variant,
                              .purpose = Dial::Purpose::kProbe,
                              .endpoint = *better,
                              .replaces = found->first},
                             now, orders);
  }
  // A full pool, or an only backend, waits for the end of a life: see dial_owed().
  if (pool_.backends.size() == 1) return;
  const BackendTable::List& idle_ones = pool_.backends.in(State::kIdle);
  const auto idle = std::find_if(idle_ones.rbegin(), idle_ones.rend(),
                                 [&](BackendId id) { return worse(pool_.backends.at(id)); });
  if (idle == idle_ones.rend() || pool_.backends.count(State::kClosing) > 0) return;
  const BackendRecord& leaving = pool_.backends.at(*idle);
  owed_.push_back({.worker = leaving.worker,
                   .variant = leaving.variant,
                   .purpose = Dial::Purpose::kProbe,
                   .endpoint = *better});
  pool_.retire(pool_.backends.at(*idle), RetireReason::kRecycle, orders);
}

// Their lives end soon, one after the other.
void Broker::leave_endpoints_beyond(EndpointIndex endpoint, TimePoint now) {
  std::vector<BackendRecord*> leaving;
  for (auto& [id, record] : pool_.backends)
    if (record.endpoint > endpoint) leaving.push_back(&record);
  TimePoint end = now;
  for (BackendRecord* record : leaving) {
    record->expires = std::min(record->expires, end);
    end += Duration(kReturn) / leaving.size();
  }
}

}  // namespace tidepool::pool

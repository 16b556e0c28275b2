#include "tidepool/pool/dials.h"

#include <algorithm>

#include "tidepool/base/check.h"

namespace tidepool::pool {

void Dials::begin(Dial dial, TimePoint now, Orders& orders) {
  const DialId id = ++last_id_;
  dial.begun = now;
  if (dial.purpose != Dial::Purpose::kProbe) dial.endpoint = gate_.next(now, count()).value();
  gate_.begin(now);
  orders.push_back({dial.worker, DialOrder{id, dial.profile, dial.endpoint}});
  under_way_[id] = dial;
}

Dial Dials::succeed(DialId id) {
  const Dial made = take(id);
  gate_.succeed(made.endpoint);
  return made;
}

Dial Dials::fail(DialId id, const Error& error, TimePoint now) {
  const Dial failed = take(id);
  if (!failed.is_outdated) {
    const auto demand = failed.purpose == Dial::Purpose::kWaiter ? DialGate::Demand::kWaiter
                                                                 : DialGate::Demand::kInAdvance;
    gate_.fail(failed.endpoint, error, failed.begun, demand, now);
  }
  return failed;
}

Dial Dials::take(DialId id) {
  const auto found = under_way_.find(id);
  TIDEPOOL_CHECK(found != under_way_.end());
  const Dial dial = found->second;
  under_way_.erase(found);
  return dial;
}

void Dials::outdate() {
  for (auto& [id, dial] : under_way_)
    dial.is_outdated = true;
}

unsigned Dials::count(std::uint64_t profile) const {
  return static_cast<unsigned>(
      std::count_if(under_way_.begin(), under_way_.end(),
                    [profile](const auto& one) { return one.second.profile == profile; }));
}

bool Dials::is_probing() const {
  return std::any_of(under_way_.begin(), under_way_.end(),
                     [](const auto& one) { return one.second.purpose == Dial::Purpose::kProbe; });
}

}  // namespace tidepool::pool

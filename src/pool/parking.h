// Parked backends: their holders' sessions left something there that only they can read back. When
// one may be parked, and which are recalled. Private to the pool layer.
#pragma once

#include <cstdint>

#include "tidepool/base/clock.h"
#include "tidepool/pool/broker_state.h"

namespace tidepool::pool {

// Whether a leased backend may be parked rather than be read back now. `last_wait`: when a session
// last had to queue.
[[nodiscard]] bool may_park(const BrokerState& pool, const BackendRecord& record,
                            TimePoint last_wait, TimePoint now);

// Whether there is a parked backend that was not recalled.
bool can_recall(const BrokerState& pool);
// Recalls the one that was parked first, of this profile or of all others. Returns whether there
// was one.
[[nodiscard]] bool recall_oldest_of(BrokerState& pool, std::uint64_t profile, Orders& orders);
[[nodiscard]] bool recall_oldest_but(BrokerState& pool, std::uint64_t profile, Orders& orders);
// Recalls the parked backends of the request's user and database where these may have no more
// leases: a parked backend is a lease too.
void recall_leases_of(BrokerState& pool, const LeaseRequest& request, Orders& orders);
// Recalls those that were parked for too long, or whose lives are over.
void recall_due(BrokerState& pool, TimePoint now, Orders& orders);
void recall_all(BrokerState& pool, Orders& orders);

}  // namespace tidepool::pool

// Waiters that get no lease: a full queue, deadlines, and what they are told. Private to the pool
// layer.
#pragma once

#include "tidepool/base/clock.h"
#include "tidepool/base/error.h"
#include "tidepool/pool/broker_state.h"

namespace tidepool::pool {

// Whether the queue is full. Waiters for whom there is room to open a backend do not count,
// unless TiDB is unavailable.
bool is_queue_full(const BrokerState& pool);
Error full_queue_error(const BrokerState& pool);

void fail_all_waiters(BrokerState& pool, const Error& error, Orders& orders);
// Fails those whose deadline has passed; they do not wait for a TiDB that was never there as long
// as for one that may come back.
void fail_due_waiters(BrokerState& pool, TimePoint now, Orders& orders);

}  // namespace tidepool::pool

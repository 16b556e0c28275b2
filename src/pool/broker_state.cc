#include "tidepool/pool/broker_state.h"

namespace tidepool::pool {

using State = BackendRecord::State;

BrokerCounts BrokerState::counts() const {
  BrokerCounts counts;
  counts.dialling = dials.count();
  counts.idle = backends.count(State::kIdle) + backends.count(State::kPinging);
  counts.leased = backends.count(State::kLeased);
  counts.parked = backends.count(State::kParked);
  counts.closing = backends.count(State::kClosing);
  counts.waiting = static_cast<unsigned>(queue.size());
  return counts;
}

void BrokerState::lease(BackendRecord& record, const LeaseRequest& request) {
  backends.set_state(record, State::kLeased);
  shares.take(request.user, request.database);
  record.user = request.user;
  record.database = request.database;
  record.holder = request.holder;
}

void BrokerState::make_idle(BackendRecord& record, TimePoint now) {
  end_hold(record);
  backends.set_state(record, State::kIdle);
  record.idle_since = now;
}

void BrokerState::retire(BackendRecord& record, RetireReason reason, Orders& orders) {
  end_hold(record);
  backends.set_state(record, State::kClosing);
  orders.push_back({record.worker, RetireOrder{record.id, reason}});
}

void BrokerState::recall(BackendRecord& record, Orders& orders) {
  if (record.is_recalled) return;
  record.is_recalled = true;
  orders.push_back({record.worker, RecallOrder{record.id}});
}

}  // namespace tidepool::pool

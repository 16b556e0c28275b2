#include "tidepool/pool/backend_table.h"

#include <algorithm>

namespace tidepool::pool {

BackendRecord& BackendTable::add(BackendId id) {
  BackendRecord& record = records_[id];
  record.id = id;
  List& leased = list(State::kLeased);
  record.place = leased.insert(leased.end(), id);
  return record;
}

void BackendTable::erase(BackendId id) {
  const BackendRecord& record = records_.at(id);
  list(record.state).erase(record.place);
  records_.erase(id);
}

BackendRecord* BackendTable::find(BackendId id) {
  const auto found = records_.find(id);
  return found == records_.end() ? nullptr : &found->second;
}

void BackendTable::set_state(BackendRecord& record, State state) {
  List& to = list(state);
  to.splice(state == State::kIdle ? to.begin() : to.end(), list(record.state), record.place);
  record.state = state;
  record.is_recalled = false;
}

void BackendTable::sort_in(BackendRecord& record) {
  List& idle = list(State::kIdle);
  const auto place = std::find_if(idle.begin(), idle.end(), [&](BackendId id) {
    return id != record.id && at(id).idle_since <= record.idle_since;
  });
  idle.splice(place, idle, record.place);
}

void BackendTable::move_before(BackendRecord& record, const BackendRecord& other) {
  List& idle = list(State::kIdle);
  idle.splice(other.place, idle, record.place);
}

}  // namespace tidepool::pool

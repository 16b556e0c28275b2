#include "tidepool/pool/backend_table.h"

#include <algorithm>
#include <utility>

#include "backend_states.h"
#include "tidepool/base/check.h"

namespace tidepool::pool {

BackendRecord& BackendTable::add() {
  const BackendId id = ++last_id_;
  BackendRecord& record = records_[id];
  record.id = id;
  List& idle = list(State::kIdle);
  record.place_ = idle.insert(idle.begin(), &record);
  ++kept_;
  return record;
}

void BackendTable::erase(BackendId id) {
  const BackendRecord& record = records_.at(id);
  if (is_kept(record)) --kept_;
  list(record.state_).erase(record.place_);
  records_.erase(id);
}

BackendRecord* BackendTable::find(BackendId id) {
  const auto found = records_.find(id);
  return found == records_.end() ? nullptr : &found->second;
}

const BackendRecord* BackendTable::find_connection(std::uint64_t number) const {
  const auto found = std::find_if(records_.begin(), records_.end(), [&](const auto& one) {
    return number != 0 && one.second.tidb_connection == number;
  });
  return found == records_.end() ? nullptr : &found->second;
}

BackendRecord* BackendTable::find_connection(std::uint64_t number) {
  const BackendRecord* found = std::as_const(*this).find_connection(number);
  return found == nullptr ? nullptr : &records_.at(found->id);
}

BackendRecord* BackendTable::pick_idle(WorkerIndex worker, const LeaseRequest& request,
                                       Reach reach) const {
  BackendRecord* best = nullptr;
  int best_rank = 0;
  for (BackendRecord* record : in(State::kIdle)) {
    const bool is_own = record->worker == worker;
    if (record->profile != request.profile || (reach == Reach::kOwnWorker && !is_own)) continue;
    int rank = 1;
    if (record->state_hash == request.state) rank += 1;
    if (record->id == request.last) rank += 2;
    if (is_own) rank += 4;
    if (rank <= best_rank) continue;
    best = record;
    best_rank = rank;
  }
  return best;
}

void BackendTable::set_state(BackendRecord& record, State state) {
  TIDEPOOL_CHECK(may_follow(record.state_, state));
  if (state == State::kClosing) {
    if (is_kept(record)) --kept_;
    record.replacement_ = Replacement::kNone;
  }
  List& to = list(state);
  to.splice(state == State::kIdle ? to.begin() : to.end(), list(record.state_), record.place_);
  record.state_ = state;
  record.is_recalled = false;
}

void BackendTable::set_replacement(BackendRecord& record, Replacement replacement) {
  if (record.is_closing()) return;
  if (is_kept(record)) --kept_;
  record.replacement_ = replacement;
  if (is_kept(record)) ++kept_;
}

void BackendTable::sort_in(BackendRecord& record) {
  List& idle = list(State::kIdle);
  const auto place = std::find_if(idle.begin(), idle.end(), [&](const BackendRecord* other) {
    return other != &record && other->idle_since <= record.idle_since;
  });
  idle.splice(place, idle, record.place_);
}

bool BackendTable::has_open(std::uint64_t profile) const {
  return std::any_of(records_.begin(), records_.end(), [profile](const auto& one) {
    return one.second.profile == profile && !one.second.is_closing();
  });
}

std::vector<TimePoint> BackendTable::ends_of_life() const {
  std::vector<TimePoint> ends;
  for (const auto& [id, record] : records_)
    if (!record.is_closing()) ends.push_back(record.expires);
  return ends;
}

}  // namespace tidepool::pool

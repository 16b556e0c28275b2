// The states of a backend as the broker counts it: the table behind BackendTable::set_state().
// Pure. Private to the pool layer.
#pragma once

#include <array>
#include <cstddef>

#include "tidepool/base/state_row.h"
#include "tidepool/pool/backend_table.h"

namespace tidepool::pool {

using RecordStates = StateSet<BackendRecord::State>;

inline constexpr std::array<StateRow<BackendRecord::State>, kRecordStates> kRecordRows = [] {
  using State = BackendRecord::State;
  return std::array<StateRow<State>, kRecordStates>{{
      {"idle", "a session that wants it", "`idle_timeout`, `recycle`", "a place in the pool",
       RecordStates(State::kPinging, State::kLeased, State::kClosing), nullptr},
      {"pinging", "its worker: the answer to the ping", "5 s", "a place in the pool",
       RecordStates(State::kIdle, State::kClosing), nullptr},
      {"leased", "its session to release it", "see the session's states",
       "a place in the pool, a lease of its user's and its database's share",
       RecordStates(State::kIdle, State::kParked, State::kClosing), nullptr},
      {"parked", "its session to go on, or to release it once it is recalled",
       "a second, `recycle`", "as leased",
       RecordStates(State::kIdle, State::kLeased, State::kClosing), nullptr},
      {"closing", "its worker: TiDB has closed the connection", "1 s", "a place under the cap",
       RecordStates(), "gone"},
  }};
}();

constexpr bool may_follow(BackendRecord::State from, BackendRecord::State to) {
  return kRecordRows[static_cast<std::size_t>(from)].leads_to.contains(to);
}

}  // namespace tidepool::pool

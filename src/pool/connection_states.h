// The states of a backend in its worker's pool: the table behind PooledConnection::enter(). Pure.
// Private to the pool layer.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "tidepool/base/state_row.h"

namespace tidepool::pool {

enum class ConnectionState : std::uint8_t {
  kNew,
  kIdle,
  kPinging,
  kLeased,
  kParked,
  kResetting,
  kClosing,
};
inline constexpr std::size_t kConnectionStates = 7;

inline constexpr std::array<StateRow<ConnectionState>, kConnectionStates> kConnectionRows = [] {
  using State = ConnectionState;
  using To = StateSet<State>;
  return std::array<StateRow<State>, kConnectionStates>{{
      {"new", "the first look at it (that it is a TiDB, its global settings)",
       "`control_timeout`, `connect_timeout`", "its control call, in the dial", To(State::kIdle),
       "gone"},
      {"idle", "any byte or end on its socket, which means that it is lost",
       "`idle_timeout`, `recycle`", "its socket's events",
       To(State::kPinging, State::kLeased, State::kClosing), "another worker, gone"},
      {"pinging", "the answer to COM_PING", "5 s", "its control call", To(State::kIdle), "gone"},
      {"leased", "its session", "see the session's states", "nothing: the lease has its stream",
       To(State::kIdle, State::kParked, State::kResetting, State::kClosing), "gone"},
      {"parked", "its session, which left there what only it can read back", "a second",
       "the way to its session, for a recall", To(State::kIdle, State::kLeased, State::kClosing),
       "gone"},
      {"resetting", "the answer to COM_RESET_CONNECTION", "`control_timeout`", "its control call",
       To(State::kIdle), "gone"},
      {"closing", "TiDB's close after COM_QUIT, so that the cap holds on TiDB's side too", "1 s",
       "its socket's events, a timer", To(), "gone"},
  }};
}();

constexpr bool may_follow(ConnectionState from, ConnectionState to) {
  return kConnectionRows[static_cast<std::size_t>(from)].leads_to.contains(to);
}

}  // namespace tidepool::pool

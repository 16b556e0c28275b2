// The states of a session, and which may follow which. Pure: the session does the work and asks
// here whether it may.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "tidepool/base/state_row.h"

namespace tidepool::session {

enum class State : std::uint8_t {
  kHandshake,   // logging in, or changing the user
  kIdle,        // the client's turn; no lease
  kIdlePinned,  // the client's turn; the lease is kept, for the pins' reasons
  kParked,  // the client's turn; the lease is kept for what only its backend knows, until the pool
            // asks for it
  kCapturing,  // that is being read back; the client's next command waits
  kAcquiring,  // queued for a lease
  kExecuting,  // the command is on a backend; no byte of its answer has gone to the client: a retry
               // is conceivable
  kStreaming,  // the answer is on its way to the client: a retry no longer is
  kClosing,    // what is queued for the client is still to be written
};
inline constexpr std::size_t kStates = 9;
// In the order of the enum. Those from kAcquiring to kStreaming are a command's own; who waits for
// the backend then is the session's BackendUser.
inline constexpr std::array<StateRow<State>, kStates> kStateRows = [] {
  using To = StateSet<State>;
  return std::array<StateRow<State>, kStates>{{
      {"handshake", "the client's login", "`login_timeout`, for a COM_CHANGE_USER too", "the login",
       To(State::kIdle, State::kIdlePinned, State::kParked, State::kCapturing, State::kAcquiring,
          State::kExecuting, State::kClosing),
       nullptr},
      {"idle", "the client's next command",
       "`client_idle_timeout`, the `wait_timeout` that the client has set", "nothing",
       To(State::kHandshake, State::kAcquiring, State::kExecuting, State::kClosing), nullptr},
      {"idle_pinned", "the client's next command",
       "the same, in a transaction `idle_transaction_timeout`", "a lease",
       To(State::kHandshake, State::kIdle, State::kExecuting, State::kClosing), nullptr},
      {"parked", "the client's next command, or the pool's recall", "a second", "a lease",
       To(State::kHandshake, State::kIdle, State::kCapturing, State::kAcquiring, State::kExecuting,
          State::kClosing),
       nullptr},
      {"capturing", "what it asked its backend for itself", "`control_timeout` for each answer",
       "a lease", To(State::kIdle, State::kIdlePinned, State::kClosing), nullptr},
      {"acquiring", "a lease; after an error, to be run again",
       "the pool's `timeout`; `retry_budget`", "the command, a ticket",
       To(State::kIdle, State::kExecuting, State::kClosing), nullptr},
      {"executing",
       "the first byte of the client's answer; before and after it, what the proxy asks for "
       "itself; "
       "the client's LOCAL INFILE file",
       "`query_timeout`; `control_timeout` for each answer; `client_stall_timeout`",
       "the command, a lease",
       To(State::kIdle, State::kIdlePinned, State::kParked, State::kCapturing, State::kAcquiring,
          State::kStreaming, State::kClosing),
       nullptr},
      {"streaming", "the rest of it, and the client to take it",
       "`query_timeout`; `client_stall_timeout`", "the command, a lease",
       To(State::kIdle, State::kIdlePinned, State::kParked, State::kCapturing, State::kClosing),
       nullptr},
      {"closing", "the last bytes to be taken", "5 s", "nothing", To(), "gone"},
  }};
}();

constexpr const char* to_string(State state) {
  return kStateRows[static_cast<std::size_t>(state)].name;
}

constexpr bool may_follow(State from, State to) {
  return kStateRows[static_cast<std::size_t>(from)].leads_to.contains(to);
}

}  // namespace tidepool::session

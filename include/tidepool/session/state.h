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
extern const std::array<StateRow<State>, kStates> kStateRows;

const char* to_string(State state);

bool may_follow(State from, State to);

}  // namespace tidepool::session

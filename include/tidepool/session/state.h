// The states of a session, and which may follow which. Pure: the session does the work and asks
// here whether it may.
//
// | state       | waits for               | owns                  | leaves to                     |
// | handshake   | the client's login      | the login             | acquiring, idle, closing      |
// | idle        | the next command        | nothing               | acquiring, handshake, closing |
// | parked      | the next command        | a lease               | executing, capturing, …       |
// | capturing   | answers to the captures | a lease               | idle, idle_pinned, closing    |
// | idle_pinned | the next command        | a lease               | executing, idle, handshake, … |
// | acquiring   | a lease                 | the command, a ticket | executing, idle, closing      |
// | executing   | the answer's first byte | the command, a lease  | streaming, idle(_pinned), …   |
// | streaming   | the rest of it          | the command, a lease  | idle(_pinned), closing        |
// | closing     | last bytes to be taken  | nothing               |                               |
#pragma once

#include <cstdint>

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
inline constexpr int kStates = 9;

const char* to_string(State state);

bool may_follow(State from, State to);

}  // namespace tidepool::session

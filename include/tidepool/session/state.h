// The states of a session, and which may follow which. Pure: the session does the work and asks
// here whether it may.
//
// | state       | waits for           | at most                             | owns                |
// | handshake   | the client's login  | login_timeout                       | the login           |
// | idle        | the next command    | client_idle_timeout, wait_timeout   | nothing             |
// | parked      | the next command    | a second, the pool's recall         | a lease             |
// | capturing   | answers to captures | control_timeout for each            | a lease             |
// | idle_pinned | the next command    | idle_transaction_timeout, as idle   | a lease             |
// | acquiring   | a lease             | the pool's timeout, retry_budget    | a command, a ticket |
// | executing   | its first byte      | query_timeout, control_timeout      | a command, a lease  |
// | streaming   | rest, the client    | query_timeout, client_stall_timeout | a command, a lease  |
// | closing     | the client          | 5 s                                 | nothing             |
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

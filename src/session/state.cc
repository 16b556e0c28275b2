#include "tidepool/session/state.h"

namespace tidepool::session {
namespace {

using To = StateSet<State>;

const StateRow<State>& row_of(State state) {
  return kStateRows[static_cast<std::size_t>(state)];
}

}  // namespace

constexpr std::array<StateRow<State>, kStates> kStateRows{{
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
     "the first byte of the client's answer; before and after it, what the proxy asks for itself; "
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

const char* to_string(State state) {
  return row_of(state).name;
}

bool may_follow(State from, State to) {
  return row_of(from).leads_to.contains(to);
}

}  // namespace tidepool::session

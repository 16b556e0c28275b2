#include "tidepool/session/state.h"

#include "tidepool/base/check.h"

namespace tidepool::session {

const char* to_string(State state) {
  switch (state) {
    case State::kHandshake: return "handshake";
    case State::kIdle: return "idle";
    case State::kIdlePinned: return "idle_pinned";
    case State::kParked: return "parked";
    case State::kCapturing: return "capturing";
    case State::kAcquiring: return "acquiring";
    case State::kExecuting: return "executing";
    case State::kStreaming: return "streaming";
    case State::kClosing: return "closing";
  }
  check_failed("a known State", __FILE__, __LINE__);
}

bool may_follow(State from, State to) {
  if (to == State::kClosing) return true;
  switch (from) {
    case State::kHandshake:
      return to == State::kAcquiring || to == State::kExecuting || to == State::kIdle ||
             to == State::kIdlePinned || to == State::kParked || to == State::kCapturing;
    case State::kIdle:
      return to == State::kAcquiring || to == State::kExecuting || to == State::kHandshake;
    case State::kIdlePinned:
      return to == State::kExecuting || to == State::kIdle || to == State::kHandshake;
    case State::kParked:
      return to == State::kExecuting || to == State::kCapturing || to == State::kAcquiring ||
             to == State::kIdle || to == State::kHandshake;
    case State::kCapturing: return to == State::kIdle || to == State::kIdlePinned;
    case State::kAcquiring:
      return to == State::kExecuting || to == State::kIdle || to == State::kAcquiring;
    case State::kExecuting:
      return to == State::kStreaming || to == State::kIdle || to == State::kIdlePinned ||
             to == State::kParked || to == State::kCapturing || to == State::kAcquiring;
    case State::kStreaming:
      return to == State::kIdle || to == State::kIdlePinned || to == State::kParked ||
             to == State::kCapturing;
    case State::kClosing: return false;
  }
  return false;
}

}  // namespace tidepool::session

#include "tidepool/session/status.h"

#include <utility>

#include "tidepool/base/check.h"
#include "tidepool/base/log.h"

namespace tidepool::session {
namespace {

SessionActivity counted_as(State state) {
  switch (state) {
    case State::kAcquiring: return SessionActivity::kWaiting;
    case State::kExecuting:
    case State::kStreaming: return SessionActivity::kExecuting;
    case State::kIdlePinned: return SessionActivity::kPinned;
    case State::kParked:
    case State::kCapturing:
    case State::kHandshake:
    case State::kIdle:
    case State::kClosing: return SessionActivity::kIdle;
  }
  return SessionActivity::kIdle;
}

}  // namespace

Status::~Status() {
  count_pins({});
  if (stats_ == nullptr) return;
  stats_->sessions[counted_as(state_)].sub();
  stats_->closed.add();
}

void Status::enter(State next) {
  if (next == state_) return;
  TIDEPOOL_CHECK(may_follow(state_, next));
  if (stats_ != nullptr) stats_->move(counted_as(state_), counted_as(next));
  state_ = next;
}

void Status::count_in(SessionStats& stats) {
  if (stats_ != nullptr) {
    stats_->sessions[counted_as(state_)].sub();
  } else {
    stats.opened.add();
  }
  stats_ = &stats;
  stats.sessions[counted_as(state_)].add();
}

void Status::count_pins(const sql::PinReasons& pins) {
  const sql::PinReasons before = std::exchange(counted_pins_, pins);
  if (pins == before || stats_ == nullptr) return;
  pins.for_each([&](sql::Pin pin) {
    if (before.contains(pin)) return;
    stats_->pin(pin);
    log::debug("pinned", {{"session", session_}, {"reason", to_string(pin)}});
  });
  before.for_each([&](sql::Pin pin) {
    if (!pins.contains(pin)) stats_->unpin(pin);
  });
}

}  // namespace tidepool::session

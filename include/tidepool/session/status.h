// Status: the state that a session is in and the reasons that pin it to its backend, both counted
// in the statistics of its pool.
//
// Owned by the session; on its loop's thread. Destroyed, it leaves the statistics.
#pragma once

#include <cstdint>

#include "tidepool/session/session_stats.h"
#include "tidepool/session/state.h"
#include "tidepool/sql/state/pin.h"

namespace tidepool::session {

class Status {
 public:
  explicit Status(std::uint32_t session) : session_(session) {}
  Status(const Status&) = delete;
  Status& operator=(const Status&) = delete;
  ~Status();

  State state() const { return state_; }
  // The client may send its next command.
  bool is_idle() const {
    return state_ == State::kIdle || state_ == State::kIdlePinned || state_ == State::kParked;
  }
  bool is_closing() const { return state_ == State::kClosing; }
  // Requires that `next` may follow.
  void enter(State next);

  // From now on it counts in these statistics, and no longer in those before. Requires that nothing
  // pins the session.
  void count_in(SessionStats& stats);
  bool is_counted() const { return stats_ != nullptr; }
  // To be called after whatever may have changed the session's pins.
  void count_pins(const sql::PinReasons& pins);

 private:
  const std::uint32_t session_;  // for logs
  State state_ = State::kHandshake;
  SessionStats* stats_ = nullptr;  // null before the login
  sql::PinReasons counted_pins_;
};

}  // namespace tidepool::session

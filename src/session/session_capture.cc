// What only the backend knows of a session: left there while the session gets the same backend
// again, read back before anybody else gets it.
#include <utility>

#include "tidepool/protocol/reply_messages.h"
#include "tidepool/protocol/text_result.h"
#include "tidepool/session/session.h"
#include "tidepool/sql/capture.h"
#include "tidepool/tracking/plan_diagnostics.h"

namespace tidepool::session {

// The command is over, and it is the client's turn: the lease is kept, parked or given back.
void Session::rest() {
  if (is_departed() || (is_drained() && !model_.in_transaction)) {
    enter(lease_ ? State::kIdlePinned : State::kIdle);
    return close();
  }
  watch_silence();
  const bool must = lease_ && model_.must_capture(lease_.memory().actual);
  if (!lease_) {
    enter(State::kIdle);
  } else if (model_.keeps_lease() && !model_.joins_warnings()) {
    enter(State::kIdlePinned);
  } else if (!must && !model_.facts.warnings_on_backend() && model_.desired.is_exact()) {
    end_lease(pool::Release::kClean);
    enter(State::kIdle);
  } else if (!must && lease_.park(*this)) {
    enter(State::kParked);
  } else {
    return capture();
  }
  resume_input();
}

void Session::on_recall() {
  if (state_ == State::kParked) capture();
}

void Session::capture() {
  enter(State::kCapturing);
  command_ = std::make_unique<ClientCommand>(protocol::Command::kPing, "\x0e", Clock::now());
  command_->purpose = tracking::CommandPurpose::kCapture;
  command_->attempt.is_relayed = true;  // the client has all its answers
  plan_captures();
  write_steps();
}

void Session::end_captures() {
  command_.reset();
  // What could not be read back has to stay here.
  model_.pins.insert(model_.desired.pins());
  count_pins();
  if (model_.is_bound()) {
    (void)lease_.unpark();  // a loss shows with the next command
  } else {
    end_lease(pool::Release::kClean);
  }
  rest();
}

}  // namespace tidepool::session

#include "tidepool/session/capture.h"

#include "tidepool/tracking/plan_diagnostics.h"

namespace tidepool::session {

void Capture::start() {
  context_.status.enter(State::kCapturing);
  command_ = std::make_unique<tracking::Command>(protocol::Command::kPing, "\x0e", Clock::now());
  command_->purpose = tracking::CommandPurpose::kCapture;
  command_->attempt.is_relayed = true;  // the client has all its answers
  tracking::CommandContext context = context_.command_context(*command_);
  tracking::add_captures(context);
  context_.count_captures(*command_);
  context_.backend.set_user(*this);
  runner_.begin(*command_, context_.access(), *this);
  runner_.write_steps();
}

void Capture::on_over() {
  end();
  tracking::SessionModel& model = context_.model;
  // What could not be read back has to stay here.
  model.pins.insert(model.desired.pins());
  context_.count_pins();
  if (model.is_bound()) {
    (void)context_.backend.lease().unpark();  // a loss shows with the next command
  } else {
    context_.end_lease(pool::Release::kClean);
  }
  host_.rest();
}

// The client has its answer; only what the proxy asked on its own is lost.
void Capture::on_backend_lost(const Error& /*error*/) {
  context_.drop_lease();
  // As TiDB would have done: the session's state is gone.
  if (context_.model.is_bound()) return host_.close();
  end();
  host_.rest();
}

void Capture::end() {
  runner_.end();
  command_.reset();
}

}  // namespace tidepool::session

// What a command has to know of the backend that its session is on before its steps can be planned:
// asked for, awaited, and then the command is planned.
#include "tidepool/session/refusal.h"
#include "tidepool/session/session.h"

namespace tidepool::session {

void Session::on_asked() {
  command_->attempt.asks_first = false;
  command_->attempt.exchange = {};
  lease_.memory().last_session = 0;
  model_.facts.leave_backend();
  sql::PinReasons pins = model_.pins;
  pins.insert(model_.desired.pins());
  set_pins(pins);
  if (command_->type != protocol::Command::kQuery || !answer_captured(*command_)) return execute();
  command_->attempt.is_relayed = true;
  enter(State::kStreaming);
  settle();
}

}  // namespace tidepool::session

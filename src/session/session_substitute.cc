// What the proxy knows in the place of what a statement asks, where the backend does not know it.
#include <algorithm>
#include <utility>

#include "tidepool/protocol/text_result.h"
#include "tidepool/session/effects.h"
#include "tidepool/session/planner.h"
#include "tidepool/session/session.h"

namespace tidepool::session {
namespace {

constexpr std::uint16_t kSyntaxError = 1064;
}  // namespace

// TiDB quotes the text in a syntax error, so it is to see the client's own. True: its answer is
// still to come.
bool Session::resend_original() {
  ClientCommand& command = *command_;
  const protocol::ResponseSummary& answer = command.attempt.exchange.summary();
  const bool refused = answer.has_error() && !command.attempt.exchange.relay_answered();
  if (command.attempt.substituted.empty() || !refused) return false;
  command.attempt.substituted.clear();
  if (answer.error_number == kSyntaxError) {
    if (command.attempt.answer != nullptr) command.attempt.answer->clear();
    PlanContext plan = plan_context();
    add_relay(plan, framed(command.payload), false, false);
    return true;
  }
  pass_on(command.attempt.exchange.take_held());
  return false;
}

}  // namespace tidepool::session

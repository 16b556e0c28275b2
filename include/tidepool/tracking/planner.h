// Planning a command on a backend: the steps that bring the backend to the session's state, the
// client's command, and what has to be known first. Pure.
#pragma once

#include <string>

#include "tidepool/tracking/command_context.h"

namespace tidepool::tracking {

// Adds the questions that must be answered before the command can be planned. Returns whether
// there are any: then the command is planned when they are answered.
[[nodiscard]] bool add_prefetch(CommandContext& plan);
// Adds the command's steps. Returns false if no commands can bring this backend to the session's
// state.
[[nodiscard]] bool add_steps(CommandContext& plan);
// Adds the client's command itself. `bytes`: its packets. `after_success`, `hold`: see Step.
void add_relay(CommandContext& plan, std::string bytes, bool after_success, bool hold);

}  // namespace tidepool::tracking

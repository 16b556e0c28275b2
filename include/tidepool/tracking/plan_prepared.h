// Planning commands about a prepared statement of the binary protocol: prepared on this backend if
// it lacks the statement, and sent with the backend's id. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "tidepool/tracking/command_context.h"

namespace tidepool::tracking {

// Adds all steps of the command, which has a statement. Returns false if the backend cannot be
// brought to the session's state.
[[nodiscard]] bool add_statement_steps(CommandContext& plan);
// The packets of the client's command with the backend's statement id, and with the parameter
// types that the client sent with an earlier execute: the backend's statement may have been
// executed with other ones since.
std::string statement_bytes(const Command& command, std::uint32_t backend_id);
// Switches the plan cache off for one statement; the next restore switches it on again. Returns
// whether the statement must not go ahead if this fails; false for a state that nothing restores,
// since the backend alone knows a part of it.
bool stop_plan_cache(CommandContext& plan);

}  // namespace tidepool::tracking

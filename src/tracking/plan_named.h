// Planning SQL-level prepared statements (PREPARE, EXECUTE, DEALLOCATE PREPARE): a statement is
// prepared again where the backend lacks it, and what another session left there under its name is
// deallocated before. Pure.
#pragma once

#include "tidepool/tracking/command_context.h"

namespace tidepool::tracking {

// Brings the names that the command uses to what they are for this session. Returns whether what
// was added must succeed before the command is sent.
[[nodiscard]] bool add_named_steps(CommandContext& plan);
// Whether TiDB's key of a plan tells enough of each statement that the command executes by name. It
// does not where TiDB alone knows the text.
bool may_keep_named_plans(const CommandContext& plan);

}  // namespace tidepool::tracking

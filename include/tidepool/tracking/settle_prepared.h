// What a command did to the prepared statement of the binary protocol that it is about. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "tidepool/tracking/command_context.h"

namespace tidepool::tracking {

// COM_STMT_PREPARE is answered: TiDB has planned the text, and of what that did only the backend
// knows a part.
void settle_planned(CommandContext& context);
// The backend's statement goes, since data may still be bound to it. Returns the ids to close
// there.
[[nodiscard]] std::vector<std::uint32_t> drop_on_backend(CommandContext& context);
// The command used its statement: cursors and long data keep a session on the backend that has
// them. Returns the ids to close there.
[[nodiscard]] std::vector<std::uint32_t> settle_statement_use(CommandContext& context);

}  // namespace tidepool::tracking

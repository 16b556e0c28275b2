// What the backend answered to the proxy's own questions: read back into the session's model. Pure.
#pragma once

#include "tidepool/tracking/command_context.h"

namespace tidepool::tracking {

// The exchange holds the answer to the first of the attempt's captures.
void settle_capture(CommandContext& context);

}  // namespace tidepool::tracking

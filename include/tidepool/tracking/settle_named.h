// What a command did to SQL-level prepared statements, for its session and on its backend. Pure.
#pragma once

#include <string>

#include "tidepool/base/error.h"
#include "tidepool/tracking/command_context.h"

namespace tidepool::tracking {

// After the answer: what the names are now.
void settle_named(CommandContext& context);
// A statement that was to be prepared again could not be; an earlier one of its name may be there
// or not. The client gets the error from the proxy, and so the warning that TiDB makes of it.
void forget_failed_named(CommandContext& context, const Error& error);
// `answer`: to the question for the text of PREPARE … FROM @x, which follows.
void settle_named_source(CommandContext& context, const std::string& answer);

}  // namespace tidepool::tracking

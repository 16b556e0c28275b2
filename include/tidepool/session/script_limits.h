// How many statements a text may have, and what may be kept of them.
#pragma once

#include <optional>

#include "tidepool/base/error.h"
#include "tidepool/session/client_command.h"
#include "tidepool/session/client_connection.h"

namespace tidepool::session {

// The error, if the command's text has more statements than are kept track of, or there is no room
// for them in `memory` (null: it is not limited). What they take is the command's.
std::optional<Error> refusal_of_script(ClientCommand& command, ClientConnection& client,
                                       CommandMemory* memory);

}  // namespace tidepool::session

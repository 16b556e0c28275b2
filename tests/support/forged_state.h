// What an attacker can do to the hash of a session's state, which is no secret: choose user
// variables so that the state collides with another one.
#pragma once

#include "tidepool/sql/state/session_state.h"

namespace tidepool::testing {

// Literals for user variables that, set in `own`, give it the hash of `target`. Neither has any of
// these variables, @forged0 and so on.
sql::StateChanges forge_hash(const sql::SessionState& own, const sql::SessionState& target);

}  // namespace tidepool::testing

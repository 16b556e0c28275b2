// Planning the way of a backend from the state that it is in to another one. Pure.
#pragma once

#include "tidepool/sql/state/session_state.h"
#include "tidepool/tracking/command_context.h"

namespace tidepool::tracking {

// Adds the steps from the backend's state to `target`. Returns false if there is no way.
[[nodiscard]] bool add_restore(CommandContext& plan, const sql::SessionState& target);
// The state for a USE: it needs no restore of the session's old database, which may be gone.
sql::SessionState wanted_for_use(const CommandContext& plan);
// Adds the steps to the state of a prepare, or back. Never resets: a transaction may be open.
void add_state_switch(CommandContext& plan, const sql::SessionState& from,
                      const sql::SessionState& to);
// Adds SET TRANSACTION where the session holds one for the command: the last step before the
// relay, since the next statement takes it, be it the proxy's own. Returns whether it did.
bool add_next_isolation(CommandContext& plan);
// Asks for the backend's resource group before the first SET RESOURCE GROUP on it: the next
// session may need that one.
void add_login_group_capture(CommandContext& plan);
// Adds the check whether a login's database is there and open to its account: USE, whatever state
// the backend is in, but with the roles of a login.
void add_login_check(CommandContext& plan);

}  // namespace tidepool::tracking

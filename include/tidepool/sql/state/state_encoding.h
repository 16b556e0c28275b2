// A state as the key of a cache.
#pragma once

#include <string>

#include "tidepool/sql/state/session_state.h"

namespace tidepool::sql {

// All of the state but its user variables: two states have the same encoding if and only if that is
// equal in them. (Whether a value that only the backend knows could be read back from there is left
// out.) No hash: what is found under the key is used unseen, and a client chooses names and values.
std::string encode_system_state(const SessionState& state);

}  // namespace tidepool::sql

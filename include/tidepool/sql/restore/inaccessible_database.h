// A session keeps the name of its current database when the database is dropped, or the right to it
// is revoked, until it chooses another. USE cannot enter such a one on another backend; TiDB's own
// way to move sessions can (SET SESSION_STATES, driver_tidb.go and session.go,
// DecodeSessionStates).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tidepool/sql/state/session_state.h"

namespace tidepool::sql {

// Whether that error of USE means that the database cannot be entered (any more).
bool is_inaccessible_database(std::uint16_t error);

// The statement that makes `name` the current database of a backend that was reset, has prepared
// so many statements since and is in `state`, and changes nothing else of it. Nothing for names
// with bytes above 0x7f.
std::optional<std::string> enter_inaccessible_database(const std::string& name,
                                                       const SessionState& state,
                                                       unsigned prepared = 0);

}  // namespace tidepool::sql

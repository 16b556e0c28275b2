// Reads variables back from a backend: what to ask, and what its answer says. Pure.
//
// Verified on release-8.5 (docs/session-design.md): @@x as a string sets every followed variable to
// the same again. Of a user variable everything that a client can tell is in its value, the
// definition of its column, and its collation; which expression gives a variable that definition
// again was tried, and one that no known expression gives stays where it is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tidepool/sql/state/session_state.h"

namespace tidepool::sql {

// A value of a result in the text protocol, with the definition of its column.
struct CapturedValue {
  std::optional<std::string> text;  // nullopt: NULL
  std::uint16_t charset = 0;
  std::uint32_t length = 0;
  std::uint8_t type = 0;
  std::uint16_t flags = 0;
  std::uint8_t decimals = 0;
};

// The queries that ask for what is computed in `state`; empty: nothing is.
std::string system_variables_query(const SessionState& state);
std::string user_variables_query(const SessionState& state);

// The changes that make `state` exact, from the one row that the query was answered with; what
// cannot be repeated is unrestorable. With no row (the query failed) all of it is.
StateChanges captured_system_variables(const SessionState& state,
                                       const std::vector<CapturedValue>& row);
// A user variable that was read back is not trusted to stay on its backend as it was: TiDB 8.5
// keeps a reference to the row of `SET @x = (SELECT text FROM t)`, and uses the row's memory again.
StateChange not_trusted(const StateChange& captured);
StateChanges captured_user_variables(const SessionState& state,
                                     const std::vector<CapturedValue>& row);

}  // namespace tidepool::sql

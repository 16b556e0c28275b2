// TiDB's answer to COM_STMT_PREPARE, to be given again to another client: what in it is the
// statement's, and what the connection's. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tidepool/base/error.h"
#include "tidepool/session/prepare_cache.h"
#include "tidepool/sql/parse/statement.h"
#include "tidepool/sql/state/pin.h"
#include "tidepool/sql/state/session_state.h"

namespace tidepool::session {

// Whether the answer to preparing `script` in `state` depends on nothing but the text, the state
// and the schema: not on the type of a user variable, nor on what pins the session.
bool is_memorable(const sql::Script& script, const sql::SessionState& state, sql::PinReasons pins);
// The part of the state that it may depend on: all of it but user variables, as an encoding.
std::string prepare_context(const sql::SessionState& state);

// A whole answer; nothing if it is an error, or no such answer.
std::optional<RememberedPrepare> parse_prepare_answer(std::string_view packets);
// The same for another statement id and other status flags.
std::string prepare_answer(const RememberedPrepare& prepare, std::uint32_t statement_id,
                           std::uint16_t status);

// What executing a statement that its client has prepared is answered with when it cannot be
// prepared any more: TiDB looks its tables up first (planner/core/plan_cache.go,
// planCachePreprocess).
Error execute_error(const Error& prepare_error);

// After one of these a remembered prepare is not to be trusted.
bool tells_of_schema_change(std::uint16_t error);

}  // namespace tidepool::session

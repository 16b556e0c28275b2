// Errors that the proxy answers with in the place of TiDB.
#pragma once

#include <cstdint>
#include <string>

#include "tidepool/base/error.h"
#include "tidepool/protocol/commands.h"
#include "tidepool/sql/parse/statement.h"

namespace tidepool::session {

// A statement was killed.
const Error& interrupted();
// A statement was stopped because max_execution_time, or the proxy's own limit, has passed.
const Error& took_too_long();
// The session ends because the configuration no longer has it (MySQL's ER_SESSION_WAS_KILLED).
const Error& evicted();
// A packet without even the byte that says which command it is ends the connection in TiDB too,
// with the words of Go's runtime (conn.go: dispatch, Run).
const Error& no_command();

// More prepared statements than the configuration's key allows, of so many bytes: as TiDB refuses
// them beyond its max_prepared_stmt_count.
Error too_much_prepared(const char* key, std::uint64_t limit);

// A text with more statements, or changes of the session's state, than the proxy keeps track of;
// several statements are never prepared, and TiDB says so of any number.
Error too_many_statements(protocol::Command command, sql::Excess excess);
// It has no room for what it keeps of them, in the configuration's command_memory.
Error no_room_for_statements();

}  // namespace tidepool::session

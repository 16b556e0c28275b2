// What a command that TiDB has answered did to its session: which state changes hold now, what
// pins, what is unpinned. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "tidepool/protocol/response_tracker.h"
#include "tidepool/sql/parse/statement.h"
#include "tidepool/sql/state/pin.h"
#include "tidepool/sql/state/session_state.h"
#include "tidepool/tracking/global_settings.h"

namespace tidepool::tracking {

// Applies to `desired` and `actual` what the statements of `script` did, as far as the answer says
// that they were executed. Returns the session's pins from now on. `globals`: whose DEFAULT is not
// known.
sql::PinReasons apply_outcome(const sql::Script& script, const protocol::ResponseSummary& answer,
                              sql::PinReasons pins, const GlobalSettings& globals,
                              sql::SessionState& desired, sql::SessionState& actual);

// What preparing the text did, if TiDB's answer says that it was planned: an assignment in an
// expression gives its variable the expression's type then (expression_rewriter.go,
// rewriteVariable), and leaves it the value of another one, which no SET makes.
sql::StateChanges planned_changes(const sql::Script& script,
                                  const protocol::ResponseSummary& answer);

// How many statements of the script were executed without an error.
std::size_t executed_of(const sql::Script& script, const protocol::ResponseSummary& answer);

// INSERT, REPLACE, LOAD DATA: an id that the client gave looks in the answer like one that TiDB
// made, but is none to ask for.
bool inserts(const sql::Statement& statement);

// TiDB computes LAST_INSERT_ID(n) of constants while it plans a SELECT or UPDATE, and so when it
// prepares one.
bool plans_insert_id(const sql::Script& script);

// Whether some statement of it is unknown to the rules of sql/.
bool is_about_unknown(const sql::Script& script);

// Whether some statement of it is SET RESOURCE GROUP.
bool sets_resource_group(const sql::Script& script);

// Whether the client's command may follow a restore in the same write: nothing is lost when it runs
// although the restore failed, because its answer can be thrown away.
bool is_harmless(const sql::Script& script);

}  // namespace tidepool::tracking

// Planning what a statement asks about the statement before it: its warnings, LAST_INSERT_ID(),
// ROW_COUNT() and FOUND_ROWS(). What the backend has is left there and asked for in time; what it
// lacks stands in the text, or is made there again. Pure.
#pragma once

#include "tidepool/sql/restore/substitute.h"
#include "tidepool/tracking/command_context.h"

namespace tidepool::tracking {

// The session's last statement ran on this backend, and nothing since; nothing is planned yet.
bool backend_has_diagnostics(const CommandContext& plan);
// Called once the restore is planned. Not every statement changes FOUND_ROWS(), so that a backend
// may know ROW_COUNT() and not this.
void note_other_use(CommandContext& plan);
// Called ahead of a statement of the proxy's own: should the client's not be executed at all, the
// warnings of the statement before it are still there.
void keep_warnings(CommandContext& plan);
// Whether add_diagnostics_restores() brings the backend's LAST_INSERT_ID() to the session's.
bool restores_insert_id(const CommandContext& plan);
// What stands in the command's text for what it asks. `known_here`: the backend has what is known
// of the statement before.
sql::InfoValues info_values(const CommandContext& plan, bool known_here);
// Adds the steps after which the backend answers what the command, or a later one of its
// transaction, asks about the statement before it.
void add_diagnostics_restores(CommandContext& plan);
// Something goes ahead of a statement that asks about the warnings before it, or the backend has
// only the last of them: they are to be asked for first.
bool needs_warnings(const CommandContext& plan);
// Adds the questions for all that only this backend knows of the session.
void add_captures(CommandContext& plan);

}  // namespace tidepool::tracking

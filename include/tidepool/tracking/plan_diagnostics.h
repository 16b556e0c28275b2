// Planning the diagnostics that a statement asks for: warnings, LAST_INSERT_ID(), ROW_COUNT() and
// FOUND_ROWS() of the statement before it. What the backend has stays there and is read in time;
// what it lacks is written into the text, or made there again. Pure.
#pragma once

#include "tidepool/sql/restore/substitute.h"
#include "tidepool/tracking/command_context.h"

namespace tidepool::tracking {

// Whether the session's last statement ran on this backend, and nothing since. Requires that
// nothing is planned yet.
bool backend_has_diagnostics(const CommandContext& plan);
// Called once the restore is planned. Not every statement changes FOUND_ROWS(), so that a backend
// may know ROW_COUNT() and not this.
void note_other_use(CommandContext& plan);
// Called ahead of a statement of the proxy's own: should the client's not be executed at all, the
// warnings of the statement before it are still there.
void keep_warnings(CommandContext& plan);
// Whether add_diagnostics_restores() brings the backend's LAST_INSERT_ID() to the session's.
bool restores_insert_id(const CommandContext& plan);
// Returns the values that are written into the command's text. `known_here`: the backend has the
// diagnostics of the statement before.
sql::InfoValues info_values(const CommandContext& plan, bool known_here);
// Adds the steps after which the backend answers what the command, or a later one of its
// transaction, asks about the statement before it.
void add_diagnostics_restores(CommandContext& plan);
// Whether the warnings must be read first: a step goes ahead of a statement that asks for them, or
// the backend has only the last of them.
bool needs_warnings(const CommandContext& plan);
// Adds the questions for all that only this backend knows of the session.
void add_captures(CommandContext& plan);

}  // namespace tidepool::tracking

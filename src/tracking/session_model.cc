#include "tidepool/tracking/session_model.h"

#include "tidepool/protocol/status.h"

namespace tidepool::tracking {

void SessionModel::begin_anew() {
  held.clear();
  in_transaction = false;
  next_isolation.clear();
  one_shot_isolation.clear();
  prepared.clear();
  named.clear();
  diagnostics = {};
}

bool SessionModel::is_bound() const {
  return keeps_lease() || !desired.is_exact() || desired.role().is_computed;
}

bool SessionModel::is_replayable() const {
  sql::PinReasons others = pins;
  others.erase(sql::Pin::kTransaction);
  return others.empty() && next_isolation.empty() && desired.is_exact() &&
         !desired.role().is_computed;
}

bool SessionModel::must_capture(const sql::SessionState& actual) const {
  const sql::LexMode mode = desired.lex_mode();
  return diagnostics.insert_id_on_backend() || desired.role().is_computed ||
         diagnostics.has_added_warnings() || diagnostics.found_rows_on_backend() ||
         (diagnostics.warnings_on_backend() && actual != desired) || mode.uncertain ||
         mode.collation == 0;
}

bool SessionModel::joins_warnings() const {
  return diagnostics.has_added_warnings() && !in_transaction &&
         !pins.contains(sql::Pin::kOneShotTransaction);
}

void SessionModel::note_cursors() {
  pins.erase(sql::PinReasons{sql::Pin::kCursor, sql::Pin::kLongData});
  if (prepared.any_cursor()) pins.insert(sql::Pin::kCursor);
  if (prepared.any_long_data()) pins.insert(sql::Pin::kLongData);
}

bool SessionModel::is_one_shot_pending() const {
  return pins.contains(sql::Pin::kOneShotTransaction) || !next_isolation.empty();
}

std::uint16_t SessionModel::status_flags() const {
  std::uint16_t flags = 0;
  if (desired.autocommit()) flags |= protocol::status::kAutocommit;
  if (desired.lex_mode().no_backslash_escapes) flags |= protocol::status::kNoBackslashEscapes;
  if (in_transaction) flags |= protocol::status::kInTransaction;
  return flags;
}

}  // namespace tidepool::tracking

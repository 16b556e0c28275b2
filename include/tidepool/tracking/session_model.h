// SessionModel: all that the proxy knows of a client's session at TiDB: its variables, transaction,
// prepared statements, diagnostics, and what pins it to a backend. A value without I/O; what a
// backend has of it is a BackendModel.
//
// Owned by its Session, which counts its pins; planners and settlers are handed it for one command.
#pragma once

#include <cstdint>
#include <string>

#include "tidepool/sql/state/pin.h"
#include "tidepool/sql/state/session_state.h"
#include "tidepool/tracking/diagnostics.h"
#include "tidepool/tracking/held_resources.h"
#include "tidepool/tracking/named_statements.h"
#include "tidepool/tracking/prepared.h"
#include "tidepool/tracking/schema_view.h"

namespace tidepool::tracking {

struct SessionModel {
  explicit SessionModel(std::uint32_t session_id) : id(session_id) {}

  // As COM_RESET_CONNECTION leaves it, but for the state and the pins.
  void begin_anew();

  // A backend has what the session cannot do without: the session keeps its lease.
  bool keeps_lease() const { return !pins.empty(); }
  // The same, or a state that only its backend knows.
  bool is_bound() const;
  // Nothing is there but the transaction, and it is all that a new backend must have.
  bool is_replayable() const;
  // A later statement of the session on the same backend, which is in the state `actual`, would not
  // find all as it must be: it might see what another session left, or a restore comes before it
  // (after a USE that failed). Or it could not be read without knowing the state.
  bool must_capture(const sql::SessionState& actual) const;
  // The session's backend was asked for its warnings before the statement that added to them: it
  // would show the warnings of the proxy's question instead. A question would use up SET
  // TRANSACTION, and has no place in a transaction.
  bool joins_warnings() const;
  // Sets the pins of open cursors and of data that waits for its execute.
  void note_cursors();
  // Whether the next statement, be it the proxy's own, would use up what SET TRANSACTION has set.
  bool is_one_shot_pending() const;
  // The status flags of TiDB's OK to the session now.
  std::uint16_t status_flags() const;
  // The owner of a SQL-level prepared statement that no other has.
  NameOwner next_named() { return {id, ++last_named}; }

  const std::uint32_t id;

  sql::SessionState desired;
  sql::PinReasons pins;
  HeldResources held;

  bool in_transaction = false;
  bool is_pessimistic = true;  // the transaction, if there is one
  std::string next_isolation;  // see next_isolation.h; empty: none, or the backend has it
  // The same where the backend has it (Pin::kOneShotTransaction); empty: what that is, is not
  // known.
  std::string one_shot_isolation;
  SchemaView transaction_view;  // of the schema, if in_transaction
  // SET TRANSACTION READ ONLY AS OF: @@tx_read_ts shows the time even when it is used up, and no
  // SET but another time makes it empty.
  bool shows_read_time = false;

  PreparedStatements prepared;
  NamedStatements named;
  std::uint64_t last_named = 0;  // the number of the last one that was made

  Diagnostics diagnostics;
  // The number of the last command that was planned: the session may have been on another backend
  // since it was on one.
  std::uint64_t last_command = 0;
};

}  // namespace tidepool::tracking

// SELECT … FOR UPDATE in a pessimistic transaction leaves FOUND_ROWS() as it was: TiDB reads its
// rows before it answers (adapter.go, handlePessimisticSelectForUpdate, chunkRowRecordSet). Pure.
#pragma once

#include "tidepool/sql/session_state.h"
#include "tidepool/sql/statement.h"

namespace tidepool::session {

// Whether it locks what it reads, if it is in a transaction.
bool locks_rows(const sql::Statement& statement);

// Whether a transaction that begins with `begin`, or in that state without a BEGIN (null), locks
// rows as they are read. Where the session has not set tidb_txn_mode, it is TiDB's default.
bool begins_pessimistic(const sql::Statement* begin, const sql::SessionState& state);

}  // namespace tidepool::session

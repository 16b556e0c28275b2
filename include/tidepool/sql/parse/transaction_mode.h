// Whether a transaction is pessimistic: then it locks rows as they are read FOR UPDATE. Pure.
#pragma once

#include "tidepool/sql/parse/statement.h"
#include "tidepool/sql/state/session_state.h"

namespace tidepool::sql {

// Of a transaction that begins with `begin`, or in that state without a BEGIN (null). Where the
// session has not set tidb_txn_mode, it is TiDB's default.
bool begins_pessimistic(const Statement* begin, const SessionState& state);

}  // namespace tidepool::sql

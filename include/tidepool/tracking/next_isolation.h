// SET TRANSACTION ISOLATION LEVEL, for the next transaction only.
//
// TiDB (release-8.5, session.go, doCommitWithRetry; each row tried) gives the level to the very
// next statement that it answers with OK, whatever it is: BEGIN and its transaction, but also
// SELECT 1, SET, SHOW, USE (COM_INIT_DB too), COMMIT without a transaction. COM_STMT_PREPARE,
// COM_PING, COM_FIELD_LIST, an empty text and what is refused (1064) leave it; any other error
// leaves it or not, as it happened before or in the commit. So the session holds it, and sends it
// right before such a statement: nothing of the proxy's own may come between.
#pragma once

#include <string>
#include <string_view>

#include "tidepool/sql/parse/statement.h"
#include "tidepool/tracking/command.h"

namespace tidepool::tracking {

// The level that the statement leaves for the next one, as transaction_isolation has it; empty:
// none.
std::string next_isolation_after(const sql::Statement& statement);

// Whether TiDB's OK to the command would end what SET TRANSACTION has set.
bool takes_next_isolation(const Command& command);

// The statement that sets it.
std::string next_isolation_text(std::string_view level);

}  // namespace tidepool::tracking

// Which statements may mend the refusal of an account: they make or change accounts, passwords,
// roles or privileges. Pure.
#pragma once

#include "tidepool/sql/parse/statement.h"

namespace tidepool::sql {

// Whether any of the statements does.
bool changes_accounts(const Script& script);

}  // namespace tidepool::sql

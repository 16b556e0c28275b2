// Which statements may change what others prepare or see. Pure.
#pragma once

#include "tidepool/sql/parse/statement.h"

namespace tidepool::tracking {

// Whether other sessions may prepare something else after this than before: DDL, privileges, what
// may be either.
bool may_change_schema(const sql::Script& script);

}  // namespace tidepool::tracking

// What the pool asks a new backend before anybody gets it: whether it is a TiDB at all, what a
// fresh session there starts with, and which number TiDB gave it. One statement, one round trip.
// Pure. Private to the pool layer.
#pragma once

#include <cstdint>

#include "tidepool/backend/connection.h"
#include "tidepool/base/error.h"
#include "tidepool/sql/state/session_state.h"

namespace tidepool::pool {

struct FirstLook {
  static const char* const kStatement;

  // kNotTidb: another server, such as MySQL or MariaDB. The name in the greeting does not count,
  // since a TiDB may have any (`server-version`); that the server knows a variable of TiDB does.
  static Result<FirstLook> read(const Result<backend::QueryResult>& answer,
                                const backend::ServerInfo& server);

  sql::Baseline baseline;  // so what DEFAULT means there
  // CONNECTION_ID(). Not as in the greeting: that may be a gateway's.
  std::uint64_t tidb_connection = 0;
};

}  // namespace tidepool::pool

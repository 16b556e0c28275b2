// The part of a restore that depends on roles: the database, which has to be visible to be used.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tidepool/sql/restore/restore.h"

namespace tidepool::sql {

std::string quoted_name(std::string_view name);

// USE and SET ROLE, as far as needed. A session that has set roles may have entered its database
// with others than it has now: all that it can have are on for the USE.
void add_database(std::vector<RestoreStep>& steps, const SessionState& from,
                  const SessionState& desired);

}  // namespace tidepool::sql

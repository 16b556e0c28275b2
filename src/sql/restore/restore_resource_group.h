// The part of a restore that is about the resource group.
#pragma once

#include <vector>

#include "tidepool/sql/restore/restore.h"

namespace tidepool::sql {

// No statement leads back to the group of a login, because it is not known.
bool is_resource_group_lost(const SessionState& from, const SessionState& desired);

// SET RESOURCE GROUP, if the two differ. One that is dropped meanwhile is replaced by `default`.
void add_resource_group(std::vector<RestoreStep>& steps, const SessionState& from,
                        const SessionState& desired);

}  // namespace tidepool::sql

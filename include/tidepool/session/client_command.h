// ClientCommand: a command as its session holds it, with what it takes of the process meanwhile.
//
// Owned by the session from the command's arrival until its answer is out.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "tidepool/pool/account_change.h"
#include "tidepool/session/command_room.h"
#include "tidepool/session/prepare_cache.h"
#include "tidepool/session/session_stats.h"
#include "tidepool/session/shown_status.h"
#include "tidepool/tracking/command.h"
#include "tidepool/tracking/prepared_bytes.h"

namespace tidepool::session {

struct ClientCommand : tracking::Command {
  using Command::Command;

  std::unique_ptr<CommandRoom> room{};  // that it takes, if it is large
  // Of what it prepares; the statement's, when it is there.
  tracking::PreparedShare prepared_share{};
  // In the answer to SHOW STATUS, in the place of the backend's encryption.
  std::optional<ShownStatus> status{};
  // While TiDB may be changing the schema on its behalf; see PrepareCache::Change.
  std::vector<PrepareCache::Change> schema_changes{};
  std::vector<pool::AccountChange> account_changes{};  // likewise, an account
};

}  // namespace tidepool::session

#include "tidepool/session/client_command.h"

namespace tidepool::session {

CommandKind ClientCommand::kind() const {
  switch (type) {
    case protocol::Command::kQuery: return CommandKind::kQuery;
    case protocol::Command::kStmtExecute: return CommandKind::kExecute;
    case protocol::Command::kStmtPrepare: return CommandKind::kPrepare;
    default: return CommandKind::kOther;
  }
}

}  // namespace tidepool::session

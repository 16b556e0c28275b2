#include "tidepool/tracking/next_isolation.h"

#include <algorithm>

namespace tidepool::tracking {

std::string next_isolation_after(const sql::Statement& statement) {
  std::string level;
  for (const sql::StateChange& change : statement.changes) {
    if (change.kind == sql::ChangeKind::kNextIsolation) level = change.value;
  }
  return level;
}

bool takes_next_isolation(const Command& command) {
  switch (command.type) {
    case protocol::Command::kQuery: return !command.script.empty();
    case protocol::Command::kStmtExecute: return !command.statement->script.empty();
    case protocol::Command::kInitDb:
    case protocol::Command::kRefresh: return true;
    default: return false;
  }
}

std::string next_isolation_text(std::string_view level) {
  std::string words(level);
  std::replace(words.begin(), words.end(), '-', ' ');
  return "SET TRANSACTION ISOLATION LEVEL " + words;
}

}  // namespace tidepool::tracking

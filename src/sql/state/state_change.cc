#include "tidepool/sql/state/state_change.h"

namespace tidepool::sql {

StateChange init_database(std::string_view name) {
  return StateChange{ChangeKind::kInitDatabase, std::string(name)};
}

StateChange multi_statements(bool enabled) {
  return StateChange{ChangeKind::kMultiStatements, {}, enabled ? "1" : "0"};
}

}  // namespace tidepool::sql

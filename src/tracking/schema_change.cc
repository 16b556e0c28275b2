#include "tidepool/tracking/schema_change.h"

namespace tidepool::tracking {

bool may_change_schema(const sql::Script& script) {
  const auto changes = [](const sql::Statement& statement) {
    switch (statement.kind) {
      case sql::StatementKind::kDdl: return !statement.pins.contains(sql::Pin::kTemporaryTable);
      case sql::StatementKind::kPrepared:  // EXECUTE of who knows what
        return statement.transaction == sql::TransactionEffect::kUnknown;
      case sql::StatementKind::kUnknown: return true;
      default: return statement.changes_server;
    }
  };
  for (std::size_t i = 0; i < script.size(); ++i) {
    if (changes(script[i])) return true;
  }
  return false;
}

}  // namespace tidepool::tracking

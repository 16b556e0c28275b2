#include "tidepool/sql/parse/transaction_mode.h"

#include <algorithm>

#include "parse/names.h"

namespace tidepool::sql {
namespace {

const VariableId kTransactionMode = find_variable("tidb_txn_mode");

}  // namespace

bool begins_pessimistic(const Statement* begin, const SessionState& state) {
  if (begin != nullptr && begin->begin_mode != TransactionMode::kDefault)
    return begin->begin_mode == TransactionMode::kPessimistic;
  const auto& items = state.items();
  const auto set = std::find_if(items.begin(), items.end(), [](const SessionState::Item& item) {
    return item.variable == kTransactionMode;
  });
  return set == items.end() || lower(set->value).find("pessimistic") != std::string::npos;
}

}  // namespace tidepool::sql

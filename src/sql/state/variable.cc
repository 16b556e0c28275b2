#include "tidepool/sql/state/variable.h"

#include <algorithm>
#include <array>
#include <string>

#include "state/letters.h"

namespace tidepool::sql {
namespace {

struct Alias {
  std::string_view name;
  std::string_view canonical;
};

// sysvar.go and noop.go, `Aliases`.
constexpr std::array<Alias, 3> kAliases = {{
    {"tx_isolation", "transaction_isolation"},
    {"tx_read_only", "transaction_read_only"},
    {"tidb_session_plan_cache_size", "tidb_prepared_plan_cache_size"},
}};

constexpr auto kFollowed = VariableClass::kFollowed;
constexpr auto kCharset = VariableClass::kCharset;
constexpr auto kPinning = VariableClass::kPinning;
constexpr auto kNoState = VariableClass::kNoState;
constexpr auto kServer = VariableClass::kServer;
constexpr auto kDefault = Undo::kDefault;
constexpr auto kReset = Undo::kReset;

constexpr auto kVariables = std::to_array<Variable>({
#include "variable_table.inc"
});

static_assert(kVariables.size() < kNoVariable);

}  // namespace

VariableId find_variable(std::string_view name) {
  const std::string spelled = lower(name);
  std::string_view wanted = spelled;
  for (const Alias& alias : kAliases) {
    if (alias.name == wanted) wanted = alias.canonical;
  }
  const auto* found = std::lower_bound(
      kVariables.begin(), kVariables.end(), wanted,
      [](const Variable& entry, std::string_view text) { return entry.name < text; });
  if (found == kVariables.end() || found->name != wanted) return kNoVariable;
  return static_cast<VariableId>(found - kVariables.begin());
}

const Variable& variable(VariableId id) {
  return kVariables[id];
}

}  // namespace tidepool::sql

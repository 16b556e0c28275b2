// The system variables of TiDB release-8.5 as far as a session's state is concerned.
//
// The table is made by tools/make_variable_table.py from a running TiDB. A variable that it does
// not have (a newer TiDB) is not followed: setting it pins.
#pragma once

#include <cstdint>
#include <string_view>

namespace tidepool::sql {

enum class VariableClass : std::uint8_t {
  kFollowed,  // session state: SET with a literal can be repeated on another backend
  kCharset,   // the character set family, which SessionState models as a whole
  kPinning,   // session state that cannot be repeated by a literal: setting it pins
  kNoState,   // setting it in a session fails or has no effect, or (kServer) changes the whole
              // server
  kServer,    // SET without GLOBAL changes the whole server (tidb_enable_legacy_instance_scope)
  kUnknown,
};

enum class Undo : std::uint8_t {
  kDefault,  // SET x = DEFAULT gives back what a fresh session has
  kReset,    // only COM_RESET_CONNECTION does
};

struct Variable {
  // Canonical: lower case, aliases resolved (tx_isolation → transaction_isolation).
  std::string_view name{};
  VariableClass group = VariableClass::kUnknown;
  Undo undo = Undo::kReset;
  bool is_switch = false;  // ON and OFF, also as 1, 0, TRUE, FALSE
};

using VariableId = std::uint16_t;
inline constexpr VariableId kNoVariable = 0xffff;

// By any of its names, in any letter case, without scope; kNoVariable if the table does not have
// it.
VariableId find_variable(std::string_view name);
const Variable& variable(VariableId id);

}  // namespace tidepool::sql

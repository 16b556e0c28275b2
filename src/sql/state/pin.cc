#include "tidepool/sql/state/pin.h"

#include <array>

namespace tidepool::sql {

const char* to_string(Pin pin) {
  static constexpr std::array<const char*, kPinCount> kWords = {
      "temporary_table",
      "lock",
      "table_lock",
      "user_variable",
      "prepared_text",
      "session_variable",
      "one_shot_transaction",
      "stale_read",
      "role",
      "resource_group",
      "session_binding",
      "sequence",
      "hypothetical_index",
      "session_states",
      "unknown_statement",
      "transaction",
      "cursor",
      "long_data",
  };
  return kWords[static_cast<std::size_t>(pin)];
}

}  // namespace tidepool::sql

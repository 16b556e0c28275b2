// Why a session keeps its lease beyond the transaction. Metrics and messages use the same words:
// docs/metrics.md lists them.
#pragma once

#include <cstdint>

#include "tidepool/sql/state/flags.h"

namespace tidepool::sql {

enum class Pin : std::uint8_t {
  // Found by classify(): the statement leaves behind what cannot (yet) be moved to another backend.
  kTemporaryTable,
  kLock,       // GET_LOCK
  kTableLock,  // LOCK TABLES
  kUserVariable,
  kPreparedText,     // PREPARE … FROM
  kSessionVariable,  // a session variable whose new value is not a literal, or cannot be set again
                     // elsewhere
  kOneShotTransaction,  // SET TRANSACTION ISOLATION LEVEL, consumed by the next statement
  kStaleRead,           // SET TRANSACTION READ ONLY AS OF, consumed by the next read of a table
  kRole,
  kResourceGroup,
  kSessionBinding,
  kSequence,      // NEXTVAL: what LASTVAL says afterwards
  kHypothetical,  // a hypothetical index or TiFlash replica
  kSessionStates,
  kUnknownStatement,
  // Found by the session from what passes through it.
  kTransaction,
  kCursor,
  kLongData,
};
inline constexpr int kPinCount = 18;

using PinReasons = Flags<Pin>;

// The word for logs and metric labels, such as "temporary_table".
const char* to_string(Pin pin);

}  // namespace tidepool::sql

// The SET element that makes a user variable of the same value, type and column definition again.
#pragma once

#include <optional>
#include <string_view>

#include "tidepool/sql/restore/capture.h"

namespace tidepool::sql {

// What the column of the variable itself does not tell.
struct CapturedDetails {
  std::string_view collation{};
  bool is_whole = false;    // the text has all digits of the number
  bool has_length = false;  // the type says one; a DOUBLE's column says 22 in any case
};

// kSetUserVariable or kSetUserString for `name`; nothing if no known expression does it. The value
// is not NULL.
std::optional<StateChange> assignment_of(std::string_view name, const CapturedValue& value,
                                         const CapturedDetails& details);

}  // namespace tidepool::sql

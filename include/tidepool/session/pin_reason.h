// Why a session keeps its lease beyond the statement. The reasons are those of the sql layer, which
// finds most of them; here they are the label of metrics, logs and the status page. Names are
// stable.
#pragma once

#include <cstddef>

#include "tidepool/sql/state/pin.h"

namespace tidepool::session {

using PinReason = sql::Pin;
using sql::PinReasons;
using sql::to_string;

inline constexpr std::size_t kPinReasons = sql::kPinCount;

}  // namespace tidepool::session

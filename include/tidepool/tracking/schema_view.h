// SchemaView: the schema as a transaction or a command sees it. Pure.
#pragma once

#include <cstdint>

#include "tidepool/base/clock.h"

namespace tidepool::tracking {

// At what time, after how many changes that the proxy saw. A transaction keeps the one that it
// began with.
struct SchemaView {
  TimePoint time{};
  std::uint64_t changes = 0;
};

}  // namespace tidepool::tracking

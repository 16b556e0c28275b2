// The monotonic clock of a fuzz target stands still until it is told to go on, so that an input
// does the same each time and an hour costs nothing. The calendar's clock is the real one.
#pragma once

#include "tidepool/base/clock.h"

namespace tidepool::fuzz {

void advance_clock(Duration by);

}  // namespace tidepool::fuzz

// When backends are replaced, so that they do not go all at once even if they came all at once.
// Pure.
#pragma once

#include <vector>

#include "tidepool/base/clock.h"

namespace tidepool::pool {

// A time from `earliest` to `latest`, as late as it can be with `spacing` between it and each of
// `taken`; if there is no such time, the middle of the widest gap.
TimePoint pick_end(TimePoint earliest, TimePoint latest, Duration spacing,
                   std::vector<TimePoint> taken);

}  // namespace tidepool::pool

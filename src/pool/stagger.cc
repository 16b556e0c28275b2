#include "stagger.h"

#include <algorithm>
#include <functional>

namespace tidepool::pool {
namespace {

TimePoint middle_of_widest_gap(TimePoint earliest, TimePoint latest,
                               const std::vector<TimePoint>& latest_first) {
  TimePoint best = latest;
  Duration widest{};
  TimePoint above = latest;
  const auto consider = [&](TimePoint below) {
    if (above - below <= widest) return;
    widest = above - below;
    best = below + widest / 2;
  };
  for (const TimePoint one : latest_first) {
    if (one >= latest) continue;
    if (one <= earliest) break;
    consider(one);
    above = one;
  }
  consider(earliest);
  return best;
}

}  // namespace

TimePoint pick_end(TimePoint earliest, TimePoint latest, Duration spacing,
                   std::vector<TimePoint> taken) {
  std::sort(taken.begin(), taken.end(), std::greater<>());
  TimePoint candidate = latest;
  for (const TimePoint one : taken) {
    if (one >= candidate + spacing) continue;
    if (one <= candidate - spacing) break;
    candidate = one - spacing;
  }
  return candidate >= earliest ? candidate : middle_of_widest_gap(earliest, latest, taken);
}

}  // namespace tidepool::pool

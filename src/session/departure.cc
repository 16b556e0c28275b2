#include "tidepool/session/departure.h"

#include <algorithm>

namespace tidepool::session {
namespace {

// A grace of 0 does not keep the loop busy.
constexpr std::chrono::milliseconds kShortestWait{100};

}  // namespace

Departure::Next Departure::judge(const std::optional<Running>& running, TimePoint now) const {
  if (!running) return {Verdict::kWait, std::max<Duration>(grace_, kShortestWait)};
  const TimePoint begun = std::max(running->since, ended_.value_or(running->since));
  const bool is_killed = killed_ && *killed_ >= running->since;
  TimePoint due = begun + grace_;
  Verdict verdict = running->can_be_killed ? Verdict::kKill : Verdict::kGiveUp;
  if (running->is_boundary || is_killed) {
    due = running->is_boundary ? begun + kBoundaryLimit : *killed_ + kKillTimeout;
    verdict = Verdict::kGiveUp;
  }
  if (now < due) return {Verdict::kWait, due - now};
  return {verdict, kKillTimeout};
}

}  // namespace tidepool::session

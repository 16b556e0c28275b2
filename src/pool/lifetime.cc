#include "lifetime.h"

#include <algorithm>
#include <utility>

#include "stagger.h"

namespace tidepool::pool {
namespace {

using State = BackendRecord::State;
using Replacement = BackendRecord::Replacement;

// No backend is replaced before this part of its time, whatever the staggering would like.
constexpr double kShortestLife = 0.2;
// Ends of life are this many times closer than an even spread over the whole time would have them,
// so that there is a place for each.
constexpr double kSlack = 1.25;

Duration scaled(Duration time, double factor) {
  return std::chrono::duration_cast<Duration>(
      std::chrono::duration<double, Duration::period>(time) * factor);
}

}  // namespace

TimePoint end_of_life(const Limits& limits, std::vector<TimePoint> taken, double shortened,
                      TimePoint now) {
  if (limits.recycle.count() <= 0) return TimePoint::max();
  const Duration recycle = limits.recycle;
  const double longest = 1.0 - shortened;
  const std::size_t many = std::max<std::size_t>(limits.size, taken.size() + 1);
  const Duration spacing = scaled(recycle, 1.0 / (kSlack * static_cast<double>(many)));
  return pick_end(now + scaled(recycle, std::min(kShortestLife, longest)),
                  now + scaled(recycle, longest), spacing, std::move(taken));
}

bool is_life_over(const BackendRecord& record, TimePoint now) {
  return now >= record.expires || record.replacement() == Replacement::kReady;
}

bool wants_replacement(const BackendRecord& record, const Limits& limits,
                       const PoolFigures& figures, TimePoint now) {
  if (figures.is_draining || figures.kept > limits.size) return false;
  if (record.state() != State::kIdle || limits.idle_timeout.count() <= 0) return true;
  return (now - record.idle_since) * 2 < limits.idle_timeout || figures.idle <= limits.min_idle;
}

AtEnd at_end(const BackendRecord& record, const Limits& limits, const PoolFigures& figures,
             TimePoint now) {
  if (record.replacement() == Replacement::kReady) return AtEnd::kRetire;
  if (!wants_replacement(record, limits, figures, now)) return AtEnd::kRetire;
  return record.replacement() == Replacement::kDialling ? AtEnd::kGoOn : AtEnd::kReplace;
}

std::optional<RetireReason> reason_to_retire(const BackendRecord& record, const Limits& limits,
                                             const PoolFigures& figures, TimePoint now) {
  const Duration idle_for = now - record.idle_since;
  const bool is_spare = figures.idle <= limits.min_idle;
  if (is_life_over(record, now) && at_end(record, limits, figures, now) == AtEnd::kRetire)
    return RetireReason::kRecycle;
  if (limits.idle_timeout.count() > 0 && idle_for >= limits.idle_timeout && !is_spare)
    return RetireReason::kIdle;
  if (figures.kept > limits.size && idle_for >= limits.overflow_linger)
    return RetireReason::kOverflow;
  if (figures.open > limits.cap()) return RetireReason::kOverflow;  // it has become smaller
  return std::nullopt;
}

bool is_ping_due(const BackendRecord& record, const Limits& limits, TimePoint now) {
  const Duration silent = now - std::max(record.idle_since, record.heard_at);
  return record.is_suspect || (limits.ping_interval.count() > 0 && silent >= limits.ping_interval);
}

}  // namespace tidepool::pool

// When backends end. Pure functions over a record and the pool's figures. Private to the pool
// layer.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "tidepool/base/clock.h"
#include "tidepool/pool/backend_table.h"
#include "tidepool/pool/broker_types.h"

namespace tidepool::pool {

// The end of the life that begins now: within Limits::recycle, and at a distance from `taken`, the
// ends of the others' lives. `shortened` is the part of the life, of Limits::recycle_jitter at
// most, that chance takes away. Without Limits::recycle there is no end.
TimePoint end_of_life(const Limits& limits, std::vector<TimePoint> taken, double shortened,
                      TimePoint now);

// Whether the life of a backend has ended: its time is over, or its replacement is there before
// that.
bool is_life_over(const BackendRecord& record, TimePoint now);

// Whether a backend at the end of its life is to be replaced: not where the pool has others enough,
// nor if it is idle and, being unused, would soon be closed for that.
bool wants_replacement(const BackendRecord& record, const Limits& limits,
                       const PoolFigures& figures, TimePoint now);

// What is to happen to a backend whose lease ends at the end of its life.
enum class AtEnd : std::uint8_t {
  kRetire,  // its replacement is there, or none is needed
  kGoOn,    // its replacement is being dialled: a good backend outlives its time
  kReplace  // nothing has been done for a replacement
};
AtEnd at_end(const BackendRecord& record, const Limits& limits, const PoolFigures& figures,
             TimePoint now);

// Why an idle backend is to be closed now. Nothing: it stays.
std::optional<RetireReason> reason_to_retire(const BackendRecord& record, const Limits& limits,
                                             const PoolFigures& figures, TimePoint now);

// Whether an idle backend is to be pinged.
bool is_ping_due(const BackendRecord& record, const Limits& limits, TimePoint now);

}  // namespace tidepool::pool

// The phases of a transaction's replay, and which may follow which. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "tidepool/base/state_row.h"

namespace tidepool::session {

enum class ReplayPhase : std::uint8_t {
  kRecording,
  kDue,      // the transaction is gone; a backend is awaited, or the client's next command
  kRunning,  // a statement of the log is on a backend
};
inline constexpr std::size_t kReplayPhases = 3;
// In the order of the enum.
inline constexpr std::array<StateRow<ReplayPhase>, kReplayPhases> kReplayPhaseRows = [] {
  using Phase = ReplayPhase;
  using To = StateSet<Phase>;
  return std::array<StateRow<Phase>, kReplayPhases>{{
      {"recording", "the end of the transaction, or a loss", "the session's states", "the log",
       To(Phase::kDue), nullptr},
      {"due", "a lease; where no command was under way, the client's next one",
       "the pool's `timeout`; `retry_budget`; as *idle*", "the log",
       To(Phase::kRecording, Phase::kRunning), nullptr},
      {"running", "the answers to the statements of the log",
       "`query_timeout` of the client's command; `control_timeout` for what is the proxy's own",
       "the log, a lease, a statement of it", To(Phase::kRecording, Phase::kDue), nullptr},
  }};
}();

constexpr bool may_follow(ReplayPhase from, ReplayPhase to) {
  return kReplayPhaseRows[static_cast<std::size_t>(from)].leads_to.contains(to);
}

}  // namespace tidepool::session

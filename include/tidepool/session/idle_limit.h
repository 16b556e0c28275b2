// How long a client may say nothing before its connection ends. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "tidepool/base/clock.h"
#include "tidepool/session/session_stats.h"

namespace tidepool::session {

// By the configuration; 0: as long as it likes.
struct Timeouts {
  Duration query{};  // a statement, from when it is handed to TiDB
  Duration idle_transaction{};
  Duration client_idle{};
};

struct IdleLimit {
  Duration after{};
  TimeoutKind kind = TimeoutKind::kClientIdle;
};

// `wait_timeout`: what the session itself has set. It is left to TiDB while the session keeps its
// backend, for TiDB counts then too. nullopt: no limit.
std::optional<IdleLimit> idle_limit(const Timeouts& timeouts,
                                    std::optional<std::chrono::seconds> wait_timeout,
                                    bool keeps_lease, bool in_transaction);

}  // namespace tidepool::session

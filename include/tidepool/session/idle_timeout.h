// IdleTimeout: ends a session whose client says nothing for too long.
//
// Owned by the session; on its loop's thread.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "tidepool/net/timer.h"
#include "tidepool/session/session_context.h"
#include "tidepool/session/session_host.h"

namespace tidepool::session {

struct IdleLimit {
  Duration after{};
  TimeoutKind kind = TimeoutKind::kClientIdle;
};

// How long a client may say nothing. `wait_timeout`: what the session itself has set. It is left to
// TiDB while the session keeps its backend, for TiDB counts then too. nullopt: no limit. Pure.
std::optional<IdleLimit> idle_limit(const Timeouts& timeouts,
                                    std::optional<std::chrono::seconds> wait_timeout,
                                    bool keeps_lease, bool in_transaction);

class IdleTimeout {
 public:
  IdleTimeout(SessionContext& context, SessionHost& host) : context_(context), host_(host) {}

  // From now on, as the client's last sign of life. The end of a command under way starts the wait
  // anew.
  void watch();
  // The same, if there is a limit: a command has come.
  void watch_again();
  void stop() { timer_.reset(); }

 private:
  std::optional<IdleLimit> limit() const;
  void on_time_up();

  SessionContext& context_;
  SessionHost& host_;
  std::unique_ptr<net::Timer> timer_;  // set while the client may not be silent for ever
};

}  // namespace tidepool::session

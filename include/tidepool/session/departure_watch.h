// DepartureWatch: looks after what a client that leaves has left behind: a statement that takes too
// long for it is killed, and the session ends when nothing more of it can be done; see departure.h.
//
// Owned by the session; on its loop's thread.
#pragma once

#include <memory>

#include "tidepool/net/timer.h"
#include "tidepool/session/exchange_runner.h"
#include "tidepool/session/session_context.h"
#include "tidepool/session/session_host.h"

namespace tidepool::session {

class DepartureWatch {
 public:
  DepartureWatch(SessionContext& context, ExchangeRunner& runner, SessionHost& host)
      : context_(context), runner_(runner), host_(host) {}

  // The client sends no more.
  void watch();
  // The client is sent away. What runs for it is ended in TiDB, and its backend kept. Returns
  // whether it leaves: false if nothing runs that can be ended.
  [[nodiscard]] bool send_away();
  // The transaction of a statement that was killed is not committed without it.
  bool must_roll_back() const;
  void stop();

 private:
  SessionContext& context_;
  ExchangeRunner& runner_;
  SessionHost& host_;
  std::unique_ptr<net::Timer> timer_;       // set while the client leaves by itself
  std::unique_ptr<net::Timer> away_timer_;  // since it was sent away
};

}  // namespace tidepool::session

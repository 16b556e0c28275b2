// Capture: reads back what only the backend knows of the session, between two commands of the
// client, before anybody else gets the backend.
//
// Owned by the session; on its loop's thread.
#pragma once

#include <memory>

#include "tidepool/session/exchange_runner.h"
#include "tidepool/session/session_context.h"
#include "tidepool/session/session_host.h"

namespace tidepool::session {

class Capture final : BackendUser, ExchangeSink {
 public:
  Capture(SessionContext& context, ExchangeRunner& runner, SessionHost& host)
      : context_(context), runner_(runner), host_(host) {}

  // Requires a lease, parked or not.
  void start();

 private:
  void on_restore_failed() override { on_over(); }  // there is none
  void on_over() override;
  void on_backend_lost(const Error& error) override;
  void end();

  SessionContext& context_;
  ExchangeRunner& runner_;
  SessionHost& host_;
  std::unique_ptr<tracking::Command> command_;
};

}  // namespace tidepool::session

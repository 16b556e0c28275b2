// LoginCheck: asks TiDB whether the database that a login names is there and open to its account.
//
// Owned by the session's login; on its loop's thread.
#pragma once

#include <memory>
#include <string>

#include "tidepool/net/timer.h"
#include "tidepool/session/exchange_runner.h"
#include "tidepool/session/failure_judge.h"
#include "tidepool/session/session_context.h"

namespace tidepool::session {

class LoginCheckSink {
 public:
  LoginCheckSink() = default;
  LoginCheckSink(const LoginCheckSink&) = delete;
  LoginCheckSink& operator=(const LoginCheckSink&) = delete;
  virtual ~LoginCheckSink() = default;

  virtual void on_database_usable() = 0;
  virtual void on_database_refused(const Error& error) = 0;
  // The backend is gone, and with it what the session of before had there.
  virtual void on_session_lost(const Error& error) = 0;
};

class LoginCheck final : BackendUser, ExchangeSink {
 public:
  LoginCheck(SessionContext& context, ExchangeRunner& runner, LoginCheckSink& sink)
      : context_(context), runner_(runner), sink_(sink) {}

  // Uses the lease that the session has, if it is of the same pool. `profile`: of the login.
  void start(Account& account, const std::string& database, std::uint64_t profile);
  bool is_under_way() const { return command_ != nullptr; }
  void stop() { pause_.reset(); }

 private:
  void on_lease() override;
  void on_no_lease(const Error& error) override;
  void on_backend_lost(const Error& error) override;
  void on_restore_failed() override;
  void on_over() override;
  void acquire();
  void retry(Duration delay);
  void end();

  SessionContext& context_;
  ExchangeRunner& runner_;
  LoginCheckSink& sink_;
  Account* account_ = nullptr;
  std::unique_ptr<tracking::Command> command_;
  std::unique_ptr<net::Timer> pause_;  // before it is asked again
};

}  // namespace tidepool::session

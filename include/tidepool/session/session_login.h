// SessionLogin: how a session begins, and begins anew with COM_CHANGE_USER: who the client is,
// whether there may be one more such session, and whether its database can be used.
//
// Owned by the session; on its loop's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "tidepool/net/timer.h"
#include "tidepool/session/accepted_client.h"
#include "tidepool/session/exchange_runner.h"
#include "tidepool/session/login.h"
#include "tidepool/session/login_check.h"
#include "tidepool/session/login_places.h"
#include "tidepool/session/session_context.h"
#include "tidepool/session/session_host.h"

namespace tidepool::session {

class LoginSink {
 public:
  LoginSink() = default;
  LoginSink(const LoginSink&) = delete;
  LoginSink& operator=(const LoginSink&) = delete;
  virtual ~LoginSink() = default;

  // The client waits for the OK, with the number sequence().
  virtual void on_logged_in() = 0;
  // The client is gone.
  virtual void on_client_gone() = 0;
};

class SessionLogin final : LoginCheckSink {
 public:
  // `client`: its descriptor is the context's.
  SessionLogin(SessionContext& context, ExchangeRunner& runner, AcceptedClient client,
               LoginSink& sink, SessionHost& host);

  void start();  // greets
  void change_user(std::string_view payload);
  // Requires is_under_way().
  void on_packet(const protocol::Packet& packet);
  void on_tls_established() { on_status(login_->on_tls_established()); }

  // The client is asked who it is.
  bool is_under_way() const { return login_ != nullptr; }
  // Returns false if what the client sends is not to be looked at yet.
  bool takes_packets() const { return login_ == nullptr || login_->takes_packets(); }
  // The database is being asked for.
  bool checks_database() const { return check_.is_under_way(); }
  void stop();

  // Of those who have not logged in yet, to whom others have to make way.
  bool is_pending() const { return place_ != nullptr && place_->is_pending(); }
  bool is_silent();
  void give_way(LoginFailure why);
  // What has been read may have to be kept until the login is over. Ends the login if that is too
  // much.
  void hold_input();
  void leave_place() { place_.reset(); }

  // That of the last login whose password was right.
  const protocol::LoginRequest& request() const { return accepted_.login; }
  Account& account() const { return *account_; }
  std::uint8_t sequence() const { return accepted_.next_sequence; }
  std::uint64_t profile() const;
  std::uint8_t collation() const { return collation_; }
  // It refers to an Account that is_removed.
  bool knows_removed_account() const;

 private:
  protocol::HandshakeOptions handshake_options() const;
  std::unique_ptr<Login> make_login(net::TlsContext* tls, protocol::ServerHandshake handshake);
  void watch_time(Duration limit);
  void on_status(Login::Status status);
  void on_timeout();
  void on_accepted();
  void on_change_user_rejected();
  void turn_away();
  bool admit();
  void refuse(const Error& error);
  void tell_refusal(const Error& error);
  void on_database_usable() override;
  void on_database_refused(const Error& error) override { refuse(error); }
  void on_session_lost(const Error& error) override;

  SessionContext& context_;
  const AcceptedClient client_;  // without its descriptor and place
  LoginSink& sink_;
  SessionHost& host_;
  LoginCheck check_;
  std::unique_ptr<LoginPlace> place_;
  std::unique_ptr<Login> login_;
  std::unique_ptr<net::Timer> timer_;  // bounds the login
  protocol::Accept accepted_;          // the login that is being finished, or was last
  Account* account_ = nullptr;         // of accepted_
  std::uint8_t collation_ = 0;         // of the handshake
  unsigned denied_changes_ = 0;        // of its user, since the connection began
  std::string salt_;
};

}  // namespace tidepool::session

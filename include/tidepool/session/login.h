// A client's way in: drives protocol::ServerHandshake over the client's channel, for a login and
// for COM_CHANGE_USER.
//
// Owned by the session until it is done. It finds the account; the database is the session's
// business.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tidepool/net/timer.h"
#include "tidepool/net/tls_context.h"
#include "tidepool/protocol/server_handshake.h"
#include "tidepool/session/client_channel.h"
#include "tidepool/session/environment.h"
#include "tidepool/session/login_key.h"
#include "tidepool/session/password_checks.h"
#include "tidepool/session/password_proofs.h"

namespace tidepool::session {

struct AcceptedClient;

class Login {
 public:
  enum class Status : std::uint8_t {
    kUnderWay,
    kAccepted,  // accepted() tells who; the session answers with OK or ERR
    kRejected,  // the ERR is written
    kLost,      // the channel failed
  };

  // `on_late_status` runs on a later turn when what the login waited for is there, which is not the
  // client; it may destroy the login.
  using OnStatus = std::function<void(Status)>;

  // Whose login it is. Borrowed: the session's.
  struct Client {
    std::uint32_t session;
    const AcceptedClient& accepted;
  };

  Login(Environment& environment, ClientChannel& channel, Client client, net::TlsContext* tls,
        protocol::ServerHandshake handshake, OnStatus on_late_status);

  Status start();
  Status on_packet(std::string_view payload);
  Status on_tls_established();

  // After kAccepted.
  protocol::Accept& accepted() { return accepted_; }
  Account& account() { return *account_; }
  // Whose password is asked for; null before a user is named.
  const Account* found() const { return account_; }
  // After kRejected.
  LoginFailure failure() const;
  // Of kRejected: it was not proved who the client is, or it may not come from where it is.
  bool is_denied() const;
  // Rejected, though perhaps the client is not to hear of it yet.
  bool is_refused() const {
    return handshake_.state() == protocol::ServerHandshake::State::kRejected;
  }
  const std::string& salt() const { return handshake_.salt(); }
  // False: what the client sends meanwhile is no packet, or not yet to be taken.
  bool takes_packets() const;
  // For a packet or for TLS, or only to be told that it is refused.
  bool waits_for_client() const;
  std::size_t held_bytes() const { return handshake_.held_bytes() + refusal_.size(); }

 private:
  std::optional<protocol::Action> find_key(const protocol::FindKey& find);
  void on_key_made();
  std::optional<protocol::Proof> known_proof(std::string_view password) const;
  std::optional<protocol::Action> check_password(protocol::CheckPassword& check);
  void on_password_checked(std::optional<protocol::Proof> proof);
  Account* find_account(const std::string& name);
  protocol::Action find_user(const std::string& name);
  void prove_password(protocol::ProvePassword& prove);
  void on_password_proved(const PasswordProofs::Answer& answer);
  Status let_in(protocol::Accept& accept);
  Status refuse(protocol::Reject& reject);
  Duration delay_of_refusal() const;
  void on_delay_over();
  Status perform(protocol::Action action);
  void write(std::string_view bytes);
  Status perform_one(protocol::Action& action, std::optional<protocol::Action>& next);

  Environment& environment_;
  ClientChannel& channel_;
  const Client client_;
  net::TlsContext* tls_;
  protocol::ServerHandshake handshake_;
  Account* account_ = nullptr;
  bool is_outside_ = false;         // the user may not log in from the client's address
  unsigned passwords_version_ = 0;  // of the account's when it was looked for
  protocol::Accept accepted_;
  Error reason_;
  const OnStatus on_late_status_;
  std::unique_ptr<LoginKey::Wait> key_wait_;
  std::unique_ptr<PasswordChecks::Wait> check_wait_;
  std::unique_ptr<PasswordProofs::Wait> proof_wait_;
  std::string refusal_;                // until it is written
  std::unique_ptr<net::Timer> delay_;  // set while it waits
};

// Of a login that failed after its password was proved.
LoginFailure failure_of(const Error& error);

// The client's address without its port, as TiDB names it in 1045.
std::string host_of(const std::string& peer);

}  // namespace tidepool::session

#include "tidepool/session/login.h"

#include <algorithm>
#include <utility>

#include "tidepool/base/log.h"
#include "tidepool/net/socket.h"
#include "tidepool/session/accepted_client.h"

namespace tidepool::session {

Login::Login(Environment& environment, ClientChannel& channel, Client client, net::TlsContext* tls,
             protocol::ServerHandshake handshake, OnStatus on_late_status)
    : environment_(environment),
      channel_(channel),
      client_(client),
      tls_(tls),
      handshake_(std::move(handshake)),
      on_late_status_(std::move(on_late_status)) {}

bool Login::takes_packets() const {
  using Phase = protocol::ServerHandshake::State;
  const Phase phase = handshake_.state();
  return phase != Phase::kAwaitTls && phase != Phase::kAwaitKey && phase != Phase::kAwaitVerdict &&
         delay_ == nullptr;
}

bool Login::waits_for_client() const {
  return key_wait_ == nullptr && check_wait_ == nullptr && proof_wait_ == nullptr;
}

Login::Status Login::start() {
  return perform(handshake_.start());
}

Login::Status Login::on_packet(std::string_view payload) {
  return perform(handshake_.on_packet(payload));
}

Login::Status Login::on_tls_established() {
  return perform(handshake_.on_tls_established());
}

// Nullopt: it is being made. Only for who does not say that he has it already: another key than
// that is of no use to him.
std::optional<protocol::Action> Login::find_key(const protocol::FindKey& find) {
  LoginKey& key = *environment_.login_key;
  if (key.get() != nullptr || !find.is_to_be_made) return handshake_.on_key(key.get());
  key_wait_ = key.wait(environment_.loop, [this] { on_key_made(); });
  return std::nullopt;
}

void Login::on_key_made() {
  key_wait_.reset();
  const OnStatus tell = on_late_status_;  // it may destroy this object
  tell(perform(handshake_.on_key(environment_.login_key->get())));
}

// Of clients of one user that come at once, each is asked for its password before the first one is
// found right. That a right one is known sooner tells nobody anything who does not have it.
std::optional<protocol::Proof> Login::known_proof(std::string_view password) const {
  const std::string digest = protocol::sha2_digest(password);
  const bool is_current = account_ != nullptr && account_->passwords &&
                          account_->passwords_version == passwords_version_;
  return is_current ? account_->passwords->prove_by_digest(digest) : std::nullopt;
}

// Nullopt: it is being checked.
std::optional<protocol::Action> Login::check_password(protocol::CheckPassword& check) {
  if (!check.passwords.need_rounds())
    return handshake_.on_verdict(check.passwords.prove_in_clear(check.password));
  if (const auto proof = known_proof(check.password)) return handshake_.on_verdict(proof);
  check_wait_ = environment_.password_checks->add(
      environment_.loop, std::move(check.passwords), std::move(check.password),
      [this](std::optional<protocol::Proof> proof) { on_password_checked(proof); });
  if (check_wait_ != nullptr) return std::nullopt;
  return handshake_.on_busy();
}

void Login::on_password_checked(std::optional<protocol::Proof> proof) {
  check_wait_.reset();
  const OnStatus tell = on_late_status_;  // it may destroy this object
  tell(perform(handshake_.on_verdict(proof)));
}

void Login::prove_password(protocol::ProvePassword& prove) {
  proof_wait_ = environment_.password_proofs->add(
      environment_.loop,
      {.user = std::move(prove.user),
       .password = std::move(prove.password),
       .network = client_.accepted.network},
      [this](const PasswordProofs::Answer& answer) { on_password_proved(answer); });
}

// Every worker has the account by now, unless it has gone again.
void Login::on_password_proved(const PasswordProofs::Answer& answer) {
  proof_wait_.reset();
  const OnStatus tell = on_late_status_;  // it may destroy this object
  if (answer.verdict == PasswordProofs::Verdict::kUnknown)
    return tell(perform(handshake_.on_no_verdict(answer.error)));
  if (answer.verdict == PasswordProofs::Verdict::kWrong)
    return tell(perform(handshake_.on_verdict(std::nullopt)));
  account_ = environment_.find_account(handshake_.user());
  // A reload may have listed the user meanwhile, with another password.
  const bool is_there = account_ != nullptr && account_->is_passed_through;
  if (answer.verdict == PasswordProofs::Verdict::kBusy || !is_there)
    return tell(perform(handshake_.on_busy()));
  passwords_version_ = account_->passwords_version;
  tell(perform(handshake_.on_verdict(protocol::Proof::kTidb)));
}

Login::Status Login::perform(protocol::Action action) {
  for (;;) {
    std::optional<protocol::Action> next;
    const Status status = perform_one(action, next);
    channel_.expect_sequence(handshake_.next_sequence());
    if (!next) return status;
    action = std::move(*next);
  }
}

Login::Status Login::perform_one(protocol::Action& action, std::optional<protocol::Action>& next) {
  if (auto* send = std::get_if<protocol::SendBytes>(&action)) {
    write(send->bytes);
    return Status::kUnderWay;
  }
  if (std::holds_alternative<protocol::StartTls>(action)) {
    return channel_.stream().start_tls(*tls_, channel_.take_rest()) ? Status::kUnderWay
                                                                    : Status::kLost;
  }
  if (auto* find = std::get_if<protocol::FindUser>(&action)) {
    next = find_user(find->name);
    return Status::kUnderWay;
  }
  if (const auto* find = std::get_if<protocol::FindKey>(&action)) {
    next = find_key(*find);
    return Status::kUnderWay;
  }
  if (auto* check = std::get_if<protocol::CheckPassword>(&action)) {
    next = check_password(*check);
    return Status::kUnderWay;
  }
  if (auto* prove = std::get_if<protocol::ProvePassword>(&action)) {
    prove_password(*prove);
    return Status::kUnderWay;
  }
  if (auto* accept = std::get_if<protocol::Accept>(&action)) {
    return let_in(*accept);
  }
  if (auto* reject = std::get_if<protocol::Reject>(&action)) return refuse(*reject);
  return Status::kUnderWay;  // AwaitPacket
}

// Null as well where the user may not log in from the client's address: the same as a name that
// nobody has, whatever the password is. At a Unix socket its file's permissions decide.
Account* Login::find_account(const std::string& name) {
  Account* account = environment_.find_account(name);
  if (account == nullptr || account->networks.empty() || client_.accepted.is_unix) return account;
  const std::string_view address = net::address_of(client_.accepted.peer);
  const std::vector<Network>& allowed = account->networks;
  is_outside_ = std::none_of(allowed.begin(), allowed.end(),
                             [&](const Network& one) { return one.contains(address); });
  return is_outside_ ? nullptr : account;
}

// One that is not listed may be TiDB's, where it may say its password.
protocol::Action Login::find_user(const std::string& name) {
  // Whoever it says that it is.
  const ClientIdentity identity = identity_of(channel_.stream(), client_.accepted.is_unix);
  account_ = find_account(name);
  protocol::UserRecord record;
  record.is_judged_elsewhere = account_ != nullptr
                                   ? account_->is_passed_through
                                   : environment_.passes_through && !is_outside_ && !name.empty();
  if (record.is_judged_elsewhere) return handshake_.on_user(&record);
  if (account_ == nullptr) return handshake_.on_user(nullptr);
  passwords_version_ = account_->passwords_version;
  record.passwords = account_->passwords;
  record.proof = account_->trusted.prove(identity);
  return handshake_.on_user(&record);
}

Login::Status Login::let_in(protocol::Accept& accept) {
  // Not that of a password which a reload has changed meanwhile.
  const bool is_current = passwords_version_ == account_->passwords_version;
  if (is_current && account_->passwords && !accept.learned_sha2_digest.empty())
    account_->passwords->learn(accept.proof, accept.learned_sha2_digest);
  if (account_->logins != nullptr) (*account_->logins)[accept.proof].add();
  if (log::enabled(log::Level::kDebug))  // whose fields cost a login more than the rest of this
    log::debug("logged in", {{"session", client_.session},
                             {"user", accept.login.user},
                             {"peer", client_.accepted.peer},
                             {"by", to_string(accept.proof)}});
  accepted_ = std::move(accept);
  write(accepted_.bytes);
  return Status::kAccepted;
}

Login::Status Login::refuse(protocol::Reject& reject) {
  reason_ = std::move(reject.reason);
  environment_.logins->failures[failure()].add();
  log::info(
      "login refused",
      {{"session", client_.session},
       {"peer", client_.accepted.peer},
       {"error", is_outside_ ? reason_.message + " (the user's networks do not have this address)"
                             : reason_.message}});
  const Duration delay = delay_of_refusal();
  if (delay <= Duration::zero()) {
    write(reject.bytes);
    return Status::kRejected;
  }
  environment_.logins->delayed.add();
  refusal_ = std::move(reject.bytes);
  delay_ = std::make_unique<net::Timer>(environment_.loop);
  delay_->start(delay, [this] { on_delay_over(); });
  return Status::kUnderWay;
}

// Of a wrong password. Within the time of the login, which goes on.
Duration Login::delay_of_refusal() const {
  if (environment_.failed_logins == nullptr || !is_denied()) return {};
  const Duration longest =
      std::min<Duration>(environment_.failed_login_delay, environment_.login_timeout / 2);
  return environment_.failed_logins->add(client_.accepted.network, handshake_.user(), longest,
                                         environment_.loop.now());
}

void Login::on_delay_over() {
  const OnStatus tell = on_late_status_;  // it may destroy this object
  write(refusal_);
  tell(Status::kRejected);
}

// Whoever takes no more may have sent all that is needed, and commands behind it; the end of that
// is found when it is read.
void Login::write(std::string_view bytes) {
  if (bytes.empty()) return;
  if (const auto written = channel_.write(bytes); !written)
    log::debug("client takes no answers to its login", {{"error", written.error().message}});
}

LoginFailure Login::failure() const {
  if (reason_.code == Code::kBusy) return LoginFailure::kPasswordQueue;
  const LoginFailure why = failure_of(reason_);
  return is_outside_ && why == LoginFailure::kPassword ? LoginFailure::kNetwork : why;
}

bool Login::is_denied() const {
  return failure() == LoginFailure::kPassword || failure() == LoginFailure::kNetwork;
}

LoginFailure failure_of(const Error& error) {
  switch (error.code) {
    case Code::kAuth:
      return error.mysql_errno == 1045 ? LoginFailure::kPassword : LoginFailure::kDatabase;
    case Code::kTls: return LoginFailure::kTls;
    case Code::kTimeout: return LoginFailure::kTimeout;
    case Code::kBusy: return LoginFailure::kLimit;
    case Code::kClosed: return LoginFailure::kClosed;
    case Code::kBackend:
      return error.mysql_errno == 1049 || error.mysql_errno == 1044 ? LoginFailure::kDatabase
                                                                    : LoginFailure::kBackend;
    default: return LoginFailure::kProtocol;
  }
}

std::string host_of(const std::string& peer) {
  const std::size_t colon = peer.rfind(':');
  return colon == std::string::npos ? std::string("localhost") : peer.substr(0, colon);
}

}  // namespace tidepool::session

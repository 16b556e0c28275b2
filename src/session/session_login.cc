#include "tidepool/session/session_login.h"

#include <algorithm>
#include <utility>

#include "own_errors.h"
#include "tidepool/base/log.h"
#include "tidepool/base/secret.h"
#include "tidepool/base/utf8.h"
#include "tidepool/protocol/capabilities.h"
#include "tidepool/protocol/login_messages.h"

namespace tidepool::session {
namespace {

constexpr unsigned kMaxDeniedChanges = 3;
constexpr std::size_t kMaxPendingBytes = std::size_t{16} << 10U;  // before the login
constexpr std::size_t kMaxLoggedName = 64;
constexpr std::size_t kMaxLoggedError = 512;  // TiDB's may name what the client has named

backend::ConnectionProfile profile_of(std::uint32_t capabilities, std::uint16_t collation) {
  backend::ConnectionProfile profile;
  // A character set that TiDB cannot convert comes by the handshake or not at all.
  const bool by_handshake = collation != 0 && sql::charset_of_any_collation(collation).empty();
  if (by_handshake) profile.collation = static_cast<std::uint8_t>(collation);
  profile.found_rows = (capabilities & protocol::capability::kFoundRows) != 0;
  profile.interactive = (capabilities & protocol::capability::kInteractive) != 0;
  profile.local_files = (capabilities & protocol::capability::kLocalFiles) != 0;
  return profile;
}

// Without limits: that of a session which is there already.
AdmissionRequest admission_request_of(const Account& account, const std::string& user,
                                      const std::string& database) {
  const bool counts = account.pool->max_sessions_per_database > 0 && !database.empty();
  return {.user = user, .database = counts ? account.pool->name + '/' + database : std::string()};
}

Error user_full(const std::string& user) {
  // TiDB's error and text for its max_user_connections
  return {Code::kBusy, "User " + user + " has exceeded the 'max_sessions' resource", 1203, "42000"};
}

Error database_full(const std::string& database) {
  return {Code::kBusy,
          "Too many connections: database " + database +
              " has as many sessions as max_sessions_per_database allows",
          1040, "08004"};
}

}  // namespace

SessionLogin::SessionLogin(SessionContext& context, ExchangeRunner& runner, AcceptedClient client,
                           LoginSink& sink, SessionHost& host)
    : context_(context),
      client_{{},
              std::move(client.peer),
              std::move(client.network),
              client.is_unix,
              std::move(client.tls),
              client.tls_required,
              client.asks_for_clear_password,
              nullptr,
              client.waited},
      sink_(sink),
      host_(host),
      check_(context, runner, *this),
      place_(std::move(client.place)) {}

void SessionLogin::start() {
  protocol::HandshakeOptions options = handshake_options();
  options.tls = client_.tls == nullptr ? protocol::TlsPolicy::kDisabled
                : client_.tls_required ? protocol::TlsPolicy::kRequired
                                       : protocol::TlsPolicy::kOffered;
  ClientChannel& channel = context_.client.channel();
  channel.set_max_packet_bytes(protocol::kMaxLoginPacketBytes);
  channel.set_max_pending_bytes(kMaxPendingBytes);
  channel.set_secret(true);
  login_ = make_login(client_.tls.get(), protocol::ServerHandshake(std::move(options)));
  watch_time(context_.environment.login_timeout - client_.waited);
  on_status(login_->start());
}

void SessionLogin::change_user(std::string_view payload) {
  auto request = protocol::parse_change_user(payload, context_.capabilities);
  wipe(payload);  // it may hold a password, as what follows
  context_.client.channel().set_secret(true);
  if (!request) return context_.client.answer_error(request.error());
  protocol::HandshakeOptions options = handshake_options();
  options.tls_established = context_.client.stream().is_tls();
  options.salt = salt_;
  context_.status.enter(State::kHandshake);
  if (context_.has_lease())
    (void)context_.backend.lease().unpark();  // the client may take its time; a loss shows later
  watch_time(context_.environment.login_timeout);
  login_ = make_login(nullptr, protocol::ServerHandshake(std::move(options), context_.capabilities,
                                                         std::move(*request), 1));
  on_status(login_->start());
}

// What a login and a COM_CHANGE_USER have in common.
protocol::HandshakeOptions SessionLogin::handshake_options() const {
  const Environment& environment = context_.environment;
  protocol::HandshakeOptions options;
  options.server_version = environment.server_version();
  options.connection_id = context_.id;
  options.transport =
      client_.is_unix ? protocol::Transport::kUnixSocket : protocol::Transport::kTcp;
  options.asks_for_clear_password = client_.asks_for_clear_password;
  options.client_host = host_of(client_.peer);
  options.rsa_key = environment.login_key->get();
  options.decoys = &environment.decoys;
  options.default_plugin = std::string(protocol::kNativePassword);  // as TiDB
  return options;
}

std::unique_ptr<Login> SessionLogin::make_login(net::TlsContext* tls,
                                                protocol::ServerHandshake handshake) {
  const auto on_late_status = [this](Login::Status status) {
    if (context_.status.is_closing()) return;  // killed meanwhile, or timed out
    on_status(status);
    host_.resume_input();
  };
  return std::make_unique<Login>(context_.environment, context_.client.channel(),
                                 Login::Client{context_.id, client_}, tls, std::move(handshake),
                                 on_late_status);
}

void SessionLogin::on_packet(const protocol::Packet& packet) {
  const Login::Status status = login_->on_packet(packet.payload);
  wipe(packet.frame);  // whatever has been needed of it is kept elsewhere
  on_status(status);
}

void SessionLogin::watch_time(Duration limit) {
  if (timer_ == nullptr) timer_ = std::make_unique<net::Timer>(context_.environment.loop);
  timer_->start(std::max(limit, Duration{}), [this] { on_timeout(); });
}

void SessionLogin::on_status(Login::Status status) {
  switch (status) {
    case Login::Status::kUnderWay: return;
    case Login::Status::kAccepted: return on_accepted();
    case Login::Status::kRejected:
      if (context_.account != nullptr) return on_change_user_rejected();
      return host_.close();
    case Login::Status::kLost: return sink_.on_client_gone();
  }
}

void SessionLogin::on_timeout() {
  if (login_ == nullptr) return;
  if (!login_->is_refused()) {
    context_.environment.logins->failures[LoginFailure::kTimeout].add();
    log::info("login timed out", {{"session", context_.id}, {"peer", client_.peer}});
  }
  host_.close();
}

void SessionLogin::stop() {
  check_.stop();
  if (timer_ != nullptr) timer_->stop();
  if (is_pending()) place_.reset();  // others need not wait until it is destroyed
}

bool SessionLogin::is_silent() {
  if (!is_pending() || login_ == nullptr || !login_->waits_for_client()) return false;
  return login_->is_refused() || context_.client.stream().unread_bytes() == 0;
}

void SessionLogin::give_way(LoginFailure why) {
  if (login_ == nullptr || !login_->is_refused()) context_.environment.logins->failures[why].add();
  log::info("login ended, as others need what it takes",
            {{"session", context_.id}, {"peer", client_.peer}, {"reason", to_string(why)}});
  host_.close();
}

void SessionLogin::hold_input() {
  ClientChannel& channel = context_.client.channel();
  channel.release_packet();
  const std::size_t named = login_ != nullptr ? login_->held_bytes() : 0;
  if (!place_->hold(channel.held_bytes() + named)) give_way(LoginFailure::kMemory);
}

// The password is right; the database is still to be checked.
void SessionLogin::on_accepted() {
  timer_.reset();  // the wait for a lease has its own limit
  accepted_ = std::move(login_->accepted());
  account_ = &login_->account();
  salt_ = login_->salt();
  login_.reset();
  context_.client.set_attributes(std::move(accepted_.login.attributes));
  ClientChannel& channel = context_.client.channel();
  channel.set_secret(false);
  channel.set_max_packet_bytes(protocol::kMaxPacketBytes);
  channel.set_max_pending_bytes(ClientChannel::kMaxPendingBytes);
  channel.expect_sequence(0);
  if (place_ != nullptr && !place_->admit()) return turn_away();
  if (context_.account == nullptr) collation_ = accepted_.login.collation;
  accepted_.login.collation = collation_;  // TiDB ignores that of COM_CHANGE_USER
  std::string& database = accepted_.login.database;
  if (database.empty()) database = account_->database;
  if (account_->is_removed) return refuse(evicted());
  if (!admit()) return;
  if (database.empty() ||
      account_->pool->databases.knows(database, context_.environment.loop.now())) {
    return sink_.on_logged_in();
  }
  check_.start(*account_, database, profile());
}

std::uint64_t SessionLogin::profile() const {
  return pool::profile_key(profile_of(accepted_.login.capabilities, collation_));
}

// There are max_clients already.
void SessionLogin::turn_away() {
  context_.environment.logins->failures[LoginFailure::kTooMany].add();
  context_.client.send_error({Code::kBusy, "Too many connections", 1040, "08004"}, sequence());
  host_.close();
}

// Returns false if there are as many such sessions as allowed; then the client has been told.
bool SessionLogin::admit() {
  Registry* registry = context_.environment.registry;
  if (registry == nullptr) return true;
  const protocol::LoginRequest& login = accepted_.login;
  AdmissionRequest admission_request = admission_request_of(*account_, login.user, login.database);
  admission_request.max_of_user = account_->max_sessions;
  admission_request.max_of_database = account_->pool->max_sessions_per_database;
  switch (registry->add(context_.id, context_.environment.worker, admission_request)) {
    case Admission::kYes: return true;
    case Admission::kUserFull: refuse(user_full(login.user)); return false;
    case Admission::kDatabaseFull: refuse(database_full(login.database)); return false;
  }
  return true;
}

void SessionLogin::on_database_usable() {
  sink_.on_logged_in();
  host_.resume_input();
}

// What the old session had pinned went with the backend.
void SessionLogin::on_session_lost(const Error& error) {
  tell_refusal(error);
  host_.close();
}

void SessionLogin::refuse(const Error& error) {
  tell_refusal(error);
  if (context_.account == nullptr) return host_.close();
  if (Registry* registry = context_.environment.registry; registry != nullptr) {
    registry->add(
        context_.id, context_.environment.worker,
        admission_request_of(*context_.account, context_.user, context_.model.desired.database()));
  }
  host_.rest();  // as in TiDB, the old session goes on
}

void SessionLogin::tell_refusal(const Error& error) {
  context_.environment.logins->failures[failure_of(error)].add();
  log::info("login refused", {{"session", context_.id},
                              {"user", first_characters(accepted_.login.user, kMaxLoggedName)},
                              {"peer", client_.peer},
                              {"error", first_characters(error.message, kMaxLoggedError)}});
  context_.client.send_error(error, sequence());
}

// As in TiDB, the old session goes on, but not for whoever tries passwords.
void SessionLogin::on_change_user_rejected() {
  timer_.reset();
  if (login_->is_denied() && ++denied_changes_ == kMaxDeniedChanges) return host_.close();
  login_.reset();
  context_.client.channel().set_secret(false);
  context_.client.channel().expect_sequence(0);
  host_.rest();
}

bool SessionLogin::knows_removed_account() const {
  const Account* found = login_ != nullptr ? login_->found() : nullptr;
  const auto is_removed = [](const Account* one) { return one != nullptr && one->is_removed; };
  return is_removed(account_) || is_removed(found);
}

}  // namespace tidepool::session

// How a session begins, and begins anew with COM_CHANGE_USER.
#include <algorithm>
#include <utility>

#include "own_errors.h"
#include "tidepool/base/log.h"
#include "tidepool/base/secret.h"
#include "tidepool/base/utf8.h"
#include "tidepool/protocol/capabilities.h"
#include "tidepool/protocol/login_messages.h"
#include "tidepool/protocol/reply_messages.h"
#include "tidepool/session/session.h"

namespace tidepool::session {
namespace {

backend::Variant variant_of(std::uint32_t capabilities, std::uint16_t collation) {
  backend::Variant variant;
  // A character set that TiDB cannot convert comes by the handshake or not at all.
  const bool by_handshake = collation != 0 && sql::charset_of_any_collation(collation).empty();
  if (by_handshake) variant.collation = static_cast<std::uint8_t>(collation);
  variant.found_rows = (capabilities & protocol::capability::kFoundRows) != 0;
  variant.interactive = (capabilities & protocol::capability::kInteractive) != 0;
  variant.local_files = (capabilities & protocol::capability::kLocalFiles) != 0;
  return variant;
}

constexpr unsigned kMaxDeniedChanges = 3;
constexpr std::size_t kMaxPendingBytes = std::size_t{16} << 10U;  // before the login
constexpr std::size_t kMaxLoggedName = 64;
constexpr std::size_t kMaxLoggedError = 512;  // TiDB's may name what the client has named

// Without limits: that of a session which is there already.
Membership membership_of(const Account& account, const std::string& user,
                         const std::string& database) {
  const bool counts = account.pool->max_sessions_per_database > 0 && !database.empty();
  return {.user = user, .database = counts ? account.pool->name + '/' + database : std::string()};
}

}  // namespace

void Session::start() {
  protocol::HandshakeOptions options = handshake_options();
  options.tls = arrival_.tls == nullptr ? protocol::TlsPolicy::kDisabled
                : arrival_.tls_required ? protocol::TlsPolicy::kRequired
                                        : protocol::TlsPolicy::kOffered;
  channel_.set_max_packet_bytes(protocol::kMaxLoginPacketBytes);
  channel_.set_max_pending_bytes(kMaxPendingBytes);
  channel_.set_secret(true);
  login_ = make_login(arrival_.tls.get(), protocol::ServerHandshake(std::move(options)));
  timer_ = std::make_unique<net::Timer>(environment_.loop);
  const Duration left = environment_.login_timeout - arrival_.waited;
  timer_->start(std::max(left, Duration{}), [this] { on_login_timeout(); });
  on_login_status(login_->start());
}

// What a login and a COM_CHANGE_USER have in common.
protocol::HandshakeOptions Session::handshake_options() const {
  protocol::HandshakeOptions options;
  options.server_version = environment_.server_version();
  options.connection_id = id_;
  options.transport =
      arrival_.is_unix ? protocol::Transport::kUnixSocket : protocol::Transport::kTcp;
  options.asks_for_clear_password = arrival_.asks_for_clear_password;
  options.client_host = host_of(arrival_.peer);
  options.rsa_key = environment_.login_key->get();
  options.decoys = &environment_.decoys;
  options.default_plugin = std::string(protocol::kNativePassword);  // as TiDB
  return options;
}

std::unique_ptr<Login> Session::make_login(net::TlsContext* tls,
                                           protocol::ServerHandshake handshake) {
  const auto on_late_status = [this](Login::Status status) {
    if (state_ == State::kClosing) return;  // killed meanwhile, or timed out
    on_login_status(status);
    resume_input();
  };
  return std::make_unique<Login>(environment_, channel_, Login::Client{id_, arrival_}, tls,
                                 std::move(handshake), on_late_status);
}

void Session::on_login_status(Login::Status status) {
  switch (status) {
    case Login::Status::kUnderWay: return;
    case Login::Status::kAccepted: return on_accepted();
    case Login::Status::kRejected:
      if (account_ != nullptr) return on_change_user_rejected();
      return close();
    case Login::Status::kLost: return depart();
  }
}

void Session::on_login_timeout() {
  if (login_ == nullptr) return;
  if (!login_->is_refused()) {
    environment_.logins->failures[LoginFailure::kTimeout].add();
    log::info("login timed out", {{"session", id_}, {"peer", arrival_.peer}});
  }
  close();
}

// There are max_clients already.
void Session::turn_away() {
  environment_.logins->failures[LoginFailure::kTooMany].add();
  send_error({Code::kBusy, "Too many connections", 1040, "08004"}, login_sequence_);
  close();
}

bool Session::is_silent() {
  if (!is_pending() || login_ == nullptr || !login_->waits_for_client()) return false;
  return login_->is_refused() || channel_.stream().unread_bytes() == 0;
}

void Session::give_way(LoginFailure why) {
  if (login_ == nullptr || !login_->is_refused()) environment_.logins->failures[why].add();
  log::info("login ended, as others need what it takes",
            {{"session", id_}, {"peer", arrival_.peer}, {"reason", to_string(why)}});
  close();
}

// The password is right; the database is still to be checked.
void Session::on_accepted() {
  // The wait for a lease has its own limit.
  if (timer_ != nullptr) timer_->stop();
  if (silence_timer_ != nullptr) silence_timer_->stop();
  accepted_ = std::move(login_->accepted());
  login_account_ = &login_->account();
  salt_ = login_->salt();
  login_.reset();
  channel_.set_secret(false);
  channel_.set_max_packet_bytes(protocol::kMaxPacketBytes);
  channel_.set_max_pending_bytes(ClientChannel::kMaxPendingBytes);
  channel_.expect_sequence(0);
  login_sequence_ = accepted_.next_sequence;
  if (place_ != nullptr && !place_->admit()) return turn_away();
  if (account_ == nullptr) collation_ = accepted_.login.collation;
  accepted_.login.collation = collation_;  // TiDB ignores that of COM_CHANGE_USER
  std::string& database = accepted_.login.database;
  if (database.empty()) database = login_account_->database;
  if (login_account_->is_removed) return refuse_login(dismissed());
  if (!admit(*login_account_, accepted_.login.user, database)) return;
  if (database.empty() ||
      login_account_->pool->databases.knows(database, environment_.loop.now())) {
    return begin_session();
  }
  command_ = std::make_unique<ClientCommand>(protocol::Command::kInitDb,
                                             std::string(1, '\x02') + database, Clock::now());
  command_->purpose = tracking::CommandPurpose::kLoginCheck;
  const bool same_pool = account_ != nullptr && login_account_->pool == account_->pool;
  if (lease_ && same_pool)
    return execute();  // a COM_CHANGE_USER that may fail: nothing is given up yet
  if (lease_) release_lease();
  variant_ = pool::variant_key(variant_of(accepted_.login.capabilities, accepted_.login.collation));
  acquire();
}

// False: there are as many such sessions as allowed, and the client has been told.
bool Session::admit(const Account& account, const std::string& user, const std::string& database) {
  if (environment_.registry == nullptr) return true;
  Membership membership = membership_of(account, user, database);
  membership.max_of_user = account.max_sessions;
  membership.max_of_database = account.pool->max_sessions_per_database;
  switch (environment_.registry->add(id_, environment_.worker, membership)) {
    case Admission::kYes: return true;
    case Admission::kUserFull:  // TiDB's error and text for its max_user_connections
      refuse_login({Code::kBusy, "User " + user + " has exceeded the 'max_sessions' resource", 1203,
                    "42000"});
      return false;
    case Admission::kDatabaseFull:
      refuse_login({Code::kBusy,
                    "Too many connections: database " + database +
                        " has as many sessions as max_sessions_per_database allows",
                    1040, "08004"});
      return false;
  }
  return true;
}

// The session begins anew, also after COM_CHANGE_USER.
void Session::begin_session() {
  // What COM_SET_OPTION has switched stays as it is in COM_CHANGE_USER.
  const bool multi_statements =
      account_ != nullptr
          ? model_.desired.multi_statements()
          : (accepted_.login.capabilities & protocol::capability::kMultiStatements) != 0;
  if (counted_) stats().sessions[counted_as(state_)].sub();
  if (lease_) release_lease();
  account_ = login_account_;
  if (!counted_) stats().opened.add();
  counted_ = true;
  stats().sessions[counted_as(state_)].add();
  capabilities_ = accepted_.login.capabilities;
  user_ = accepted_.login.user;
  variant_ = pool::variant_key(variant_of(capabilities_, accepted_.login.collation));
  const auto facts = account_->pool->pool->facts();
  const sql::Handshake handshake{.collation_id = collation_,
                                 .database = accepted_.login.database,
                                 .multi_statements = multi_statements};
  model_.desired = sql::SessionState(handshake, facts ? facts->baseline : sql::Baseline{});
  silence_timer_.reset();
  forget_statements();
  prepared_bytes_.join(account_->pool->prepared_bytes);
  finish_login();
}

void Session::finish_login() {
  const bool was_login = timer_ != nullptr;
  timer_.reset();
  protocol::OkMessage ok;
  ok.status = was_login ? protocol::status::kAutocommit : model_.status_flags();
  send(protocol::ok_packet(ok, login_sequence_));
  if (was_login) {
    const auto algorithm =
        protocol::negotiated_compression(capabilities_, protocol::capability::kOffered);
    if (algorithm) {
      channel_.start_compression(*algorithm, protocol::kDefaultZstdLevel);
      channel_.set_gate([this](std::size_t bytes) { return may_unpack(bytes); });
    }
  }
  enter(State::kIdle);
  if (draining_) return close();
  if (is_dismissed()) return dismiss(0);
  watch_silence();
}

void Session::refuse_login(const Error& error) {
  tell_refusal(error);
  if (account_ == nullptr) return close();
  if (environment_.registry != nullptr) {
    environment_.registry->add(id_, environment_.worker,
                               membership_of(*account_, user_, model_.desired.database()));
  }
  rest();  // as in TiDB, the old session goes on
}

void Session::tell_refusal(const Error& error) {
  environment_.logins->failures[failure_of(error)].add();
  log::info("login refused", {{"session", id_},
                              {"user", first_characters(accepted_.login.user, kMaxLoggedName)},
                              {"peer", arrival_.peer},
                              {"error", first_characters(error.message, kMaxLoggedError)}});
  command_.reset();
  send_error(error, login_sequence_);
}

// As in TiDB, the old session goes on, but not for whoever tries passwords.
void Session::on_change_user_rejected() {
  if (login_->is_denied() && ++denied_changes_ == kMaxDeniedChanges) return close();
  login_.reset();
  channel_.set_secret(false);
  channel_.expect_sequence(0);
  rest();
}

void Session::change_user(std::string_view payload) {
  if (replay_is_due()) return close();  // as without a replay: the connection is lost
  auto request = protocol::parse_change_user(payload, capabilities_);
  wipe(payload);  // it may hold a password, as what follows
  channel_.set_secret(true);
  if (!request) {
    send_error(request.error(), answer_sequence_);
    return;
  }
  protocol::HandshakeOptions options = handshake_options();
  options.tls_established = channel_.stream().is_tls();
  options.salt = salt_;
  enter(State::kHandshake);
  if (lease_) (void)lease_.unpark();  // the client may take its time; a loss shows later
  if (silence_timer_ == nullptr) {
    silence_timer_ = std::make_unique<net::Timer>(environment_.loop);
  }
  silence_timer_->start(environment_.login_timeout, [this] { on_login_timeout(); });
  login_ = make_login(nullptr, protocol::ServerHandshake(std::move(options), capabilities_,
                                                         std::move(*request), 1));
  on_login_status(login_->start());
}

}  // namespace tidepool::session

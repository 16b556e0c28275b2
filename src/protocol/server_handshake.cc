// kStart ─greeting─▶ kAwaitLogin ⇄ kAwaitTls
//                        └─login─▶ kAwaitUser ──▶ kAccepted | kRejected
//                                     ├─other plugin─▶ kAwaitScramble ──▶ (as below)
//                                     └─caching_sha2, unknown digest─▶ kAwaitFullSecret (TLS, Unix
//                                     socket)
//                                                                    ▶ kAwaitKeyRequest
//                                                                    [─▶ kAwaitKey] ─▶
//                                                                    kAwaitEncrypted (plain TCP)
//                        each ▶ kAwaitVerdict ──▶ kAccepted | kRejected
#include "tidepool/protocol/server_handshake.h"

#include <algorithm>
#include <array>
#include <utility>

#include "tidepool/base/check.h"
#include "tidepool/base/utf8.h"
#include "tidepool/protocol/client_library.h"
#include "tidepool/protocol/packet.h"

namespace tidepool::protocol {
namespace {

constexpr std::string_view kFastAuthSuccess = "\x03";
constexpr std::string_view kPerformFullAuth = "\x04";
constexpr std::string_view kRequestPublicKey = "\x02";

constexpr std::size_t kMaxShownName = 48;

constexpr std::uint16_t kErrTooManyConnections = 1040;
constexpr std::uint16_t kErrAccessDenied = 1045;
constexpr std::uint16_t kErrHandshake = 1043;
constexpr std::uint16_t kErrNotSupportedAuthMode = 1251;
constexpr std::uint16_t kErrSecureTransportRequired = 3159;
constexpr std::uint16_t kErrUnknown = 1105;

// The ids that MySQL has left out; TiDB opens no session for them (charset.go, collations).
bool is_known_collation(std::uint8_t id) {
  constexpr std::array<std::pair<int, int>, 8> kHoles = {{
      {0, 0},
      {17, 17},
      {100, 100},
      {125, 127},
      {152, 158},
      {184, 191},
      {216, 222},
      {251, 254},
  }};
  return std::none_of(kHoles.begin(), kHoles.end(),
                      [id](const auto& hole) { return id >= hole.first && id <= hole.second; });
}

bool is_ours(std::string_view plugin) {
  return plugin == kNativePassword || plugin == kCachingSha2Password;
}

std::string_view without_trailing_nuls(std::string_view text) {
  while (!text.empty() && text.back() == '\0')
    text.remove_suffix(1);
  return text;
}

}  // namespace

ServerHandshake::ServerHandshake(HandshakeOptions options)
    : options_(std::move(options)),
      salt_(options_.salt.size() == kSaltBytes ? options_.salt : random_salt()),
      tls_established_(options_.tls_established) {
  if (!is_ours(options_.default_plugin)) options_.default_plugin = kCachingSha2Password;
}

ServerHandshake::ServerHandshake(HandshakeOptions options, std::uint32_t capabilities,
                                 ChangeUser request, std::uint8_t next_sequence)
    : ServerHandshake(std::move(options)) {
  purpose_ = Purpose::kChangeUser;
  sequence_ = next_sequence;
  login_.capabilities = capabilities;
  login_.collation = static_cast<std::uint8_t>(request.collation);
  login_.user = std::move(request.user);
  login_.auth_response = std::move(request.auth_response);
  login_.database = std::move(request.database);
  login_.auth_plugin = std::move(request.auth_plugin);
  login_.attributes = attributes_to_keep(request.attributes);
}

template <class T>
Action ServerHandshake::enter(State next, T action) {
  state_ = next;
  return action;
}

Action ServerHandshake::send(State next, std::string_view payload) {
  SendBytes action;
  append_packet(action.bytes, sequence_, payload);
  return enter(next, std::move(action));
}

Action ServerHandshake::reject(const ErrMessage& err, Code code, std::string reason) {
  Reject action;
  append_packet(action.bytes, sequence_, encode_err(err));
  action.reason = Error{code, std::move(reason), err.number, err.sqlstate};
  return enter(State::kRejected, std::move(action));
}

Action ServerHandshake::reject_malformed(std::string reason) {
  return reject({kErrHandshake, "08S01", "Bad handshake"}, Code::kProtocol, std::move(reason));
}

// The format of TiDB's has %-.48s for the name: an unknown client may send a name of any length.
Action ServerHandshake::deny() {
  const std::string user(first_characters(login_.user, kMaxShownName));
  const std::string text = "Access denied for user '" + user + "'@'" + options_.client_host +
                           "' (using password: " + (used_password_ ? "YES" : "NO") + ")";
  return reject({kErrAccessDenied, "28000", text}, Code::kAuth, text);
}

Action ServerHandshake::accept(std::string bytes) {
  Accept action;
  action.login = std::move(login_);
  action.login.auth_response.clear();
  login_.capabilities = action.login.capabilities;
  action.plugin = plugin_;
  action.proof = *proof_;
  action.bytes = std::move(bytes);
  action.next_sequence = sequence_;
  return enter(State::kAccepted, std::move(action));
}

Action ServerHandshake::start() {
  TIDEPOOL_CHECK(state_ == State::kStart);
  if (purpose_ == Purpose::kChangeUser) return enter(State::kAwaitUser, FindUser{login_.user});
  Greeting greeting;
  greeting.server_version = options_.server_version;
  greeting.connection_id = options_.connection_id;
  greeting.salt = salt_;
  greeting.capabilities = options_.capabilities & ~capability::kSsl;
  if (options_.tls != TlsPolicy::kDisabled) greeting.capabilities |= capability::kSsl;
  greeting.auth_plugin = options_.default_plugin;
  return send(State::kAwaitLogin, encode_greeting(greeting));
}

Action ServerHandshake::on_tls_established() {
  TIDEPOOL_CHECK(state_ == State::kAwaitTls);
  tls_established_ = true;
  return enter(State::kAwaitLogin, AwaitPacket{});
}

Action ServerHandshake::on_packet(std::string_view payload) {
  TIDEPOOL_CHECK(state_ != State::kStart && !is_done());
  ++sequence_;
  if (payload.size() > kMaxLoginPacketBytes) return reject_malformed("the login is too long");
  switch (state_) {
    case State::kAwaitLogin: return on_login(payload);
    case State::kAwaitScramble: return judge(payload);
    case State::kAwaitFullSecret: return judge_cleartext(without_trailing_nuls(payload));
    case State::kAwaitKeyRequest: return on_key_request(payload);
    case State::kAwaitEncrypted: return on_encrypted(payload);
    case State::kAwaitTls:
    case State::kAwaitUser:
    case State::kAwaitKey:
    case State::kAwaitVerdict: return reject_malformed("a packet out of turn");
    case State::kStart:
    case State::kAccepted:
    case State::kRejected: break;
  }
  return reject_malformed("a packet after the login");
}

Action ServerHandshake::on_login(std::string_view payload) {
  auto request = parse_login_request(payload);
  if (!request) {
    const Error& error = request.error();
    if (error.mysql_errno != kErrNotSupportedAuthMode) return reject_malformed(error.message);
    return reject({error.mysql_errno, error.sqlstate, error.message}, error.code, error.message);
  }
  login_ = std::move(*request);
  // The rest is of no use here, and many times as long as on the wire.
  login_.attributes = attributes_to_keep(login_.attributes);
  if (login_.is_ssl_request) return on_ssl_request();
  if (options_.tls == TlsPolicy::kRequired && !is_secure()) {
    const std::string text =
        "Connections using insecure transport are prohibited while "
        "--require_secure_transport=ON.";
    return reject({kErrSecureTransportRequired, "HY000", text}, Code::kTls, text);
  }
  if (!is_known_collation(login_.collation)) {
    const std::string text = "Unknown collation id " + std::to_string(login_.collation);
    return reject({kErrUnknown, "HY000", text}, Code::kProtocol, text);
  }
  return enter(State::kAwaitUser, FindUser{login_.user});
}

Action ServerHandshake::on_ssl_request() {
  if (options_.tls == TlsPolicy::kDisabled) {
    return reject_malformed("the client wants TLS, which this listener does not offer");
  }
  if (tls_established_) return reject_malformed("a second request for TLS");
  return enter(State::kAwaitTls, StartTls{});
}

Action ServerHandshake::on_user(const UserRecord* user) {
  TIDEPOOL_CHECK(state_ == State::kAwaitUser);
  if (user != nullptr && user->is_judged_elsewhere && !is_secure()) user = nullptr;
  static const Decoys plaintext_only;
  // Chosen for who has one too: the time that it takes tells nothing.
  const Decoys& decoys = options_.decoys != nullptr ? *options_.decoys : plaintext_only;
  const Passwords& decoy = decoys.of(login_.user);
  has_password_ = user != nullptr && user->passwords;
  passwords_ = has_password_ ? *user->passwords : decoy;
  is_judged_elsewhere_ = user != nullptr && user->is_judged_elsewhere;
  if (user != nullptr) proof_ = user->proof;
  used_password_ = !without_trailing_nuls(login_.auth_response).empty();
  const bool speaks_plugins = login_.has(capability::kPluginAuth);
  const std::string_view spoken = speaks_plugins ? login_.auth_plugin : kNativePassword;
  // A client told to use another plugin than the greeting's cannot have used its salt: MariaDB's
  // library then answers with nothing and waits to be asked. TiDB asks it too (conn.go,
  // checkAuthPlugin).
  const bool awaits_switch = speaks_plugins && purpose_ == Purpose::kLogin && !used_password_ &&
                             spoken != options_.default_plugin;
  if (can_judge(spoken) && !awaits_switch) {
    plugin_ = spoken;
    return judge(login_.auth_response);
  }
  plugin_ = choose_plugin();
  if (!speaks_plugins) {
    return reject({kErrNotSupportedAuthMode, "08004",
                   "Client does not support authentication protocol requested by server; consider "
                   "upgrading MySQL client"},
                  Code::kAuth, "the client cannot use " + plugin_);
  }
  return switch_plugin();
}

bool ServerHandshake::must_be_clear() const {
  return options_.asks_for_clear_password && is_secure() && !proof_;
}

// What a client says of its own accord in the language of this plugin may prove something.
bool ServerHandshake::can_judge(std::string_view plugin) const {
  if (plugin == kClearPassword) return is_secure();
  if (must_be_clear()) return false;
  if (is_judged_elsewhere_) return plugin == kCachingSha2Password;
  return proof_ ? is_ours(plugin) : passwords_->fits(plugin);
}

// What the client asked for, else the default, else what is left: that in which each password that
// the user has can be proved, since a client changes its plugin once only.
std::string_view ServerHandshake::choose_plugin() const {
  if (is_secure() && (must_be_clear() || login_.auth_plugin == kClearPassword))
    return kClearPassword;
  if (is_judged_elsewhere_) return kCachingSha2Password;
  for (const std::string_view plugin :
       {std::string_view(login_.auth_plugin), std::string_view(options_.default_plugin),
        kCachingSha2Password}) {
    if (passwords_->covers(plugin)) return plugin;
  }
  return kNativePassword;
}

// With the salt of the greeting, as TiDB (conn.go, authSwitchRequest): whichever salt a client
// keeps for COM_CHANGE_USER, it is the right one.
Action ServerHandshake::switch_plugin() {
  return send(State::kAwaitScramble, encode_auth_switch_request({plugin_, salt_}));
}

// `response`: the client's answer to salt_ in the language of plugin_; one NUL stands for an empty
// password too.
Action ServerHandshake::judge(std::string_view response) {
  if (without_trailing_nuls(response).empty()) response = {};
  used_password_ = !response.empty();
  if (!proof_) {
    if (plugin_ == kClearPassword) return judge_cleartext(without_trailing_nuls(response));
    if (is_judged_elsewhere_) return used_password_ ? ask_for_full() : deny();
    const auto found = passwords_->prove_by_scramble(plugin_, response, salt_);
    if (has_password_) proof_ = found;
  }
  if (proof_) {
    std::string bytes;
    if (plugin_ == kCachingSha2Password && used_password_) {
      append_packet(bytes, sequence_, encode_auth_more_data(kFastAuthSuccess));
    }
    return accept(std::move(bytes));
  }
  return used_password_ ? judge_otherwise() : deny();
}

// A scramble that proves nothing is not wrong yet: of a hash it can be right without our seeing it,
// and of two passwords the other one may be stored for another plugin.
Action ServerHandshake::judge_otherwise() {
  if (!passwords_->covers(plugin_)) {
    if (!login_.has(capability::kPluginAuth)) return deny();
    plugin_ = choose_plugin();
    return switch_plugin();
  }
  return plugin_ == kCachingSha2Password && passwords_->need_rounds() ? ask_for_full() : deny();
}

Action ServerHandshake::ask_for_full() {
  const State next = is_secure() ? State::kAwaitFullSecret : State::kAwaitKeyRequest;
  return send(next, encode_auth_more_data(kPerformFullAuth));
}

Action ServerHandshake::on_key_request(std::string_view payload) {
  const bool is_asked_for = payload == kRequestPublicKey;
  if (options_.rsa_key == nullptr) {
    key_request_ = payload;
    return enter(State::kAwaitKey, FindKey{.is_to_be_made = is_asked_for});
  }
  if (!is_asked_for) return on_encrypted(payload);
  return send(State::kAwaitEncrypted, encode_auth_more_data(options_.rsa_key->public_pem()));
}

Action ServerHandshake::on_key(const RsaKey* key) {
  TIDEPOOL_CHECK(state_ == State::kAwaitKey);
  if (key == nullptr) return deny();
  options_.rsa_key = key;
  return on_key_request(std::exchange(key_request_, {}));
}

Action ServerHandshake::on_encrypted(std::string_view payload) {
  const auto password = options_.rsa_key->decrypt_password(payload, salt_);
  return password ? judge_cleartext(*password) : deny();
}

// A digest that is known would tell sooner, and so tell who has logged in before.
Action ServerHandshake::judge_cleartext(std::string_view password) {
  if (password.size() > kMaxPasswordBytes) return deny();
  if (is_judged_elsewhere_) {
    // TiDB would see what stands before a NUL only.
    if (password.empty() || password.find('\0') != std::string_view::npos) return deny();
    return enter(State::kAwaitVerdict, ProvePassword{login_.user, password});
  }
  digest_ = sha2_digest(password);
  return enter(State::kAwaitVerdict, CheckPassword{*passwords_, password});
}

Action ServerHandshake::on_verdict(std::optional<Proof> proof) {
  TIDEPOOL_CHECK(state_ == State::kAwaitVerdict);
  if (!proof || !(has_password_ || is_judged_elsewhere_)) return deny();
  proof_ = proof;
  if (is_judged_elsewhere_) return accept({});
  const bool is_new = passwords_->prove_by_digest(digest_) != proof;
  Action action = accept({});
  if (is_new) std::get<Accept>(action).learned_sha2_digest = std::move(digest_);
  return action;
}

Action ServerHandshake::on_busy() {
  TIDEPOOL_CHECK(state_ == State::kAwaitVerdict);
  const std::string text = "Too many connections: too many passwords wait to be checked";
  return reject({kErrTooManyConnections, "08004", text}, Code::kBusy, text);
}

Action ServerHandshake::on_no_verdict(const Error& error) {
  TIDEPOOL_CHECK(state_ == State::kAwaitVerdict);
  return reject({error.mysql_errno, error.sqlstate, error.message}, error.code, error.message);
}

bool ServerHandshake::is_secure() const {
  return tls_established_ || options_.transport == Transport::kUnixSocket;
}

}  // namespace tidepool::protocol

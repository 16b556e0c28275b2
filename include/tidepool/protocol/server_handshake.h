// The server's side of a login, and of COM_CHANGE_USER: what to answer to each packet until the
// client is in or out.
//
// Pure: the session does what each Action says and reports what came of it. One per login, owned by
// the session, dropped after Accept or Reject. Every call returns exactly one Action.
//
//   start ──SendBytes(greeting)──▶ on_packet ──FindUser──▶ on_user ──▶ Accept | Reject | SendBytes
//   ▶ on_packet …
//                                       └─StartTls──▶ on_tls_established ──AwaitPacket──▶ on_packet
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "tidepool/base/error.h"
#include "tidepool/protocol/auth.h"
#include "tidepool/protocol/decoys.h"
#include "tidepool/protocol/login_messages.h"
#include "tidepool/protocol/passwords.h"
#include "tidepool/protocol/proof.h"
#include "tidepool/protocol/reply_messages.h"

namespace tidepool::protocol {

// A user as the configuration knows it; borrowed for the length of on_user() only.
struct UserRecord {
  std::optional<Passwords> passwords;  // nothing: none lets this user in
  // The connection itself has shown already that it is this user: whatever the client answers in
  // the place of a password is right.
  std::optional<Proof> proof = std::nullopt;
  // The password itself is asked for, and judged outside (ProvePassword). Where it could
  // be read, there is no such user.
  bool is_judged_elsewhere = false;
};

enum class TlsPolicy : std::uint8_t { kDisabled, kOffered, kRequired };
enum class Transport : std::uint8_t { kTcp, kUnixSocket };

struct HandshakeOptions {
  std::string server_version;
  std::uint32_t connection_id = 0;
  std::uint32_t capabilities = capability::kOffered;  // kSsl is added as `tls` says
  std::string default_plugin{kCachingSha2Password};
  TlsPolicy tls = TlsPolicy::kDisabled;
  Transport transport = Transport::kTcp;
  bool tls_established = false;          // for COM_CHANGE_USER on a connection under TLS
  bool asks_for_clear_password = false;  // by mysql_clear_password, over a secure transport
  std::string client_host;               // for the text of 1045
  const RsaKey* rsa_key = nullptr;       // borrowed, outlives the machine; null: see FindKey
  const Decoys* decoys = nullptr;        // borrowed, outlives the machine; null: of plaintext only
  // Empty: random. For COM_CHANGE_USER the salt of the login (ServerHandshake::salt()).
  std::string salt;
};

struct SendBytes {
  std::string bytes;  // framed; then wait for a packet
};
struct StartTls {};     // the very next byte is the client's TLS hello; then on_tls_established()
struct AwaitPacket {};  // nothing to send
struct FindUser {
  std::string name;  // then on_user()
};
// For a full authentication over plain TCP; then on_key(), at once or when there is one.
struct FindKey {
  bool is_to_be_made = true;  // false: the client says that it knows the key already
};
// Of a password in the clear; then on_verdict() or on_busy(). Of an unknown user too, whose work is
// the same.
struct CheckPassword {
  Passwords passwords;
  Secret password;  // of kMaxPasswordBytes at most
};
// Of a user that is judged elsewhere; then on_verdict(), on_busy() or on_no_verdict().
struct ProvePassword {
  std::string user;
  Secret password;  // of kMaxPasswordBytes at most, never empty
};
// Logged in. The session sends `bytes` (possibly none), then an OK or an ERR of its own (1049 and
// the like) whose sequence number is `next_sequence`.
struct Accept {
  LoginRequest login;  // auth_response is wiped; of COM_CHANGE_USER: capabilities of the login, new
                       // user and database
  std::string plugin;  // that the client has used
  Proof proof{};
  std::string bytes;
  std::uint8_t next_sequence = 0;
  std::string learned_sha2_digest;  // of the password that is `proof`; empty: nothing new
};
// Send `bytes` (an ERR), then close; after COM_CHANGE_USER TiDB keeps the old session instead.
struct Reject {
  std::string bytes;
  Error reason;
};
using Action = std::variant<SendBytes, StartTls, AwaitPacket, FindUser, FindKey, CheckPassword,
                            ProvePassword, Accept, Reject>;

class ServerHandshake {
 public:
  enum class State : std::uint8_t {
    kStart,            // nothing yet
    kAwaitLogin,       // the first packet: SSLRequest or login
    kAwaitTls,         // the TLS handshake
    kAwaitUser,        // the session's on_user()
    kAwaitScramble,    // the answer to an AuthSwitchRequest
    kAwaitFullSecret,  // the cleartext password (TLS, Unix socket)
    kAwaitKeyRequest,  // 0x02, a request for the public key, or already the encrypted password
    kAwaitKey,         // the session's on_key()
    kAwaitEncrypted,   // the encrypted password
    kAwaitVerdict,     // the session's on_verdict()
    kAccepted,
    kRejected,
  };

  explicit ServerHandshake(HandshakeOptions options);

  // For COM_CHANGE_USER: `capabilities` and options.salt are the login's, `next_sequence` is the
  // number of the packet after the command.
  ServerHandshake(HandshakeOptions options, std::uint32_t capabilities, ChangeUser request,
                  std::uint8_t next_sequence);

  // SendBytes with the greeting; FindUser for COM_CHANGE_USER.
  Action start();

  // The payload of a packet whose sequence number was next_sequence(), as PacketAssembler checks.
  Action on_packet(std::string_view payload);
  Action on_tls_established();

  // Null: there is no such user. What follows looks the same as with a wrong password.
  Action on_user(const UserRecord* user);

  // Null: there is none, and no full authentication over plain TCP.
  Action on_key(const RsaKey* key);

  // Of the password that it asked about: which one it is, or none.
  Action on_verdict(std::optional<Proof> proof);
  // It was not checked: too many others wait for that.
  Action on_busy();

  // There is none, for that reason, which the client is told.
  Action on_no_verdict(const Error& error);

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] bool is_done() const {
    return state_ == State::kAccepted || state_ == State::kRejected;
  }
  // Whether the transport is secure: TLS, or a Unix socket.
  [[nodiscard]] bool is_secure() const;
  // Of the next packet in either direction: what to PacketAssembler::expect_sequence().
  [[nodiscard]] std::uint8_t next_sequence() const { return sequence_; }
  // The salt, for a later COM_CHANGE_USER.
  [[nodiscard]] const std::string& salt() const { return salt_; }
  // Whom the client has named; empty once it has got in.
  [[nodiscard]] const std::string& user() const { return login_.user; }
  // Of what the client has sent.
  [[nodiscard]] std::size_t held_bytes() const {
    return login_.user.size() + login_.auth_response.size() + login_.database.size() +
           login_.auth_plugin.size() + key_request_.size();
  }
  // Raw capabilities of the client, 0 before its first packet.
  [[nodiscard]] std::uint32_t client_capabilities() const { return login_.capabilities; }

 private:
  enum class Purpose : std::uint8_t { kLogin, kChangeUser };

  template <class T>
  Action enter(State next, T action);  // the only place state_ changes
  Action send(State next, std::string_view payload);
  Action reject(const ErrMessage& err, Code code, std::string reason);
  Action reject_malformed(std::string reason);
  Action deny();
  Action accept(std::string bytes);

  Action on_login(std::string_view payload);
  Action on_ssl_request();
  Action judge(std::string_view response);
  Action judge_otherwise();
  Action switch_plugin();
  Action ask_for_full();
  Action on_key_request(std::string_view payload);
  Action on_encrypted(std::string_view payload);
  Action judge_cleartext(std::string_view password);
  [[nodiscard]] bool must_be_clear() const;
  [[nodiscard]] bool can_judge(std::string_view plugin) const;
  [[nodiscard]] std::string_view choose_plugin() const;

  HandshakeOptions options_;
  Purpose purpose_ = Purpose::kLogin;
  State state_ = State::kStart;
  std::uint8_t sequence_ = 0;
  std::string salt_;
  LoginRequest login_;
  std::optional<Passwords> passwords_;  // once a user is named: the user's, or a decoy's
  bool is_judged_elsewhere_ = false;
  bool has_password_ = false;  // they are the user's
  std::optional<Proof> proof_;
  bool used_password_ = false;  // for the text of 1045
  bool tls_established_ = false;
  std::string plugin_;       // being used
  std::string key_request_;  // while the key is awaited
  std::string digest_;       // of the password that is being checked
};

}  // namespace tidepool::protocol

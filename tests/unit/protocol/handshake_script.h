// Both ends of a login as a script: a client that knows its password talks to a ServerHandshake.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "bytes.h"
#include "tidepool/protocol/auth.h"
#include "tidepool/protocol/login_messages.h"
#include "tidepool/protocol/reply_messages.h"
#include "tidepool/protocol/server_handshake.h"

namespace tidepool::protocol {

inline constexpr std::uint32_t kClientCapabilities =
    capability::kProtocol41 | capability::kSecureConnection | capability::kPluginAuth;

inline HandshakeOptions test_options() {
  HandshakeOptions options;
  options.server_version = "8.0.11-TiDB-v8.5.3";
  options.client_host = "10.0.0.1";
  options.salt = "abcdefghijklmnopqrst";
  return options;
}

struct ScriptedClient {
  std::string user = "app";
  std::string password = "secret";
  std::string plugin{kCachingSha2Password};
  std::uint32_t capabilities = kClientCapabilities;
  bool wants_tls = false;
  bool is_secure = false;  // sends its password in the clear when asked to
  std::uint8_t collation = 46;
  std::string salt = {};

  std::string scramble() const {
    if (plugin == kClearPassword) return password + '\0';
    return plugin == kNativePassword ? native_scramble(password, salt)
                                     : sha2_scramble(password, salt);
  }

  std::string login() const {
    LoginRequest request;
    request.capabilities = capabilities | (wants_tls ? capability::kSsl : 0);
    request.collation = collation;
    request.user = user;
    request.auth_response = scramble();
    request.auth_plugin = plugin;
    if (!request.has(capability::kPluginAuth)) request.auth_plugin.clear();
    return encode_login_request(request);
  }

  // The answer to a server's packet; nullopt if none is due (fast authentication succeeded).
  std::optional<std::string> answer(std::string_view payload) {
    if (auto request = parse_auth_switch_request(payload)) {
      plugin = request->plugin;
      salt = request->salt;
      return scramble();
    }
    const std::string data = parse_auth_more_data(payload).value();
    if (data == "\x03") return std::nullopt;
    if (data == "\x04") return is_secure ? password + '\0' : std::string("\x02");
    return encrypt_password(password, salt, data).value();
  }
};

// What came of a scripted login, and how often each step was taken.
struct Outcome {
  std::optional<Accept> accept;
  std::optional<Reject> reject;
  int tls = 0;
  int switches = 0;
  int full = 0;
  int key_searches = 0;
  int checks = 0;  // of passwords in the clear
  int packets = 0;

  bool ok() const { return accept.has_value(); }
  int errno_sent() const {
    return reject ? parse_err(std::string_view(reject->bytes).substr(kHeaderBytes))->number : 0;
  }
  std::string text_sent() const {
    return reject ? parse_err(std::string_view(reject->bytes).substr(kHeaderBytes))->message : "";
  }
};

// Runs the exchange to its end. `fault`: the number of the client's packet that `spoil` replaces,
// -1 for none.
class Script {
 public:
  Script(ServerHandshake handshake, ScriptedClient client, const UserRecord* user)
      : handshake_(std::move(handshake)), client_(std::move(client)), user_(user) {}

  Script& spoil(int packet, std::string with) {
    fault_ = packet;
    spoilt_ = std::move(with);
    return *this;
  }

  // There is none until the machine asks for it.
  Script& find_key(const RsaKey* key) {
    key_ = key;
    return *this;
  }

  Outcome run() {
    Action action = handshake_.start();
    while (!handshake_.is_done())
      action = std::visit([&](auto& step) { return on(step); }, action);
    if (auto* accept = std::get_if<Accept>(&action)) outcome_.accept = std::move(*accept);
    if (auto* reject = std::get_if<Reject>(&action)) outcome_.reject = std::move(*reject);
    return outcome_;
  }

  const ServerHandshake& handshake() const { return handshake_; }
  const ScriptedClient& client() const { return client_; }

 private:
  Action give(std::string payload) {
    if (outcome_.packets++ == fault_) payload = spoilt_;
    return handshake_.on_packet(payload);
  }

  Action on(SendBytes& step) {
    const std::string_view payload = std::string_view(step.bytes).substr(kHeaderBytes);
    if (auto greeting = parse_greeting(payload)) {
      client_.salt = greeting->salt;
      if (!client_.wants_tls) return give(client_.login());
      return give(encode_ssl_request(client_.capabilities | capability::kSsl, 0, 45));
    }
    if (static_cast<unsigned char>(payload[0]) == 0xfe) ++outcome_.switches;
    if (payload == hex("0104")) ++outcome_.full;
    return give(*client_.answer(payload));
  }
  Action on(StartTls&) {
    ++outcome_.tls;
    client_.is_secure = true;
    return handshake_.on_tls_established();
  }
  Action on(AwaitPacket&) { return give(client_.login()); }
  Action on(FindUser& step) { return handshake_.on_user(step.name == "app" ? user_ : nullptr); }
  Action on(FindKey& step) {
    ++outcome_.key_searches;
    return handshake_.on_key(step.is_to_be_made ? key_ : nullptr);
  }
  Action on(CheckPassword& step) {
    ++outcome_.checks;
    return handshake_.on_verdict(step.passwords.prove_in_clear(step.password));
  }
  Action on(ProvePassword& step) {
    ++outcome_.checks;
    return handshake_.on_verdict(step.password == "secret" ? std::optional(Proof::kTidb)
                                                           : std::nullopt);
  }
  Action on(Accept& step) { return std::move(step); }
  Action on(Reject& step) { return std::move(step); }

  ServerHandshake handshake_;
  ScriptedClient client_;
  const UserRecord* user_;
  const RsaKey* key_ = nullptr;
  Outcome outcome_;
  int fault_ = -1;
  std::string spoilt_;
};

}  // namespace tidepool::protocol

// The messages of a login and of COM_CHANGE_USER: payloads, without the packet header.
//
// Sources: MySQL manual "Connection Phase"; TiDB pkg/server/conn.go (writeInitialHandshake) and
// pkg/server/internal/parse/parse.go, whose leniency the parsers follow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tidepool/base/error.h"
#include "tidepool/base/secret.h"
#include "tidepool/protocol/capabilities.h"
#include "tidepool/protocol/status.h"

namespace tidepool::protocol {

inline constexpr std::size_t kSaltBytes = 20;
inline constexpr std::uint8_t kUtf8mb4Bin = 46;  // the collation that TiDB greets with

// Protocol::HandshakeV10.
struct Greeting {
  std::string server_version;
  std::uint32_t connection_id = 0;
  std::string salt;  // kSaltBytes
  std::uint32_t capabilities = capability::kOffered;
  std::uint8_t collation = kUtf8mb4Bin;
  std::uint16_t status = status::kAutocommit;
  std::string auth_plugin;

  bool operator==(const Greeting&) const = default;
};

std::string encode_greeting(const Greeting& greeting);
Result<Greeting> parse_greeting(std::string_view payload);

using Attributes = std::vector<std::pair<std::string, std::string>>;

// Protocol::HandshakeResponse41, or Protocol::SSLRequest, which is its first 32 bytes.
struct LoginRequest {
  std::uint32_t capabilities = 0;  // raw, as the client set them
  std::uint32_t max_packet_bytes = 0;
  std::uint8_t collation = 0;
  bool is_ssl_request = false;  // then nothing below is set
  std::string user;
  Secret auth_response;
  std::string database;
  std::string auth_plugin;  // empty: the client knows no plugins
  Attributes attributes;
  std::uint8_t zstd_level = 0;

  bool operator==(const LoginRequest&) const = default;
  [[nodiscard]] bool has(std::uint32_t flag) const { return (capabilities & flag) != 0; }
};

// The client's own capability bits decide the layout, announced or not, as in TiDB. Fails with
// mysql_errno 1251 for a client without PROTOCOL_41, with 1043 for a malformed one.
Result<LoginRequest> parse_login_request(std::string_view payload);
std::string encode_login_request(const LoginRequest& request);
std::string encode_ssl_request(std::uint32_t capabilities, std::uint32_t max_packet_bytes,
                               std::uint8_t collation);

// COM_CHANGE_USER. Its layout follows the capabilities of the connection's login.
struct ChangeUser {
  std::string user;
  Secret auth_response;
  std::string database;
  std::uint16_t collation = 0;  // TiDB ignores it
  std::string auth_plugin;
  Attributes attributes;

  bool operator==(const ChangeUser&) const = default;
};

// `payload` with its command byte.
Result<ChangeUser> parse_change_user(std::string_view payload, std::uint32_t capabilities);
std::string encode_change_user(const ChangeUser& request, std::uint32_t capabilities);

// Protocol::AuthSwitchRequest (0xfe).
struct AuthSwitchRequest {
  std::string plugin;
  std::string salt;

  bool operator==(const AuthSwitchRequest&) const = default;
};

std::string encode_auth_switch_request(const AuthSwitchRequest& request);
Result<AuthSwitchRequest> parse_auth_switch_request(std::string_view payload);

// Protocol::AuthMoreData (0x01): what the plugin has to say.
std::string encode_auth_more_data(std::string_view data);
Result<std::string> parse_auth_more_data(std::string_view payload);

}  // namespace tidepool::protocol

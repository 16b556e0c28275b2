#include "tidepool/protocol/login_messages.h"

#include "tidepool/protocol/codec.h"
#include "tidepool/protocol/commands.h"
#include "tidepool/protocol/reply_messages.h"

namespace tidepool::protocol {
namespace {

constexpr std::uint8_t kProtocolVersion = 10;
constexpr std::size_t kSaltFirstPartBytes = 8;
constexpr std::size_t kReservedBytes = 23;
constexpr std::size_t kSslRequestBytes = 32;
constexpr std::uint8_t kAuthMoreDataHeader = 0x01;
constexpr std::uint16_t kErrNotSupportedAuthMode = 1251;
constexpr std::uint16_t kErrHandshake = 1043;

tl::unexpected<Error> malformed(const char* what) {
  return tl::unexpected<Error>(Error{Code::kProtocol, what, kErrHandshake, "08S01"});
}

// Attributes only label a connection: like TiDB, keep those that are well formed rather than refuse
// a login.
Attributes parse_attributes(std::string_view bytes) {
  Attributes attributes;
  Reader reader(bytes);
  while (!reader.at_end()) {
    const std::string_view key = reader.lenenc_string();
    const std::string_view value = reader.lenenc_string();
    if (!reader.ok()) break;
    attributes.emplace_back(key, value);
  }
  return attributes;
}

std::string encode_attributes(const Attributes& attributes) {
  std::string out;
  Writer writer(out);
  for (const auto& [key, value] : attributes)
    writer.lenenc_string(key).lenenc_string(value);
  return out;
}

std::string_view read_auth_response(Reader& reader, const LoginRequest& request) {
  if (request.has(capability::kPluginAuthLenencClientData)) {
    // Some clients write "no data" as 01 00 (parse.go HandshakeResponseBody).
    if (reader.peek() == 1) {
      reader.skip(2);
      return {};
    }
    return reader.nullable_lenenc_string().value_or(std::string_view());
  }
  if (request.has(capability::kSecureConnection)) return reader.bytes(reader.u8());
  return reader.nul_string();
}

void write_auth_response(Writer& writer, const LoginRequest& request) {
  if (request.has(capability::kPluginAuthLenencClientData)) {
    writer.lenenc_string(request.auth_response);
  } else if (request.has(capability::kSecureConnection)) {
    writer.u8(static_cast<std::uint8_t>(request.auth_response.size())).bytes(request.auth_response);
  } else {
    writer.nul_string(request.auth_response);
  }
}

// The last field may lack its NUL: some clients send a plugin name that ends with the packet.
std::string_view read_last_nul_string(Reader& reader, std::string_view payload) {
  const std::string_view tail = payload.substr(reader.position());
  if (tail.find('\0') == std::string_view::npos) return reader.rest();
  return reader.nul_string();
}

}  // namespace

std::string encode_greeting(const Greeting& greeting) {
  std::string out;
  Writer writer(out);
  const std::string_view salt = greeting.salt;
  writer.u8(kProtocolVersion).nul_string(greeting.server_version).u32(greeting.connection_id);
  writer.bytes(salt.substr(0, kSaltFirstPartBytes)).u8(0);
  writer.u16(static_cast<std::uint16_t>(greeting.capabilities)).u8(greeting.collation);
  writer.u16(greeting.status).u16(static_cast<std::uint16_t>(greeting.capabilities >> 16U));
  writer.u8(static_cast<std::uint8_t>(salt.size() + 1)).zeros(10);
  writer.nul_string(salt.substr(kSaltFirstPartBytes)).nul_string(greeting.auth_plugin);
  return out;
}

Result<Greeting> parse_greeting(std::string_view payload) {
  Reader reader(payload);
  if (reader.u8() != kProtocolVersion) return malformed("not a protocol 10 greeting");
  Greeting greeting;
  greeting.server_version = reader.nul_string();
  greeting.connection_id = reader.u32();
  greeting.salt = reader.bytes(kSaltFirstPartBytes);
  reader.skip(1);
  const std::uint32_t low = reader.u16();
  greeting.collation = reader.u8();
  greeting.status = reader.u16();
  greeting.capabilities = low | (static_cast<std::uint32_t>(reader.u16()) << 16U);
  reader.skip(1 + 10);  // length of the salt, which is always 21 with its NUL
  greeting.salt += reader.bytes(kSaltBytes - kSaltFirstPartBytes);
  reader.skip(1);
  if (!reader.ok()) return malformed("malformed greeting");
  if ((greeting.capabilities & capability::kPluginAuth) != 0) {
    greeting.auth_plugin = read_last_nul_string(reader, payload);
  }
  return greeting;
}

Result<LoginRequest> parse_login_request(std::string_view payload) {
  Reader reader(payload);
  LoginRequest request;
  if (payload.size() >= 2) request.capabilities = Reader(payload).u16();
  if (payload.size() >= 2 && !request.has(capability::kProtocol41)) {
    return tl::unexpected<Error>(
        Error{Code::kProtocol,
              "Client does not support authentication protocol requested by server; consider "
              "upgrading MySQL client",
              kErrNotSupportedAuthMode, "08004"});
  }
  request.capabilities = reader.u32();
  request.max_packet_bytes = reader.u32();
  request.collation = reader.u8();
  reader.skip(kReservedBytes);
  if (!reader.ok()) return malformed("Bad handshake");
  request.is_ssl_request = payload.size() == kSslRequestBytes && request.has(capability::kSsl);
  if (request.is_ssl_request) return request;

  request.user = reader.nul_string();
  request.auth_response = read_auth_response(reader, request);
  if (!reader.ok()) return malformed("Bad handshake");
  if (request.has(capability::kConnectWithDb) && !reader.at_end()) {
    request.database = read_last_nul_string(reader, payload);
  }
  if (request.has(capability::kPluginAuth) && !reader.at_end()) {
    request.auth_plugin = read_last_nul_string(reader, payload);
  }
  if (request.has(capability::kConnectAttrs) && !reader.at_end()) {
    const auto attributes = reader.nullable_lenenc_string();
    if (attributes) request.attributes = parse_attributes(*attributes);
  }
  if (request.has(capability::kZstd) && !reader.at_end()) request.zstd_level = reader.u8();
  if (!reader.ok()) return malformed("Bad handshake");
  return request;
}

std::string encode_login_request(const LoginRequest& request) {
  std::string out =
      encode_ssl_request(request.capabilities, request.max_packet_bytes, request.collation);
  if (request.is_ssl_request) return out;
  Writer writer(out);
  writer.nul_string(request.user);
  write_auth_response(writer, request);
  if (request.has(capability::kConnectWithDb)) writer.nul_string(request.database);
  if (request.has(capability::kPluginAuth)) writer.nul_string(request.auth_plugin);
  if (request.has(capability::kConnectAttrs)) {
    writer.lenenc_string(encode_attributes(request.attributes));
  }
  if (request.has(capability::kZstd)) writer.u8(request.zstd_level);
  return out;
}

std::string encode_ssl_request(std::uint32_t capabilities, std::uint32_t max_packet_bytes,
                               std::uint8_t collation) {
  std::string out;
  Writer(out).u32(capabilities).u32(max_packet_bytes).u8(collation).zeros(kReservedBytes);
  return out;
}

Result<ChangeUser> parse_change_user(std::string_view payload, std::uint32_t capabilities) {
  Reader reader(payload);
  const bool is_command = reader.u8() == static_cast<std::uint8_t>(Command::kChangeUser);
  ChangeUser request;
  request.user = reader.nul_string();
  if ((capabilities & capability::kSecureConnection) != 0) {
    request.auth_response = reader.bytes(reader.u8());
  } else {
    request.auth_response = reader.nul_string();
  }
  request.database = reader.nul_string();
  // As TiDB, whose session goes on (conn.go, handleChangeUser; mysql.ErrMalformPacket).
  if (!reader.ok() || !is_command) {
    return tl::unexpected<Error>(Error{Code::kProtocol, "malform packet error", 1105, "HY000"});
  }
  if (reader.remaining() >= 2) request.collation = reader.u16();
  if ((capabilities & capability::kPluginAuth) != 0 && !reader.at_end()) {
    request.auth_plugin = read_last_nul_string(reader, payload);
  }
  if ((capabilities & capability::kConnectAttrs) != 0 && !reader.at_end()) {
    const auto attributes = reader.nullable_lenenc_string();
    if (attributes) request.attributes = parse_attributes(*attributes);
  }
  return request;
}

std::string encode_change_user(const ChangeUser& request, std::uint32_t capabilities) {
  std::string out;
  Writer writer(out);
  writer.u8(static_cast<std::uint8_t>(Command::kChangeUser)).nul_string(request.user);
  if ((capabilities & capability::kSecureConnection) != 0) {
    writer.u8(static_cast<std::uint8_t>(request.auth_response.size())).bytes(request.auth_response);
  } else {
    writer.nul_string(request.auth_response);
  }
  writer.nul_string(request.database).u16(request.collation);
  if ((capabilities & capability::kPluginAuth) != 0) writer.nul_string(request.auth_plugin);
  if ((capabilities & capability::kConnectAttrs) != 0) {
    writer.lenenc_string(encode_attributes(request.attributes));
  }
  return out;
}

std::string encode_auth_switch_request(const AuthSwitchRequest& request) {
  std::string out;
  Writer(out).u8(kEofHeader).nul_string(request.plugin).nul_string(request.salt);
  return out;
}

Result<AuthSwitchRequest> parse_auth_switch_request(std::string_view payload) {
  Reader reader(payload);
  const bool is_switch = reader.u8() == kEofHeader;
  AuthSwitchRequest request;
  request.plugin = reader.nul_string();
  std::string_view salt = reader.rest();
  if (!reader.ok() || !is_switch) return malformed("malformed AuthSwitchRequest");
  if (salt.size() == kSaltBytes + 1 && salt.back() == '\0') salt.remove_suffix(1);
  request.salt = salt;
  return request;
}

std::string encode_auth_more_data(std::string_view data) {
  std::string out;
  Writer(out).u8(kAuthMoreDataHeader).bytes(data);
  return out;
}

Result<std::string> parse_auth_more_data(std::string_view payload) {
  Reader reader(payload);
  if (reader.u8() != kAuthMoreDataHeader) return malformed("malformed AuthMoreData");
  return std::string(reader.rest());
}

}  // namespace tidepool::protocol

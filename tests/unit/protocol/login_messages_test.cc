#include "tidepool/protocol/login_messages.h"

#include <gtest/gtest.h>

#include "bytes.h"

namespace tidepool::protocol {
namespace {

constexpr std::uint32_t kBasic = capability::kProtocol41 | capability::kSecureConnection;

Greeting tidb_greeting() {
  Greeting greeting;
  greeting.server_version = "8.0.11-TiDB-v8.5.3";
  greeting.connection_id = 0x01020304;
  greeting.salt = "abcdefghijklmnopqrst";
  greeting.auth_plugin = "mysql_native_password";
  return greeting;
}

LoginRequest full_login(std::uint32_t extra = 0) {
  LoginRequest request;
  request.capabilities = kBasic | capability::kConnectWithDb | capability::kPluginAuth |
                         capability::kConnectAttrs | extra;
  request.max_packet_bytes = 1U << 24U;
  request.collation = 45;
  request.user = "app";
  request.auth_response = std::string(20, '\x11');
  request.database = "shop";
  request.auth_plugin = "mysql_native_password";
  request.attributes = {{"_client_name", "libmysql"}, {"_pid", "7"}};
  if ((extra & capability::kZstd) != 0) request.zstd_level = 3;
  return request;
}

TEST(Greeting, LooksLikeTidbs) {
  const std::string bytes = encode_greeting(tidb_greeting());
  EXPECT_EQ(bytes, "\x0a" + std::string("8.0.11-TiDB-v8.5.3") + hex("00 04030201") + "abcdefgh" +
                       hex("00 afa6 2e 0200 1b04 15 00000000000000000000") + "ijklmnopqrst" +
                       hex("00") + "mysql_native_password" + hex("00"));
}

TEST(Greeting, SurvivesEncodingAndParsing) {
  const std::string bytes = encode_greeting(tidb_greeting());
  EXPECT_EQ(parse_greeting(bytes).value(), tidb_greeting());
  for (std::size_t size = 0; size < bytes.size() - 22; ++size) {
    EXPECT_FALSE(parse_greeting(bytes.substr(0, size))) << size;
  }
}

TEST(LoginRequest, SurvivesEncodingAndParsingInEveryLayout) {
  constexpr std::uint32_t kFlags[] = {
      capability::kConnectWithDb,    capability::kPluginAuth,
      capability::kConnectAttrs,     capability::kZstd,
      capability::kSecureConnection, capability::kPluginAuthLenencClientData};
  for (unsigned mask = 0; mask < 64; ++mask) {
    LoginRequest request = full_login(capability::kZstd);
    request.capabilities = capability::kProtocol41;
    for (unsigned bit = 0; bit < 6; ++bit) {
      if ((mask >> bit & 1U) != 0) request.capabilities |= kFlags[bit];
    }
    if (!request.has(capability::kConnectWithDb)) request.database.clear();
    if (!request.has(capability::kPluginAuth)) request.auth_plugin.clear();
    if (!request.has(capability::kConnectAttrs)) request.attributes.clear();
    if (!request.has(capability::kZstd)) request.zstd_level = 0;
    EXPECT_EQ(parse_login_request(encode_login_request(request)).value(), request) << mask;
  }
}

TEST(LoginRequest, IsParsedByteExactly) {
  const std::string bytes = hex("0fa23a00 00000040 2d") + std::string(23, '\0') + "root" +
                            hex("00 02 6162") + "test" + hex("00") + "p" + hex("00 04 016b 0176");
  const LoginRequest request = parse_login_request(bytes).value();
  EXPECT_EQ(request.max_packet_bytes, 0x40000000U);
  EXPECT_EQ(request.collation, 45);
  EXPECT_EQ(request.user, "root");
  EXPECT_EQ(request.auth_response, "ab");
  EXPECT_EQ(request.database, "test");
  EXPECT_EQ(request.auth_plugin, "p");
  EXPECT_EQ(request.attributes, (Attributes{{"k", "v"}}));
}

TEST(LoginRequest, TakesOneNulForNoLengthEncodedData) {
  const std::string head = encode_ssl_request(
      kBasic | capability::kPluginAuthLenencClientData | capability::kPluginAuth, 0, 45);
  const auto request = parse_login_request(head + "u" + hex("00 01 00") + "plugin" + hex("00"));
  EXPECT_EQ(request.value().auth_response, "");
  EXPECT_EQ(request.value().auth_plugin, "plugin");
}

TEST(LoginRequest, IsAnSslRequestWhenItEndsAfterItsHeader) {
  const std::string bytes = encode_ssl_request(kBasic | capability::kSsl, 1, 46);
  EXPECT_EQ(bytes.size(), 32U);
  const LoginRequest request = parse_login_request(bytes).value();
  EXPECT_TRUE(request.is_ssl_request);
  EXPECT_EQ(encode_login_request(request), bytes);
  EXPECT_FALSE(parse_login_request(encode_ssl_request(kBasic, 1, 46)));
}

TEST(LoginRequest, MayLackOptionalTails) {
  LoginRequest request = full_login();
  request.attributes.clear();
  request.capabilities &= ~capability::kConnectAttrs;
  std::string bytes = encode_login_request(request);
  bytes.pop_back();  // the plugin name without its NUL
  EXPECT_EQ(parse_login_request(bytes).value(), request);
}

TEST(LoginRequest, KeepsTheAttributesThatAreWellFormed) {
  LoginRequest request = full_login();
  request.capabilities &= ~capability::kConnectAttrs;
  std::string bytes = encode_login_request(request);
  bytes[2] = static_cast<char>(bytes[2] | 0x10);
  const auto parsed = parse_login_request(bytes + hex("06 016b 0176 0561"));
  EXPECT_EQ(parsed.value().attributes, (Attributes{{"k", "v"}}));
}

TEST(LoginRequest, RefusesAClientWithoutProtocol41) {
  const auto request = parse_login_request(hex("0580 000000 726f6f74 00"));
  ASSERT_FALSE(request);
  EXPECT_EQ(request.error().mysql_errno, 1251);
}

TEST(LoginRequest, RefusesWhatIsCutShort) {
  LoginRequest request = full_login();
  request.capabilities = kBasic;
  const std::string bytes = encode_login_request(request);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(parse_login_request(bytes.substr(0, size))) << size;
  }
}

TEST(ChangeUser, SurvivesEncodingAndParsing) {
  ChangeUser request{"app", std::string(20, 'x'),    "shop",
                     45,    "mysql_native_password", {{"a", "b"}}};
  constexpr std::uint32_t kAll = kBasic | capability::kPluginAuth | capability::kConnectAttrs;
  EXPECT_EQ(parse_change_user(encode_change_user(request, kAll), kAll).value(), request);
  request.attributes.clear();
  request.auth_plugin.clear();
  EXPECT_EQ(parse_change_user(encode_change_user(request, kBasic), kBasic).value(), request);
  EXPECT_EQ(parse_change_user(encode_change_user(request, 0), 0).value(), request);
}

TEST(ChangeUser, MayEndAfterTheDatabase) {
  const auto request = parse_change_user(hex("11 7500 00 6400"), kBasic);
  EXPECT_EQ(request.value().user, "u");
  EXPECT_EQ(request.value().database, "d");
  EXPECT_FALSE(parse_change_user(hex("11 7500 05 6400"), kBasic));
  EXPECT_FALSE(parse_change_user(hex("12 7500 00 6400"), kBasic));
}

TEST(AuthSwitchRequest, SurvivesEncodingAndParsing) {
  const AuthSwitchRequest request{"caching_sha2_password", "abcdefghijklmnopqrst"};
  EXPECT_EQ(encode_auth_switch_request(request),
            hex("fe") + "caching_sha2_password" + hex("00") + "abcdefghijklmnopqrst" + hex("00"));
  EXPECT_EQ(parse_auth_switch_request(encode_auth_switch_request(request)).value(), request);
  EXPECT_FALSE(parse_auth_switch_request("x"));
}

TEST(AuthMoreData, SurvivesEncodingAndParsing) {
  EXPECT_EQ(encode_auth_more_data("\x03"), hex("0103"));
  EXPECT_EQ(parse_auth_more_data(hex("0104")).value(), "\x04");
  EXPECT_FALSE(parse_auth_more_data(""));
}

}  // namespace
}  // namespace tidepool::protocol

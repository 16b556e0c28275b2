#include <gtest/gtest.h>

#include "handshake_script.h"
#include "tidepool/protocol/server_handshake.h"

namespace tidepool::protocol {
namespace {

constexpr std::string_view kOldSalt = "abcdefghijklmnopqrst";

Outcome change_user(const ScriptedClient& client, std::string response, const UserRecord* user) {
  ChangeUser request;
  request.user = client.user;
  request.auth_response = std::move(response);
  request.auth_plugin = client.plugin;
  request.database = "other";
  request.attributes = {{"program_name", "x"}, {"_client_name", "libmariadb"}};
  return Script(ServerHandshake(test_options(), client.capabilities, request, 1), client, user)
      .run();
}

TEST(ServerHandshakeOfChangeUser, AcceptsAScrambleOfTheOldSaltAtOnce) {
  const UserRecord user{Passwords(Credential::plaintext("secret"))};
  ScriptedClient client;
  client.plugin = kNativePassword;
  const Outcome outcome = change_user(client, native_scramble("secret", kOldSalt), &user);
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome.switches, 0);
  EXPECT_EQ(outcome.accept->login.database, "other");
  EXPECT_EQ(outcome.accept->login.attributes, (Attributes{{"_client_name", "libmariadb"}}));
  EXPECT_EQ(outcome.accept->login.capabilities, kClientCapabilities);
  EXPECT_EQ(outcome.accept->next_sequence, 1);
}

TEST(ServerHandshakeOfChangeUser, DeniesAWrongPasswordAtOnce) {
  const UserRecord user{Passwords(Credential::plaintext("secret"))};
  for (const std::string_view plugin : {kNativePassword, kCachingSha2Password}) {
    ScriptedClient client;
    client.plugin = plugin;
    const Outcome wrong = change_user(client, std::string(20, 'x'), &user);
    EXPECT_EQ(wrong.errno_sent(), 1045);
    EXPECT_EQ(wrong.switches, 0);
    EXPECT_EQ(wrong.reject->bytes[3], 1);
  }
}

TEST(ServerHandshakeOfChangeUser, SwitchesToAnotherPlugin) {
  const UserRecord user{Passwords(Credential::native_hash(make_native_hash("secret")).value())};
  const Outcome outcome = change_user({}, std::string(32, 'x'), &user);
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome.accept->plugin, kNativePassword);
  EXPECT_EQ(outcome.accept->next_sequence, 3);
}

TEST(ServerHandshakeOfChangeUser, DeniesAnUnknownUserAndAnEmptyPassword) {
  const UserRecord user{Passwords(Credential::plaintext("secret"))};
  EXPECT_EQ(change_user({}, std::string(32, 'x'), nullptr).errno_sent(), 1045);
  EXPECT_EQ(change_user({}, "", &user).errno_sent(), 1045);
}

}  // namespace
}  // namespace tidepool::protocol

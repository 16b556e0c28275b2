// Logins of users with two passwords, with none, and of those who need none.
#include <vector>

#include <gtest/gtest.h>

#include "handshake_script.h"
#include "tidepool/protocol/server_handshake.h"

namespace tidepool::protocol {
namespace {

const RsaKey& rsa_key() {
  static const RsaKey kKey = RsaKey::generate().value();
  return kKey;
}
Credential plain(const std::string& password) {
  return Credential::plaintext(password);
}
Credential native(const std::string& password) {
  return Credential::native_hash(make_native_hash(password)).value();
}
Credential sha2(const std::string& password) {
  return Credential::sha2_hash(make_sha2_hash(password, "tsrqponmlkjihgfedcba")).value();
}
std::vector<UserRecord> all_pairs() {
  std::vector<UserRecord> pairs;
  for (const auto& make_new : {plain, native, sha2}) {
    for (const auto& make_old : {plain, native, sha2})
      pairs.push_back({Passwords(make_new("new"), make_old("old"))});
  }
  return pairs;
}
HandshakeOptions options_with_key() {
  HandshakeOptions options = test_options();
  options.rsa_key = &rsa_key();
  return options;
}
Outcome login(const HandshakeOptions& options, const ScriptedClient& client,
              const UserRecord* user) {
  return Script(ServerHandshake(options), client, user).run();
}
ScriptedClient client_of(std::string_view plugin, const std::string& password) {
  ScriptedClient client;
  client.plugin = plugin;
  client.password = password;
  return client;
}

TEST(TwoPasswords, EitherLetsInByEachPlugin) {
  for (const UserRecord& user : all_pairs()) {
    for (const std::string_view plugin : {kNativePassword, kCachingSha2Password, kClearPassword}) {
      const Outcome first = login(options_with_key(), client_of(plugin, "new"), &user);
      ASSERT_TRUE(first.ok()) << plugin << ' ' << first.text_sent();
      EXPECT_EQ(first.accept->proof, Proof::kPrimary);
      const Outcome second = login(options_with_key(), client_of(plugin, "old"), &user);
      ASSERT_TRUE(second.ok()) << plugin << ' ' << second.text_sent();
      EXPECT_EQ(second.accept->proof, Proof::kSecondary);
      for (const char* wrong : {"other", ""})
        EXPECT_EQ(login(options_with_key(), client_of(plugin, wrong), &user).errno_sent(), 1045);
    }
  }
}

// Drivers follow one request to change the plugin.
TEST(TwoPasswords, ClientsAreAskedForAnotherPluginOnceAtMost) {
  for (const UserRecord& user : all_pairs()) {
    for (const std::string_view plugin : {kNativePassword, kCachingSha2Password, kClearPassword}) {
      for (const char* password : {"new", "old", "other"}) {
        const Outcome outcome = login(options_with_key(), client_of(plugin, password), &user);
        EXPECT_LE(outcome.switches, 1) << plugin << ' ' << password;
        EXPECT_LE(outcome.checks, 1);
      }
    }
  }
}

TEST(TwoPasswords, AClientThatKnowsOnePluginOnlyGetsInByWhatIsStoredForIt) {
  ScriptedClient old_client = client_of(kNativePassword, "old");
  old_client.capabilities &= ~capability::kPluginAuth;
  const UserRecord user{Passwords(sha2("new"), native("old"))};
  EXPECT_TRUE(login(test_options(), old_client, &user).ok());
  old_client.password = "new";
  EXPECT_EQ(login(test_options(), old_client, &user).errno_sent(), 1045);
}

TEST(TwoPasswords, TheFastPathServesBoth) {
  UserRecord user{Passwords(sha2("new"), sha2("old"))};
  for (const char* password : {"new", "old"}) {
    const ScriptedClient client = client_of(kCachingSha2Password, password);
    const Outcome first = login(options_with_key(), client, &user);
    ASSERT_TRUE(first.ok());
    EXPECT_EQ(first.full, 1);
    user.passwords->learn(first.accept->proof, first.accept->learned_sha2_digest);
  }
  for (const char* password : {"new", "old"}) {
    const ScriptedClient client = client_of(kCachingSha2Password, password);
    const Outcome again = login(options_with_key(), client, &user);
    EXPECT_TRUE(again.ok());
    EXPECT_EQ(again.full, 0) << password;
  }
}

// What a guesser sees is the same whether the user is there, has two passwords, or none.
TEST(TwoPasswords, AnUnknownUserAndOneWithoutPasswordSeemToHaveTheSame) {
  const UserRecord none{std::nullopt};
  for (const UserRecord& user : all_pairs()) {
    const Decoys decoys({*user.passwords});
    for (const std::string_view plugin : {kNativePassword, kCachingSha2Password, kClearPassword}) {
      for (const char* guess : {"other", ""}) {
        HandshakeOptions options = options_with_key();
        options.decoys = &decoys;
        const ScriptedClient client = client_of(plugin, guess);
        const Outcome known = login(options, client, &user);
        for (const UserRecord* other : {static_cast<const UserRecord*>(nullptr), &none}) {
          const Outcome seen = login(options, client, other);
          ASSERT_TRUE(seen.reject);
          EXPECT_EQ(seen.reject->bytes, known.reject->bytes);
          EXPECT_EQ(seen.switches, known.switches);
          EXPECT_EQ(seen.full, known.full);
          EXPECT_EQ(seen.packets, known.packets);
          EXPECT_EQ(seen.checks, known.checks) << "the same work";
        }
      }
    }
  }
}

TEST(TwoPasswords, ChangeUserTakesEither) {
  const UserRecord user{Passwords(sha2("new"), native("old"))};
  for (const char* password : {"new", "old"}) {
    ChangeUser request;
    request.user = "app";
    request.auth_plugin = kNativePassword;
    request.auth_response = native_scramble(password, test_options().salt);
    ScriptedClient client = client_of(kNativePassword, password);
    const Outcome outcome =
        Script(ServerHandshake(options_with_key(), client.capabilities, request, 1), client, &user)
            .run();
    EXPECT_TRUE(outcome.ok()) << password << ' ' << outcome.text_sent();
  }
}

}  // namespace
}  // namespace tidepool::protocol

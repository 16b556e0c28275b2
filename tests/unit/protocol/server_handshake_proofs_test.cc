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

// Where nobody can read along.
std::vector<HandshakeOptions> secure_places() {
  HandshakeOptions local = test_options();
  local.transport = Transport::kUnixSocket;
  HandshakeOptions encrypted = test_options();
  encrypted.tls = TlsPolicy::kOffered;
  return {local, encrypted};
}
ScriptedClient secure_client(const HandshakeOptions& place, std::string_view plugin,
                             const std::string& password) {
  ScriptedClient client = client_of(plugin, password);
  client.wants_tls = place.tls != TlsPolicy::kDisabled;
  client.is_secure = true;
  return client;
}

TEST(ClearPassword, IsTakenAtItsWordWhereNobodyReadsAlong) {
  for (const HandshakeOptions& place : secure_places()) {
    for (const UserRecord& user : all_pairs()) {
      const auto try_one = [&](const std::string& password) {
        return login(place, secure_client(place, kClearPassword, password), &user);
      };
      const Outcome first = try_one("new");
      ASSERT_TRUE(first.ok()) << first.text_sent();
      EXPECT_EQ(first.switches, 0);
      EXPECT_EQ(first.accept->plugin, kClearPassword);
      EXPECT_EQ(first.accept->proof, Proof::kPrimary);
      EXPECT_EQ(first.accept->bytes, "");
      EXPECT_EQ(try_one("old").accept->proof, Proof::kSecondary);
      for (const char* wrong : {"other", ""})
        EXPECT_EQ(try_one(wrong).errno_sent(), 1045);
    }
  }
}

TEST(ClearPassword, IsNotTakenOverPlainTcp) {
  HandshakeOptions options = options_with_key();
  options.asks_for_clear_password = true;
  for (const UserRecord& user : all_pairs()) {
    const Outcome offered = login(options, client_of(kClearPassword, "new"), &user);
    ASSERT_TRUE(offered.ok());
    EXPECT_EQ(offered.switches, 1);
    EXPECT_NE(offered.accept->plugin, kClearPassword);
    const Outcome native = login(options, client_of(kNativePassword, "new"), &user);
    EXPECT_TRUE(native.ok());
    EXPECT_NE(native.accept->plugin, kClearPassword);
  }
}

TEST(ClearPassword, IsAskedForWhereTheListenerWantsIt) {
  for (HandshakeOptions place : secure_places()) {
    place.asks_for_clear_password = true;
    for (const UserRecord& user : all_pairs()) {
      for (const std::string_view plugin :
           {kNativePassword, kCachingSha2Password, kClearPassword}) {
        const Outcome right = login(place, secure_client(place, plugin, "old"), &user);
        ASSERT_TRUE(right.ok()) << right.text_sent();
        EXPECT_EQ(right.accept->plugin, kClearPassword);
        EXPECT_EQ(right.switches, plugin == kClearPassword ? 0 : 1);
        EXPECT_EQ(login(place, secure_client(place, plugin, "no"), &user).errno_sent(), 1045);
      }
    }
  }
}

TEST(ClearPassword, HasAtMost256BytesAndMakesTheSameWorkForEverybody) {
  const HandshakeOptions place = secure_places().front();
  const UserRecord user{Passwords(plain(std::string(256, 'x')), sha2("old"))};
  const Decoys decoys({*user.passwords});
  HandshakeOptions options = place;
  options.decoys = &decoys;
  EXPECT_TRUE(
      login(options, secure_client(place, kClearPassword, std::string(256, 'x')), &user).ok());
  for (const std::size_t size : {std::size_t{255}, std::size_t{257}}) {
    const ScriptedClient client = secure_client(place, kClearPassword, std::string(size, 'x'));
    const Outcome known = login(options, client, &user);
    const Outcome unknown = login(options, client, nullptr);
    EXPECT_EQ(known.errno_sent(), 1045);
    EXPECT_EQ(known.checks, size > 256 ? 0 : 1);
    EXPECT_EQ(unknown.checks, known.checks);
    EXPECT_EQ(unknown.reject->bytes, known.reject->bytes);
  }
}

TEST(ClearPassword, AUserWithoutPasswordHasNone) {
  const HandshakeOptions place = secure_places().front();
  const UserRecord none{std::nullopt};
  for (const char* password : {"", "x"})
    EXPECT_EQ(login(place, secure_client(place, kClearPassword, password), &none).errno_sent(),
              1045);
}

TEST(ProvenByTheConnection, NoPasswordIsLookedAtAndEachClientHearsWhatItWaitsFor) {
  for (const Proof proof : {Proof::kCertificate, Proof::kUnixUser}) {
    for (const auto& passwords :
         {std::optional<Passwords>(), std::optional(Passwords(sha2("secret"))),
          std::optional(Passwords(native("secret"), plain("old")))}) {
      const UserRecord user{passwords, proof};
      for (HandshakeOptions place : secure_places()) {
        for (const bool asks : {false, true}) {
          place.asks_for_clear_password = asks;
          for (const char* password : {"", "whatever"}) {
            const auto come_by = [&](std::string_view plugin) {
              return login(place, secure_client(place, plugin, password), &user);
            };
            const Outcome native = come_by(kNativePassword);
            ASSERT_TRUE(native.ok());
            EXPECT_EQ(native.accept->proof, proof);
            EXPECT_EQ(native.accept->bytes, "");
            const Outcome sha2 = come_by(kCachingSha2Password);
            ASSERT_TRUE(sha2.ok());
            const bool waits = password[0] != '\0';  // MySQL's library, for 0x03
            EXPECT_EQ(sha2.accept->bytes.size(), waits ? 6U : 0U);
            EXPECT_TRUE(come_by(kClearPassword).ok());
            EXPECT_TRUE(come_by("dialog").ok()) << "is asked for one that we know";
            EXPECT_EQ(come_by("dialog").checks, 0);
          }
        }
      }
    }
  }
}

TEST(ProvenByTheConnection, ChangeUserToo) {
  const UserRecord user{std::nullopt, Proof::kCertificate};
  ChangeUser request;
  request.user = "app";
  request.auth_plugin = kCachingSha2Password;
  request.auth_response = std::string(32, 'x');
  HandshakeOptions options = test_options();
  options.tls_established = true;
  const Outcome outcome =
      Script(ServerHandshake(options, kClientCapabilities, request, 1), {}, &user).run();
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome.accept->proof, Proof::kCertificate);
  EXPECT_EQ(outcome.accept->bytes, hex("020000 01 0103"));
}

}  // namespace
}  // namespace tidepool::protocol

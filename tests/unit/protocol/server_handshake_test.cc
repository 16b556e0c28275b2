#include "tidepool/protocol/server_handshake.h"

#include <gtest/gtest.h>

#include "handshake_script.h"

namespace tidepool::protocol {
namespace {

UserRecord plain_user() {
  return {Passwords(Credential::plaintext("secret"))};
}
UserRecord native_user() {
  return {Passwords(Credential::native_hash(make_native_hash("secret")).value())};
}
UserRecord sha2_user() {
  static const std::string kHash = make_sha2_hash("secret", "tsrqponmlkjihgfedcba");
  return {Passwords(Credential::sha2_hash(kHash).value())};
}
const RsaKey& rsa_key() {
  static const RsaKey kKey = RsaKey::generate().value();
  return kKey;
}

Outcome login(const HandshakeOptions& options, const ScriptedClient& client,
              const UserRecord& user) {
  return Script(ServerHandshake(options), client, &user).run();
}

TEST(ServerHandshake, GreetsByteExactly) {
  ServerHandshake handshake(test_options());
  const auto action = std::get<SendBytes>(handshake.start());
  Greeting greeting;
  greeting.server_version = "8.0.11-TiDB-v8.5.3";
  greeting.salt = "abcdefghijklmnopqrst";
  greeting.auth_plugin = kCachingSha2Password;
  EXPECT_EQ(action.bytes, framed(0, encode_greeting(greeting)));
  EXPECT_EQ(handshake.next_sequence(), 1);
  EXPECT_EQ(handshake.salt(), "abcdefghijklmnopqrst");
}

TEST(ServerHandshake, AcceptsTheRightPasswordWithEachPluginAndCredential) {
  HandshakeOptions options = test_options();
  options.rsa_key = &rsa_key();
  for (const auto& user : {plain_user(), native_user(), sha2_user()}) {
    for (const std::string_view plugin : {kNativePassword, kCachingSha2Password, kClearPassword}) {
      ScriptedClient client;
      client.plugin = plugin;
      const Outcome outcome = login(options, client, user);
      ASSERT_TRUE(outcome.ok()) << plugin;
      EXPECT_EQ(outcome.accept->login.user, "app");
      EXPECT_EQ(outcome.accept->login.auth_response, "");
      client.password = "wrong";
      EXPECT_EQ(login(options, client, user).errno_sent(), 1045) << plugin;
      client.password = "";
      EXPECT_EQ(login(options, client, user).errno_sent(), 1045) << plugin;
    }
  }
}

TEST(ServerHandshake, TakesThePluginThatTheClientAskedForIfThePasswordIsKnown) {
  ScriptedClient client;
  const Outcome sha2 = login(test_options(), client, plain_user());
  EXPECT_EQ(sha2.switches, 0);
  EXPECT_EQ(sha2.accept->plugin, kCachingSha2Password);
  EXPECT_EQ(sha2.accept->bytes, hex("020000 02 0103"));
  EXPECT_EQ(sha2.accept->next_sequence, 3);

  client.plugin = kNativePassword;
  const Outcome native = login(test_options(), client, plain_user());
  EXPECT_EQ(native.switches, 0);
  EXPECT_EQ(native.accept->bytes, "");
  EXPECT_EQ(native.accept->next_sequence, 2);

  client.plugin = "sha256_password";
  const Outcome other = login(test_options(), client, plain_user());
  EXPECT_EQ(other.switches, 1);
  EXPECT_EQ(other.accept->plugin, kCachingSha2Password);
  EXPECT_EQ(other.accept->next_sequence, 5);
}

TEST(ServerHandshake, SwitchesToThePluginThatTheHashAllows) {
  ScriptedClient client;
  const Outcome native = login(test_options(), client, native_user());
  EXPECT_EQ(native.switches, 1);
  EXPECT_EQ(native.accept->plugin, kNativePassword);
  EXPECT_EQ(native.accept->next_sequence, 4);

  client.plugin = kNativePassword;
  client.is_secure = true;
  HandshakeOptions options = test_options();
  options.transport = Transport::kUnixSocket;
  const Outcome sha2 = login(options, client, sha2_user());
  EXPECT_EQ(sha2.switches, 1);
  EXPECT_EQ(sha2.full, 1);
  EXPECT_EQ(sha2.accept->learned_sha2_digest, sha2_digest("secret"));
}

TEST(ServerHandshake, KeepsItsSaltInASwitch) {
  const UserRecord user = native_user();
  Script script(ServerHandshake(test_options()), {}, &user);
  EXPECT_TRUE(script.run().ok());
  EXPECT_EQ(script.handshake().salt(), test_options().salt);
  EXPECT_EQ(script.client().salt, test_options().salt);
}

TEST(ServerHandshake, RefusesACollationThatMysqlDoesNotHave) {
  for (const int id : {0, 17, 100, 125, 158, 190, 254}) {
    ScriptedClient client;
    client.collation = static_cast<std::uint8_t>(id);
    const Outcome outcome = login(test_options(), client, plain_user());
    EXPECT_EQ(outcome.errno_sent(), 1105);
    EXPECT_EQ(outcome.text_sent(), "Unknown collation id " + std::to_string(id));
  }
  for (const int id : {1, 8, 28, 46, 128, 255}) {
    ScriptedClient client;
    client.collation = static_cast<std::uint8_t>(id);
    EXPECT_TRUE(login(test_options(), client, plain_user()).ok()) << id;
  }
}

TEST(ServerHandshake, NeedsFullAuthenticationOnlyUntilTheDigestIsKnown) {
  HandshakeOptions options = test_options();
  options.tls = TlsPolicy::kOffered;
  ScriptedClient client;
  client.wants_tls = true;
  UserRecord user = sha2_user();
  const Outcome first = login(options, client, user);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first.tls, 1);
  EXPECT_EQ(first.full, 1);
  EXPECT_EQ(first.accept->next_sequence, 5);

  user.passwords->learn(first.accept->proof, first.accept->learned_sha2_digest);
  const Outcome second = login(options, client, user);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(second.full, 0);
  EXPECT_EQ(second.accept->bytes, hex("020000 03 0103"));
  EXPECT_EQ(second.accept->learned_sha2_digest, "");
}

TEST(ServerHandshake, GivesItsPublicKeyOverPlainTcpAndRefusesCleartextThere) {
  HandshakeOptions options = test_options();
  options.rsa_key = &rsa_key();
  const Outcome rsa = login(options, {}, sha2_user());
  ASSERT_TRUE(rsa.ok());
  EXPECT_EQ(rsa.packets, 3);
  EXPECT_EQ(rsa.accept->next_sequence, 6);
  EXPECT_EQ(rsa.accept->learned_sha2_digest, sha2_digest("secret"));

  ScriptedClient careless;
  careless.is_secure = true;
  EXPECT_EQ(login(options, careless, sha2_user()).errno_sent(), 1045);
  options.rsa_key = nullptr;
  EXPECT_EQ(login(options, {}, sha2_user()).errno_sent(), 1045);
}

TEST(ServerHandshake, AcceptsAnEmptyPasswordOnlyWhereItIsEmpty) {
  const UserRecord nobody{Passwords(Credential())};
  for (const std::string_view plugin : {kNativePassword, kCachingSha2Password}) {
    ScriptedClient client;
    client.plugin = plugin;
    client.password = "";
    const Outcome outcome = login(test_options(), client, nobody);
    ASSERT_TRUE(outcome.ok());
    EXPECT_EQ(outcome.accept->bytes, "");
    EXPECT_EQ(login(test_options(), client, plain_user()).text_sent(),
              "Access denied for user 'app'@'10.0.0.1' (using password: NO)");
    client.password = "x";
    EXPECT_EQ(login(test_options(), client, nobody).errno_sent(), 1045);
  }
}

// MariaDB's client with --default-auth answers with nothing when the greeting names another plugin.
TEST(ServerHandshake, AsksAgainWhenAPluginOfTheClientsOwnChoiceAnswersNothing) {
  HandshakeOptions options = test_options();
  options.default_plugin = kNativePassword;
  ServerHandshake handshake(options);
  handshake.start();
  LoginRequest request;
  request.capabilities = kClientCapabilities;
  request.collation = 46;
  request.user = "app";
  request.auth_plugin = kCachingSha2Password;
  handshake.on_packet(encode_login_request(request));
  const UserRecord user = plain_user();

  EXPECT_TRUE(std::holds_alternative<SendBytes>(handshake.on_user(&user)));

  const std::string scramble = sha2_scramble("secret", handshake.salt());
  EXPECT_TRUE(std::holds_alternative<Accept>(handshake.on_packet(scramble)));
}

TEST(ServerHandshake, TakesASingleNulForAnEmptySha2Password) {
  ServerHandshake handshake(test_options());
  handshake.start();
  LoginRequest request;
  request.capabilities = kClientCapabilities;
  request.collation = 46;
  request.user = "app";
  request.auth_response = std::string(1, '\0');
  request.auth_plugin = kCachingSha2Password;
  handshake.on_packet(encode_login_request(request));
  const UserRecord nobody{Passwords(Credential())};
  EXPECT_TRUE(std::holds_alternative<Accept>(handshake.on_user(&nobody)));
}

TEST(ServerHandshake, TreatsAnUnknownUserLikeAWrongPassword) {
  UserRecord sha2_seen = sha2_user();
  sha2_seen.passwords->learn(Proof::kPrimary, sha2_digest("secret"));
  for (const auto& user : {plain_user(), native_user(), sha2_user(), sha2_seen}) {
    const Decoys decoys({*user.passwords});
    for (const std::string_view plugin : {kNativePassword, kCachingSha2Password, kClearPassword}) {
      HandshakeOptions options = test_options();
      options.decoys = &decoys;
      options.rsa_key = &rsa_key();
      ScriptedClient client;
      client.plugin = plugin;
      client.password = "wrong";
      const Outcome known = login(options, client, user);
      const Outcome unknown = Script(ServerHandshake(options), client, nullptr).run();
      EXPECT_EQ(unknown.text_sent(), known.text_sent());
      EXPECT_EQ(unknown.reject->bytes, known.reject->bytes);
      EXPECT_EQ(unknown.switches, known.switches);
      EXPECT_EQ(unknown.full, known.full);
      EXPECT_EQ(unknown.packets, known.packets);
      EXPECT_EQ(unknown.checks, known.checks) << "the same work";
    }
  }
}

// As MySQL (CACHING_SHA2_PASSWORD_MAX_PASSWORD_LENGTH): the work is quadratic in the length.
TEST(ServerHandshake, TakesPasswordsOfUpTo256Bytes) {
  HandshakeOptions options = test_options();
  options.transport = Transport::kUnixSocket;
  ScriptedClient client;
  client.is_secure = true;
  for (const std::size_t size : {std::size_t{256}, std::size_t{257}}) {
    client.password = std::string(size, 'x');
    const std::string hash = make_sha2_hash(client.password, "tsrqponmlkjihgfedcba");
    const Outcome outcome =
        login(options, client, {Passwords(Credential::sha2_hash(hash).value())});
    EXPECT_EQ(outcome.ok(), size == 256);
    EXPECT_EQ(outcome.errno_sent(), size == 256 ? 0 : 1045);
  }
}

TEST(ServerHandshake, NamesUserAndHostWhenItDenies) {
  ScriptedClient client;
  client.password = "wrong";
  const Outcome outcome = login(test_options(), client, plain_user());
  EXPECT_EQ(outcome.text_sent(), "Access denied for user 'app'@'10.0.0.1' (using password: YES)");
  EXPECT_EQ(outcome.reject->reason.code, Code::kAuth);
  EXPECT_EQ(outcome.reject->reason.sqlstate, "28000");
  EXPECT_EQ(outcome.reject->bytes[3], 2);
}

TEST(ServerHandshake, RefusesPlainTcpWhereTlsIsRequired) {
  HandshakeOptions options = test_options();
  options.tls = TlsPolicy::kRequired;
  EXPECT_EQ(login(options, {}, plain_user()).errno_sent(), 3159);
  ScriptedClient client;
  client.wants_tls = true;
  EXPECT_TRUE(login(options, client, plain_user()).ok());
  options.transport = Transport::kUnixSocket;
  EXPECT_TRUE(login(options, {}, plain_user()).ok());
}

TEST(ServerHandshake, OffersTlsOnlyWhereThereIsSome) {
  for (const TlsPolicy policy : {TlsPolicy::kDisabled, TlsPolicy::kOffered, TlsPolicy::kRequired}) {
    HandshakeOptions options = test_options();
    options.tls = policy;
    ServerHandshake handshake(options);
    const auto action = std::get<SendBytes>(handshake.start());
    const auto greeting = parse_greeting(std::string_view(action.bytes).substr(kHeaderBytes));
    const bool offered = (greeting.value().capabilities & capability::kSsl) != 0;
    EXPECT_EQ(offered, policy != TlsPolicy::kDisabled);
  }
  ScriptedClient client;
  client.wants_tls = true;
  const Outcome outcome = login(test_options(), client, plain_user());
  EXPECT_EQ(outcome.errno_sent(), 1043);
  EXPECT_EQ(outcome.tls, 0);
}

TEST(ServerHandshake, ServesAClientWithoutPluginsByNativePassword) {
  ScriptedClient client;
  client.plugin = kNativePassword;
  client.capabilities = kClientCapabilities & ~capability::kPluginAuth;
  EXPECT_TRUE(login(test_options(), client, plain_user()).ok());
  EXPECT_TRUE(login(test_options(), client, native_user()).ok());
  EXPECT_EQ(login(test_options(), client, sha2_user()).errno_sent(), 1251);
}

TEST(ServerHandshake, RefusesAClientWithoutProtocol41) {
  ServerHandshake handshake(test_options());
  handshake.start();
  const auto reject = std::get<Reject>(handshake.on_packet(hex("0580 000000 7500 00")));
  EXPECT_EQ(reject.reason.mysql_errno, 1251);
  EXPECT_EQ(reject.bytes.substr(3, 4), hex("02 ff e304"));
}

TEST(ServerHandshake, RefusesAPacketOverTheLoginCap) {
  ServerHandshake handshake(test_options());
  handshake.start();
  EXPECT_TRUE(std::holds_alternative<Reject>(
      handshake.on_packet(std::string(kMaxLoginPacketBytes + 1, 'x'))));
}

TEST(ServerHandshake, RefusesAPacketOutOfTurnAndASecondSslRequest) {
  HandshakeOptions options = test_options();
  options.tls = TlsPolicy::kOffered;
  const std::string ssl = encode_ssl_request(kClientCapabilities | capability::kSsl, 0, 45);
  ServerHandshake early(options);
  early.start();
  EXPECT_TRUE(std::holds_alternative<StartTls>(early.on_packet(ssl)));
  EXPECT_TRUE(std::holds_alternative<Reject>(early.on_packet("x")));
  ServerHandshake twice(options);
  twice.start();
  twice.on_packet(ssl);
  twice.on_tls_established();
  EXPECT_TRUE(std::holds_alternative<Reject>(twice.on_packet(ssl)));
}

// Every packet of every exchange in turn is replaced by garbage of several kinds: the answer is
// always one ERR.
TEST(ServerHandshake, SurvivesAFaultAtEveryStep) {
  HandshakeOptions options = test_options();
  options.tls = TlsPolicy::kOffered;
  options.rsa_key = &rsa_key();
  const std::string garbage[] = {"",
                                 "x",
                                 std::string(20, 'x'),
                                 std::string(32, '\xf7'),
                                 std::string(256, 'y'),
                                 std::string(70000, '\0')};
  for (const auto& user : {plain_user(), native_user(), sha2_user()}) {
    for (const bool tls : {false, true}) {
      ScriptedClient client;
      client.plugin = kClearPassword;
      client.wants_tls = tls;
      const int packets = login(options, client, user).packets;
      ASSERT_GE(packets, 2);
      for (int step = 0; step < packets; ++step) {
        for (const std::string& with : garbage) {
          Script script(ServerHandshake(options), client, &user);
          const Outcome outcome = script.spoil(step, with).run();
          // A wrong scramble is made good by the right password in a full authentication, as in
          // MySQL.
          const bool made_good = outcome.full > 0 && step + 1 < packets;
          EXPECT_TRUE(!outcome.ok() || made_good) << step;
          const int number = outcome.errno_sent();
          EXPECT_TRUE(outcome.ok() || number == 1043 || number == 1045 || number == 1251) << number;
        }
      }
    }
  }
}

TEST(ServerHandshake, SurvivesALoginCutAnywhere) {
  ScriptedClient client;
  client.salt = test_options().salt;
  const std::string whole = client.login();
  const UserRecord user = plain_user();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    ServerHandshake handshake(test_options());
    handshake.start();
    Action action = handshake.on_packet(whole.substr(0, size));
    if (std::holds_alternative<FindUser>(action)) action = handshake.on_user(&user);
    EXPECT_FALSE(std::holds_alternative<Accept>(action) && size + 1 < whole.size()) << size;
  }
}

TEST(ServerHandshake, OffersAPluginOfItsOwnWhereItIsToldAnUnknownOne) {
  HandshakeOptions options = test_options();
  options.default_plugin = "dialog";
  ServerHandshake handshake(options);
  const auto sent = std::get<SendBytes>(handshake.start());
  const auto greeting = parse_greeting(std::string_view(sent.bytes).substr(kHeaderBytes));
  ASSERT_TRUE(greeting);
  EXPECT_EQ(greeting->auth_plugin, kCachingSha2Password);
}

TEST(ServerHandshake, MakesASaltWhereItIsToldNoneThatFits) {
  HandshakeOptions options = test_options();
  options.salt = "short";
  ServerHandshake handshake(options);
  const auto sent = std::get<SendBytes>(handshake.start());
  const auto greeting = parse_greeting(std::string_view(sent.bytes).substr(kHeaderBytes));
  ASSERT_TRUE(greeting);
  EXPECT_EQ(greeting->salt.size(), kSaltBytes);
  EXPECT_FALSE(greeting->salt.starts_with("short"));
}

TEST(ServerHandshake, DeniesAFullAuthenticationOverPlainTcpWithoutAKey) {
  HandshakeOptions options = test_options();
  options.rsa_key = nullptr;
  const Outcome asked = login(options, ScriptedClient{}, sha2_user());
  EXPECT_EQ(asked.full, 1);
  EXPECT_EQ(asked.errno_sent(), 1045);

  const UserRecord user = sha2_user();
  Script blunt{ServerHandshake(options), ScriptedClient{}, &user};
  EXPECT_EQ(blunt.spoil(asked.packets - 1, std::string(256, 'x')).run().errno_sent(), 1045)
      << "an encrypted password that nobody gave a key for";
}

TEST(ServerHandshake, AsksForAKeyWhenTheClientDoes) {
  const UserRecord user = sha2_user();
  const Outcome made =
      Script{ServerHandshake(test_options()), ScriptedClient{}, &user}.find_key(&rsa_key()).run();
  ASSERT_TRUE(made.ok()) << made.text_sent();
  EXPECT_EQ(made.key_searches, 1);
  EXPECT_EQ(made.accept->next_sequence, 6);

  Script knows_better{ServerHandshake(test_options()), ScriptedClient{}, &user};
  knows_better.find_key(&rsa_key()).spoil(1, std::string(256, 'x'));
  const Outcome denied = knows_better.run();
  EXPECT_EQ(denied.key_searches, 1) << "one that was not made for it";
  EXPECT_EQ(denied.errno_sent(), 1045);

  for (const UserRecord& quick : {plain_user(), native_user()}) {
    const Outcome outcome = login(test_options(), ScriptedClient{}, quick);
    EXPECT_TRUE(outcome.ok());
    EXPECT_EQ(outcome.key_searches, 0);
  }
}

TEST(ServerHandshake, RefusesAPacketWhileItsKeyIsMade) {
  ScriptedClient client;
  client.salt = test_options().salt;
  const UserRecord user = sha2_user();
  ServerHandshake handshake(test_options());
  handshake.start();
  handshake.on_packet(client.login());
  handshake.on_user(&user);
  EXPECT_TRUE(std::holds_alternative<FindKey>(handshake.on_packet("\x02")));
  EXPECT_EQ(handshake.state(), ServerHandshake::State::kAwaitKey);
  EXPECT_TRUE(std::holds_alternative<Reject>(handshake.on_packet("\x02")));
}

TEST(ServerHandshake, RefusesAPacketWhileItsUserIsLookedFor) {
  ScriptedClient client;
  client.salt = test_options().salt;
  ServerHandshake handshake(test_options());
  handshake.start();
  EXPECT_TRUE(std::holds_alternative<FindUser>(handshake.on_packet(client.login())));
  EXPECT_TRUE(std::holds_alternative<Reject>(handshake.on_packet(client.login())));
}

// The user is judged elsewhere: its password itself is asked for, whatever plugin the client has.
class JudgedElsewhereTest : public testing::TestWithParam<std::string_view> {
 protected:
  JudgedElsewhereTest() { options_.tls_established = true; }

  // Up to the question about the password.
  Action ask(ServerHandshake& handshake, const std::string& password) {
    ScriptedClient client;
    client.plugin = GetParam();
    client.password = password;
    client.salt = options_.salt;
    UserRecord user;
    user.is_judged_elsewhere = true;
    handshake.start();
    (void)handshake.on_packet(client.login());
    Action action = handshake.on_user(&user);
    if (handshake.state() == ServerHandshake::State::kAwaitScramble)
      action = handshake.on_packet(sha2_scramble(password, options_.salt));
    if (handshake.state() == ServerHandshake::State::kAwaitFullSecret)
      action = handshake.on_packet(password + std::string(1, '\0'));
    return action;
  }

  HandshakeOptions options_ = test_options();
};

TEST_P(JudgedElsewhereTest, ThePasswordItselfIsAskedForAndTheVerdictTaken) {
  const auto asked = [&](ServerHandshake& handshake) {
    const Action action = ask(handshake, "secret");
    const auto* prove = std::get_if<ProvePassword>(&action);
    return prove != nullptr ? prove->user + ":" + std::string(prove->password.view()) : "not asked";
  };
  ServerHandshake right(options_);
  ServerHandshake wrong(options_);
  ServerHandshake busy(options_);
  for (ServerHandshake* handshake : {&right, &wrong, &busy})
    EXPECT_EQ(asked(*handshake), "app:secret");

  const Action accepted = right.on_verdict(Proof::kTidb);
  ASSERT_TRUE(std::holds_alternative<Accept>(accepted));
  EXPECT_EQ(std::get<Accept>(accepted).proof, Proof::kTidb);
  EXPECT_EQ(std::get<Accept>(accepted).learned_sha2_digest, "");  // it is asked again
  EXPECT_EQ(std::get<Reject>(wrong.on_verdict(std::nullopt)).reason.mysql_errno, 1045);
  EXPECT_EQ(std::get<Reject>(busy.on_busy()).reason.mysql_errno, 1040);
}

TEST_P(JudgedElsewhereTest, TheClientIsToldWhyThereIsNoVerdict) {
  ServerHandshake handshake(options_);
  (void)ask(handshake, "secret");
  const Action action = handshake.on_no_verdict({Code::kRefused, "cannot connect", 2003, "HY000"});
  ASSERT_TRUE(std::holds_alternative<Reject>(action));
  EXPECT_EQ(std::get<Reject>(action).reason.mysql_errno, 2003);
}

TEST_P(JudgedElsewhereTest, AnEmptyPasswordIsNone) {
  ServerHandshake handshake(options_);
  const Action action = ask(handshake, "");
  ASSERT_TRUE(std::holds_alternative<Reject>(action));
  EXPECT_EQ(std::get<Reject>(action).reason.mysql_errno, 1045);
}

TEST_P(JudgedElsewhereTest, APasswordWithANulIsNone) {
  for (const std::string& password : {std::string("\0x", 2), std::string("right\0x", 7)}) {
    ServerHandshake handshake(options_);
    const Action action = ask(handshake, password);
    ASSERT_TRUE(std::holds_alternative<Reject>(action));
  }
}

TEST_P(JudgedElsewhereTest, ALongPasswordIsDeniedUnread) {
  ServerHandshake handshake(options_);
  const Action action = ask(handshake, std::string(kMaxPasswordBytes + 1, 'x'));
  ASSERT_TRUE(std::holds_alternative<Reject>(action));
}

TEST_P(JudgedElsewhereTest, ThereIsNoSuchUserWhereThePasswordCouldBeRead) {
  options_.tls_established = false;
  ServerHandshake handshake(options_);
  const Action action = ask(handshake, "secret");
  EXPECT_FALSE(std::holds_alternative<ProvePassword>(action));
}

INSTANTIATE_TEST_SUITE_P(Plugins, JudgedElsewhereTest,
                         testing::Values(kNativePassword, kCachingSha2Password, kClearPassword));

}  // namespace
}  // namespace tidepool::protocol

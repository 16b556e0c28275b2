#include <algorithm>
#include <fstream>
#include <sys/socket.h>

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "dial_helper.h"
#include "fake_mysql.h"
#include "loop_run.h"
#include "tidepool/backend/dial.h"

namespace tidepool::backend {
namespace {

using testing::CertificateAuthority;
using testing::dial_to;
using testing::FakeMysql;
using testing::run_until;
using Opening = FakeMysql::Opening;

class DialTest : public ::testing::Test {
 protected:
  FakeMysql::Options tls_server(const std::vector<std::string>& names = {"localhost"},
                                int from_days = -1, int to_days = 30) {
    FakeMysql::Options options;
    options.tls = authority_.issue(names, from_days, to_days);
    return options;
  }
  DialOptions options_for(const FakeMysql& server) const {
    DialOptions options;
    options.endpoints = {{"localhost", server.port()}};
    options.user = "app";
    options.password = "secret";
    options.ca_file = authority_.file();
    return options;
  }
  Error failure_of(const DialOptions& options) {
    auto connection = dial_to(loop_, options);
    EXPECT_FALSE(connection) << "the dial must fail";
    return connection ? Error{} : connection.error();
  }

  // A file with the public key of a certificate.
  std::string public_key_of(const std::string& certificate) const {
    const std::unique_ptr<BIO, int (*)(BIO*)> from(BIO_new_file(certificate.c_str(), "r"),
                                                   BIO_free);
    const std::unique_ptr<X509, void (*)(X509*)> read(
        PEM_read_bio_X509(from.get(), nullptr, nullptr, nullptr), X509_free);
    std::string file = directory_.file("key.pem");
    const std::unique_ptr<BIO, int (*)(BIO*)> to(BIO_new_file(file.c_str(), "w"), BIO_free);
    EXPECT_EQ(PEM_write_bio_PUBKEY(to.get(), X509_get0_pubkey(read.get())), 1);
    return file;
  }

  CertificateAuthority authority_;
  testing::TemporaryDirectory directory_;
  net::Loop loop_;
};

TEST_F(DialTest, LogsInOverVerifiedTls) {
  const FakeMysql server(tls_server());
  const auto connection = dial_to(loop_, options_for(server));
  ASSERT_TRUE(connection) << connection.error().message;
  const ServerInfo& info = (*connection)->info();
  EXPECT_EQ(info.version, "8.0.11-TiDB-v8.5.4");
  EXPECT_EQ(info.connection_id, 7U);
  EXPECT_EQ(info.tls_version, "TLSv1.3");
  EXPECT_NE(info.tls_cipher, "");
  EXPECT_EQ(info.peer, "127.0.0.1:" + std::to_string(server.port()));
  EXPECT_EQ(info.endpoint.host, "localhost");
  ASSERT_EQ(server.logins().size(), 1U);
  EXPECT_TRUE(server.logins()[0].encrypted);
  EXPECT_EQ(server.logins()[0].server_name, "localhost");
  EXPECT_NE(server.logins()[0].rest.find("program_name"), std::string::npos);
  EXPECT_NE(server.logins()[0].rest.find("tidepool"), std::string::npos);
}

TEST_F(DialTest, VerifiesAnAddressAsWellAsAName) {
  const FakeMysql server(tls_server({"127.0.0.1"}));
  DialOptions options = options_for(server);
  options.endpoints = {{"127.0.0.1", server.port()}};
  const auto connection = dial_to(loop_, options);
  ASSERT_TRUE(connection) << connection.error().message;
  EXPECT_EQ(server.logins()[0].server_name, "");  // an address is no server name
}

TEST_F(DialTest, LogsInWithoutTlsOnlyWhereThatWasChosen) {
  const FakeMysql server({});
  DialOptions options = options_for(server);
  options.tls = TlsMode::kDisabled;
  const auto connection = dial_to(loop_, options);
  ASSERT_TRUE(connection) << connection.error().message;
  EXPECT_EQ((*connection)->info().tls_version, "");
}

TEST_F(DialTest, RefusesAServerWithoutTlsBeforeItSendsAnything) {
  for (const TlsMode mode : {TlsMode::kVerifyIdentity, TlsMode::kVerifyCa, TlsMode::kRequired}) {
    for (const bool plugin_auth : {true, false}) {
      FakeMysql::Options script;
      script.offer_plugin_auth = plugin_auth;
      const FakeMysql server(std::move(script));
      DialOptions options = options_for(server);
      options.tls = mode;
      const Error error = failure_of(options);
      EXPECT_EQ(error.code, Code::kTls);
      EXPECT_EQ(error.message, "localhost:" + std::to_string(server.port()) +
                                   ": the server does not offer TLS, which tls mode '" +
                                   to_string(mode) + "' requires; nothing was sent");
      EXPECT_TRUE(server.logins().empty());
    }
  }
}

TEST_F(DialTest, AcceptsNoTlsOlderThanItIsTold) {
  FakeMysql::Options script = tls_server();
  script.newest_tls = TLS1_2_VERSION;
  const FakeMysql server(std::move(script));
  DialOptions options = options_for(server);
  const auto connection = dial_to(loop_, options);
  ASSERT_TRUE(connection) << connection.error().message;
  EXPECT_EQ((*connection)->info().tls_version, "TLSv1.2");

  options.tls_min_version = TlsVersion::k13;
  for (const TlsMode mode : {TlsMode::kVerifyIdentity, TlsMode::kVerifyCa, TlsMode::kRequired}) {
    options.tls = mode;
    const Error error = failure_of(options);
    EXPECT_EQ(error.code, Code::kTls) << error.message;
  }
  EXPECT_EQ(server.logins().size(), 1U);
}

TEST_F(DialTest, RefusesACertificateForAnotherName) {
  const FakeMysql server(tls_server({"db.example.com", "10.0.0.1"}));
  DialOptions options = options_for(server);
  const Error error = failure_of(options);
  EXPECT_EQ(error.code, Code::kTls);
  EXPECT_EQ(
      error.message,
      "localhost:" + std::to_string(server.port()) +
          ": the server's certificate is for 'db.example.com', '10.0.0.1', not for 'localhost'");
  EXPECT_TRUE(server.logins().empty());

  options.tls = TlsMode::kVerifyCa;
  const auto connection = dial_to(loop_, options);
  EXPECT_TRUE(connection) << connection.error().message;
}

TEST_F(DialTest, RefusesACertificateOfAnUnknownAuthority) {
  const CertificateAuthority other("Some other CA");
  const FakeMysql server(tls_server());
  DialOptions options = options_for(server);
  options.ca_file = other.file();
  for (const TlsMode mode : {TlsMode::kVerifyIdentity, TlsMode::kVerifyCa}) {
    options.tls = mode;
    const Error error = failure_of(options);
    EXPECT_EQ(error.code, Code::kTls);
    EXPECT_NE(error.message.find("the certificate 'localhost' is issued by 'Tidepool test CA', "
                                 "which is unknown to the authorities in '" +
                                 other.file() + "'"),
              std::string::npos)
        << error.message;
  }
  EXPECT_TRUE(server.logins().empty());

  options.tls = TlsMode::kRequired;
  const auto connection = dial_to(loop_, options);
  EXPECT_TRUE(connection) << connection.error().message;
}

TEST_F(DialTest, TrustsTheSystemsAuthoritiesOnlyWhereNoFileIsGiven) {
  const FakeMysql server(tls_server());
  DialOptions options = options_for(server);
  options.ca_file.clear();
  for (const TlsMode mode : {TlsMode::kVerifyIdentity, TlsMode::kVerifyCa}) {
    options.tls = mode;
    const Error error = failure_of(options);
    EXPECT_EQ(error.code, Code::kTls);
    EXPECT_NE(error.message.find("unknown to this system's certificate authorities"),
              std::string::npos)
        << error.message;
  }
  EXPECT_TRUE(server.logins().empty());
}

TEST_F(DialTest, RefusesAnExpiredCertificateAndOneThatIsNotValidYet) {
  const FakeMysql expired(tls_server({"localhost"}, -30, -2));
  Error error = failure_of(options_for(expired));
  EXPECT_EQ(error.code, Code::kTls);
  EXPECT_NE(error.message.find(": the certificate 'localhost' expired on 20"), std::string::npos)
      << error.message;

  const FakeMysql early(tls_server({"localhost"}, 2, 30));
  error = failure_of(options_for(early));
  EXPECT_NE(error.message.find(": the certificate 'localhost' is valid only from 20"),
            std::string::npos)
      << error.message;
}

TEST_F(DialTest, SaysWhatIsWrongWithTheCaFile) {
  const FakeMysql server(tls_server());
  DialOptions options = options_for(server);
  options.ca_file = "/nowhere/ca.pem";
  Error error = failure_of(options);
  EXPECT_EQ(error.code, Code::kConfig);
  EXPECT_EQ(error.message, "cannot read the CA file '/nowhere/ca.pem': No such file or directory");

  const testing::TemporaryDirectory directory;
  options.ca_file = directory.file("ca.pem");
  std::ofstream(options.ca_file) << "not a certificate\n";
  error = failure_of(options);
  EXPECT_EQ(error.code, Code::kConfig);
  EXPECT_NE(error.message.find("cannot use the CA file '" + options.ca_file), std::string::npos)
      << error.message;
}

TEST_F(DialTest, PassesTheServersErrorsOnUnchanged) {
  const FakeMysql server(tls_server());
  DialOptions options = options_for(server);
  options.password = "wrong";
  Error error = failure_of(options);
  EXPECT_EQ(error.code, Code::kAuth);
  EXPECT_EQ(error.mysql_errno, 1045);
  EXPECT_EQ(error.sqlstate, "28000");
  EXPECT_EQ(error.message, "Access denied for user 'app'@'127.0.0.1' (using password: YES)");

  FakeMysql::Options script;
  script.opening = Opening::kError;
  const FakeMysql full(std::move(script));
  error = failure_of(options_for(full));
  EXPECT_EQ(error.code, Code::kBackend);
  EXPECT_EQ(error.mysql_errno, 1040);
  EXPECT_EQ(error.message, "Too many connections");
}

TEST_F(DialTest, SaysWhenNobodyListensOrTheNameIsUnknown) {
  DialOptions options;
  options.endpoints = {{"localhost", 1}};
  Error error = failure_of(options);
  EXPECT_EQ(error.code, Code::kRefused);
  EXPECT_NE(error.message.find("localhost:1: cannot connect"), std::string::npos) << error.message;

  options.endpoints = {{"no-such-host.invalid", 4000}};
  error = failure_of(options);
  EXPECT_EQ(error.code, Code::kRefused);
  EXPECT_NE(error.message.find("no-such-host.invalid:4000: the name does not resolve"),
            std::string::npos)
      << error.message;
}

TEST_F(DialTest, GivesUpOnSilenceInEveryPhase) {
  const std::vector<std::pair<Opening, std::string>> phases = {
      {Opening::kSilence, "waiting for the server's greeting"},
      {Opening::kSilenceInTls, "in the TLS handshake"},
      {Opening::kSilenceAfterLogin, "logging in"},
  };
  // All at once, with time enough for a slow machine to come as far as the silence.
  std::vector<std::unique_ptr<FakeMysql>> servers;
  std::vector<DialHandle> handles;
  std::vector<std::string> messages(phases.size());
  for (std::size_t i = 0; i < phases.size(); ++i) {
    FakeMysql::Options script = tls_server();
    script.opening = phases[i].first;
    servers.push_back(std::make_unique<FakeMysql>(std::move(script)));
    DialOptions options = options_for(*servers.back());
    options.connect_timeout = std::chrono::milliseconds(2000);
    handles.push_back(dial(loop_, options, [&messages, i](const auto& got) {
      ASSERT_FALSE(got);
      EXPECT_EQ(got.error().code, Code::kTimeout);
      messages[i] = got.error().message;
    }));
  }
  EXPECT_TRUE(run_until(loop_, [&] {
    return std::none_of(handles.begin(), handles.end(),
                        [](const DialHandle& one) { return one.is_pending(); });
  }));
  for (std::size_t i = 0; i < phases.size(); ++i) {
    EXPECT_NE(messages[i].find("no connection within 2000 ms: stuck " + phases[i].second),
              std::string::npos)
        << messages[i];
  }
}

TEST_F(DialTest, SaysWhenTheServerIsNoMysqlOrHangsUp) {
  FakeMysql::Options garbage;
  garbage.opening = Opening::kGarbage;
  const FakeMysql ssh(std::move(garbage));
  Error error = failure_of(options_for(ssh));
  EXPECT_TRUE(error.code == Code::kProtocol || error.code == Code::kClosed) << error.message;

  FakeMysql::Options closing;
  closing.opening = Opening::kHangUp;
  const FakeMysql closer(std::move(closing));
  error = failure_of(options_for(closer));
  EXPECT_EQ(error.code, Code::kClosed);
  EXPECT_NE(error.message.find("the server hung up, or does not speak MySQL, while "),
            std::string::npos)
      << error.message;
}

// Another dial may well succeed, unlike after a failed verification.
TEST_F(DialTest, TellsAConnectionThatIsLostInTheTlsHandshakeFromWhatTlsRefuses) {
  for (const Opening opening : {Opening::kResetInTls, Opening::kEndInTls}) {
    FakeMysql::Options script = tls_server();
    script.opening = opening;
    const FakeMysql server(std::move(script));
    const Error error = failure_of(options_for(server));
    EXPECT_EQ(error.code, Code::kClosed) << error.message;
  }
}

// Every plugin that hands the password over: what the server has recorded must not hold it.
TEST_F(DialTest, HandsThePasswordItselfOverToNobodyWhoIsNotVerified) {
  for (const std::string plugin : {"mysql_clear_password", "caching_sha2_password"}) {
    for (const TlsMode mode : {TlsMode::kDisabled, TlsMode::kRequired}) {
      FakeMysql::Options script = mode == TlsMode::kDisabled ? FakeMysql::Options{} : tls_server();
      script.switch_to = plugin;
      script.asks_in_full = plugin == "caching_sha2_password";
      const FakeMysql server(std::move(script));
      DialOptions options = options_for(server);
      options.tls = mode;
      const Error error = failure_of(options);
      EXPECT_EQ(error.code, Code::kAuth);
      EXPECT_NE(error.message.find("set tls.mode to verify_identity or verify_ca"),
                std::string::npos)
          << error.message;
      EXPECT_TRUE(run_until(loop_, [&] { return server.open_connections() == 0; }));
      ASSERT_FALSE(server.commands().empty());
      EXPECT_EQ(server.commands().back(), "nothing") << plugin;
      for (const std::string& command : server.commands())
        EXPECT_EQ(command.find("secret"), std::string::npos) << plugin;
    }
  }
}

TEST_F(DialTest, HandsThePasswordItselfOverToAVerifiedServer) {
  for (const std::string plugin : {"mysql_clear_password", "caching_sha2_password"}) {
    FakeMysql::Options script = tls_server();
    script.switch_to = plugin;
    script.asks_in_full = plugin == "caching_sha2_password";
    const FakeMysql server(std::move(script));
    EXPECT_EQ(failure_of(options_for(server)).code, Code::kClosed);
    EXPECT_TRUE(run_until(loop_, [&] { return server.open_connections() == 0; }));
    ASSERT_FALSE(server.commands().empty());
    EXPECT_EQ(server.commands().back(), std::string("secret", 7)) << plugin;
  }
}

// A server whose certificate no authority has issued that is known here.
class PinnedKeyTest : public DialTest {
 protected:
  DialOptions pinned(const FakeMysql& server, const std::string& file) const {
    DialOptions options = options_for(server);
    options.tls = TlsMode::kRequired;
    options.ca_file.clear();
    options.server_key_file = file;
    return options;
  }
};

TEST_F(PinnedKeyTest, ThePasswordItselfGoesToTheServerWithTheKey) {
  FakeMysql::Options script = tls_server({"elsewhere.example"});
  const std::string certificate = script.tls->certificate;
  script.switch_to = "caching_sha2_password";
  script.asks_in_full = true;
  const FakeMysql server(std::move(script));
  EXPECT_EQ(failure_of(pinned(server, certificate)).code, Code::kClosed);
  EXPECT_TRUE(run_until(loop_, [&] { return server.open_connections() == 0; }));
  ASSERT_FALSE(server.commands().empty());
  EXPECT_EQ(server.commands().back(), std::string("secret", 7));
}

TEST_F(PinnedKeyTest, NothingGoesToAServerWithAnotherKey) {
  const std::string other = authority_.issue({"localhost"}).certificate;
  const FakeMysql server(tls_server());
  for (const TlsMode mode : {TlsMode::kRequired, TlsMode::kVerifyCa, TlsMode::kVerifyIdentity}) {
    DialOptions options = options_for(server);
    options.tls = mode;
    options.server_key_file = other;
    const Error error = failure_of(options);
    EXPECT_EQ(error.code, Code::kTls) << error.message;
    EXPECT_NE(error.message.find("has another key than '" + other + "'"), std::string::npos)
        << error.message;
  }
  EXPECT_TRUE(server.logins().empty());
}

TEST_F(PinnedKeyTest, TheKeyIsNeededBesidesWhatTheModeAsksFor) {
  FakeMysql::Options script = tls_server({"elsewhere.example"});
  const std::string certificate = script.tls->certificate;
  const FakeMysql server(std::move(script));
  DialOptions options = options_for(server);
  options.server_key_file = certificate;
  EXPECT_EQ(failure_of(options).code, Code::kTls);
  options.tls = TlsMode::kVerifyCa;
  EXPECT_TRUE(dial_to(loop_, options));
}

TEST_F(PinnedKeyTest, TheKeyAloneWillDoInPlaceOfACertificate) {
  FakeMysql::Options script = tls_server();
  const std::string file = public_key_of(script.tls->certificate);
  const FakeMysql server(std::move(script));
  const auto connection = dial_to(loop_, pinned(server, file));
  EXPECT_TRUE(connection) << connection.error().message;
}

TEST_F(PinnedKeyTest, AFileWithoutAKeyIsNamed) {
  const FakeMysql server(tls_server());
  for (const std::string file : {"/nowhere/key.pem", "/dev/null"}) {
    const Error error = failure_of(pinned(server, file));
    EXPECT_EQ(error.code, Code::kConfig);
    EXPECT_NE(error.message.find("tls.server_public_key, '" + file + "'"), std::string::npos)
        << error.message;
  }
  EXPECT_TRUE(server.logins().empty());
}

TEST_F(DialTest, ReachesAnIpv6Address) {
  FakeMysql::Options script = tls_server({"::1"});
  script.ipv6 = true;
  const FakeMysql server(std::move(script));
  if (server.port() == 0) GTEST_SKIP() << "this machine has no ::1";
  DialOptions options = options_for(server);
  options.endpoints = {{"::1", server.port()}};
  const auto connection = dial_to(loop_, options);
  ASSERT_TRUE(connection) << connection.error().message;
  EXPECT_EQ((*connection)->info().peer, "[::1]:" + std::to_string(server.port()));
}

TEST_F(DialTest, TriesTheEndpointsInTurn) {
  const FakeMysql server(tls_server());
  DialOptions options = options_for(server);
  options.endpoints.insert(options.endpoints.begin(), {"localhost", 1});
  const auto connection = dial_to(loop_, options);
  ASSERT_TRUE(connection) << connection.error().message;
  EXPECT_EQ((*connection)->info().endpoint.port, server.port());

  options.endpoints = {{"localhost", 1}, {"localhost", 2}};
  const Error error = failure_of(options);
  EXPECT_NE(error.message.find("localhost:1: cannot connect"), std::string::npos) << error.message;
  EXPECT_NE(error.message.find("; localhost:2: cannot connect"), std::string::npos)
      << error.message;
}

TEST_F(DialTest, LeavesTimeForTheSecondEndpointWhenTheFirstIsSilent) {
  FakeMysql::Options script;
  script.opening = Opening::kSilence;
  const FakeMysql silent(std::move(script));
  const FakeMysql server(tls_server());
  DialOptions options = options_for(server);
  options.connect_timeout = std::chrono::seconds(4);
  options.endpoints.insert(options.endpoints.begin(), {"localhost", silent.port()});
  const auto connection = dial_to(loop_, options);
  EXPECT_TRUE(connection) << connection.error().message;
}

TEST_F(DialTest, SendsTheProfileInTheHandshake) {
  const FakeMysql server(tls_server());
  DialOptions options = options_for(server);
  ASSERT_TRUE(dial_to(loop_, options));
  options.profile = ConnectionProfile{true, true, true, true, 255};
  options.database = "shop";
  ASSERT_TRUE(dial_to(loop_, options));
  options.profile = ConnectionProfile{true, false, false, true, 46};
  const auto last = dial_to(loop_, options);
  ASSERT_TRUE(last);
  EXPECT_EQ((*last)->profile(), options.profile);

  const auto logins = server.logins();
  const std::uint32_t all = client_flags(ConnectionProfile{true, true, true, true, 0});
  EXPECT_EQ(logins[0].capabilities & all, 0U);
  EXPECT_EQ(logins[0].collation, 45);
  EXPECT_EQ(logins[1].capabilities & all, all);
  EXPECT_EQ(logins[1].collation, 255);
  EXPECT_NE(logins[1].rest.find("shop"), std::string::npos);
  EXPECT_EQ(logins[2].capabilities & all, client_flags(options.profile));
  EXPECT_EQ(logins[2].collation, 46);
}

TEST_F(DialTest, RunsManyDialsAtOnce) {
  const FakeMysql server(tls_server());
  std::vector<DialHandle> handles;
  std::vector<std::unique_ptr<Connection>> connections;
  for (int i = 0; i < 24; ++i) {
    handles.push_back(
        dial(loop_, options_for(server), [&](Result<std::unique_ptr<Connection>> got) {
          ASSERT_TRUE(got) << got.error().message;
          connections.push_back(std::move(*got));
        }));
  }
  EXPECT_TRUE(run_until(loop_, [&] { return connections.size() == 24; }));
  EXPECT_EQ(server.open_connections(), 24);
  connections.clear();
  EXPECT_TRUE(run_until(loop_, [&] { return server.open_connections() == 0; }));
}

TEST_F(DialTest, IsInterruptedWhenItsHandleGoes) {
  FakeMysql::Options script;
  script.opening = Opening::kSilence;
  const FakeMysql server(std::move(script));
  bool called = false;
  {
    const DialHandle handle = dial(loop_, options_for(server), [&](const auto&) { called = true; });
    EXPECT_TRUE(run_until(loop_, [&] { return server.open_connections() == 1; }));
  }
  EXPECT_TRUE(run_until(
      loop_, [&] { return server.open_connections() == 0; }));  // long before connect_timeout
  EXPECT_FALSE(called);
}

TEST_F(DialTest, ClosesAConnectionThatNobodyTakesAnyMore) {
  const FakeMysql server(tls_server());
  {
    const DialHandle handle = dial(loop_, options_for(server), [](const auto&) { FAIL(); });
    while (server.logins().empty())
      std::this_thread::yield();
  }
  EXPECT_TRUE(run_until(loop_, [&] { return server.open_connections() == 0; }));
}

}  // namespace
}  // namespace tidepool::backend

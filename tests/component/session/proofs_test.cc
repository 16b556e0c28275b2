// By what clients may prove that they are a user: two passwords, and other ways.
#include <unistd.h>

#include "certificates.h"
#include "session_fixture.h"
#include "tidepool/protocol/passwords.h"

namespace tidepool::testing {
namespace {

using protocol::Proof;

class ProofsTest : public SessionTest {
 protected:
  Reply log_in(const std::string& password, const std::string& plugin = "mysql_native_password",
               const std::string& user = "app") {
    RawClient::Options one = options();
    one.user = user;
    one.password = password;
    one.plugin = plugin;
    return RawClient(one).log_in();
  }
  std::uint64_t logins(Proof proof, const std::string& user = "app") {
    return proxy_->logins().users.of(user)[proof].value();
  }
  std::string shown() {
    std::string all;
    proxy_->logins().users.for_each([&](const std::string& user, Proof proof, const Counter&) {
      all += user + ':' + to_string(proof) + ' ';
    });
    return all;
  }
  void give_secondary(const std::string& password) {
    config_.users[0].has_secondary_password = true;
    config_.users[0].secondary_password = password;
  }
};

TEST_F(ProofsTest, EitherOfTwoPasswordsLetsInAndIsCounted) {
  give_secondary("old");
  start();
  for (const char* plugin : {"mysql_native_password", "caching_sha2_password"}) {
    EXPECT_TRUE(log_in("pw", plugin).is_ok());
    EXPECT_TRUE(log_in("old", plugin).is_ok());
    EXPECT_TRUE(log_in("other", plugin).is_error(1045));
  }
  RawClient client = this->client();
  EXPECT_TRUE(client.change_user("app", "old").is_ok());

  EXPECT_EQ(logins(Proof::kPrimary), 3U);
  EXPECT_EQ(logins(Proof::kSecondary), 3U);
  EXPECT_EQ(shown(), "app:primary app:secondary ");
}

TEST_F(ProofsTest, APasswordThatIsTakenAwayLetsNobodyIn) {
  config_.users[0].password_hash = sha2_hash_in_hex("new");
  config_.users[0].has_secondary_password = true;
  config_.users[0].secondary_password_hash = protocol::make_native_hash("old");
  start();
  for (const char* password : {"new", "old"}) {
    for (const char* plugin : {"mysql_native_password", "caching_sha2_password"})
      EXPECT_TRUE(log_in(password, plugin).is_ok()) << password << ' ' << plugin;
  }

  config_.users[0].has_secondary_password = false;
  ASSERT_TRUE(proxy_->apply(config_));

  for (const char* plugin : {"mysql_native_password", "caching_sha2_password"}) {
    EXPECT_TRUE(log_in("new", plugin).is_ok());
    EXPECT_TRUE(log_in("old", plugin).is_error(1045));
  }
  EXPECT_EQ(shown(), "app:primary ");
}

TEST_F(ProofsTest, AUserWithoutPasswordIsDeniedLikeAnyOther) {
  config_.users.push_back(config_.users[0]);
  config_.users[1].name = "none";
  config_.users[1].password.clear();
  config_.users[1].has_password = false;
  config_.users[1].certificate_names = {"none.example"};
  start();
  for (const char* plugin : {"mysql_native_password", "caching_sha2_password"}) {
    for (const char* password : {"", "pw", "other"}) {
      const Reply known = log_in(password, plugin, "none");
      const Reply unknown = log_in(password, plugin, "nope");
      EXPECT_TRUE(known.is_error(1045)) << describe(known);
      EXPECT_EQ(describe(known).size(), describe(unknown).size());
    }
  }
  RawClient client = this->client();
  EXPECT_TRUE(client.change_user("none", "").is_error(1045));
  EXPECT_EQ(logins(Proof::kPrimary, "none"), 0U);
}

class LocalProofsTest : public ProofsTest {
 protected:
  LocalProofsTest() {
    config::Listener local;
    local.socket_path = directory_.file("tidepool.sock");
    config_.listeners.push_back(local);
  }
  RawClient::Options over_socket(const std::string& user, const std::string& password) const {
    RawClient::Options local;
    local.socket_path = config_.listeners[1].socket_path;
    local.user = user;
    local.password = password;
    return local;
  }
  static Reply log_in_by(RawClient::Options options, const char* plugin) {
    options.plugin = plugin;
    return RawClient(options).log_in();
  }
  // Of the one that this test runs as.
  void trust_this_user() {
    config_.users[0].unix_users = {std::to_string(::geteuid())};
    config_.users.push_back(config_.users[0]);
    config_.users[1].name = "other";
    config_.users[1].unix_users = {"4000000000"};
  }

  const TemporaryDirectory directory_;
};

TEST_F(LocalProofsTest, APasswordInTheClearIsTakenOrAskedForOnAUnixSocketOnly) {
  give_secondary("old");
  for (const bool asks : {false, true}) {
    config_.listeners[0].clear_password = config_.listeners[1].clear_password = asks;
    start();
    for (const char* plugin :
         {"mysql_clear_password", "mysql_native_password", "caching_sha2_password"}) {
      EXPECT_TRUE(log_in_by(over_socket("app", "pw"), plugin).is_ok()) << plugin;
      EXPECT_TRUE(log_in_by(over_socket("app", "old"), plugin).is_ok()) << plugin;
      EXPECT_TRUE(log_in_by(over_socket("app", "no"), plugin).is_error(1045)) << plugin;
      EXPECT_TRUE(log_in("pw", plugin).is_ok()) << "over plain TCP by another plugin";
    }
    RawClient client(over_socket("app", "pw"));
    ASSERT_TRUE(client.log_in().is_ok());
    EXPECT_TRUE(client.change_user("app", "old").is_ok());
    proxy_.reset();
  }
}

TEST_F(LocalProofsTest, AProcessOfTheRightUnixUserNeedsNoPassword) {
  trust_this_user();
  start();
  for (const char* plugin : {"mysql_native_password", "caching_sha2_password"}) {
    for (const char* password : {"", "whatever"}) {
      EXPECT_TRUE(log_in_by(over_socket("app", password), plugin).is_ok()) << plugin;
      EXPECT_TRUE(log_in_by(over_socket("other", password), plugin).is_error(1045)) << plugin;
      EXPECT_TRUE(log_in(password, plugin).is_error(1045)) << "over TCP nobody knows who it is";
    }
    EXPECT_TRUE(log_in_by(over_socket("other", "pw"), plugin).is_ok()) << plugin;
  }
  RawClient client(over_socket("other", "pw"));
  ASSERT_TRUE(client.log_in().is_ok());
  EXPECT_TRUE(client.change_user("app", "").is_ok());
  EXPECT_TRUE(client.change_user("other", "").is_error(1045));
  EXPECT_EQ(logins(Proof::kUnixUser), 5U);

  config_.users[0].unix_users.clear();
  ASSERT_TRUE(proxy_->apply(config_));
  EXPECT_TRUE(log_in_by(over_socket("app", ""), "mysql_native_password").is_error(1045));
}

class CertificateProofsTest : public ProofsTest {
 protected:
  CertificateProofsTest() {
    const CertificateFiles files = authority_.issue({"localhost"});
    config_.listeners[0].tls = {config::ClientTlsMode::kOptional, files.certificate, files.key,
                                authority_.file(), config::VerifyClient::kOptional};
    config_.users[0].certificate_names = {"app@example.com"};
    config_.users.push_back(config_.users[0]);
    config_.users[1].name = "other";
    config_.users[1].certificate_names = {"other"};
    config_.users.push_back(config_.users[0]);
    config_.users[2].name = "only";
    config_.users[2].password.clear();
    config_.users[2].has_password = false;
  }
  RawClient::Options with(const CertificateFiles& own, const std::string& user,
                          const std::string& password) const {
    RawClient::Options encrypted = options();
    encrypted.tls = true;
    encrypted.certificate = own.certificate;
    encrypted.key = own.key;
    encrypted.user = user;
    encrypted.password = password;
    return encrypted;
  }
  Reply log_in_with(const CertificateFiles& own, const std::string& user,
                    const std::string& password,
                    const std::string& plugin = "mysql_native_password") const {
    RawClient::Options options = with(own, user, password);
    options.plugin = plugin;
    return RawClient(options).log_in();
  }

  CertificateAuthority authority_;
  const CertificateFiles own_ =
      authority_.issue_client("someone", {.alternatives = "email:app@example.com"});
};

TEST_F(CertificateProofsTest, ACertificateThatNamesAUserNeedsNoPassword) {
  start();
  for (const char* plugin :
       {"mysql_native_password", "caching_sha2_password", "mysql_clear_password"}) {
    for (const char* password : {"", "whatever"}) {
      for (const char* user : {"app", "only"})
        EXPECT_TRUE(log_in_with(own_, user, password, plugin).is_ok()) << user << ' ' << plugin;
      EXPECT_TRUE(log_in_with(own_, "other", password, plugin).is_error(1045)) << plugin;
      EXPECT_TRUE(log_in_with(own_, "nobody", password, plugin).is_error(1045)) << plugin;
      EXPECT_TRUE(log_in_with({}, "app", password, plugin).is_error(1045)) << plugin;
      EXPECT_TRUE(log_in_with({}, "only", password, plugin).is_error(1045)) << plugin;
    }
    EXPECT_TRUE(log_in_with(own_, "other", "pw", plugin).is_ok()) << plugin;
    EXPECT_TRUE(log_in_with({}, "app", "pw", plugin).is_ok()) << plugin;
  }
  EXPECT_EQ(logins(Proof::kCertificate), 6U);
  EXPECT_EQ(logins(Proof::kCertificate, "only"), 6U);
  EXPECT_EQ(logins(Proof::kCertificate, "other"), 0U);
  EXPECT_EQ(logins(Proof::kPrimary), 3U);
}

TEST_F(CertificateProofsTest, ChangeUserGoesByTheCertificateToo) {
  start();
  RawClient client(with(own_, "other", "pw"));
  ASSERT_TRUE(client.log_in().is_ok());
  EXPECT_TRUE(client.change_user("only", "").is_ok());
  EXPECT_TRUE(client.change_user("other", "").is_error(1045));
  EXPECT_TRUE(client.change_user("app", "").is_ok());
}

TEST_F(CertificateProofsTest, WhereItIsRequiredNobodyComesInWithoutOne) {
  config_.listeners[0].tls.verify_client = config::VerifyClient::kRequired;
  CertificateAuthority stranger("Somebody else's CA");
  start();
  EXPECT_TRUE(log_in_with(own_, "other", "pw").is_ok());
  EXPECT_FALSE(log_in_with({}, "app", "pw").is_ok());
  EXPECT_FALSE(log_in_with(stranger.issue_client("app"), "app", "pw").is_ok());
  EXPECT_TRUE(log_in("pw").is_error(3159)) << "without TLS there is none, though TLS is optional";
}

TEST_F(CertificateProofsTest, AnotherAuthorityCountsFromTheReloadOn) {
  start();
  ASSERT_TRUE(log_in_with(own_, "app", "").is_ok());
  CertificateAuthority next("The next CA");
  const CertificateFiles old = authority_.issue_client("other");
  const CertificateFiles renewed = next.issue_client("other");
  config_.listeners[0].tls.client_ca = next.file();

  ASSERT_TRUE(proxy_->apply(config_));

  EXPECT_TRUE(log_in_with(renewed, "other", "").is_ok());
  EXPECT_FALSE(log_in_with(old, "other", "").is_ok());
  config_.listeners[0].tls.client_ca = "/nowhere/ca.pem";
  EXPECT_FALSE(proxy_->apply(config_));
  EXPECT_TRUE(log_in_with(renewed, "other", "").is_ok()) << "nothing has changed";
}

}  // namespace
}  // namespace tidepool::testing

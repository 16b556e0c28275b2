// A configuration that changes while clients are served.
#include "certificates.h"
#include "session_fixture.h"

namespace tidepool::testing {
namespace {

class ReloadTest : public SessionTest {
 protected:
  ReloadTest() { config_.workers = 2; }
  void apply() {
    const auto applied = proxy_->apply(config_);
    EXPECT_TRUE(applied) << applied.error().message;
  }
  config::User& add_user(const std::string& name) {
    config::User user = config_.users[0];
    user.name = name;
    config_.users.push_back(user);
    return config_.users.back();
  }
  Reply log_in_as(const std::string& user, const std::string& password) {
    RawClient::Options as = options();
    as.user = user;
    as.password = password;
    RawClient client(as);
    return client.log_in();
  }
};

TEST_F(ReloadTest, ChangesLimitsLive) {
  start();
  RawClient one = client();
  RawClient two = client();
  ASSERT_TRUE(one.query("BEGIN").is_ok());
  pool().size = 2;

  apply();

  EXPECT_EQ(two.query("SELECT 1").kind, Reply::Kind::kRows) << "on a second backend";
  EXPECT_EQ(proxy_->pool_stats().cap.value(), 2);
  pool().size = 1;
  apply();
  ASSERT_TRUE(one.query("COMMIT").is_ok());
  EXPECT_TRUE(eventually([&] { return proxy_->counts().total() == 1; }));
}

TEST_F(ReloadTest, LetsNewUsersInAndChangesPasswords) {
  start();
  RawClient before = client();
  EXPECT_TRUE(log_in_as("late", "pw").is_error(1045));
  add_user("late");
  config_.users[0].password = "new";

  apply();

  EXPECT_TRUE(log_in_as("late", "pw").is_ok());
  EXPECT_TRUE(log_in_as("app", "pw").is_error(1045));
  EXPECT_TRUE(log_in_as("app", "new").is_ok());
  EXPECT_EQ(before.query("SELECT 1").rows, Words{"0"}) << "who is in stays in";
}

TEST_F(ReloadTest, DrainsTheSessionsOfAUserThatIsGone) {
  add_user("stays");
  start();
  RawClient idle = client();
  RawClient busy = client();
  ASSERT_TRUE(busy.query("BEGIN").is_ok());
  config_.users.erase(config_.users.begin());

  apply();

  EXPECT_TRUE(idle.read_reply().is_error(3169));
  EXPECT_EQ(idle.last_sequence(), 0) << "of no answer";
  EXPECT_TRUE(idle.is_closed());
  EXPECT_TRUE(log_in_as("app", "pw").is_error(1045));
  EXPECT_EQ(busy.query("SELECT 1").kind, Reply::Kind::kRows);
  EXPECT_TRUE(busy.query("COMMIT").is_ok());
  EXPECT_TRUE(busy.read_reply().is_error(3169));
  EXPECT_TRUE(busy.is_closed());
  EXPECT_TRUE(log_in_as("stays", "pw").is_ok());
}

// The session may still be there when the next reload comes.
TEST_F(ReloadTest, ForgetsAUserWithTheLastOfItsSessions) {
  config_.workers = 1;
  add_user("stays");
  start();
  const std::vector<config::User> both = config_.users;
  for (int i = 0; i < 50; ++i) {
    RawClient busy = client();
    ASSERT_TRUE(busy.query("BEGIN").is_ok());
    config_.users.erase(config_.users.begin());
    apply();
    busy.close();
    while (proxy_->sessions() > 0)
      apply();
    config_.users = both;
    apply();
  }
  expect_service();
}

TEST_F(ReloadTest, AddsAndRemovesPools) {
  start();
  config::Pool second = pool();
  second.name = "second";
  config_.pools.push_back(second);
  add_user("other").pool = "second";
  apply();
  RawClient::Options as_other = options();
  as_other.user = "other";
  RawClient other = client(as_other);
  EXPECT_EQ(other.query("SELECT 1").kind, Reply::Kind::kRows);
  EXPECT_FALSE(proxy_->drain_removed_pools());

  config_.pools.pop_back();
  config_.users.pop_back();
  apply();

  EXPECT_TRUE(other.read_reply().is_error(3169));
  EXPECT_TRUE(eventually([&] { return proxy_->drain_removed_pools(); }));
  EXPECT_EQ(client().query("SELECT 1").rows, Words{"0"});
  config_.pools.push_back(second);
  add_user("other").pool = "second";
  apply();
  RawClient again = client(as_other);
  EXPECT_EQ(again.query("SELECT 1").kind, Reply::Kind::kRows) << "it comes back with its name";
}

TEST_F(ReloadTest, ReplacesBackendsThatWereOpenedInAnotherWayAndDropsNoStatement) {
  start();
  RawClient busy = client();
  RawClient other = client();
  tidb_.hold("SELECT 'long'");
  busy.send("\x03SELECT 'long'");
  ASSERT_TRUE(holds(1));
  pool().tls.min_version = config::TlsVersion::k13;

  apply();
  tidb_.let_go();

  EXPECT_EQ(busy.read_reply().kind, Reply::Kind::kRows);
  EXPECT_EQ(other.query("SELECT 2").kind, Reply::Kind::kRows);
  EXPECT_TRUE(eventually([&] {
    (void)other.query("SELECT 3");
    return tidb_.server().connections() == 2 && tidb_.server().open_connections() == 1;
  }));
}

TEST_F(ReloadTest, GoesOnWithItsBackendsWhereTheNewAccountIsRefused) {
  pool().max_overflow = 1;  // room to make before it breaks
  start();
  RawClient client = this->client();
  pool().password = "wrong";

  apply();

  EXPECT_TRUE(eventually([&] { return tidb_.server().connections() >= 2; }));
  EXPECT_EQ(client.query("SELECT 1").kind, Reply::Kind::kRows);
  pool().password = "secret";
  apply();
  EXPECT_TRUE(eventually([&] {
    (void)client.query("SELECT 2");
    return tidb_.server().open_connections() == 1 && proxy_->counts().total() == 1;
  }));
}

TEST_F(ReloadTest, ShowsAnotherCertificateToThoseWhoComeLater) {
  CertificateAuthority authority;
  start();
  RawClient plain = client();
  RawClient::Options encrypted = options();
  encrypted.tls = true;
  const CertificateFiles files = authority.issue({"localhost"});
  config_.listeners[0].tls = {config::ClientTlsMode::kRequired, files.certificate, files.key};

  apply();

  EXPECT_EQ(client(encrypted).query("SELECT 1").rows, Words{"0"});
  RawClient refused(options());
  EXPECT_EQ(refused.log_in().kind, Reply::Kind::kError);
  EXPECT_EQ(plain.query("SELECT 1").rows, Words{"0"}) << "who is in stays in";
}

TEST_F(ReloadTest, ForgetsTheLoginThatItHadSeenWithAnotherPassword) {
  start();
  RawClient::Options sha2 = options();
  sha2.plugin = "caching_sha2_password";
  EXPECT_TRUE(RawClient(sha2).log_in().is_ok());
  config_.users[0].password = "new";

  apply();

  EXPECT_TRUE(RawClient(sha2).log_in().is_error(1045)) << "not the fast path of the old one";
  sha2.password = "new";
  EXPECT_TRUE(RawClient(sha2).log_in().is_ok());
}

TEST_F(ReloadTest, EndsASessionAtItsNextStatementWhereItsUserHasAnotherPool) {
  start();
  RawClient moved = client();
  ASSERT_TRUE(moved.query("BEGIN").is_ok());
  config::Pool second = pool();
  second.name = "second";
  config_.pools.push_back(second);
  config_.users[0].pool = "second";

  apply();

  EXPECT_EQ(moved.query("SELECT 1").kind, Reply::Kind::kRows);
  moved.send("\x03ROLLBACK");
  EXPECT_TRUE(moved.read_reply().is_ok());
  EXPECT_TRUE(moved.read_reply().is_error(3169));
  EXPECT_EQ(client().query("SELECT 1").kind, Reply::Kind::kRows);
}

TEST_F(ReloadTest, ChangesNothingWhenACertificateCannotBeRead) {
  start();
  pool().size = 7;
  config_.listeners[0].tls = {config::ClientTlsMode::kOptional, "/nowhere.pem", "/nowhere.key"};

  const auto applied = proxy_->apply(config_);

  ASSERT_FALSE(applied);
  EXPECT_NE(applied.error().message.find("/nowhere.pem"), std::string::npos);
  EXPECT_EQ(proxy_->pool_stats().cap.value(), 1);
}

}  // namespace
}  // namespace tidepool::testing

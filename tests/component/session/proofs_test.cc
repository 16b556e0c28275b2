// By what clients may prove that they are a user: two passwords, and other ways.
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

}  // namespace
}  // namespace tidepool::testing

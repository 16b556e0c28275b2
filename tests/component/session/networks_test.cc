// Users who may log in from some addresses only.
#include <map>

#include "certificates.h"
#include "session_fixture.h"

namespace tidepool::testing {
namespace {

using session::LoginFailure;

class NetworksTest : public SessionTest {
 protected:
  NetworksTest() {
    config_.users.push_back(config_.users[0]);
    config_.users[1].name = "elsewhere";
    config_.users[1].networks = {*Network::parse("10.0.0.0/8"), *Network::parse("fd00::/8")};
  }
  RawClient::Options as(const std::string& user, const std::string& password = "pw") {
    RawClient::Options options = this->options();
    options.user = user;
    options.password = password;
    return options;
  }
  // The first bytes of what the proxy answers to a wrong caching_sha2 scramble.
  std::string first_answer_to(const std::string& user) {
    RawClient client(options());
    const auto greeting = protocol::parse_greeting(client.read_packet().value());
    protocol::LoginRequest request;
    request.capabilities = RawClient::kUsual;
    request.collation = 45;
    request.user = user;
    request.auth_response = protocol::sha2_scramble("other", greeting.value().salt);
    request.auth_plugin = protocol::kCachingSha2Password;
    client.send(protocol::encode_login_request(request), 1);
    return client.read_packet().value_or("nothing").substr(0, 3);
  }
  std::uint64_t count(LoginFailure failure) { return proxy_->logins().failures[failure].value(); }
};

TEST_F(NetworksTest, TheRightPasswordFromOutsideIsRefusedAsAWrongOne) {
  start();

  const Reply right = RawClient(as("elsewhere")).log_in();
  const Reply wrong = RawClient(as("elsewhere", "wrong")).log_in();
  const Reply unknown = RawClient(as("nowhere12")).log_in();

  EXPECT_TRUE(right.is_error(1045)) << describe(right);
  EXPECT_EQ(right.text, "Access denied for user 'elsewhere'@'127.0.0.1' (using password: YES)");
  EXPECT_EQ(right.bytes, wrong.bytes);
  EXPECT_EQ(right.bytes.size(), unknown.bytes.size());
  EXPECT_EQ(count(LoginFailure::kNetwork), 2U);
  EXPECT_EQ(count(LoginFailure::kPassword), 1U);
}

TEST_F(NetworksTest, FromInsideItIsServed) {
  config_.users[1].networks.push_back(*Network::parse("127.0.0.0/8"));
  start();
  RawClient client = this->client(as("elsewhere"));
  EXPECT_EQ(client.query("SELECT 1").kind, Reply::Kind::kRows);
}

TEST_F(NetworksTest, AUnixSocketIsInside) {
  const TemporaryDirectory directory;
  config::Listener local;
  local.socket_path = directory.file("tidepool.sock");
  config_.listeners.push_back(local);
  start();
  RawClient::Options over_socket = as("elsewhere");
  over_socket.socket_path = local.socket_path;
  RawClient client = this->client(over_socket);
  EXPECT_EQ(client.query("SELECT 1").kind, Reply::Kind::kRows);
}

TEST_F(NetworksTest, AChangeOfUserFromOutsideIsAGuess) {
  start();
  RawClient client = this->client();
  EXPECT_TRUE(client.change_user("elsewhere", "pw").is_error(1045));
  EXPECT_EQ(client.query("SELECT 1").kind, Reply::Kind::kRows);
  EXPECT_TRUE(client.change_user("elsewhere", "pw").is_error(1045));
  EXPECT_TRUE(client.change_user("elsewhere", "pw").is_error(1045));
  EXPECT_TRUE(client.is_closed());
  EXPECT_EQ(count(LoginFailure::kNetwork), 3U);
}

TEST_F(NetworksTest, TheRefusalWaitsAsThatOfAWrongPassword) {
  config_.failed_login_delay = std::chrono::milliseconds(150);
  start();
  for (int i = 0; i < 5; ++i)
    EXPECT_TRUE(RawClient(as("elsewhere")).log_in().is_error(1045));
  EXPECT_EQ(proxy_->logins().delayed.value(), 2U);
}

TEST_F(NetworksTest, AReloadCounts) {
  start();
  config_.users[1].networks.clear();
  ASSERT_TRUE(proxy_->apply(config_));
  (void)client(as("elsewhere"));
}

// Each has a caching_sha2 hash, and another user has a native one: unknown names seem to have
// either.
TEST_F(NetworksTest, FromOutsideAUserSeemsToHaveAKindOfPasswordAsUnknownOnes) {
  config_.users[0].password_hash = protocol::make_native_hash("pw");
  config_.users.resize(1);
  const std::string hash = sha2_hash_in_hex("pw");
  for (int i = 0; i < 32; ++i) {
    config::User user = config_.users[0];
    user.name = "elsewhere" + std::to_string(i);
    user.password_hash = hash;
    user.networks = {*Network::parse("10.0.0.0/8")};
    config_.users.push_back(user);
  }
  start();
  std::map<std::string, int> kinds;
  for (int i = 0; i < 32; ++i)
    ++kinds[first_answer_to("elsewhere" + std::to_string(i))];
  EXPECT_EQ(kinds.size(), 2U);
  for (const auto& [kind, times] : kinds)
    EXPECT_GT(times, 4);
}

}  // namespace
}  // namespace tidepool::testing

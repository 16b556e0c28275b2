// A client's way in, over each kind of transport and with each kind of password.
#include <map>

#include "certificates.h"
#include "session_fixture.h"
#include "tidepool/protocol/auth.h"
#include "tidepool/protocol/packet.h"

namespace tidepool::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class LoginTest : public SessionTest {
 protected:
  Reply log_in(RawClient::Options options) { return RawClient(std::move(options)).log_in(); }
  // Header and, of an ERR, number of what the proxy answers to a wrong caching_sha2 scramble.
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
  bool counts(session::LoginFailure failure, std::uint64_t times) {
    return eventually([&] { return proxy_->logins().failures[failure].value() == times; });
  }
};

TEST_F(LoginTest, GreetsWithTheVersionThatWasLearntFromTidb) {
  start();

  RawClient client = this->client();

  EXPECT_EQ(client.greeting().server_version, "8.0.11-TiDB-v8.5.4");
  EXPECT_EQ(client.greeting().auth_plugin, "mysql_native_password");
  EXPECT_EQ(client.greeting().capabilities, protocol::capability::kOffered);
  EXPECT_THAT(tidb_.commands(), IsEmpty());
}

TEST_F(LoginTest, TakesTheNativePassword) {
  start();
  EXPECT_TRUE(log_in(options()).is_ok());
}

TEST_F(LoginTest, TakesCachingSha2InFullOverRsaAndThenByTheFastPath) {
  config_.users[0].password.clear();
  config_.users[0].password_hash = sha2_hash_in_hex("pw");
  start();
  RawClient::Options sha2 = options();
  sha2.plugin = "caching_sha2_password";

  EXPECT_TRUE(log_in(sha2).is_ok());
  EXPECT_TRUE(log_in(sha2).is_ok());

  sha2.password = "other";
  EXPECT_TRUE(log_in(sha2).is_error(1045));
}

// The work that a password makes is quadratic in its length.
TEST_F(LoginTest, ALongPasswordHoldsUpNobody) {
  const TemporaryDirectory directory;
  config::Listener local;
  local.socket_path = directory.file("tidepool.sock");
  config_.listeners.push_back(local);
  config_.users.push_back(config_.users[0]);
  config_.users[1].name = "sha2";
  config_.users[1].password_hash = sha2_hash_in_hex("pw");
  start();
  RawClient other = client();
  RawClient::Options hostile = options();
  hostile.socket_path = local.socket_path;
  hostile.user = "sha2";
  hostile.plugin = "caching_sha2_password";
  hostile.password = std::string(70'000, 'x');
  const TimePoint before = Clock::now();

  const Reply reply = log_in(hostile);
  EXPECT_EQ(other.query("SELECT 1").kind, Reply::Kind::kRows);

  EXPECT_TRUE(reply.is_error(1045)) << describe(reply);
  EXPECT_LT(Clock::now() - before, std::chrono::seconds(2));
}

// Else the kind of password that a name seems to have tells whether it is a user's.
TEST_F(LoginTest, UnknownUsersSeemToHaveEachKindOfPasswordThatIsInUse) {
  config_.users.resize(5, config_.users[0]);
  config_.users[1].name = "native";
  config_.users[1].password_hash = protocol::make_native_hash("pw");
  config_.users[2].name = "sha2";
  config_.users[2].password_hash = sha2_hash_in_hex("pw");
  config_.users[3].name = "both";
  config_.users[3].password_hash = config_.users[1].password_hash;
  config_.users[3].has_secondary_password = true;
  config_.users[3].secondary_password_hash = sha2_hash_in_hex("old");
  config_.users[4].name = "none";
  config_.users[4].has_password = false;
  config_.users[4].certificate_names = {"none.example"};
  start();
  std::map<std::string, int> kinds;
  const auto kind_of = [&](const std::string& user) { return first_answer_to(user); };

  for (int i = 0; i < 64; ++i) {
    const std::string name = "unknown" + std::to_string(i);
    const std::string kind = kind_of(name);
    ++kinds[kind];
    EXPECT_EQ(kind_of(name), kind) << "the same each time";
  }

  EXPECT_EQ(kinds.size(), 3U);
  for (const char* user : {"app", "native", "sha2", "both", "none"})
    EXPECT_GT(kinds[kind_of(user)], 4) << user;
}

TEST_F(LoginTest, TellsAWrongPasswordAndAnUnknownUserInTheSameWords) {
  start();
  RawClient::Options wrong = options();
  wrong.password = "other";
  RawClient::Options unknown = options();
  unknown.user = "nobody";

  const Reply first = log_in(wrong);
  const Reply second = log_in(unknown);

  EXPECT_TRUE(first.is_error(1045)) << describe(first);
  EXPECT_EQ(first.text, "Access denied for user 'app'@'127.0.0.1' (using password: YES)");
  EXPECT_TRUE(second.is_error(1045)) << describe(second);
  EXPECT_EQ(second.text, "Access denied for user 'nobody'@'127.0.0.1' (using password: YES)");
  EXPECT_TRUE(counts(session::LoginFailure::kPassword, 2));
  EXPECT_TRUE(has_sessions(0));
}

TEST_F(LoginTest, AsksTidbForADatabaseThatItDoesNotKnowYet) {
  start();
  RawClient::Options shop = options();
  shop.database = "shop";

  EXPECT_TRUE(log_in(shop).is_ok());
  EXPECT_TRUE(log_in(shop).is_ok());

  EXPECT_THAT(tidb_.commands(), ElementsAre("USE `shop`"));
}

TEST_F(LoginTest, PassesOnTidbsErrorForAnUnknownDatabase) {
  start();
  RawClient::Options nowhere = options();
  nowhere.database = "nowhere";

  const Reply reply = log_in(nowhere);

  EXPECT_TRUE(reply.is_error(1049)) << describe(reply);
  EXPECT_EQ(reply.text, "Unknown database 'nowhere'");
  EXPECT_TRUE(counts(session::LoginFailure::kDatabase, 1));
  expect_service();
}

TEST_F(LoginTest, EndsWhenTheClientSaysNothing) {
  config_.login_timeout = std::chrono::milliseconds(50);
  start();
  RawClient client(options());
  ASSERT_TRUE(client.read_packet());  // the greeting

  EXPECT_TRUE(client.is_closed());
  EXPECT_TRUE(counts(session::LoginFailure::kTimeout, 1));
}

TEST_F(LoginTest, EndsWhenTheClientSendsSomethingElse) {
  start();
  RawClient client(options());
  ASSERT_TRUE(client.read_packet());
  client.send_bytes("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");

  while (client.read_packet()) {  // an ERR, perhaps
  }
  EXPECT_TRUE(has_sessions(0));
  expect_service();
}

TEST_F(LoginTest, TakesNothingThatComesBehindALoginThatIsRefused) {
  start();
  RawClient client(options());
  ASSERT_TRUE(client.read_packet());
  const std::string malformed("\x01\x00\x00\x01\x00", 5);
  const std::string behind("\x01\x00\x00\x03\x00", 5);  // the number that a login would go on with
  client.send_bytes(malformed + behind);

  ASSERT_TRUE(client.read_packet());  // the ERR
  EXPECT_TRUE(client.is_closed());
  EXPECT_TRUE(has_sessions(0));
  expect_service();
}

TEST_F(LoginTest, ForgetsAClientThatLeavesBeforeItHasLoggedIn) {
  start();
  RawClient client(options());
  ASSERT_TRUE(client.read_packet());
  client.close();

  EXPECT_TRUE(has_sessions(0));
  EXPECT_TRUE(counts(session::LoginFailure::kClosed, 1));
}

TEST_F(LoginTest, SpeaksTlsToClientsThatWantIt) {
  CertificateAuthority authority;
  const CertificateFiles files = authority.issue({"localhost"});
  config_.listeners[0].tls = {config::ClientTlsMode::kOptional, files.certificate, files.key};
  start();
  RawClient::Options encrypted = options();
  encrypted.tls = true;

  RawClient client = this->client(encrypted);
  EXPECT_EQ(client.query("SELECT 1").rows, Words{"0"});
  EXPECT_TRUE(log_in(options()).is_ok()) << "plaintext is still allowed";

  encrypted.plugin = "caching_sha2_password";
  EXPECT_TRUE(log_in(encrypted).is_ok());
}

TEST_F(LoginTest, RefusesPlaintextWhereTlsIsRequired) {
  CertificateAuthority authority;
  const CertificateFiles files = authority.issue({"localhost"});
  config_.listeners[0].tls = {config::ClientTlsMode::kRequired, files.certificate, files.key};
  start();

  const Reply reply = log_in(options());

  EXPECT_EQ(reply.kind, Reply::Kind::kError) << describe(reply);
  EXPECT_TRUE(counts(session::LoginFailure::kTls, 1));
}

TEST_F(LoginTest, ComesInOverAUnixSocket) {
  const TemporaryDirectory directory;
  config::Listener local;
  local.socket_path = directory.file("tidepool.sock");
  config_.listeners.push_back(local);
  start();
  RawClient::Options over_socket;
  over_socket.socket_path = local.socket_path;
  over_socket.plugin = "caching_sha2_password";

  RawClient client = this->client(over_socket);

  EXPECT_EQ(client.query("SELECT 1").rows, Words{"0"});
  over_socket.password = "other";
  EXPECT_THAT(log_in(over_socket).text, HasSubstr("'app'@'localhost'"));
}

TEST_F(LoginTest, RefusesOneClientTooMany) {
  config_.max_clients = 1;
  start();
  RawClient only = client();

  const Reply reply = log_in(options());

  EXPECT_TRUE(reply.is_error(1040)) << describe(reply);
  EXPECT_EQ(reply.text, "Too many connections");
  only.close();
  EXPECT_TRUE(has_sessions(0));
  EXPECT_TRUE(log_in(options()).is_ok());
}

TEST_F(LoginTest, ChangesTheUserAndStartsAnew) {
  config_.users.push_back(config_.users[0]);
  config_.users[1].name = "other";
  start();
  RawClient client = this->client();
  ASSERT_TRUE(client.query("BEGIN").is_ok());

  EXPECT_TRUE(client.change_user("other", "pw").is_ok());

  EXPECT_EQ(client.query("SELECT 1").rows, Words{"0"});
  EXPECT_THAT(tidb_.commands(), ElementsAre("BEGIN", "RESET", "SELECT 1"));
}

TEST_F(LoginTest, KeepsTheOldSessionWhenTheUserCannotBeChanged) {
  start();
  RawClient client = this->client();
  ASSERT_TRUE(client.query("BEGIN").is_ok());

  const Reply reply = client.change_user("nobody", "pw");

  EXPECT_TRUE(reply.is_error(1045)) << describe(reply);
  EXPECT_TRUE(client.query("COMMIT").is_ok());
}

TEST_F(LoginTest, TakesNothingThatComesBehindTheLastTryOfAnotherUsersPassword) {
  start();
  RawClient client = this->client();
  EXPECT_TRUE(client.change_user("nobody", "pw").is_error(1045));
  EXPECT_TRUE(client.change_user("nobody", "pw").is_error(1045));
  protocol::ChangeUser request;
  request.user = "nobody";
  request.auth_plugin = std::string(protocol::kNativePassword);
  request.auth_response = Secret(std::string(20, 'x'));
  std::string bytes;
  std::uint8_t sequence = 0;
  protocol::append_packet(bytes, sequence,
                          protocol::encode_change_user(request, options().capabilities));
  sequence = 2;  // behind the ERR
  protocol::append_packet(bytes, sequence, "\x0e");
  client.send_bytes(bytes);

  EXPECT_TRUE(client.read_reply().is_error(1045));
  EXPECT_TRUE(client.is_closed());
  EXPECT_TRUE(has_sessions(0));
  expect_service();
}

}  // namespace
}  // namespace tidepool::testing

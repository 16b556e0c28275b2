// Clients behind a load balancer that says who they are in a PROXY header.
#include <vector>

#include "certificates.h"
#include "session_fixture.h"

namespace tidepool::testing {
namespace {

using session::LoginFailure;
using namespace std::string_literals;  // NOLINT(google-build-using-namespace)

std::string line(const std::string& address) {
  return "PROXY TCP4 " + address + " 10.9.9.9 5123 6033\r\n";
}

class ProxyProtocolTest : public SessionTest {
 protected:
  ProxyProtocolTest() {
    config_.listeners[0].proxy_protocol_networks = {*Network::parse("127.0.0.1")};
  }
  RawClient behind(const std::string& header) { return behind(header, options()); }
  static RawClient behind(const std::string& header, const RawClient::Options& options) {
    RawClient client(options);
    client.send_bytes(header);
    return client;
  }
  RawClient::Options with_wrong_password() const {
    RawClient::Options wrong = options();
    wrong.password = "wrong";
    return wrong;
  }
  bool counts(LoginFailure failure, std::uint64_t times) const {
    return eventually([&] { return proxy_->logins().failures[failure].value() == times; });
  }
};

TEST_F(ProxyProtocolTest, TheClientIsWhoTheHeaderNames) {
  start();
  const std::string binary =
      "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x10\x0a\x01\x02\x03\x0a\0\0\1\1\2\3\4"s + "\x04\0\1x"s;
  for (const auto& [header, host] : std::vector<std::pair<std::string, std::string>>{
           {line("192.0.2.7"), "192.0.2.7"},
           {"PROXY TCP6 2001:db8::7 ::1 5123 6033\r\n", "[2001:db8::7]"},
           {binary, "10.1.2.3"},
           {"PROXY UNKNOWN\r\n", "127.0.0.1"}}) {
    RawClient client = behind(header, with_wrong_password());
    const Reply reply = client.log_in();
    EXPECT_EQ(reply.text, "Access denied for user 'app'@'" + host + "' (using password: YES)");
  }
  RawClient served = behind(line("192.0.2.7"));
  ASSERT_TRUE(served.log_in().is_ok());
  EXPECT_EQ(served.query("SELECT 1").kind, Reply::Kind::kRows);
}

TEST_F(ProxyProtocolTest, AHeaderInPiecesWithALoginRightBehindIsTheSame) {
  start();
  RawClient client(options());
  for (const char byte : line("192.0.2.7"))
    client.send_bytes(std::string(1, byte));
  protocol::LoginRequest request;
  request.capabilities = RawClient::kUsual;
  request.collation = 45;
  request.user = "app";
  request.auth_plugin = protocol::kNativePassword;
  request.auth_response = std::string(20, 'x');
  client.send(protocol::encode_login_request(request), 1);
  ASSERT_TRUE(client.read_packet());  // the greeting

  const Reply reply = client.read_reply();

  EXPECT_EQ(reply.text, "Access denied for user 'app'@'192.0.2.7' (using password: YES)");
}

TEST_F(ProxyProtocolTest, TlsComesBehindIt) {
  CertificateAuthority authority;
  const CertificateFiles files = authority.issue({"localhost"});
  config_.listeners[0].tls = {config::ClientTlsMode::kRequired, files.certificate, files.key};
  start();
  RawClient::Options encrypted = options();
  encrypted.tls = true;
  RawClient client = behind(line("192.0.2.7"), encrypted);
  EXPECT_TRUE(client.log_in().is_ok());
}

TEST_F(ProxyProtocolTest, NothingIsSaidBeforeItsEnd) {
  start();
  RawClient client(options());
  EXPECT_TRUE(client.hears_nothing());
  client.send_bytes(line("192.0.2.7").substr(0, 20));
  EXPECT_TRUE(client.hears_nothing());
  EXPECT_EQ(proxy_->sessions(), 0U);
  EXPECT_EQ(proxy_->logins().pending.value(), 1);

  client.close();

  EXPECT_TRUE(counts(LoginFailure::kClosed, 1));
  EXPECT_EQ(proxy_->logins().pending.value(), 0);
}

TEST_F(ProxyProtocolTest, WithoutARightOneTheConnectionEnds) {
  start();
  for (const std::string& header : {"PROXY TCP4 192.0.2.7 10.9.9.9 99999 6033\r\n"s,
                                    "\x20\0\0\1login"s, std::string(5000, 'P')}) {
    RawClient client = behind(header);
    EXPECT_TRUE(client.read_reply().is_closed());
  }
  EXPECT_TRUE(counts(LoginFailure::kProxyHeader, 3));
  EXPECT_EQ(proxy_->logins().pending.value(), 0);
  RawClient served = behind(line("192.0.2.7"));
  EXPECT_TRUE(served.log_in().is_ok());
}

TEST_F(ProxyProtocolTest, FromElsewhereAHeaderIsNoLogin) {
  config_.listeners[0].proxy_protocol_networks = {*Network::parse("10.0.0.0/8")};
  start();
  RawClient client = behind(line("192.0.2.7"));
  ASSERT_TRUE(client.read_packet()) << "it is greeted";
  EXPECT_FALSE(client.read_reply().is_ok());
  EXPECT_TRUE(client.is_closed());
  EXPECT_TRUE(counts(LoginFailure::kProxyHeader, 0));
  expect_service();
}

TEST_F(ProxyProtocolTest, ItHasTheTimeOfTheLogin) {
  config_.login_timeout = std::chrono::milliseconds(300);
  start();
  RawClient silent(options());
  RawClient late(options());
  late.send_bytes("PROXY ");

  EXPECT_TRUE(silent.read_reply().is_closed());
  EXPECT_TRUE(late.read_reply().is_closed());

  EXPECT_TRUE(counts(LoginFailure::kTimeout, 2));
  EXPECT_EQ(proxy_->logins().pending.value(), 0);
}

TEST_F(ProxyProtocolTest, WhoWaitsForOneMakesRoomForOthers) {
  config_.max_pending_logins = 2;
  config_.login_timeout = std::chrono::hours(1);
  start();
  RawClient oldest(options());
  RawClient next(options());
  ASSERT_TRUE(eventually([&] { return proxy_->logins().pending.value() == 2; }));

  RawClient served = behind(line("192.0.2.7"));

  EXPECT_TRUE(served.log_in().is_ok());
  EXPECT_TRUE(oldest.read_reply().is_closed());
}

TEST_F(ProxyProtocolTest, TheLimitOfAnAddressIsThatOfTheClients) {
  config_.max_pending_logins_per_address = 1;
  start();
  RawClient one = behind(line("192.0.2.1"));
  ASSERT_TRUE(one.read_packet());
  RawClient two = behind(line("192.0.2.2"));
  ASSERT_TRUE(two.read_packet()) << "the balancer's address has no limit of its own";

  RawClient third = behind(line("192.0.2.1"));
  ASSERT_TRUE(third.read_packet());

  EXPECT_TRUE(one.is_closed()) << "as the oldest silent one of that address";
  EXPECT_TRUE(two.hears_nothing());
  EXPECT_TRUE(counts(LoginFailure::kAddress, 1));
  RawClient four = behind(line("192.0.2.3"));
  EXPECT_TRUE(four.log_in().is_ok());
}

TEST_F(ProxyProtocolTest, GuessesAreCountedByTheClientsAddress) {
  config_.failed_login_delay = std::chrono::hours(1);
  config_.login_timeout = std::chrono::hours(3);
  start();
  std::vector<RawClient> guessers;
  for (int i = 0; i < 4; ++i) {
    guessers.push_back(behind(line("192.0.2.1"), with_wrong_password()));
    ASSERT_FALSE(guessers.back().begin_login());
  }
  ASSERT_TRUE(counts(LoginFailure::kPassword, 4));
  ASSERT_TRUE(eventually([&] { return proxy_->logins().delayed.value() == 1; }));
  RawClient other = behind(line("192.0.2.2"), with_wrong_password());
  EXPECT_TRUE(other.log_in().is_error(1045));
  EXPECT_EQ(proxy_->logins().delayed.value(), 1U);
}

TEST_F(ProxyProtocolTest, AUsersNetworksMeanTheClientsAddress) {
  config_.users[0].networks = {*Network::parse("192.0.2.0/24")};
  start();
  EXPECT_TRUE(behind(line("192.0.2.7")).log_in().is_ok());
  EXPECT_TRUE(behind(line("198.51.100.7")).log_in().is_error(1045));
  EXPECT_TRUE(behind("PROXY UNKNOWN\r\n").log_in().is_error(1045));
  EXPECT_TRUE(counts(LoginFailure::kNetwork, 2));
}

TEST_F(ProxyProtocolTest, ADrainEndsWhoWaitsForOne) {
  start();
  RawClient waits(options());
  ASSERT_TRUE(eventually([&] { return proxy_->logins().pending.value() == 1; }));
  proxy_->drain();
  EXPECT_TRUE(waits.read_reply().is_closed());
}

TEST_F(ProxyProtocolTest, AReloadTakesOtherNetworks) {
  start();
  config_.listeners[0].proxy_protocol_networks.clear();
  ASSERT_TRUE(proxy_->apply(config_));
  expect_service();
}

}  // namespace
}  // namespace tidepool::testing

// Every wait for a peer ends: for a TiDB that does not answer what the proxy asks, and for a client
// that keeps a command waiting.
#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "session_fixture.h"
#include "tidepool/protocol/login_messages.h"

namespace tidepool::testing {
namespace {

using session::TimeoutKind;
using std::chrono::milliseconds;

// Long enough for what a loaded machine does meanwhile.
constexpr milliseconds kLimit{300};
constexpr const char* kWarns = "UPDATE t SET a = 'x'";

class WaitTest : public SessionTest {
 protected:
  WaitTest() { pool().control_timeout = kLimit; }

  RawClient::Options with_files() const {
    RawClient::Options chosen = options();
    chosen.capabilities |= protocol::capability::kLocalFiles;
    return chosen;
  }
};

TEST_F(WaitTest, ACaptureThatTidbDoesNotAnswerEndsTheBackendAndNotTheSession) {
  tidb_.answer(kWarns, packet(1, std::string("\0\0\0\2\0\1\0", 7)));  // an OK, one warning
  start();
  RawClient one = client();
  ASSERT_TRUE(one.query(kWarns).is_ok());
  RawClient two = client();
  tidb_.break_at(0, Fault::kSilence);
  two.send("\x03SELECT 2");

  EXPECT_EQ(two.read_reply().rows, Words{"1"}) << "on another backend";
  EXPECT_EQ(one.query("SELECT 1").rows, Words{"1"}) << "the session lives on";
}

TEST_F(WaitTest, ARestoreThatTidbDoesNotAnswerIsRepeatedElsewhere) {
  start();
  RawClient client = this->client();
  ASSERT_TRUE(client.query("SET NAMES latin1").is_ok());
  tidb_.break_at(0, Fault::kSilence);

  EXPECT_EQ(client.query("INSERT INTO t VALUES (1)").kind, Reply::Kind::kOk);
  EXPECT_EQ(tidb_.server().connections(), 2);
}

TEST_F(WaitTest, AProbeThatTidbDoesNotAnswerEndsTheSessionWithItsTransaction) {
  start();
  RawClient client = this->client();
  ASSERT_TRUE(client.query("BEGIN").is_ok());
  tidb_.break_at(1, Fault::kSilence);

  EXPECT_TRUE(client.query("INSERT INTO broken VALUES (1)").is_error(1105));

  EXPECT_TRUE(client.is_closed());
  EXPECT_TRUE(is_idle());
  expect_service();
}

TEST_F(WaitTest, ALoginsDatabaseIsAskedForElsewhereWhereTidbDoesNotAnswer) {
  start();
  tidb_.break_at(0, Fault::kSilence);
  RawClient::Options with_database = options();
  with_database.database = "shop";
  RawClient client(with_database);

  EXPECT_TRUE(client.log_in().is_ok());
  EXPECT_EQ(tidb_.server().connections(), 2);
}

TEST_F(WaitTest, LeavesTheClientsOwnStatementsTheirTime) {
  start();
  RawClient client = this->client();
  tidb_.hold("SELECT 'long'");
  client.send("\x03SELECT 'long'");
  ASSERT_TRUE(holds(1));
  for (int i = 0; i < 12; ++i)  // twice the limit
    EXPECT_TRUE(client.hears_nothing());

  tidb_.let_go();

  EXPECT_EQ(client.read_reply().rows, Words{"0"});
}

TEST_F(WaitTest, AClientThatDoesNotFinishItsChangeOfUserIsClosed) {
  config_.login_timeout = kLimit;
  start();
  RawClient client = this->client();
  ASSERT_TRUE(client.query("BEGIN").is_ok());
  protocol::ChangeUser request;
  request.user = "app";
  request.auth_plugin = "dialog";
  request.auth_response = "x";
  client.send(protocol::encode_change_user(request, RawClient::kUsual));
  const auto answer = client.read_packet();
  ASSERT_TRUE(answer && answer->starts_with('\xfe')) << "the request to authenticate otherwise";

  EXPECT_TRUE(client.is_closed());
  EXPECT_TRUE(is_idle());
}

TEST_F(WaitTest, AClientThatDoesNotTakeItsAnswerIsClosed) {
  config_.client_stall_timeout = kLimit;
  start();
  const std::vector<std::vector<std::optional<std::string>>> rows(600,
                                                                  {std::string(64 << 10, 'x')});
  tidb_.answer("SELECT big", text_result({"c"}, rows));
  RawClient client = this->client();
  client.send("\x03SELECT big");

  EXPECT_TRUE(has_sessions(0));
  EXPECT_EQ(proxy_->timeouts(TimeoutKind::kClientStall), 1U);
  EXPECT_TRUE(is_idle());
  expect_service();
}

TEST_F(WaitTest, AClientThatTakesItsAnswerLateHasItWhole) {
  config_.client_stall_timeout = std::chrono::minutes(1);
  start();
  const std::vector<std::vector<std::optional<std::string>>> rows(600,
                                                                  {std::string(64 << 10, 'x')});
  tidb_.answer("SELECT big", text_result({"c"}, rows));
  RawClient client = this->client();
  client.send("\x03SELECT big");
  ASSERT_TRUE(eventually([&] { return tidb_.server().bytes_sent() > std::size_t{1} << 20U; }));

  EXPECT_EQ(client.read_reply().rows.size(), 600U);
  EXPECT_EQ(client.query("SELECT 1").rows, Words{"0"});
}

TEST_F(WaitTest, AClientThatDoesNotSendItsFileIsClosed) {
  config_.client_stall_timeout = kLimit;
  start();
  const std::string load = "LOAD DATA LOCAL INFILE 'f' INTO TABLE t";
  tidb_.answer(load, FakeMysql::Answer{.bytes = packet(1,
                                                       "\xfb"
                                                       "f"),
                                       .takes_file = true});
  RawClient client = this->client(with_files());
  ASSERT_EQ(client.query(load).kind, Reply::Kind::kFileRequest);
  client.send("one,", 2);

  EXPECT_TRUE(client.is_closed());
  EXPECT_THAT(tidb_.server().files(), ::testing::IsEmpty());
  EXPECT_EQ(proxy_->timeouts(TimeoutKind::kClientStall), 1U);
  expect_service();
}

// Of the proxy's sockets, which are in this process.
class KeepaliveTest : public SessionTest {
 protected:
  int accepted_socket(const RawClient& client) const {
    rlimit most{};
    ::getrlimit(RLIMIT_NOFILE, &most);
    for (int fd = 0; fd < static_cast<int>(most.rlim_cur); ++fd) {
      sockaddr_in peer{};
      socklen_t length = sizeof peer;
      const bool has_peer = ::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &length) == 0;
      if (has_peer && peer.sin_family == AF_INET && ntohs(peer.sin_port) == client.local_port()) {
        return fd;
      }
    }
    return -1;
  }
  static int option(int fd, int level, int name) {
    int value = -1;
    socklen_t length = sizeof value;
    ::getsockopt(fd, level, name, &value, &length);
    return value;
  }
};

TEST_F(KeepaliveTest, AsksTheHostOfASilentClientWhetherItIsThere) {
  start();
  const RawClient client = this->client();
  const int fd = accepted_socket(client);
  ASSERT_GE(fd, 0);

  EXPECT_EQ(option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 60);
  EXPECT_EQ(option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 10);
  EXPECT_EQ(option(fd, IPPROTO_TCP, TCP_KEEPCNT), 3);
  EXPECT_EQ(option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
}

TEST_F(KeepaliveTest, IsAsAReloadSaysForClientsThatComeAfterIt) {
  start();
  config_.client_keepalive = std::chrono::seconds(7);
  ASSERT_TRUE(proxy_->apply(config_));
  const RawClient asked = this->client();
  EXPECT_EQ(option(accepted_socket(asked), IPPROTO_TCP, TCP_KEEPIDLE), 7);
  config_.client_keepalive = milliseconds(0);
  ASSERT_TRUE(proxy_->apply(config_));
  const RawClient left_alone = this->client();

  EXPECT_EQ(option(accepted_socket(left_alone), SOL_SOCKET, SO_KEEPALIVE), 0);
}

TEST_F(KeepaliveTest, AsksNobodyWhereItIsOff) {
  config_.client_keepalive = milliseconds(0);
  start();
  const RawClient client = this->client();
  const int fd = accepted_socket(client);
  ASSERT_GE(fd, 0);

  EXPECT_EQ(option(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
}

}  // namespace
}  // namespace tidepool::testing

// A backend or a client that goes away, at the moments that matter.
#include "session_fixture.h"

namespace tidepool::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Received = FakeTidb::Received;

class LossTest : public SessionTest {
 protected:
  // A client whom TiDB has asked for its file.
  RawClient client_with_file() {
    start();
    RawClient::Options with_files = options();
    with_files.capabilities |= protocol::capability::kLocalFiles;
    RawClient client = this->client(with_files);
    tidb_.answer(kLoadFile, file_request());
    const Reply request = client.query(kLoadFile);
    EXPECT_EQ(request.kind, Reply::Kind::kFileRequest) << describe(request);
    return client;
  }
  bool retired(pool::RetireReason reason) {
    return eventually([&] { return proxy_->pool_stats().retired[reason].value() == 1; });
  }
};

TEST_F(LossTest, ABackendLostWhileIdleIsReplacedUnseen) {
  start();
  RawClient client = this->client();
  ASSERT_EQ(client.query("SELECT 1").rows, Words{"0"});

  tidb_.server().hang_up();

  EXPECT_TRUE(retired(pool::RetireReason::kLost));
  EXPECT_EQ(client.query("SELECT 2").rows, Words{"1"});
}

TEST_F(LossTest, ABackendThatSaysGoodbyeWithAnErrorIsReplacedUnseen) {
  start();
  RawClient client = this->client();
  ASSERT_EQ(client.query("SELECT 1").rows, Words{"0"});

  tidb_.server().send_unasked(err_packet(1053, "08S01", "Server shutdown in progress", 0));

  EXPECT_TRUE(retired(pool::RetireReason::kLost));
  EXPECT_EQ(client.query("SELECT 2").rows, Words{"1"});
}

TEST_F(LossTest, ABackendWhoseTidbStopsIsNotUsedAgain) {
  start();
  tidb_.answer("SELECT stop", err_packet(1105, "HY000", "tidb server shutting down"));
  RawClient client = this->client();

  EXPECT_TRUE(client.query("SELECT stop").is_error(1105)) << "it is TiDB's answer";

  EXPECT_EQ(client.query("SELECT 2").rows, Words{"1"}) << "another backend";
  EXPECT_TRUE(retired(pool::RetireReason::kLost));
}

TEST_F(LossTest, TellsThatTheOutcomeIsUnknownWhenTheStatementWasSent) {
  start();
  RawClient client = this->client();
  lose_at(0);

  expect_lost(client.query("INSERT INTO t VALUES (1)"), "outcome unknown");
  EXPECT_EQ(client.query("SELECT 2").rows, Words{"1"}) << "the session goes on";
}

TEST_F(LossTest, ClosesTheClientInTheMiddleOfAnAnswer) {
  start();
  RawClient client = this->client();
  tidb_.break_at(0, Fault::kShort);

  EXPECT_TRUE(client.query("SELECT 1").is_closed());
  expect_service();
}

TEST_F(LossTest, ClosesTheClientWhoseTransactionIsLost) {
  start();
  RawClient client = this->client();
  ASSERT_TRUE(client.query("BEGIN").is_ok());
  lose_at(0);

  EXPECT_TRUE(client.query("INSERT INTO t VALUES (1)").is_error(2013));
  EXPECT_TRUE(client.is_closed());
  expect_service();
}

TEST_F(LossTest, ClosesTheClientWhoseTransactionIsLostBetweenCommands) {
  start();
  RawClient client = this->client();
  ASSERT_TRUE(client.query("BEGIN").is_ok());

  tidb_.server().hang_up();

  EXPECT_TRUE(client.is_closed());
  expect_service();
}

// TiDB cannot be told to stop: there is no second backend for the KILL.
TEST_F(LossTest, ClosesTheBackendOfAClientThatLeftWhenItExecutesBeyondTheGrace) {
  config_.disconnect_grace = std::chrono::milliseconds(0);
  start();
  RawClient client = this->client();
  tidb_.hold("INSERT INTO t VALUES (1)");
  client.send("\x03INSERT INTO t VALUES (1)");
  ASSERT_TRUE(holds(1));

  client.close();

  EXPECT_TRUE(has_sessions(0));
  EXPECT_TRUE(eventually([&] { return proxy_->counts().leased == 0; }));
  tidb_.let_go();
  RawClient next = this->client();
  EXPECT_EQ(next.query("SELECT 2").rows, Words{"1"}) << "on another backend";
}

TEST_F(LossTest, KeepsTheBackendOfAClientThatLeavesInTheMiddleOfAnAnswer) {
  start();
  RawClient client = this->client();
  std::vector<std::vector<std::optional<std::string>>> rows(400, {std::string(64 << 10, 'x')});
  tidb_.answer("SELECT big", text_result({"c"}, rows));
  client.send("\x03SELECT big");
  ASSERT_TRUE(client.read_packet());

  client.close_with_reset();

  EXPECT_TRUE(has_sessions(0));
  RawClient next = this->client();
  EXPECT_EQ(next.query("SELECT 2").rows, Words{"0"});
}

TEST_F(LossTest, LetsTheProxysOwnQuestionsEndWhenTheClientHasItsAnswer) {
  start();
  RawClient client = this->client();
  ASSERT_TRUE(client.query("BEGIN").is_ok());
  tidb_.hold("PING");
  EXPECT_TRUE(client.query("INSERT INTO broken VALUES (1)").is_error(1105));
  ASSERT_TRUE(holds(1));
  client.close();
  tidb_.let_go();

  EXPECT_TRUE(has_sessions(0));
  RawClient next = this->client();
  EXPECT_EQ(next.query("SELECT 2").rows, Words{"0"});
  EXPECT_THAT(tidb_.commands(),
              ElementsAre("BEGIN", "INSERT INTO broken VALUES (1)", "PING", "RESET", "SELECT 2"));
}

TEST_F(LossTest, TakesTheFileOfAClientToTidb) {
  RawClient client = client_with_file();

  client.send("one,", 2);
  client.send("two", 3);
  client.send("", 4);

  EXPECT_TRUE(client.read_reply().is_ok());
  EXPECT_THAT(tidb_.server().files(), ElementsAre("one,two"));
  EXPECT_EQ(client.query("SELECT 1").kind, Reply::Kind::kRows);
}

TEST_F(LossTest, TakesAFileThatIsLargerThanWhatTidbReadsAtOnce) {
  RawClient client = client_with_file();
  const std::string part(1 << 20, 'x');

  for (std::uint8_t i = 2; i < 26; ++i)
    client.send(part, i);
  client.send("", 26);

  EXPECT_TRUE(client.read_reply().is_ok());
  ASSERT_EQ(tidb_.server().files().size(), 1U);
  EXPECT_EQ(tidb_.server().files()[0].size(), 24U << 20U);
}

TEST_F(LossTest, ClosesTheBackendOfAClientThatLeavesInTheMiddleOfItsFile) {
  RawClient client = client_with_file();
  client.send("one,", 2);

  client.close();

  EXPECT_TRUE(has_sessions(0));
  EXPECT_THAT(tidb_.server().files(), ::testing::IsEmpty());
  expect_service();
}

}  // namespace
}  // namespace tidepool::testing

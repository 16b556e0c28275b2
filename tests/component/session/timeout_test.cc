// Statements that take too long, and clients that are silent for too long.
#include "session_fixture.h"
#include "tidepool/protocol/codec.h"

namespace tidepool::testing {
namespace {

using session::TimeoutKind;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Long enough for what a loaded machine does meanwhile.
constexpr milliseconds kLimit{300};
// Where nothing must come in time.
constexpr milliseconds kSoon{20};

class TimeoutTest : public SessionTest {
 protected:
  TimeoutTest() { pool().size = 2; }

  config::Timeouts& timeouts() { return config_.users[0].timeouts; }
  // What TiDB answers to a statement that a KILL has ended.
  void answer_as_killed(const std::string& text) {
    tidb_.answer(text, err_packet(1317, "70100", "Query execution was interrupted"));
  }
  bool has_killed() {
    return eventually([&] {
      const Words all = tidb_.commands();
      return std::find(all.begin(), all.end(), "KILL QUERY 1000") != all.end();
    });
  }
};

TEST_F(TimeoutTest, StopsAStatementThatTakesTooLong) {
  timeouts().query = kLimit;
  start();
  RawClient client = this->client();
  tidb_.hold("SELECT 'long'");
  answer_as_killed("SELECT 'long'");
  client.send("\x03SELECT 'long'");
  ASSERT_TRUE(has_killed());

  tidb_.let_go();

  const Reply reply = client.read_reply();
  EXPECT_TRUE(reply.is_error(3024)) << describe(reply);
  EXPECT_THAT(reply.text, HasSubstr("maximum statement execution time exceeded"));
  EXPECT_EQ(proxy_->timeouts(TimeoutKind::kQuery), 1U);
  EXPECT_EQ(client.query("SHOW WARNINGS").rows, Words{"Error"});
  EXPECT_EQ(client.query("SELECT 1").kind, Reply::Kind::kRows);
  EXPECT_EQ(tidb_.server().connections(), 2) << "its backend is kept";
}

TEST_F(TimeoutTest, GivesTheAnswerOfAStatementThatWasFasterThanItsKill) {
  timeouts().query = kLimit;
  start();
  RawClient client = this->client();
  tidb_.hold("SELECT 'long'");
  client.send("\x03SELECT 'long'");
  ASSERT_TRUE(has_killed());

  tidb_.let_go();

  EXPECT_EQ(client.read_reply().kind, Reply::Kind::kRows);
}

TEST_F(TimeoutTest, StopsAPreparedStatement) {
  timeouts().query = kLimit;
  start();
  RawClient client = this->client();
  const Reply prepared = client.prepare("SELECT 'long'");
  tidb_.hold("SELECT 'long'");
  answer_as_killed("SELECT 'long'");
  std::string execute("\x17");
  protocol::Writer(execute).u32(prepared.statement).u8(0).u32(1);
  client.send(execute);
  ASSERT_TRUE(has_killed());

  tidb_.let_go();

  EXPECT_TRUE(client.read_reply('\x17').is_error(3024));
}

TEST_F(TimeoutTest, ClosesTheBackendWhereNoKillCanBeSent) {
  timeouts().query = kLimit;
  pool().size = 1;
  start();
  RawClient client = this->client();
  tidb_.hold("INSERT INTO t VALUES (1)");

  const Reply reply = client.query("INSERT INTO t VALUES (1)");

  EXPECT_TRUE(reply.is_error(2013)) << describe(reply);
  EXPECT_THAT(reply.text, HasSubstr("(outcome unknown)"));
  EXPECT_THAT(reply.text, HasSubstr("query_timeout"));
  tidb_.let_go();
  EXPECT_EQ(client.query("SELECT 1").kind, Reply::Kind::kRows) << "the session lives on";
  EXPECT_EQ(proxy_->retries(session::RetryReason::kLost), 0U);
}

TEST_F(TimeoutTest, LeavesAStatementAloneThatWaitsForALease) {
  pool().size = 1;
  config::User hasty = config_.users[0];
  hasty.name = "hasty";
  hasty.timeouts.query = kSoon;
  config_.users.push_back(hasty);
  start();
  RawClient holder = client();
  RawClient::Options as_hasty = options();
  as_hasty.user = "hasty";
  RawClient waits = client(as_hasty);
  ASSERT_TRUE(holder.query("BEGIN").is_ok());

  waits.send("\x03SELECT 1");

  for (int i = 0; i < 4; ++i)
    EXPECT_TRUE(waits.hears_nothing());
  EXPECT_EQ(proxy_->timeouts(TimeoutKind::kQuery), 0U);
}

TEST_F(TimeoutTest, EndsAConnectionThatIsSilentInATransaction) {
  timeouts().idle_transaction = kSoon;
  start();
  RawClient other = client();
  RawClient silent = client();
  ASSERT_TRUE(silent.query("BEGIN").is_ok());

  EXPECT_TRUE(silent.read_reply().is_closed());

  EXPECT_EQ(proxy_->timeouts(TimeoutKind::kIdleTransaction), 1U);
  EXPECT_TRUE(is_idle());
  EXPECT_THAT(tidb_.commands(), ElementsAre("BEGIN", "RESET")) << "it is rolled back";
  EXPECT_EQ(other.query("SELECT 1").kind, Reply::Kind::kRows) << "silent for longer, but in none";
}

TEST_F(TimeoutTest, EndsAConnectionThatIsSilent) {
  timeouts().client_idle = kLimit;
  start();
  RawClient never_spoke = client();
  RawClient spoke = client();
  ASSERT_EQ(spoke.query("SELECT 1").kind, Reply::Kind::kRows);

  EXPECT_TRUE(never_spoke.read_reply().is_closed());
  EXPECT_TRUE(spoke.read_reply().is_closed());

  EXPECT_EQ(proxy_->timeouts(TimeoutKind::kClientIdle), 2U);
}

TEST_F(TimeoutTest, CountsNoSilenceWhileAStatementRuns) {
  timeouts().client_idle = kLimit;
  start();
  RawClient client = this->client();
  tidb_.hold("SELECT 'long'");
  client.send("\x03SELECT 'long'");
  for (int i = 0; i < 8; ++i)
    EXPECT_TRUE(client.hears_nothing());

  tidb_.let_go();

  EXPECT_EQ(client.read_reply().kind, Reply::Kind::kRows);
  EXPECT_TRUE(client.read_reply().is_closed());
}

}  // namespace
}  // namespace tidepool::testing

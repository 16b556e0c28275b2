// COM_STMT_PREPARE answered from what TiDB answered before, and what makes the proxy ask again.
#include "session_fixture.h"

namespace tidepool::testing {
namespace {

using ::testing::ElementsAre;
using Received = FakeTidb::Received;

class PrepareCacheTest : public SessionTest {
 protected:
  static void close(RawClient& client, char id) {
    client.send(std::string("\x19") + id + std::string(3, '\0'));
  }
  // The prepares that reached TiDB; what is closed there is closed without waiting.
  Words prepares() const {
    Words words = tidb_.commands();
    std::erase_if(words, [](const std::string& word) { return !word.starts_with("PREPARE"); });
    return words;
  }
  // Prepared once, so that it is known from now on; answers the client's id.
  static std::uint32_t learn(RawClient& client, std::string_view text) {
    const Reply reply = client.prepare(text);
    EXPECT_TRUE(reply.is_ok()) << describe(reply);
    return reply.statement;
  }
};

TEST_F(PrepareCacheTest, LeavesOneRoundTripToPrepareExecuteAndClose) {
  start();
  RawClient client = this->client();
  for (char id = 1; id <= 4; ++id) {
    const Reply prepared = client.prepare("SELECT ?");
    EXPECT_EQ(prepared.statement, static_cast<std::uint32_t>(id));
    const std::string one("\0\1\x01\0\5", 5);
    EXPECT_EQ(client.execute(prepared.statement, one).kind, Reply::Kind::kRows);
    close(client, id);
  }
  EXPECT_TRUE(client.ping().is_ok());
  EXPECT_THAT(tidb_.commands(),
              ElementsAre("PREPARE SELECT ?", "EXECUTE 1", "EXECUTE 1", "EXECUTE 1", "EXECUTE 1"));
}

TEST_F(PrepareCacheTest, GivesTheSameBytesButTheId) {
  start();
  RawClient one = client();
  RawClient two = client();
  learn(two, "SELECT 1");
  const auto packets_of = [](RawClient& client) {
    client.send("\x16SELECT ?, ?");
    Words packets;
    for (int i = 0; i < 6; ++i)  // the head, two parameters, a column, and two EOFs
      packets.push_back(client.read_packet().value_or("nothing"));
    return packets;
  };
  Words asked = packets_of(one);
  Words remembered = packets_of(two);

  EXPECT_EQ(asked[0].substr(1, 4), std::string("\1\0\0\0", 4));
  EXPECT_EQ(remembered[0].substr(1, 4), std::string("\2\0\0\0", 4));
  asked[0].erase(1, 4);
  remembered[0].erase(1, 4);
  EXPECT_EQ(remembered, asked);
  EXPECT_THAT(tidb_.commands(), ElementsAre("PREPARE SELECT 1", "PREPARE SELECT ?, ?"));
}

TEST_F(PrepareCacheTest, HasTheStatusOfTheSession) {
  start();
  RawClient client = this->client();
  learn(client, "SELECT 1");
  ASSERT_TRUE(client.query("BEGIN").is_ok());
  tidb_.forget();

  client.send("\x16SELECT 1");
  ASSERT_TRUE(client.read_packet() && client.read_packet());
  EXPECT_EQ(client.read_packet(), std::string("\xfe\0\0\3\0", 5)) << "in a transaction";
  EXPECT_THAT(tidb_.commands(), ElementsAre());
}

TEST_F(PrepareCacheTest, PreparesInFrontOfTheExecuteOnABackendThatDoesNotKnow) {
  pool().size = 2;
  start();
  RawClient one = client();
  RawClient two = client();
  learn(one, "SELECT 1");
  ASSERT_TRUE(one.query("BEGIN").is_ok());  // takes backend 0
  learn(two, "SELECT 2");                   // from now on backend 1's next id is known
  const std::uint32_t id = learn(two, "SELECT 1");
  tidb_.forget();
  tidb_.break_at(0, Fault::kError);

  EXPECT_TRUE(two.execute(id).is_error(1105)) << "the prepare failed";
  EXPECT_THAT(tidb_.received(),
              ElementsAre(Received{1, "PREPARE SELECT 1"}, Received{1, "EXECUTE 2"}))
      << "the execute did not wait for it";

  EXPECT_EQ(two.execute(id).kind, Reply::Kind::kRows) << "the statement is still there";
  EXPECT_TRUE(two.query("SELECT 3").kind == Reply::Kind::kRows);
}

TEST_F(PrepareCacheTest, KeepsATransactionWhoseStatementCannotBePrepared) {
  pool().size = 2;
  start();
  RawClient one = client();
  RawClient two = client();
  const std::uint32_t id = learn(two, "SELECT 1");
  ASSERT_TRUE(one.query("BEGIN").is_ok());  // takes backend 0
  ASSERT_TRUE(two.query("BEGIN").is_ok());
  tidb_.forget();
  tidb_.break_at(0, Fault::kError);

  EXPECT_TRUE(two.execute(id).is_error(1105));
  EXPECT_EQ(two.execute(id).kind, Reply::Kind::kRows);
  EXPECT_TRUE(two.query("COMMIT").is_ok());

  EXPECT_THAT(tidb_.received(),
              ElementsAre(Received{1, "PREPARE SELECT 1"}, Received{1, "PREPARE SELECT 1"},
                          Received{1, "EXECUTE 2"}, Received{1, "COMMIT"}));
}

TEST_F(PrepareCacheTest, SaysNothingToLongDataThatCannotBePrepared) {
  pool().size = 2;
  start();
  RawClient one = client();
  RawClient two = client();
  const std::uint32_t id = learn(two, "SELECT ?");
  ASSERT_TRUE(one.query("BEGIN").is_ok());  // takes backend 0
  ASSERT_EQ(two.query("SELECT 2").kind, Reply::Kind::kRows);
  tidb_.break_at(0, Fault::kError);
  ASSERT_EQ(id, 1U);
  two.send(std::string("\x18\1\0\0\0\0\0data", 11));

  EXPECT_TRUE(two.ping().is_ok());
}

class SchemaChangeTest : public PrepareCacheTest,
                         public ::testing::WithParamInterface<const char*> {};

TEST_P(SchemaChangeTest, MakesItForget) {
  start();
  RawClient::Options many = options();
  many.capabilities |= protocol::capability::kMultiStatements;
  RawClient one = client(many);
  RawClient two = client();
  learn(two, "SELECT 1");
  ASSERT_TRUE(one.query(GetParam()).is_ok());
  tidb_.forget();

  learn(two, "SELECT 1");
  learn(two, "SELECT 1");
  EXPECT_THAT(prepares(), ElementsAre("PREPARE SELECT 1"));
}

INSTANTIATE_TEST_SUITE_P(All, SchemaChangeTest,
                         ::testing::Values("ALTER TABLE t ADD COLUMN c INT", "DROP TABLE t",
                                           "DO 1; CREATE TABLE t(a INT)",
                                           "REVOKE ALL ON d.* FROM u", "CREATE VIEW v AS SELECT 1",
                                           "SET GLOBAL sql_mode=''"));

TEST_F(PrepareCacheTest, ForgetsWhenDdlIsExecutedAsAPreparedStatement) {
  start();
  RawClient client = this->client();
  learn(client, "SELECT 1");
  const std::uint32_t ddl = learn(client, "DROP TABLE t");
  learn(client, "SELECT 1");
  ASSERT_TRUE(client.execute(ddl).is_ok());
  learn(client, "SELECT 1");

  EXPECT_THAT(prepares(),
              ElementsAre("PREPARE SELECT 1", "PREPARE DROP TABLE t", "PREPARE SELECT 1"));
}

TEST_F(PrepareCacheTest, ForgetsWhatTidbSaysHasChanged) {
  start();
  RawClient client = this->client();
  const std::uint32_t id = learn(client, "SELECT a FROM t");
  tidb_.answer("SELECT a FROM t", err_packet(1054, "42S22", "Unknown column 'a'"));
  EXPECT_TRUE(client.execute(id).is_error(1054));
  tidb_.forget();

  learn(client, "SELECT a FROM t");
  EXPECT_THAT(prepares(), ElementsAre("PREPARE SELECT a FROM t"));
}

TEST_F(PrepareCacheTest, ForgetsWhatHasOtherColumnsNow) {
  start();
  RawClient client = this->client();
  const std::uint32_t id = learn(client, "SELECT * FROM t");
  tidb_.answer("SELECT * FROM t", text_result({"a", "b"}, {{"1", "2"}}, 2));
  EXPECT_EQ(client.execute(id).kind, Reply::Kind::kRows);
  tidb_.forget();

  learn(client, "SELECT * FROM t");
  EXPECT_THAT(prepares(), ElementsAre("PREPARE SELECT * FROM t"));
}

TEST_F(PrepareCacheTest, AsksEachTimeWhereTheAnswerDependsOnMore) {
  start();
  RawClient client = this->client();
  for (int i = 0; i < 2; ++i)
    learn(client, "SELECT @x");
  ASSERT_TRUE(client.query("CREATE TEMPORARY TABLE t(a INT)").is_ok());
  for (int i = 0; i < 2; ++i)
    learn(client, "SELECT * FROM t");

  EXPECT_THAT(prepares(), ElementsAre("PREPARE SELECT @x", "PREPARE SELECT @x",
                                      "PREPARE SELECT * FROM t", "PREPARE SELECT * FROM t"));
}

TEST_F(PrepareCacheTest, AsksEachTimeWhenItIsOff) {
  pool().prepare_cache_ttl = std::chrono::milliseconds(0);
  start();
  RawClient client = this->client();
  learn(client, "SELECT 1");
  learn(client, "SELECT 1");

  EXPECT_THAT(prepares(), ElementsAre("PREPARE SELECT 1", "PREPARE SELECT 1"));
}

TEST_F(PrepareCacheTest, TellsOtherSessionsInTheSameStateOnly) {
  start();
  RawClient one = client();
  RawClient two = client();
  learn(one, "SELECT 1");
  ASSERT_TRUE(two.query("SET time_zone='+01:00'").is_ok());
  tidb_.forget();

  learn(two, "SELECT 1");
  EXPECT_THAT(prepares(), ElementsAre("PREPARE SELECT 1"));
}

TEST_F(PrepareCacheTest, GivesWarningsOfAPrepareByPreparingAgain) {
  start();
  RawClient client = this->client();
  learn(client, "SELECT 1");
  learn(client, "SELECT 1");
  tidb_.forget();

  EXPECT_EQ(client.query("SHOW WARNINGS").kind, Reply::Kind::kRows);
  EXPECT_TRUE(eventually([&] { return tidb_.commands().size() == 3; }));
  EXPECT_THAT(tidb_.commands(), ElementsAre("PREPARE SELECT 1", "SHOW WARNINGS", "CLOSE 2"));
}

using RepeatTest = PrepareCacheTest;

TEST_F(RepeatTest, PreparesAgainWhatTheBackendHasLost) {
  start();
  RawClient client = this->client();
  const std::uint32_t id = learn(client, "SELECT 1");
  tidb_.lose_statements();

  EXPECT_EQ(client.execute(id).kind, Reply::Kind::kRows);

  EXPECT_THAT(tidb_.commands(),
              ElementsAre("PREPARE SELECT 1", "EXECUTE 1", "PREPARE SELECT 1", "EXECUTE 2"));
}

TEST_F(RepeatTest, DoesSoOnce) {
  start();
  RawClient client = this->client();
  const std::uint32_t id = learn(client, "SELECT 1");
  tidb_.answer("SELECT 1", err_packet(1243, "HY000", "Unknown prepared statement handler"));

  EXPECT_TRUE(client.execute(id).is_error(1243));

  ASSERT_TRUE(is_idle()) << "the ping after the error is answered";
  EXPECT_THAT(tidb_.commands(), ElementsAre("PREPARE SELECT 1", "EXECUTE 1", "PREPARE SELECT 1",
                                            "EXECUTE 2", "PING"));
}

TEST_F(RepeatTest, TellsThatTheSchemaHasChanged) {
  start();
  RawClient client = this->client();
  const std::uint32_t id = learn(client, "SELECT 1");
  tidb_.answer("SELECT 1", err_packet(8113, "HY000", "Schema change caused error"));

  EXPECT_TRUE(client.execute(id).is_error(8113));
  ASSERT_TRUE(is_idle()) << "the ping after the error is answered";
  EXPECT_THAT(tidb_.commands(), ElementsAre("PREPARE SELECT 1", "EXECUTE 1", "PING"));
}

TEST_F(RepeatTest, PreparesAgainWhatIsOlderThanItsClientsPrepare) {
  pool().size = 2;
  start();
  RawClient one = client();
  RawClient two = client();
  RawClient three = client();
  const std::uint32_t old = learn(one, "SELECT 1");  // on backend 0
  ASSERT_TRUE(one.query("BEGIN").is_ok());
  ASSERT_TRUE(two.query("DROP TABLE t").is_ok());  // on backend 1
  const std::uint32_t id = learn(two, "SELECT 1");
  ASSERT_TRUE(three.query("BEGIN").is_ok());  // takes backend 1
  ASSERT_TRUE(one.query("COMMIT").is_ok());   // gives up backend 0
  ASSERT_TRUE(eventually([&] { return proxy_->counts().leased == 1; }));
  tidb_.forget();
  tidb_.answer("SELECT 1", err_packet(8113, "HY000", "Schema change caused error"));

  EXPECT_TRUE(two.execute(id).is_error(8113));
  const auto received = tidb_.received();
  ASSERT_GE(received.size(), 4U);
  EXPECT_THAT(std::vector<Received>(received.begin(), received.begin() + 4),
              ElementsAre(Received{0, "EXECUTE 1"}, Received{0, "CLOSE 1"},
                          Received{0, "PREPARE SELECT 1"}, Received{0, "EXECUTE 2"}));
  EXPECT_TRUE(one.execute(old).is_error(8113));
  EXPECT_EQ(prepares().size(), 1U) << "what backend 0 has is newer than this one's prepare";
}

}  // namespace
}  // namespace tidepool::testing

// Prepared statements over shared backends: the client's ids are its own, backends learn the texts
// as they are needed.
#include "session_fixture.h"

namespace tidepool::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using Received = FakeTidb::Received;

class PreparedTest : public SessionTest {
 protected:
  // One parameter: its NULL bitmap, that types follow, a type, and a value of one byte.
  static std::string typed(char type, char value) { return {'\0', '\1', type, '\0', value}; }
  static std::string untyped(char value) { return {'\0', '\0', value}; }
};

TEST_F(PreparedTest, HaveIdsOfTheSessionsOwn) {
  start();
  RawClient one = client();
  RawClient two = client();

  EXPECT_EQ(one.prepare("SELECT 1").statement, 1U);
  EXPECT_EQ(one.prepare("SELECT 2").statement, 2U);
  EXPECT_EQ(two.prepare("SELECT 3").statement, 1U);
  EXPECT_EQ(two.execute(1).kind, Reply::Kind::kRows);

  EXPECT_THAT(tidb_.commands(),
              ElementsAre("PREPARE SELECT 1", "PREPARE SELECT 2", "PREPARE SELECT 3", "EXECUTE 3"));
}

TEST_F(PreparedTest, AreNotLookedForByPacketsOfAWrongLength) {
  start();
  RawClient client = this->client();
  const std::string body("\1\0\0\0\0\1\0\0\0", 9);
  for (const std::string& packet :
       {"\x17" + body.substr(0, 8), "\x1c" + body.substr(0, 7), "\x1c" + body}) {
    const Reply reply = client.command(packet);
    EXPECT_TRUE(reply.is_error(1105));
    EXPECT_EQ(reply.text, "malform packet error") << packet.size();
  }
}

TEST_F(PreparedTest, AreExecutedWithoutAWordMoreWhereTheyAreKnown) {
  start();
  RawClient client = this->client();
  const std::uint32_t id = client.prepare("SELECT 1").statement;

  EXPECT_EQ(client.execute(id).kind, Reply::Kind::kRows);
  EXPECT_EQ(client.execute(id).kind, Reply::Kind::kRows);

  EXPECT_THAT(tidb_.commands(), ElementsAre("PREPARE SELECT 1", "EXECUTE 1", "EXECUTE 1"));
}

TEST_F(PreparedTest, ArePreparedAnewOnAnotherBackend) {
  pool().size = 2;
  start();
  RawClient one = client();
  RawClient two = client();
  const std::uint32_t id = one.prepare("SELECT 1").statement;
  ASSERT_TRUE(two.query("BEGIN").is_ok());  // takes backend 0

  EXPECT_EQ(one.execute(id).kind, Reply::Kind::kRows);

  EXPECT_THAT(tidb_.received(),
              ElementsAre(Received{0, "PREPARE SELECT 1"}, Received{0, "BEGIN"},
                          Received{1, "PREPARE SELECT 1"}, Received{1, "EXECUTE 1"}));
}

TEST_F(PreparedTest, ArePreparedAnewInTheirSqlModeWhereTheBackendAloneKnowsAVariable) {
  pool().size = 2;
  start();
  RawClient client = this->client();
  (void)client.query("DO @a := 'done'");
  const std::uint32_t id = client.prepare("INSERT INTO t VALUES ('a' || 1)").statement;
  (void)client.query("SET sql_mode = 'PIPES_AS_CONCAT'");

  EXPECT_TRUE(client.execute(id).is_ok());

  EXPECT_THAT(tidb_.commands(),
              ElementsAre("DO @a := 'done'", "PREPARE INSERT INTO t VALUES ('a' || 1)",
                          "SET sql_mode = 'PIPES_AS_CONCAT'", "SET sql_mode=DEFAULT",
                          EndsWith("INSERT INTO t VALUES ('a' || 1)"),
                          "SET sql_mode='PIPES_AS_CONCAT'", "EXECUTE 2"));
}

TEST_F(PreparedTest, GetTheirTypesBackAfterOthersWereUsed) {
  start();
  RawClient one = client();
  RawClient two = client();
  const std::uint32_t first = one.prepare("SELECT ?").statement;
  const std::uint32_t second = two.prepare("SELECT ?").statement;
  ASSERT_EQ(one.execute(first, typed('\x01', 5)).kind, Reply::Kind::kRows);
  ASSERT_EQ(two.execute(second, typed('\x02', 6)).kind, Reply::Kind::kRows);

  EXPECT_EQ(one.execute(first, untyped(7)).kind, Reply::Kind::kRows);

  const std::string last = tidb_.server().commands().back();
  EXPECT_EQ(last.substr(10), typed('\x01', 7)) << "its own type, not the other session's";
}

TEST_F(PreparedTest, AreClosedOnTheBackendWhenOthersPushThemOut) {
  pool().max_prepared = 2;
  start();
  RawClient client = this->client();
  const std::uint32_t first = client.prepare("SELECT 1").statement;
  client.prepare("SELECT 2");
  ASSERT_EQ(client.execute(first).kind, Reply::Kind::kRows);
  client.prepare("SELECT 3");

  EXPECT_EQ(client.execute(2).kind, Reply::Kind::kRows) << "prepared anew";

  EXPECT_TRUE(eventually([&] { return tidb_.commands().size() == 8; }));  // nobody answers CLOSE
  EXPECT_THAT(tidb_.commands(),
              ElementsAre("PREPARE SELECT 1", "PREPARE SELECT 2", "EXECUTE 1", "PREPARE SELECT 3",
                          "CLOSE 2", "PREPARE SELECT 2", "EXECUTE 4", "CLOSE 1"));
}

TEST_F(PreparedTest, CostNothingToClose) {
  start();
  RawClient client = this->client();
  client.prepare("SELECT 1");
  client.send(std::string("\x19\1\0\0\0", 5));

  EXPECT_TRUE(client.execute(1).is_error(1105));
  EXPECT_TRUE(client.ping().is_ok());
  EXPECT_THAT(tidb_.commands(), ElementsAre("PREPARE SELECT 1"));
}

TEST_F(PreparedTest, TellTidbsErrorWhenTheyCannotBePrepared) {
  start();
  RawClient client = this->client();

  EXPECT_TRUE(client.prepare("SELECT broken").is_error(1064));
  EXPECT_TRUE(client.prepare("SELECT 1").kind == Reply::Kind::kOk);
  EXPECT_TRUE(is_idle());
}

TEST_F(PreparedTest, AreExecutedInTheDatabaseOfTheirSession) {
  start();
  RawClient::Options in_users = options();
  in_users.database = "users";
  RawClient one = client(in_users);
  RawClient two = client(in_users);
  ASSERT_TRUE(one.query("USE shop").is_ok());
  const std::uint32_t id = one.prepare("SELECT 1").statement;
  ASSERT_EQ(two.query("SELECT 2").kind, Reply::Kind::kRows);
  tidb_.forget();

  EXPECT_EQ(one.execute(id).kind, Reply::Kind::kRows);

  EXPECT_THAT(tidb_.commands(), ElementsAre("USE `shop`", "EXECUTE 1"));
}

TEST_F(PreparedTest, AreOthersInAnotherDatabase) {
  start();
  RawClient::Options in_users = options();
  in_users.database = "users";
  RawClient one = client(in_users);
  in_users.database = "shop";
  RawClient two = client(in_users);
  const std::uint32_t first = one.prepare("SELECT 1").statement;
  const std::uint32_t second = two.prepare("SELECT 1").statement;
  tidb_.forget();

  EXPECT_EQ(two.execute(second).kind, Reply::Kind::kRows);
  EXPECT_EQ(one.execute(first).kind, Reply::Kind::kRows);

  EXPECT_THAT(tidb_.commands(), ElementsAre("EXECUTE 2", "USE `users`", "EXECUTE 1"));
}

TEST_F(PreparedTest, StayWithTheirBackendWhileLongDataIsUnderWay) {
  start();
  RawClient one = client();
  RawClient two = client();
  const std::uint32_t id = one.prepare("INSERT INTO t VALUES (?)").statement;
  one.send(std::string("\x18\1\0\0\0\0\0data", 11));
  ASSERT_TRUE(eventually([&] { return proxy_->pinned(sql::Pin::kLongData) == 1; }));
  two.send("\x03SELECT 2");
  EXPECT_TRUE(two.hears_nothing());

  EXPECT_TRUE(one.execute(id, std::string("\0\1\xfc\0", 4)).is_ok());

  EXPECT_EQ(two.read_reply().kind, Reply::Kind::kRows);
  EXPECT_THAT(tidb_.commands(), ElementsAre("PREPARE INSERT INTO t VALUES (?)", "LONG_DATA 1",
                                            "EXECUTE 1", "SELECT 2"));
}

TEST_F(PreparedTest, TellTidbsErrorToLongDataForAParameterThatTheyDoNotHave) {
  start();
  RawClient client = this->client();
  ASSERT_EQ(client.prepare("SELECT ?").statement, 1U);
  EXPECT_TRUE(client.command(std::string("\x18\1\0\0\0\1\0data", 11)).is_error(1105));
  EXPECT_TRUE(client.command(std::string("\x18\1\0\0\0", 5)).is_error(1105));
  EXPECT_TRUE(client.command(std::string("\x18\2\0\0\0\0\0data", 11)).is_error(1105));
  EXPECT_TRUE(client.ping().is_ok());
  EXPECT_THAT(tidb_.commands(), ElementsAre("PREPARE SELECT ?"));
}

TEST_F(PreparedTest, StayWithTheirBackendWhileACursorIsOpen) {
  start();
  RawClient client = this->client();
  ASSERT_EQ(client.prepare("SELECT 'rows'").statement, 1U);
  // A cursor: the definitions end with CURSOR_EXISTS, and no rows follow.
  std::string opened = text_result({"c"}, {}, 2);
  opened = opened.substr(0, opened.size() - 9);
  opened.replace(opened.size() - 2, 2, std::string("\x42\0", 2));
  tidb_.answer("SELECT 'rows'", opened);

  client.send(std::string("\x17\1\0\0\0\1\1\0\0\0", 10));
  for (int i = 0; i < 3; ++i)
    ASSERT_TRUE(client.read_packet());
  EXPECT_TRUE(eventually([&] { return proxy_->pinned(sql::Pin::kCursor) == 1; }));
  EXPECT_EQ(proxy_->counts().leased, 1U);

  client.send(std::string("\x19\1\0\0\0", 5));

  EXPECT_TRUE(is_idle());
  EXPECT_TRUE(eventually([&] { return tidb_.commands().size() == 4; }));
  EXPECT_THAT(tidb_.commands(),
              ElementsAre("PREPARE SELECT 'rows'", "EXECUTE 1", "CLOSE 1", "SELECT FOUND_ROWS()"));
}

}  // namespace
}  // namespace tidepool::testing

// Texts of very many statements or changes of the session's state: what is refused of them, and the
// memory that the others take.
#include <algorithm>

#include "session_fixture.h"
#include "tidepool/protocol/capabilities.h"

namespace tidepool::testing {
namespace {

using session::CommandRefusal;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::size_t kMega = std::size_t{1} << 20U;

class LongTextTest : public SessionTest {
 protected:
  static std::string times(std::size_t count, std::string_view piece) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i)
      text += piece;
    return text;
  }
  RawClient client_of_several(const std::string& user = "app") {
    RawClient::Options with_many = options();
    with_many.user = user;
    with_many.capabilities |= protocol::capability::kMultiStatements;
    return client(with_many);
  }
  static void expect_refused(const Reply& reply, const std::string& why) {
    EXPECT_TRUE(reply.is_error(1105)) << describe(reply);
    EXPECT_THAT(reply.text, HasSubstr(why));
  }
  std::int64_t bytes() { return proxy_->commands().bytes.value(); }
};

TEST_F(LongTextTest, NothingOfTooManyStatementsIsExecuted) {
  start();
  RawClient client = client_of_several();

  expect_refused(client.query(times(100'001, "DO 1;")), "100000 statements");

  EXPECT_EQ(client.query("SHOW WARNINGS").rows, Words{"Error"});
  EXPECT_THAT(tidb_.commands(), IsEmpty());
  EXPECT_EQ(client.query("SELECT 1").kind, Reply::Kind::kRows);
}

// Each EXECUTE counts as what it executes.
TEST_F(LongTextTest, NothingOfTooManyChangesByExecutesIsExecuted) {
  start();
  RawClient client = client_of_several();
  ASSERT_TRUE(client.query("PREPARE s FROM 'SET " + times(1'000, "@a=1,") + "@b=1'").is_ok());
  tidb_.forget();

  expect_refused(client.query(times(100, "EXECUTE s;")), "100000 changes");

  EXPECT_THAT(tidb_.commands(), IsEmpty());
  EXPECT_TRUE(client.query("EXECUTE s").is_ok());
}

TEST_F(LongTextTest, NothingOfTooManyChangesIsExecuted) {
  start();
  RawClient client = client_of_several();

  for (const std::string& text :
       {"SET " + times(100'000, "@a=1,") + "@b=1", "SELECT " + times(100'001, "@a:=1,") + "1",
        "DROP TABLE " + times(100'000, "t,") + "t",
        "SET " + times(100'000, "GLOBAL tidb_mem_quota_query=1,") + "@b=1"})
    expect_refused(client.query(text), "100000 changes");
  expect_refused(client.query(times(50'001, "SET @a=1,@b=2;")), "100000 changes");

  EXPECT_THAT(tidb_.commands(), IsEmpty());
  EXPECT_EQ(client.query("SELECT @b").kind, Reply::Kind::kRows);
}

TEST_F(LongTextTest, AKillBehindTheLimitReachesNobody) {
  pool().size = 2;
  config::User other = config_.users[0];
  other.name = "other";
  config_.users.push_back(other);
  start();
  RawClient target = client();
  tidb_.hold("SELECT 'long'");
  target.send("\x03SELECT 'long'");
  ASSERT_TRUE(holds(1));
  RawClient killer = client_of_several("other");

  expect_refused(killer.query(times(100'000, "DO 1;") + "KILL QUERY 1000"), "100000 statements");
  EXPECT_TRUE(killer.query(times(99'999, "DO 1;") + "KILL QUERY 1000").is_error(1227));

  EXPECT_EQ(tidb_.commands(), Words{"SELECT 'long'"});
  EXPECT_EQ(tidb_.held(), 1);
  tidb_.let_go();
}

TEST_F(LongTextTest, IsPreparedNoMoreThanAnyOfSeveralStatements) {
  start();
  RawClient client = client_of_several();

  const Reply several = client.prepare(times(100'001, "DO 1;"));
  EXPECT_TRUE(several.is_error(8115)) << describe(several);
  expect_refused(client.prepare("SET " + times(100'000, "@a=1,") + "@b=1"), "100000 changes");

  EXPECT_THAT(tidb_.commands(), IsEmpty());
  EXPECT_EQ(client.prepare("SELECT 1").statement, 1U);
}

TEST_F(LongTextTest, WhatApplicationsSendGoesToTidbAsItIs) {
  start();
  RawClient client = client_of_several();
  const std::string dump = times(50'000, "INSERT INTO t VALUES (1, 'row');");
  const std::string rows = "INSERT INTO t VALUES " + times(200'000, "(1,2),") + "(1,2)";

  EXPECT_NE(client.query(dump).kind, Reply::Kind::kError);
  EXPECT_NE(client.query(rows).kind, Reply::Kind::kError);

  const Words sent = tidb_.commands();
  EXPECT_EQ(std::count(sent.begin(), sent.end(), dump), 1);
  EXPECT_EQ(std::count(sent.begin(), sent.end(), rows), 1);
}

TEST_F(LongTextTest, WhatItsStatementsTakeIsCountedUntilTheAnswerIsOut) {
  start();
  RawClient client = client_of_several();
  const std::string text = times(13'000, "DO 1;");  // small itself
  tidb_.hold(text);

  client.send("\x03" + text);
  ASSERT_TRUE(holds(1));

  EXPECT_GE(bytes(), static_cast<std::int64_t>(kMega));
  tidb_.let_go();
  EXPECT_TRUE(client.read_reply().is_ok());
  EXPECT_TRUE(eventually([&] { return bytes() == 0; }));
}

TEST_F(LongTextTest, IsRefusedWhereThereIsNoRoomForItsStatements) {
  config_.command_memory = kMega;
  start();
  RawClient client = client_of_several();

  expect_refused(client.query(times(13'000, "DO 1;")), "command_memory");

  EXPECT_THAT(tidb_.commands(), IsEmpty());
  EXPECT_EQ(bytes(), 0);
  EXPECT_EQ(proxy_->commands().refused[CommandRefusal::kStatements].value(), 1U);
  EXPECT_TRUE(client.query(times(1'000, "DO 1;")).is_ok()) << "a short one needs none";
}

}  // namespace
}  // namespace tidepool::testing

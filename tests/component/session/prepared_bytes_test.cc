// Prepared statements, and the memory that they take: of a session and of a pool, at most so much.
#include "session_fixture.h"

namespace tidepool::testing {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t kKilo = 1000;

class PreparedSumTest : public SessionTest {
 protected:
  static std::string text(std::size_t kilobytes, char letter = 'x') {
    return "SELECT '" + std::string(kilobytes * kKilo, letter) + "'";
  }
  config::User& user() { return config_.users[0]; }
  std::int64_t bytes() { return proxy_->pool_stats().prepared_bytes.value(); }
  bool holds_less_than(std::int64_t most) {
    return eventually([&] { return bytes() < most; });
  }
  std::uint64_t refused_by_session() const {
    return proxy_->total(&session::SessionStats::prepares_refused_by_session);
  }
  std::uint64_t refused_by_pool() const {
    return proxy_->total(&session::SessionStats::prepares_refused_by_pool);
  }
};

TEST_F(PreparedSumTest, OfASessionIsLimited) {
  user().max_prepared_memory = 100 * kKilo;
  start();
  RawClient client = this->client();
  ASSERT_EQ(client.prepare(text(60)).statement, 1U);

  const Reply refused = client.prepare(text(60, 'y'));

  EXPECT_TRUE(refused.is_error(1461));
  EXPECT_THAT(refused.text, HasSubstr("users[].max_prepared_memory"));
  EXPECT_THAT(refused.text, HasSubstr("100000 bytes"));
  EXPECT_EQ(tidb_.commands().size(), 1U) << "TiDB was not asked";
  EXPECT_EQ(refused_by_session(), 1U);
  EXPECT_EQ(client.query("SHOW WARNINGS").rows, Words{"Error"});
  EXPECT_EQ(client.prepare("SELECT 2").statement, 2U) << "a small one has room";
  EXPECT_EQ(client.execute(1).kind, Reply::Kind::kRows);
  RawClient other = this->client();
  EXPECT_EQ(other.prepare(text(60)).statement, 1U) << "another session has its own";
}

TEST_F(PreparedSumTest, IsCountedOnceForEachStatement) {
  start();
  RawClient client = this->client();
  ASSERT_EQ(client.prepare(text(500)).statement, 1U);
  EXPECT_GT(bytes(), 500'000);
  EXPECT_LT(bytes(), 510'000);
}

TEST_F(PreparedSumTest, HasRoomAgainForWhatIsClosedOrResetOrRefusedByTidb) {
  user().max_prepared_memory = 100 * kKilo;
  start();
  RawClient client = this->client();
  EXPECT_TRUE(
      client.prepare("SELECT broken, '" + std::string(90 * kKilo, 'x') + "'").is_error(1064));
  EXPECT_TRUE(holds_less_than(1));
  ASSERT_EQ(client.prepare(text(90)).statement, 1U);
  client.send(std::string("\x19\1\0\0\0", 5));
  ASSERT_EQ(client.prepare(text(90, 'y')).statement, 2U);
  ASSERT_TRUE(client.command("\x1f").is_ok());
  EXPECT_TRUE(holds_less_than(1));
  ASSERT_EQ(client.prepare(text(90, 'z')).statement, 1U);
  ASSERT_TRUE(client.change_user("app", "pw").is_ok());
  EXPECT_TRUE(holds_less_than(1));
  EXPECT_EQ(client.prepare(text(90)).statement, 1U);
}

TEST_F(PreparedSumTest, OfAllSessionsOfAPoolIsLimited) {
  config_.workers = 2;
  pool().max_prepared_memory = 250 * kKilo;
  start();
  std::vector<RawClient> clients;
  for (int i = 0; i < 3; ++i)
    clients.push_back(client());
  ASSERT_EQ(clients[0].prepare(text(100)).statement, 1U);
  ASSERT_EQ(clients[1].prepare(text(100)).statement, 1U);

  const Reply refused = clients[2].prepare(text(100));

  EXPECT_TRUE(refused.is_error(1461));
  EXPECT_THAT(refused.text, HasSubstr("pools[].max_prepared_memory"));
  EXPECT_EQ(refused_by_pool(), 1U);
  clients[0].close();
  ASSERT_TRUE(holds_less_than(150'000));
  EXPECT_EQ(clients[2].prepare(text(100)).statement, 1U);
}

TEST_F(PreparedSumTest, FollowsAReload) {
  user().max_prepared_memory = 50 * kKilo;
  start();
  RawClient client = this->client();
  ASSERT_TRUE(client.prepare(text(60)).is_error(1461));
  user().max_prepared_memory = 0;
  ASSERT_TRUE(proxy_->apply(config_));
  ASSERT_EQ(client.prepare(text(60)).statement, 1U);
  pool().max_prepared_memory = 50 * kKilo;
  ASSERT_TRUE(proxy_->apply(config_));
  EXPECT_TRUE(client.prepare(text(60)).is_error(1461));
}

TEST_F(PreparedSumTest, HoldsForPrepareAsText) {
  user().max_prepared_memory = 100 * kKilo;
  start();
  RawClient client = this->client();
  ASSERT_TRUE(
      client.query("PREPARE a FROM 'SELECT \"" + std::string(60 * kKilo, 'x') + "\"'").is_ok());

  const Reply refused =
      client.query("PREPARE b FROM 'SELECT \"" + std::string(60 * kKilo, 'x') + "\"'");

  EXPECT_TRUE(refused.is_error(1461));
  EXPECT_TRUE(client.prepare(text(60)).is_error(1461)) << "the two kinds have one sum";
  EXPECT_TRUE(
      client.query("PREPARE a FROM 'SELECT \"" + std::string(70 * kKilo, 'x') + "\"'").is_ok())
      << "in the place of the one before";
  EXPECT_TRUE(client.query("DEALLOCATE PREPARE a").is_ok());
  EXPECT_TRUE(holds_less_than(1));
  EXPECT_EQ(client.prepare(text(60)).statement, 1U);
}

TEST_F(PreparedSumTest, ASetWithManyVariablesCountsForAllOfThem) {
  user().max_prepared_memory = 1000 * kKilo;
  start();
  RawClient client = this->client();
  std::string text = "SET @a = 1";
  for (int i = 0; i < 20'000; ++i)
    text += ",@a=1";
  EXPECT_TRUE(client.prepare(text).is_error(1461)) << "its changes take many times its text";
}

TEST_F(PreparedSumTest, LongStatementsAreSharedByTextAsShortOnesAre) {
  start();
  RawClient one = client();
  RawClient two = client();
  ASSERT_EQ(one.prepare(text(60)).statement, 1U);
  ASSERT_EQ(two.prepare(text(60)).statement, 1U);
  ASSERT_EQ(two.prepare(text(60, 'y')).statement, 2U);
  const std::size_t before = tidb_.commands().size();

  EXPECT_EQ(one.execute(1).kind, Reply::Kind::kRows);
  EXPECT_EQ(two.execute(2).kind, Reply::Kind::kRows);

  EXPECT_EQ(tidb_.commands().size(), before + 2) << "nothing is prepared again";
}

TEST_F(PreparedSumTest, IsGivenBackWithTheSession) {
  start();
  {
    RawClient client = this->client();
    ASSERT_EQ(client.prepare(text(60)).statement, 1U);
    ASSERT_TRUE(client.query("PREPARE a FROM 'SELECT 1'").is_ok());
    ASSERT_TRUE(client.query("BEGIN").is_ok());
    EXPECT_EQ(client.execute(1).kind, Reply::Kind::kRows);
  }
  EXPECT_TRUE(holds_less_than(1));
}

}  // namespace
}  // namespace tidepool::testing

// Limits of users, databases and the queue.
#include "session_fixture.h"

namespace tidepool::testing {
namespace {

using ::testing::HasSubstr;

class OverloadTest : public SessionTest {
 protected:
  OverloadTest() {
    config::User other = config_.users[0];
    other.name = "other";
    config_.users.push_back(other);
  }
  RawClient client_of(const std::string& user, const std::string& database = {}) {
    RawClient client(options_of(user, database));
    const Reply reply = client.log_in();
    EXPECT_TRUE(reply.is_ok()) << describe(reply);
    return client;
  }
  Reply log_in_as(const std::string& user, const std::string& database = {}) {
    RawClient client(options_of(user, database));
    return client.log_in();
  }
  RawClient::Options options_of(const std::string& user, const std::string& database) const {
    RawClient::Options as = options();
    as.user = user;
    as.database = database;
    return as;
  }
  bool waiting(unsigned count) {
    return eventually([&] { return proxy_->counts().waiting == count; });
  }
};

TEST_F(OverloadTest, RefusesWithThePoolsStateWhoFindsTheQueueFull) {
  pool().max_waiters = 1;
  start();
  RawClient first = client();
  RawClient second = client();
  RawClient third = client();
  ASSERT_TRUE(first.query("BEGIN").is_ok());
  second.send("\x03SELECT 2");
  ASSERT_TRUE(waiting(1));

  const Reply reply = third.query("SELECT 3");

  EXPECT_TRUE(reply.is_error(1040)) << describe(reply);
  EXPECT_THAT(reply.text, HasSubstr("queue for a TiDB connection is full (1 leased"));
  EXPECT_EQ(proxy_->pool_stats().waiters_refused.value(), 1U);
  ASSERT_TRUE(first.query("COMMIT").is_ok());
  EXPECT_EQ(second.read_reply().rows, Words{"0"});
  EXPECT_EQ(third.query("SELECT 3").rows, Words{"0"}) << "the session lives on";
}

TEST_F(OverloadTest, ServesUsersInTurn) {
  start();
  RawClient holder = client();
  ASSERT_TRUE(holder.query("BEGIN").is_ok());
  std::vector<RawClient> many;
  for (int i = 0; i < 3; ++i) {
    many.push_back(client_of("app"));
    many.back().send("\x03SELECT 'many'");
    ASSERT_TRUE(waiting(static_cast<unsigned>(i + 1)));
  }
  RawClient late = client_of("other");
  late.send("\x03SELECT 'late'");
  ASSERT_TRUE(waiting(4));

  ASSERT_TRUE(holder.query("COMMIT").is_ok());

  EXPECT_EQ(late.read_reply().rows, Words{"0"});
  for (RawClient& one : many)
    EXPECT_EQ(one.read_reply().rows, Words{"0"});
  EXPECT_EQ(tidb_.commands()[2], "SELECT 'late'");
}

TEST_F(OverloadTest, LetsAUserHaveNoMoreLeasesThanAllowed) {
  pool().size = 3;
  config_.users[0].max_leases = 1;
  start();
  RawClient holder = client();
  RawClient waits = client();
  RawClient other = client_of("other");
  ASSERT_TRUE(holder.query("BEGIN").is_ok());

  waits.send("\x03SELECT 'waits'");

  ASSERT_TRUE(waiting(1));
  EXPECT_EQ(other.query("SELECT 'other'").kind, Reply::Kind::kRows);
  EXPECT_EQ(proxy_->counts().waiting, 1U);
  ASSERT_TRUE(holder.query("COMMIT").is_ok());
  EXPECT_EQ(waits.read_reply().rows, Words{"0"});
}

TEST_F(OverloadTest, LetsADatabaseHaveNoMoreLeasesThanAllowed) {
  pool().size = 3;
  pool().max_leases_per_database = 1;
  start();
  RawClient holder = client_of("app", "sales");
  RawClient waits = client_of("other", "sales");
  RawClient elsewhere = client_of("app", "stock");
  ASSERT_TRUE(holder.query("BEGIN").is_ok());

  waits.send("\x03SELECT 'waits'");

  ASSERT_TRUE(waiting(1));
  EXPECT_EQ(elsewhere.query("SELECT 'elsewhere'").kind, Reply::Kind::kRows);
  ASSERT_TRUE(holder.query("COMMIT").is_ok());
  EXPECT_EQ(waits.read_reply().rows, Words{"0"});
}

TEST_F(OverloadTest, RefusesALoginBeyondTheUsersSessions) {
  config_.users[0].max_sessions = 1;
  start();
  RawClient first = client();

  const Reply refused = log_in_as("app");

  EXPECT_TRUE(refused.is_error(1203)) << describe(refused);
  EXPECT_THAT(refused.text, HasSubstr("User app has exceeded the 'max_sessions' resource"));
  EXPECT_EQ(proxy_->logins().failures[session::LoginFailure::kLimit].value(), 1U);
  EXPECT_TRUE(log_in_as("other").is_ok());
  first.close();
  EXPECT_TRUE(eventually([&] { return log_in_as("app").is_ok(); }));
}

TEST_F(OverloadTest, RefusesALoginBeyondTheDatabasesSessions) {
  pool().max_sessions_per_database = 1;
  start();
  const RawClient first = client_of("app", "sales");

  EXPECT_TRUE(log_in_as("other", "sales").is_error(1040));
  EXPECT_TRUE(log_in_as("other", "stock").is_ok());
  EXPECT_TRUE(log_in_as("other").is_ok());
}

TEST_F(OverloadTest, LetsNewClientsWaitWhileItAcceptsNone) {
  start();
  RawClient here = client();
  proxy_->set_accepting(false);
  ASSERT_EQ(here.query("SELECT 1").rows, Words{"0"}) << "who is in goes on";
  RawClient waits(options());
  EXPECT_TRUE(waits.hears_nothing());

  proxy_->set_accepting(true);

  EXPECT_TRUE(waits.log_in().is_ok());
}

TEST_F(OverloadTest, LeavesASessionAsItWasThatCannotBecomeTheUser) {
  config_.users[1].max_sessions = 1;
  config_.users[0].max_sessions = 1;
  start();
  RawClient app = client();
  const RawClient other = client_of("other");

  const Reply refused = app.change_user("other", "pw");

  EXPECT_TRUE(refused.is_error(1203)) << describe(refused);
  EXPECT_EQ(app.query("SELECT 1").rows, Words{"0"});
  EXPECT_TRUE(log_in_as("app").is_error(1203)) << "its place is still taken";
}

}  // namespace
}  // namespace tidepool::testing

// Passwords that are guessed, by logins and by COM_CHANGE_USER.
#include <chrono>

#include "session_fixture.h"

namespace tidepool::testing {
namespace {

using session::LoginFailure;

class GuessingTest : public SessionTest {
 protected:
  GuessingTest() {
    config_.users.push_back(config_.users[0]);
    config_.users[1].name = "other";
  }

  Reply guess(const std::string& user = "app") {
    RawClient::Options wrong = options();
    wrong.user = user;
    wrong.password = "wrong";
    return RawClient(wrong).log_in();
  }
  bool counts(std::uint64_t failures) {
    return eventually(
        [&] { return proxy_->logins().failures[LoginFailure::kPassword].value() == failures; });
  }
  template <class Action>
  static Duration time_of(Action action) {
    const TimePoint before = Clock::now();
    action();
    return Clock::now() - before;
  }
};

TEST_F(GuessingTest, AChangeOfUserThatFailsIsCountedAndTheSessionGoesOn) {
  start();
  RawClient client = this->client();
  ASSERT_TRUE(client.query("BEGIN").is_ok());

  EXPECT_TRUE(client.change_user("other", "wrong").is_error(1045));
  EXPECT_TRUE(client.change_user("nobody", "wrong").is_error(1045));

  EXPECT_TRUE(client.query("COMMIT").is_ok());
  EXPECT_TRUE(counts(2));
  EXPECT_TRUE(client.change_user("other", "pw").is_ok());
}

TEST_F(GuessingTest, TheThirdChangeOfUserThatFailsEndsTheConnection) {
  start();
  RawClient client = this->client();
  EXPECT_TRUE(client.change_user("other", "wrong").is_error(1045));
  EXPECT_TRUE(client.change_user("nobody", "wrong").is_error(1045));
  EXPECT_TRUE(client.change_user("other", "pw").is_ok()) << "which does not begin anew";

  EXPECT_TRUE(client.change_user("app", "wrong").is_error(1045));

  EXPECT_TRUE(client.is_closed());
  EXPECT_TRUE(counts(3));
}

// As TiDB, which cannot read it either (conn.go, handleChangeUser).
TEST_F(GuessingTest, AChangeOfUserThatCannotBeReadIsNoGuess) {
  start();
  RawClient client = this->client();
  for (int i = 0; i < 5; ++i) {
    const Reply reply = client.command(std::string_view("\x11other\0\x14short", 13));
    EXPECT_TRUE(reply.is_error(1105)) << describe(reply);
    EXPECT_EQ(reply.text, "malform packet error");
  }
  EXPECT_TRUE(client.command(std::string_view("\x11other\0", 7)).is_error(1105));
  EXPECT_EQ(client.query("SELECT 1").kind, Reply::Kind::kRows);
  EXPECT_TRUE(counts(0));
}

TEST_F(GuessingTest, TheMoreGuessesTheLaterTheirRefusal) {
  config_.failed_login_delay = std::chrono::milliseconds(150);
  start();
  for (int i = 0; i < 4; ++i)
    EXPECT_TRUE(guess().is_error(1045));

  EXPECT_GE(time_of([&] { EXPECT_TRUE(guess().is_error(1045)); }), std::chrono::milliseconds(140));

  EXPECT_EQ(proxy_->logins().delayed.value(), 2U);
  EXPECT_TRUE(counts(5));
}

TEST_F(GuessingTest, ARightPasswordNeverWaits) {
  config_.failed_login_delay = std::chrono::hours(1);
  config_.login_timeout = std::chrono::hours(3);
  start();
  RawClient before = client();
  std::vector<RawClient> guessers;
  for (int i = 0; i < 20; ++i) {
    RawClient::Options wrong = options();
    wrong.password = "wrong";
    guessers.emplace_back(wrong);
    ASSERT_FALSE(guessers.back().begin_login());
  }
  ASSERT_TRUE(counts(20));

  expect_service();
  EXPECT_TRUE(before.change_user("app", "pw").is_ok());

  guessers.clear();  // the clients of refusals that wait have left; these end with their time
  EXPECT_EQ(proxy_->logins().delayed.value(), 17U);
}

TEST_F(GuessingTest, AChangeOfUserThatFailsWaitsToo) {
  config_.failed_login_delay = std::chrono::milliseconds(150);
  start();
  for (int i = 0; i < 4; ++i)
    EXPECT_TRUE(guess("other").is_error(1045));
  RawClient client = this->client();

  const Duration taken =
      time_of([&] { EXPECT_TRUE(client.change_user("other", "wrong").is_error(1045)); });

  EXPECT_GE(taken, std::chrono::milliseconds(140));  // counted from the beginning of a turn
  EXPECT_EQ(client.query("SELECT 1").kind, Reply::Kind::kRows);
}

// The killed session is there for as long as its client takes nothing of an answer.
TEST_F(GuessingTest, ARefusalThatWaitsIsOfNoUseToASessionThatIsKilledMeanwhile) {
  const TemporaryDirectory directory;
  config::Listener local;
  local.socket_path = directory.file("tidepool.sock");  // whose buffer does not grow
  config_.listeners.push_back(local);
  config_.failed_login_delay = std::chrono::milliseconds(150);
  start();
  tidb_.answer("SELECT big", text_result({"c"}, {{std::string(std::size_t{320} << 10U, 'x')}}));
  for (int i = 0; i < 4; ++i)
    EXPECT_TRUE(guess("other").is_error(1045));
  RawClient::Options over_socket;
  over_socket.socket_path = local.socket_path;
  RawClient killed = client(over_socket);
  RawClient killer = client();

  killed.send("\x03SELECT big");
  killed.send(std::string("\x11other\0\x14", 8) + std::string(20, 'x') +
              std::string("\0\x2d\0mysql_native_password\0", 25));
  ASSERT_TRUE(eventually([&] { return proxy_->logins().delayed.value() == 2; }));
  EXPECT_TRUE(killer.query("KILL " + std::to_string(killed.greeting().connection_id)).is_ok());

  EXPECT_TRUE(guess("other").is_error(1045));  // later than the one that nobody waits for
  expect_service();
}

TEST_F(GuessingTest, WithoutADelayEachIsAnsweredAtOnce) {
  config_.failed_login_delay = {};
  start();
  for (int i = 0; i < 20; ++i)
    EXPECT_TRUE(guess().is_error(1045));
  EXPECT_EQ(proxy_->logins().delayed.value(), 0U);
}

// The format of TiDB's 1045 has %-.48s.
TEST_F(GuessingTest, ALongNameIsCutInItsRefusal) {
  start();
  const Reply reply = guess(std::string(60'000, 'x'));
  EXPECT_TRUE(reply.is_error(1045)) << describe(reply).substr(0, 200);
  EXPECT_EQ(reply.text, "Access denied for user '" + std::string(48, 'x') +
                            "'@'127.0.0.1' (using password: YES)");
}

TEST_F(GuessingTest, ALongNameIsCutInTheLog) {
  start();
  ::testing::internal::CaptureStderr();
  EXPECT_TRUE(guess(std::string(60'000, 'x')).is_error(1045));
  EXPECT_TRUE(counts(1));
  RawClient::Options lost = options();
  lost.database = std::string(60'000, 'd');
  (void)RawClient(lost).log_in();
  EXPECT_TRUE(has_sessions(0));
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, ::testing::HasSubstr(std::string(48, 'x')));
  EXPECT_THAT(log, ::testing::Not(::testing::HasSubstr(std::string(65, 'x'))));
  EXPECT_THAT(log, ::testing::Not(::testing::HasSubstr(std::string(600, 'd'))));
}

}  // namespace
}  // namespace tidepool::testing

// The rounds of a full authentication, which are made beside the loops: alone and under whole
// logins.
#include "tidepool/session/password_checks.h"

#include <array>
#include <future>

#include "certificates.h"
#include "running_loop.h"
#include "session_fixture.h"
#include "tidepool/protocol/reply_messages.h"

namespace tidepool::testing {
namespace {

using protocol::Passwords;
using protocol::Proof;
using session::PasswordChecks;

// Says of "pw" that it is right, when it is told to.
class SlowCheck {
 public:
  SlowCheck() = default;
  SlowCheck(const SlowCheck&) = delete;
  SlowCheck& operator=(const SlowCheck&) = delete;
  ~SlowCheck() { may_end = true; }

  PasswordChecks::Check check() {
    return [this](const Passwords& passwords, std::string_view password) {
      ++begun;
      if (passwords.secondary() != nullptr) ++pairs;
      while (!may_end)
        std::this_thread::yield();
      return password == "pw" ? std::optional(Proof::kPrimary) : std::nullopt;
    };
  }

  std::atomic<int> begun = 0;
  std::atomic<int> pairs = 0;  // of those, with a secondary password
  std::atomic<bool> may_end = false;
};

class PasswordChecksTest : public ::testing::Test {
 protected:
  using Wait = std::unique_ptr<PasswordChecks::Wait>;

  // Whose verdict is added to verdicts_.
  Wait add(const std::string& password) {
    Wait wait;
    loop_.call([&] {
      wait = checks_.add(loop_.loop, Passwords(protocol::Credential()), password,
                         [&](std::optional<Proof> proof) { proof ? ++right_ : ++wrong_; });
    });
    return wait;
  }
  void forget(Wait& wait) {
    loop_.call([&] { wait.reset(); });
  }

  SlowCheck slow_;
  PasswordChecks checks_{slow_.check(), 2};
  RunningLoop loop_;
  std::atomic<int> right_ = 0;
  std::atomic<int> wrong_ = 0;
};

TEST_F(PasswordChecksTest, EachIsToldOnItsLoop) {
  Wait one = add("pw");
  ASSERT_TRUE(eventually([&] { return slow_.begun == 1; }));
  Wait two = add("other");
  slow_.may_end = true;

  EXPECT_TRUE(eventually([&] { return right_ == 1 && wrong_ == 1; }));

  forget(one);
  forget(two);
}

TEST_F(PasswordChecksTest, WhoeverFindsTheQueueFullIsRefused) {
  Wait running = add("pw");
  ASSERT_TRUE(eventually([&] { return slow_.begun == 1; }));
  Wait first = add("pw");
  Wait second = add("pw");
  EXPECT_EQ(add("pw"), nullptr);

  forget(first);  // makes room, and is not done
  Wait third = add("pw");
  EXPECT_NE(third, nullptr);

  slow_.may_end = true;
  EXPECT_TRUE(eventually([&] { return right_ == 3; }));
  EXPECT_EQ(slow_.begun, 3);
  for (Wait* wait : {&running, &second, &third})
    forget(*wait);
}

TEST_F(PasswordChecksTest, WhoLeavesIsNotTold) {
  Wait leaves = add("pw");
  ASSERT_TRUE(eventually([&] { return slow_.begun == 1; }));
  forget(leaves);
  Wait stays = add("other");
  slow_.may_end = true;

  EXPECT_TRUE(eventually([&] { return wrong_ == 1; }));

  EXPECT_EQ(right_, 0);
  forget(stays);
}

class LoginWithChecksTest : public SessionTest {
 protected:
  LoginWithChecksTest() {
    config_.users.push_back(config_.users[0]);
    config_.users[1].name = "sha2";
    config_.users[1].password_hash = sha2_hash_in_hex("pw");
    config::Listener local;
    local.socket_path = directory_.file("tidepool.sock");  // no key is needed there
    config_.listeners.push_back(local);
  }

  void start(std::size_t max_queued = PasswordChecks::kMaxQueued) {
    proxy_ = std::make_unique<ProxyUnderTest>(
        config_, ProxyUnderTest::Parts{.password_checks = std::make_unique<PasswordChecks>(
                                           slow_.check(), max_queued)});
    ASSERT_TRUE(eventually([&] { return proxy_->counts().idle == 1; }));
  }
  RawClient::Options sha2(const std::string& user = "sha2") const {
    RawClient::Options sha2;
    sha2.socket_path = config_.listeners[1].socket_path;
    sha2.user = user;
    sha2.plugin = "caching_sha2_password";
    return sha2;
  }
  std::future<Reply> log_in_later(const RawClient::Options& options) {
    return std::async(std::launch::async, [options] { return RawClient(options).log_in(); });
  }
  // A client that the server has asked for its password itself.
  RawClient asked_for_password() const {
    RawClient client(sha2());
    const auto greeting = protocol::parse_greeting(client.read_packet().value());
    protocol::LoginRequest request;
    request.capabilities = RawClient::kUsual;
    request.collation = 45;
    request.user = "sha2";
    request.auth_response = protocol::sha2_scramble("pw", greeting.value().salt);
    request.auth_plugin = protocol::kCachingSha2Password;
    client.send(protocol::encode_login_request(request), 1);
    EXPECT_EQ(client.read_packet(), "\x01\x04");
    return client;
  }
  static void send_password(RawClient& client, const std::string& password) {
    client.send(password + '\0', 3);
  }
  bool has_begun(int checks) const {
    return eventually([&] { return slow_.begun == checks; });
  }

  const TemporaryDirectory directory_;
  SlowCheck slow_;
};

TEST_F(LoginWithChecksTest, OthersAreServedWhileAPasswordIsChecked) {
  start();
  std::future<Reply> login = log_in_later(sha2());
  ASSERT_TRUE(has_begun(1));
  expect_service();

  slow_.may_end = true;

  EXPECT_TRUE(login.get().is_ok());
  EXPECT_TRUE(RawClient(sha2()).log_in().is_ok());
  EXPECT_EQ(slow_.begun, 1) << "the second time the digest is known";
}

TEST_F(LoginWithChecksTest, ALoginThatFindsTooManyPasswordsBeforeItIsRefused) {
  start(1);
  std::future<Reply> first = log_in_later(sha2());
  ASSERT_TRUE(has_begun(1));
  std::future<Reply> second = log_in_later(sha2());
  std::future<Reply> third = log_in_later(sha2());
  const auto& failures = proxy_->logins().failures;
  ASSERT_TRUE(
      eventually([&] { return failures[session::LoginFailure::kPasswordQueue].value() == 1; }));

  slow_.may_end = true;

  EXPECT_TRUE(first.get().is_ok());
  const std::array answers = {second.get(), third.get()};
  const Reply& refused = answers[answers[0].is_ok() ? 1 : 0];
  EXPECT_TRUE(refused.is_error(1040)) << describe(refused);
  EXPECT_EQ(refused.text, "Too many connections: too many passwords wait to be checked");
  EXPECT_TRUE(answers[answers[0].is_ok() ? 0 : 1].is_ok());
}

TEST_F(LoginWithChecksTest, AnUnknownUserMakesTheSameWork) {
  config_.users.erase(config_.users.begin());
  start();
  slow_.may_end = true;
  RawClient::Options wrong = sha2();
  wrong.password = "other";
  RawClient::Options unknown = sha2("nobody");
  EXPECT_TRUE(RawClient(wrong).log_in().is_error(1045));
  EXPECT_EQ(slow_.begun, 1);
  EXPECT_TRUE(RawClient(unknown).log_in().is_error(1045)) << "whatever its password";
  EXPECT_EQ(slow_.begun, 2);

  EXPECT_TRUE(RawClient(sha2()).log_in().is_ok());
  EXPECT_TRUE(RawClient(wrong).log_in().is_error(1045));
  EXPECT_EQ(slow_.begun, 4) << "and so does one who has logged in before";
}

TEST_F(LoginWithChecksTest, TwoPasswordsOrNoneMakeTheSameWorkAsAnUnknownUsers) {
  config_.users.erase(config_.users.begin());
  config_.users[0].has_secondary_password = true;
  config_.users[0].secondary_password_hash = sha2_hash_in_hex("old");
  config_.users.push_back(config_.users[0]);
  config_.users[1].name = "none";
  config_.users[1].has_password = config_.users[1].has_secondary_password = false;
  config_.users[1].certificate_names = {"none.example"};
  start();
  slow_.may_end = true;
  int logins = 0;
  for (const char* user : {"sha2", "none", "nobody"}) {
    RawClient::Options wrong = sha2(user);
    wrong.password = "other";
    EXPECT_TRUE(RawClient(wrong).log_in().is_error(1045));
    EXPECT_EQ(slow_.begun, ++logins) << user;
    EXPECT_EQ(slow_.pairs, logins) << user;
  }
  EXPECT_TRUE(RawClient(sha2("none")).log_in().is_error(1045)) << "whatever is right";
}

TEST_F(LoginWithChecksTest, ManyClientsOfAUserAtOnceMakeTheWorkOfOne) {
  start();
  slow_.may_end = true;
  RawClient first = asked_for_password();
  RawClient second = asked_for_password();
  RawClient wrong = asked_for_password();

  send_password(first, "pw");
  EXPECT_EQ(first.read_packet().value_or("none").front(), '\0');
  send_password(second, "pw");
  EXPECT_EQ(second.read_packet().value_or("none").front(), '\0');
  EXPECT_EQ(slow_.begun, 1);

  send_password(wrong, "other");
  EXPECT_EQ(wrong.read_packet().value_or("none").front(), '\xff');
  EXPECT_EQ(slow_.begun, 2) << "a wrong one takes the same time as ever";
}

TEST_F(LoginWithChecksTest, AClientThatLeavesMeanwhileIsForgotten) {
  start();
  for (const bool with_reset : {false, true}) {
    {
      RawClient leaves = asked_for_password();
      send_password(leaves, "pw");
      ASSERT_TRUE(has_begun(1));
      with_reset ? leaves.close_with_reset() : leaves.close();
    }
    proxy_->close_sessions();
    EXPECT_TRUE(has_sessions(0));
  }
  slow_.may_end = true;
  EXPECT_TRUE(RawClient(sha2()).log_in().is_ok());
}

TEST_F(LoginWithChecksTest, ALoginThatWaitsTooLongEnds) {
  config_.login_timeout = std::chrono::milliseconds(200);
  start();
  EXPECT_FALSE(RawClient(sha2()).log_in().is_ok());
  EXPECT_TRUE(has_sessions(0));
}

TEST_F(LoginWithChecksTest, TheProcessEndsWhileALoginWaits) {
  start();
  std::future<Reply> login = log_in_later(sha2());
  ASSERT_TRUE(has_begun(1));
  std::thread end([&] { proxy_.reset(); });
  EXPECT_FALSE(login.get().is_ok());
  slow_.may_end = true;  // what runs is not given up
  end.join();
}

TEST_F(LoginWithChecksTest, APasswordThatIsChangedMeanwhileLetsNobodyInByTheFastPath) {
  start();
  std::future<Reply> login = log_in_later(sha2());
  ASSERT_TRUE(has_begun(1));
  config_.users[1].password_hash = sha2_hash_in_hex("new");
  ASSERT_TRUE(proxy_->apply(config_));
  slow_.may_end = true;
  EXPECT_TRUE(login.get().is_ok()) << "it was right when it was asked for";
  const int before = slow_.begun;
  EXPECT_TRUE(RawClient(sha2()).log_in().is_ok());
  EXPECT_EQ(slow_.begun, before + 1) << "nothing was learnt of the old one";
}

TEST_F(LoginWithChecksTest, ChangeUserWaitsForTheCheckToo) {
  start();
  RawClient::Options local = sha2("app");
  RawClient client = this->client(local);
  auto changed = std::async(std::launch::async, [&] { return client.change_user("sha2", "pw"); });
  ASSERT_TRUE(has_begun(1));
  slow_.may_end = true;
  EXPECT_TRUE(changed.get().is_ok());
  EXPECT_EQ(client.query("SELECT 1").kind, Reply::Kind::kRows);
}

}  // namespace
}  // namespace tidepool::testing

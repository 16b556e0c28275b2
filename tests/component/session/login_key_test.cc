// The RSA key that is made when the first client asks for it, alone and under whole logins.
#include "tidepool/session/login_key.h"

#include <future>

#include "running_loop.h"
#include "session_fixture.h"
#include "tidepool/protocol/reply_messages.h"

namespace tidepool::testing {
namespace {

using protocol::RsaKey;
using session::LoginKey;

// Makes a key when it is told to, and counts how often it was asked for one.
class SlowMaker {
 public:
  LoginKey::Maker maker() {
    return [this](const std::atomic<bool>& is_unwanted) -> Result<RsaKey> {
      ++asked;
      while (!may_end && !is_unwanted)
        std::this_thread::yield();
      if (fails.exchange(false) || is_unwanted) return fail(Code::kInternal, "no key today");
      return RsaKey::generate(is_unwanted);
    };
  }

  std::atomic<int> asked = 0;
  std::atomic<bool> may_end = false;
  std::atomic<bool> fails = false;
};

TEST(LoginKey, IsMadeOnceForAllWhoAskMeanwhile) {
  SlowMaker slow;
  LoginKey key(slow.maker());
  RunningLoop one;
  RunningLoop two;
  std::atomic<int> told = 0;
  std::vector<std::unique_ptr<LoginKey::Wait>> here;
  std::vector<std::unique_ptr<LoginKey::Wait>> there;
  for (int i = 0; i < 3; ++i) {
    one.call([&] { here.push_back(key.wait(one.loop, [&] { ++told; })); });
    two.call([&] { there.push_back(key.wait(two.loop, [&] { ++told; })); });
  }
  two.call([&] { there.pop_back(); });  // one leaves
  EXPECT_EQ(key.get(), nullptr);
  EXPECT_EQ(told, 0);

  slow.may_end = true;

  EXPECT_TRUE(eventually([&] { return told == 5; }));
  EXPECT_NE(key.get(), nullptr);
  one.call([&] { here.push_back(key.wait(one.loop, [&] { ++told; })); });
  EXPECT_TRUE(eventually([&] { return told == 6; })) << "who asks when it is there";
  EXPECT_EQ(slow.asked, 1);
  one.call([&] { here.clear(); });
  two.call([&] { there.clear(); });
}

TEST(LoginKey, IsMadeAnewAfterAFailure) {
  SlowMaker slow;
  slow.may_end = true;
  slow.fails = true;
  LoginKey key(slow.maker());
  RunningLoop one;
  std::unique_ptr<LoginKey::Wait> wait;
  for (int turn = 1; turn <= 2; ++turn) {
    std::atomic<bool> is_told = false;
    one.call([&] { wait = key.wait(one.loop, [&] { is_told = true; }); });
    EXPECT_TRUE(eventually([&] { return is_told.load(); }));
    EXPECT_EQ(key.get() != nullptr, turn == 2);
  }
  EXPECT_EQ(slow.asked, 2);
  one.call([&] { wait.reset(); });
}

TEST(LoginKey, IsGivenUpWhenTheProcessEnds) {
  SlowMaker slow;
  LoginKey key(slow.maker());
  RunningLoop one;
  std::unique_ptr<LoginKey::Wait> wait;
  one.call([&] { wait = key.wait(one.loop, [] { FAIL(); }); });
  EXPECT_TRUE(eventually([&] { return slow.asked == 1; }));
  one.call([&] { wait.reset(); });
}

class LoginWithKeyTest : public SessionTest {
 protected:
  LoginWithKeyTest() {
    config_.users[0].password.clear();
    config_.users[0].password_hash = sha2_hash_in_hex("pw");
    config::User native;
    native.name = "native";
    native.password = "pw";
    native.pool = config_.pools[0].name;
    config_.users.push_back(native);
  }

  void start() {
    proxy_ = std::make_unique<ProxyUnderTest>(
        config_, ProxyUnderTest::Parts{.login_key = std::make_unique<LoginKey>(slow_.maker())});
    ASSERT_TRUE(eventually([&] { return proxy_->counts().idle == 1; }));
  }
  RawClient::Options sha2() const {
    RawClient::Options sha2 = options();
    sha2.plugin = "caching_sha2_password";
    return sha2;
  }
  RawClient::Options native() const {
    RawClient::Options native = options();
    native.user = "native";
    return native;
  }

  // From the greeting to the request for the key, which has the number 3.
  static void ask_for_key(RawClient& client) {
    const auto greeting = protocol::parse_greeting(client.read_packet().value());
    protocol::LoginRequest request;
    request.capabilities = RawClient::kUsual;
    request.collation = 45;
    request.user = "app";
    request.auth_response = protocol::sha2_scramble("pw", greeting.value().salt);
    request.auth_plugin = protocol::kCachingSha2Password;
    client.send(protocol::encode_login_request(request), 1);
    EXPECT_EQ(client.read_packet(), "\x01\x04");
    client.send("\x02", 3);
  }

  SlowMaker slow_;
};

TEST_F(LoginWithKeyTest, OthersAreServedWhileLoginsWaitForTheKey) {
  config_.workers = 2;
  start();
  std::vector<std::future<bool>> logins;
  for (int i = 0; i < 8; ++i) {
    logins.push_back(
        std::async(std::launch::async, [&] { return RawClient(sha2()).log_in().is_ok(); }));
  }
  ASSERT_TRUE(eventually([&] { return slow_.asked == 1 && proxy_->sessions() == 8; }));
  for (int i = 0; i < 4; ++i) {  // on both workers
    RawClient other = client(native());
    EXPECT_EQ(other.query("SELECT 1").kind, Reply::Kind::kRows);
  }

  slow_.may_end = true;

  for (auto& login : logins)
    EXPECT_TRUE(login.get());
  EXPECT_EQ(slow_.asked, 1);
}

TEST_F(LoginWithKeyTest, AClientThatLeavesMeanwhileIsForgotten) {
  start();
  for (const bool with_reset : {false, true}) {
    RawClient leaves(sha2());
    ask_for_key(leaves);
    ASSERT_TRUE(eventually([&] { return slow_.asked == 1; }));
    with_reset ? leaves.close_with_reset() : leaves.close();
    EXPECT_TRUE(has_sessions(0));
  }
  slow_.may_end = true;
  EXPECT_TRUE(RawClient(sha2()).log_in().is_ok());
  EXPECT_EQ(slow_.asked, 1);
}

TEST_F(LoginWithKeyTest, WhatAClientSendsAheadIsTakenWhenTheKeyIsThere) {
  start();
  RawClient hasty(sha2());
  ask_for_key(hasty);
  hasty.send(std::string(256, 'x'), 5);  // instead of the password
  ASSERT_TRUE(eventually([&] { return slow_.asked == 1; }));
  slow_.may_end = true;
  const auto key = hasty.read_packet();
  ASSERT_TRUE(key);
  EXPECT_THAT(*key, ::testing::HasSubstr("BEGIN PUBLIC KEY"));
  const auto denied = hasty.read_packet();
  ASSERT_TRUE(denied);
  EXPECT_EQ(protocol::parse_err(*denied)->number, 1045);
  EXPECT_TRUE(hasty.is_closed());
}

TEST_F(LoginWithKeyTest, ALoginThatWaitsTooLongEnds) {
  config_.login_timeout = std::chrono::milliseconds(200);
  start();
  EXPECT_FALSE(RawClient(sha2()).log_in().is_ok());
  EXPECT_TRUE(has_sessions(0));
}

TEST_F(LoginWithKeyTest, WithoutAKeyTheLoginIsDenied) {
  slow_.fails = true;
  slow_.may_end = true;
  start();
  RawClient unlucky(sha2());
  ask_for_key(unlucky);
  const auto denied = unlucky.read_packet();
  ASSERT_TRUE(denied);
  EXPECT_EQ(protocol::parse_err(*denied)->number, 1045);
  EXPECT_TRUE(RawClient(sha2()).log_in().is_ok()) << "the next client's is a new try";
}

TEST_F(LoginWithKeyTest, TheProcessEndsWhileALoginWaits) {
  start();
  auto login = std::async(std::launch::async, [&] { return RawClient(sha2()).log_in().is_ok(); });
  ASSERT_TRUE(eventually([&] { return slow_.asked == 1; }));

  proxy_.reset();

  EXPECT_FALSE(login.get());
}

TEST_F(LoginWithKeyTest, ChangeUserWaitsForTheKeyToo) {
  start();
  RawClient client = this->client(native());
  auto changed = std::async(std::launch::async, [&] { return client.change_user("app", "pw"); });
  ASSERT_TRUE(eventually([&] { return slow_.asked == 1; }));
  slow_.may_end = true;
  EXPECT_TRUE(changed.get().is_ok());
  EXPECT_EQ(client.query("SELECT 1").kind, Reply::Kind::kRows);
}

}  // namespace
}  // namespace tidepool::testing

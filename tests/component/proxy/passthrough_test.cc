// Passwords that a server judges, by dials to a scripted one. What the workers would do with a
// changed configuration is recorded.
#include "passthrough.h"

#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_mysql.h"
#include "loop_run.h"

namespace tidepool::proxy {
namespace {

using Verdict = session::PasswordProofs::Verdict;
using session::ProofResult;
using testing::FakeMysql;
using testing::run_until;
using Answer = session::PasswordProofs::Answer;

class PassthroughTest : public ::testing::Test {
 protected:
  void begin(const FakeMysql& server) {
    config::Pool model;
    model.name = "main";
    model.endpoints = {{"127.0.0.1", server.port()}};
    model.tls.mode = config::TlsMode::kDisabled;
    model.passthrough = true;
    model.max_passthrough_users = 1;
    base_.pools = {model};
    base_.passes_through = true;
    passthrough_.set_base(base_);
  }
  // A login that waits for its answer.
  struct Asked {
    std::optional<Answer> answer;
    std::unique_ptr<session::PasswordProofs::Wait> wait;
  };
  std::shared_ptr<Asked> ask(const std::string& user, const std::string& password) {
    auto asked = std::make_shared<Asked>();
    asked->wait = proofs_.add(loop_, {.user = user, .password = password},
                              [asked](const Answer& answer) { asked->answer = answer; });
    return asked;
  }
  Answer answer_to(const std::string& user, const std::string& password) {
    const auto asked = ask(user, password);
    EXPECT_TRUE(run_until(loop_, [&] { return asked->answer.has_value(); }));
    const Answer answer = asked->answer.value_or(Answer{});
    asked->wait.reset();
    return answer;
  }
  [[nodiscard]] std::uint64_t counted(ProofResult result) const {
    return stats_.proofs[result].value();
  }
  [[nodiscard]] std::vector<std::string> users() const {
    std::vector<std::string> names;
    for (const config::User& user : applied_.users)
      names.push_back(user.name);
    return names;
  }

  net::Loop loop_;
  session::PasswordProofs proofs_;
  session::ProofStats stats_;
  config::Config base_;
  config::Config applied_;
  int times_applied_ = 0;
  bool has_sessions_ = true;
  Passthrough passthrough_{
      loop_, proofs_, stats_,
      Passthrough::Events{.apply_all = [this](const config::Config& next) -> Result<void> {
                            applied_ = next;
                            return {};
                          },
                          .apply_users =
                              [this](const config::Config& next) {
                                applied_ = next;
                                ++times_applied_;
                              },
                          .is_free = [](const std::string&, const config::Pool&) { return true; },
                          .has_sessions = [this](const std::string&) { return has_sessions_; }}};
};

TEST_F(PassthroughTest, ARightPasswordIsProvedOnce) {
  const FakeMysql server({});
  begin(server);

  EXPECT_EQ(answer_to("app", "secret").verdict, Verdict::kRight);
  EXPECT_THAT(users(), ::testing::ElementsAre("app"));
  EXPECT_EQ(applied_.pools.back().password, "secret");
  EXPECT_EQ(answer_to("app", "secret").verdict, Verdict::kRight);

  EXPECT_EQ(server.logins().size(), 1U);
  EXPECT_EQ(times_applied_, 1);
  EXPECT_EQ(counted(ProofResult::kRight), 1U);
  EXPECT_EQ(counted(ProofResult::kRemembered), 1U);
  EXPECT_EQ(stats_.users.value(), 1);
}

TEST_F(PassthroughTest, AWrongPasswordIsNotTriedTwice) {
  const FakeMysql server({});
  begin(server);

  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(answer_to("app", "guess").verdict, Verdict::kWrong);

  EXPECT_EQ(server.logins().size(), 1U);
  EXPECT_EQ(times_applied_, 0);
  EXPECT_EQ(counted(ProofResult::kWrong), 1U);
}

TEST_F(PassthroughTest, WhoComesAtOnceSharesOneDial) {
  const FakeMysql server({});
  begin(server);
  std::vector<std::shared_ptr<Asked>> all;
  for (int i = 0; i < 20; ++i)
    all.push_back(ask("app", "secret"));

  EXPECT_TRUE(run_until(loop_, [&] {
    return std::all_of(all.begin(), all.end(),
                       [](const auto& asked) { return asked->answer.has_value(); });
  }));

  for (const auto& asked : all) {
    EXPECT_EQ(asked->answer->verdict, Verdict::kRight);
    asked->wait.reset();
  }
  EXPECT_EQ(server.logins().size(), 1U);
}

TEST_F(PassthroughTest, WhoCannotBeJudgedHearsWhy) {
  FakeMysql::Options script;
  script.opening = FakeMysql::Opening::kError;
  const FakeMysql server(std::move(script));
  begin(server);

  const Answer answer = answer_to("app", "secret");

  EXPECT_EQ(answer.verdict, Verdict::kUnknown);
  EXPECT_EQ(answer.error.mysql_errno, 1040);
  EXPECT_EQ(counted(ProofResult::kFailed), 1U);
}

TEST_F(PassthroughTest, WhatIsWrongOnTheWayIsNobodysWhoHasNotShownWhoItIs) {
  const FakeMysql server({});
  begin(server);
  base_.pools[0].tls.mode = config::TlsMode::kVerifyIdentity;  // which this server does not offer
  passthrough_.set_base(base_);

  const Answer answer = answer_to("app", "secret");

  EXPECT_EQ(answer.verdict, Verdict::kUnknown);
  EXPECT_EQ(answer.error.mysql_errno, 2003);
  EXPECT_EQ(answer.error.message, "TiDB cannot be asked about this user now");
}

TEST_F(PassthroughTest, AnotherTidbIsAskedAnew) {
  const FakeMysql first({});
  FakeMysql::Options script;
  script.password = "another";
  const FakeMysql second(std::move(script));
  begin(first);
  ASSERT_EQ(answer_to("app", "secret").verdict, Verdict::kRight);

  base_.pools[0].endpoints = {{"127.0.0.1", second.port()}};
  ASSERT_TRUE(passthrough_.change_base(base_));

  EXPECT_THAT(users(), ::testing::IsEmpty());
  EXPECT_EQ(answer_to("app", "secret").verdict, Verdict::kWrong);
}

TEST_F(PassthroughTest, AUserThatAReloadListsMeanwhileDoesNotPassThrough) {
  const FakeMysql server({});
  begin(server);
  config::User listed;
  listed.name = "app";
  listed.pool = "main";
  base_.users = {listed};
  const auto asked = ask("app", "secret");
  bool has_changed = false;
  // Right behind the question, whose dial has begun then; what is posted at once runs together, so
  // that the dial cannot have ended.
  loop_.post([&] { has_changed = passthrough_.change_base(base_).has_value(); });

  EXPECT_TRUE(run_until(loop_, [&] { return asked->answer.has_value(); }));

  EXPECT_TRUE(has_changed);
  EXPECT_EQ(asked->answer->verdict, Verdict::kBusy);
  EXPECT_EQ(times_applied_, 0);
  EXPECT_EQ(answer_to("app", "other").verdict, Verdict::kUnknown);
  EXPECT_EQ(server.logins().size(), 1U);
}

TEST_F(PassthroughTest, ThereAreNoMoreUsersThanAllowed) {
  FakeMysql::Options script;
  script.user = "";  // any
  const FakeMysql server(std::move(script));
  begin(server);
  ASSERT_EQ(answer_to("app", "secret").verdict, Verdict::kRight);

  const Answer answer = answer_to("other", "secret");

  EXPECT_EQ(answer.verdict, Verdict::kUnknown);
  EXPECT_EQ(answer.error.mysql_errno, 1040);
  EXPECT_NE(answer.error.message.find("max_passthrough_users"), std::string::npos);
}

TEST_F(PassthroughTest, UsersWithoutSessionsGo) {
  const FakeMysql server({});
  begin(server);
  base_.pools[0].passthrough_lifetime = std::chrono::milliseconds(1);
  passthrough_.set_base(base_);
  ASSERT_EQ(answer_to("app", "secret").verdict, Verdict::kRight);

  passthrough_.tick();
  EXPECT_THAT(users(), ::testing::ElementsAre("app"));
  has_sessions_ = false;
  EXPECT_TRUE(run_until(loop_, [&] {
    passthrough_.tick();
    return users().empty();
  }));
  EXPECT_EQ(stats_.users.value(), 0);
}

TEST_F(PassthroughTest, WhoLeavesIsForgotten) {
  FakeMysql::Options script;
  script.opening = FakeMysql::Opening::kSilence;
  const FakeMysql server(std::move(script));
  begin(server);
  const auto asked = ask("app", "secret");
  EXPECT_TRUE(run_until(loop_, [&] { return server.connections() == 1; }));
  asked->wait.reset();
  passthrough_.stop();
  EXPECT_FALSE(asked->answer.has_value());
}

}  // namespace
}  // namespace tidepool::proxy

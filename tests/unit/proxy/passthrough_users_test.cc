#include "passthrough_users.h"

#include <functional>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidepool::proxy {
namespace {

using Admission = PassthroughUsers::Admission;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

class PassthroughUsersTest : public testing::Test {
 protected:
  PassthroughUsersTest() {
    config::Pool model;
    model.name = "main";
    model.endpoints = {{"h", 4000}};
    model.database = "of_the_listed";
    model.passthrough = true;
    model.max_passthrough_users = 2;
    model.passthrough_lifetime = seconds(60);
    base_.pools = {model};
    base_.passes_through = true;
    (void)users_.set_base(base_);
  }

  Admission admit(const std::string& user, const std::string& password = "p") {
    const auto is_free = [this](const std::string& name, const config::Pool&) {
      return used_.count(name) == 0;
    };
    return users_.admit(user, password, is_free, now_);
  }
  bool expire() {
    return users_.expire([this](const std::string& name) { return busy_.count(name) > 0; }, now_);
  }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const config::User& user : users_.applied().users)
      names.push_back(user.name + "@" + user.pool);
    return names;
  }

  config::Config base_;
  PassthroughUsers users_;
  TimePoint now_ = Clock::now();
  std::set<std::string> used_;  // pools that something of another user is in
  std::set<std::string> busy_;  // pools with sessions
};

TEST_F(PassthroughUsersTest, EachHasAPoolLikeTheModel) {
  EXPECT_EQ(admit("a"), Admission::kChanged);
  EXPECT_EQ(admit("b", "q"), Admission::kChanged);

  const config::Config applied = users_.applied();

  ASSERT_EQ(applied.pools.size(), 2U);  // the model itself has no account
  EXPECT_EQ(applied.pools[0].name, "main/1");
  EXPECT_EQ(applied.pools[1].user, "b");
  EXPECT_EQ(applied.pools[1].password, "q");
  EXPECT_EQ(applied.pools[1].endpoints, base_.pools[0].endpoints);
  EXPECT_FALSE(applied.pools[1].passthrough);
  EXPECT_EQ(applied.pools[1].database, "");
  EXPECT_THAT(names(), ElementsAre("a@main/1", "b@main/2"));
  EXPECT_TRUE(applied.users[0].is_passed_through);
  EXPECT_TRUE(applied.passes_through);
}

TEST_F(PassthroughUsersTest, WhoIsThereChangesNothingButByAnotherPassword) {
  (void)admit("a", "p");
  EXPECT_EQ(admit("a", "p"), Admission::kKnown);
  EXPECT_EQ(admit("a", "q"), Admission::kChanged);
  EXPECT_EQ(users_.applied().pools[0].password, "q");
  EXPECT_EQ(users_.size(), 1U);
}

TEST_F(PassthroughUsersTest, ThereAreNoMoreThanAllowed) {
  (void)admit("a");
  (void)admit("b");
  EXPECT_EQ(admit("c"), Admission::kFull);
  EXPECT_EQ(admit("a"), Admission::kKnown);
  EXPECT_TRUE(users_.remove("a"));
  EXPECT_FALSE(users_.remove("a"));
  EXPECT_EQ(admit("c"), Admission::kChanged);
}

TEST_F(PassthroughUsersTest, APoolIsUsedAgainWhenNothingOfAnotherUserIsInIt) {
  (void)admit("a");
  (void)users_.remove("a");
  used_ = {"main/1"};  // its last session is in a transaction
  (void)admit("b");
  EXPECT_THAT(names(), ElementsAre("b@main/2"));
  used_ = {};
  (void)admit("c");
  EXPECT_THAT(names(), ElementsAre("b@main/2", "c@main/1"));
}

TEST_F(PassthroughUsersTest, WhoHasNoSessionForLongGoes) {
  (void)admit("a");
  (void)admit("b");
  busy_ = {"main/2"};
  now_ += seconds(59);
  EXPECT_FALSE(expire());
  now_ += seconds(1);
  EXPECT_TRUE(expire());
  EXPECT_THAT(names(), ElementsAre("b@main/2"));
  busy_ = {};
  EXPECT_FALSE(expire());  // its time begins when its last session has gone
  now_ += seconds(60);
  EXPECT_TRUE(expire());
  EXPECT_THAT(names(), IsEmpty());
}

TEST_F(PassthroughUsersTest, AListedUserDoesNotPassThrough) {
  (void)admit("a");
  (void)admit("b");
  config::User listed;
  listed.name = "a";
  listed.pool = "main";
  base_.users = {listed};
  EXPECT_EQ(users_.set_base(base_), PassthroughUsers::Model::kAsBefore);
  EXPECT_THAT(names(), ElementsAre("a@main", "b@main/2"));
  EXPECT_EQ(admit("a"), Admission::kListed);  // asked before the reload
}

TEST_F(PassthroughUsersTest, NobodyIsLeftWhenTheModelIsAnotherTidb) {
  const std::vector<std::function<void(config::Pool&)>> changes = {
      [](config::Pool& model) { model.name = "other"; },
      [](config::Pool& model) {
        model.endpoints = {{"elsewhere", 4000}};
      },
      [](config::Pool& model) { model.prepare_cache_ttl = seconds(1); }};
  for (const auto& change : changes) {
    (void)admit("a");
    change(base_.pools[0]);
    EXPECT_EQ(users_.set_base(base_), PassthroughUsers::Model::kAnother);
    EXPECT_THAT(names(), IsEmpty());
    EXPECT_EQ(users_.set_base(base_), PassthroughUsers::Model::kAsBefore);
  }
}

TEST_F(PassthroughUsersTest, NobodyDoesWhenItIsSwitchedOff) {
  (void)admit("a");
  base_.pools[0].passthrough = false;
  base_.pools[0].user = "account";
  EXPECT_EQ(users_.set_base(base_), PassthroughUsers::Model::kAnother);
  EXPECT_THAT(names(), IsEmpty());
  EXPECT_EQ(admit("a"), Admission::kFull);
  EXPECT_EQ(users_.applied().pools.size(), 1U);
}

TEST_F(PassthroughUsersTest, ChangedSettingsOfTheModelReachTheirPools) {
  (void)admit("a");
  base_.pools[0].size = 3;
  EXPECT_EQ(users_.set_base(base_), PassthroughUsers::Model::kAsBefore);
  EXPECT_EQ(users_.applied().pools[0].size, 3);
}

}  // namespace
}  // namespace tidepool::proxy

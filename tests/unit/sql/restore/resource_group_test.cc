#include "tidepool/sql/state/resource_group.h"

#include <gtest/gtest.h>

#include "tidepool/sql/restore/restore.h"
#include "tidepool/sql/state/session_state.h"

namespace tidepool::sql {
namespace {

SessionState in_group(const char* name, SessionState state = SessionState()) {
  state.apply({.kind = ChangeKind::kSetResourceGroup, .value = name});
  return state;
}

SessionState login_in(const char* name) {
  SessionState state;
  state.set_login_group(name);
  return state;
}

std::string plan(const SessionState& actual, const SessionState& desired) {
  std::string all;
  for (const RestoreStep& step : plan_restore(actual, desired).steps) {
    if (!all.empty()) all += " | ";
    all += step.kind == RestoreStep::Kind::kQuery ? step.text : "RESET";
    if (step.may_fail) all += " ?";
  }
  return all;
}

TEST(ResourceGroup, IsPartOfTheState) {
  EXPECT_NE(in_group("a"), SessionState());
  EXPECT_NE(in_group("a"), in_group("b"));
  EXPECT_EQ(in_group("", in_group("a")), SessionState());
  EXPECT_EQ(in_group("", in_group("a")).hash(), SessionState().hash());
  EXPECT_EQ(login_in("a"), SessionState());
}

// One that was dropped since is not there to be set: then `default` is what TiDB charges.
TEST(ResourceGroup, IsSetWhereItDiffers) {
  const char* kSet = "SET RESOURCE GROUP `default` | SET RESOURCE GROUP `a` ?";
  EXPECT_EQ(plan(SessionState(), in_group("a")), kSet);
  EXPECT_EQ(plan(in_group("b"), in_group("a")), kSet);
  EXPECT_EQ(plan(in_group("a"), in_group("a")), "");
  EXPECT_EQ(plan(SessionState(), in_group("default")), "SET RESOURCE GROUP `default`");
}

TEST(ResourceGroup, OfALoginIsSetIfItIsKnown) {
  EXPECT_EQ(plan(in_group("a", login_in("b")), login_in("")),
            "SET RESOURCE GROUP `default` | SET RESOURCE GROUP `b` ?");
  EXPECT_EQ(plan(in_group("a", login_in("default")), SessionState()),
            "SET RESOURCE GROUP `default`");
  EXPECT_EQ(plan(in_group("a"), SessionState()), "RESET");
}

TEST(ResourceGroup, AfterAResetIsTheDefaultOne) {
  SessionState state = in_group("a", login_in("b"));
  state.reset();
  EXPECT_EQ(state, SessionState());
  EXPECT_EQ(state.login_group(), "default");
  EXPECT_EQ(plan(in_group("c", state), SessionState()), "SET RESOURCE GROUP `default`");
}

TEST(ResourceGroup, IsFollowedInAscii) {
  EXPECT_EQ(resource_group_name("Rg 1"), "rg 1");
  EXPECT_EQ(resource_group_name(""), std::nullopt);
  EXPECT_EQ(resource_group_name("caf\xc3\xa9"), std::nullopt);
}

}  // namespace
}  // namespace tidepool::sql

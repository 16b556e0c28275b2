#include "tidepool/sql/state/role.h"

#include <gtest/gtest.h>

#include "tidepool/sql/parse/statement.h"
#include "tidepool/sql/restore/restore.h"
#include "tidepool/sql/state/session_state.h"

namespace tidepool::sql {
namespace {

TEST(Role, IsSetAgainAsCurrentRoleSaysIt) {
  for (const char* text : {"NONE", "`a`@`%`", "`a`@`%`,`b c`@`10.0.0.1`"}) {
    EXPECT_EQ(role_names(text), text);
  }
}

TEST(Role, IsLeftWhereItIsIfItsNameCannotBeRepeated) {
  for (const char* text :
       {"", "a", "`a`", "`a`@`%`,", "`r`4`@`%`", "`\xc3\xa4`@`%`", "none", "`a`@`%` x"}) {
    EXPECT_EQ(role_names(text), std::nullopt) << text;
  }
}

SessionState with_role(std::string names, SessionState state = SessionState()) {
  state.apply({.kind = ChangeKind::kSetRole, .value = std::move(names)});
  return state;
}

SessionState in_database(const char* name, SessionState state = SessionState()) {
  state.apply({.kind = ChangeKind::kUseDatabase, .name = name});
  return state;
}

std::string plan(const SessionState& actual, const SessionState& desired) {
  const RestorePlan made = plan_restore(actual, desired);
  if (!made.is_possible) return "impossible";
  std::string all;
  for (const RestoreStep& step : made.steps) {
    if (!all.empty()) all += " | ";
    all += step.kind == RestoreStep::Kind::kQuery ? step.text : "RESET";
    if (step.may_fail) all += " ?";
  }
  return all;
}

TEST(Role, IsPartOfTheState) {
  EXPECT_NE(with_role("NONE"), SessionState());
  EXPECT_EQ(with_role("", with_role("NONE")), SessionState());
  SessionState state = with_role("`a`@`%`");
  state.reset();
  EXPECT_EQ(state, SessionState());
  EXPECT_EQ(state.hash(), SessionState().hash());
}

// One that was revoked since gives no privileges where it is still active: then none is as good.
TEST(Role, IsRestoredAsFarAsItIsStillGranted) {
  EXPECT_EQ(plan(SessionState(), with_role("`a`@`%`")), "SET ROLE NONE | SET ROLE `a`@`%` ?");
  EXPECT_EQ(plan(with_role("`a`@`%`"), with_role("NONE")), "SET ROLE NONE");
  EXPECT_EQ(plan(with_role("NONE"), SessionState()), "SET ROLE DEFAULT");
}

TEST(Role, IsWhatTheDatabaseWasEnteredWith) {
  EXPECT_EQ(plan(with_role("NONE"), in_database("d")), "SET ROLE DEFAULT | USE `d`");
  EXPECT_EQ(plan(SessionState(), in_database("d", with_role("NONE"))),
            "SET ROLE ALL | USE `d` | SET ROLE NONE");
  EXPECT_EQ(plan(in_database("e", with_role("`a`@`%`")), in_database("d", with_role("`a`@`%`"))),
            "SET ROLE ALL | USE `d` | SET ROLE NONE | SET ROLE `a`@`%` ?");
}

TEST(Role, OfWhichOnlyTheBackendKnowsCannotBeRestored) {
  SessionState computed;
  computed.apply({.kind = ChangeKind::kComputedRole});
  EXPECT_TRUE(computed.role().is_computed);
  EXPECT_EQ(plan(computed, SessionState()), "RESET");
  EXPECT_EQ(plan(SessionState(), computed), "impossible");
  EXPECT_EQ(plan(computed, computed), "");
}

}  // namespace
}  // namespace tidepool::sql

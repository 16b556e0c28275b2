#include "tidepool/tracking/plan_mark.h"

#include <map>
#include <random>

#include <gtest/gtest.h>

#include "tidepool/tracking/prepared.h"

namespace tidepool::tracking {
namespace {

sql::SessionState after(const char* text, sql::SessionState state = sql::SessionState()) {
  const sql::Script script = sql::classify(text, state.lex_mode());
  for (std::size_t i = 0; i < script.size(); ++i)
    state.apply(script[i].changes);
  return state;
}

std::string context(const sql::SessionState& prepared, const sql::SessionState& executed,
                    const char* text = "SELECT ?") {
  const sql::SessionState context = preparing_state(prepared);
  return plan_context({.text = text, .prepared = context, .executed = executed, .session = 1});
}

const sql::SessionState kFresh;

TEST(PlanMark, IsNoneWhereTidbsKeyTellsAllOfTheState) {
  for (const char* text :
       {"DO 0", "SET sql_mode='ANSI_QUOTES'", "SET NAMES latin1",
        "SET autocommit=0, wait_timeout=9", "SET NAMES utf8mb4 COLLATE utf8mb4_bin", "USE d",
        "SET sql_select_limit=7", "SET @a=1"}) {
    EXPECT_EQ(context(after(text), after(text)), "") << text;
  }
  EXPECT_EQ(context(after("USE a"), after("USE b")), "");
}

TEST(PlanMark, TellsWhatThePrepareSawOtherwise) {
  for (const char* text : {"SET sql_mode='ANSI_QUOTES'", "SET sql_mode='PIPES_AS_CONCAT'",
                           "SET sql_mode='NO_BACKSLASH_ESCAPES'", "SET sql_mode=''",
                           "SET NAMES latin1", "SET NAMES utf8mb4 COLLATE utf8mb4_unicode_ci",
                           "SET collation_connection='utf8mb4_bin', "
                           "character_set_connection='ascii'",
                           "SET tidb_enable_window_function=0",
                           "SET default_collation_for_utf8mb4='utf8mb4_general_ci'"}) {
    EXPECT_NE(context(after(text), kFresh), "") << text;
    EXPECT_NE(context(after(text), kFresh), context(after("SET sql_mode='ANSI'"), kFresh)) << text;
  }
  EXPECT_NE(context(kFresh, after("SET sql_mode='ANSI_QUOTES'")), "");
}

TEST(PlanMark, TellsWhatIsComputedIntoAPlanAndNotInTheKey) {
  const auto wide = after("SET div_precision_increment=10");
  EXPECT_NE(context(wide, wide), "");
  EXPECT_EQ(context(wide, wide), context(kFresh, wide)) << "it is read when the plan is made";
  EXPECT_NE(context(wide, wide), context(kFresh, after("SET div_precision_increment=9")));
  EXPECT_NE(context(kFresh, after("SET time_zone='Europe/Berlin'")), "");
}

TEST(PlanMark, TellsTheCharacterSetOnlyOfBytesThatItReads) {
  const auto latin1 = after("SET character_set_client=latin1");
  EXPECT_EQ(context(latin1, latin1), "");
  EXPECT_NE(context(latin1, latin1, "SELECT '\xe4'"), "");
}

TEST(PlanMark, IsTheSessionsOwnWhileTheBackendAloneKnowsTheState) {
  const auto computed = after("SET time_zone=CONCAT('+', '01:00')");
  EXPECT_NE(plan_context({"SELECT ?", kFresh, computed, 1}), "");
  EXPECT_NE(plan_context({"SELECT ?", kFresh, computed, 1}),
            plan_context({"SELECT ?", kFresh, computed, 2}));
}

TEST(PlanMark, IsOtherForATextThatBeginsLikeOne) {
  PlanMark mark;
  const auto wide = after("SET div_precision_increment=10");
  EXPECT_TRUE(mark.update({"SELECT ?", kFresh, wide}));
  const std::string text = mark.white_space() + "SELECT ?";
  PlanMark second;
  EXPECT_TRUE(second.update({text, kFresh, kFresh}));
  EXPECT_NE(second.white_space(), "");
  EXPECT_NE(second.white_space(), mark.white_space());
  PlanMark indented;
  EXPECT_FALSE(indented.update({"\n        SELECT ?", kFresh, kFresh}));
}

TEST(PlanMark, IsMadeAnewForAnotherState) {
  PlanMark mark;
  const auto wide = after("SET div_precision_increment=10");
  EXPECT_FALSE(mark.update({"SELECT ?", kFresh, kFresh}));
  EXPECT_EQ(mark.white_space(), "");
  EXPECT_TRUE(mark.differs({"SELECT ?", kFresh, wide}));
  EXPECT_TRUE(mark.update({"SELECT ?", kFresh, wide}));
  EXPECT_FALSE(mark.differs({"SELECT ?", kFresh, wide}));
  EXPECT_EQ(mark.white_space().find_first_not_of(" \t\r\f"), std::string::npos);
  EXPECT_FALSE(mark.update({"SELECT ?", kFresh, wide}));
  EXPECT_TRUE(mark.update({"SELECT ?", kFresh, kFresh}));
  EXPECT_EQ(mark.white_space(), "");
}

// What TiDB's key has of the state of an execute, of what the sets below change.
std::string tidbs_key(const sql::SessionState& executed) {
  std::string key = std::to_string(executed.charset().connection);
  for (const auto& item : executed.items()) {
    const std::string name(sql::variable(item.variable).name);
    if (name == "sql_mode" || name == "foreign_key_checks") key += name + item.value;
  }
  return key;
}

// All that a plan of these depends on.
std::string meaning(const sql::SessionState& prepared, const sql::SessionState& executed) {
  std::string all = std::to_string(prepared.charset().connection) + '/' +
                    std::to_string(executed.charset().connection);
  const auto add = [&all](const sql::SessionState& state) {
    for (const auto& item : state.items())
      all += '/' + std::string(sql::variable(item.variable).name) + '=' + item.value;
  };
  add(preparing_state(prepared));
  all += '|';
  add(executed);
  return all;
}

TEST(PlanMark, LeavesNoTwoMeaningsUnderOneOfTidbsKeys) {
  const std::vector<const char*> sets = {"SET sql_mode='ANSI_QUOTES'",
                                         "SET sql_mode='PIPES_AS_CONCAT'",
                                         "SET sql_mode=''",
                                         "SET NAMES latin1",
                                         "SET NAMES utf8mb4 COLLATE utf8mb4_unicode_ci",
                                         "SET tidb_enable_window_function=0",
                                         "SET tidb_opt_fix_control='44855:on'",
                                         "SET div_precision_increment=10",
                                         "SET time_zone='+03:00'",
                                         "SET default_week_format=3",
                                         "SET foreign_key_checks=0"};
  std::minstd_rand random(1);
  const auto random_state = [&] {
    sql::SessionState state;
    for (auto count = random() % 3; count > 0; --count)
      state = after(sets[random() % sets.size()], state);
    return state;
  };
  std::map<std::string, std::string> meanings;
  std::size_t again = 0;
  for (int i = 0; i < 20000; ++i) {
    const sql::SessionState prepared = random_state();
    const sql::SessionState executed = random_state();
    PlanMark mark;
    const sql::SessionState context = preparing_state(prepared);
    (void)mark.update({"SELECT ?", context, executed});
    const auto [place, is_new] = meanings.emplace(mark.white_space() + '#' + tidbs_key(executed),
                                                  meaning(prepared, executed));
    if (!is_new) ++again;
    ASSERT_EQ(place->second, meaning(prepared, executed));
  }
  EXPECT_GT(again, 1000U);
}

TEST(PlanMark, IsAnotherOneForEachPlanThatIsMadeAnew) {
  EXPECT_NE(new_plan_mark(1), new_plan_mark(2));
  EXPECT_EQ(new_plan_mark(1).size(), 64U);
  EXPECT_EQ(new_plan_mark(1).find_first_not_of(" \t\r\f"), std::string::npos);
}

TEST(PlanMark, IsNotTheSessionsOwnForAUserVariable) {
  const auto computed = after("SET @a = 1 + 1");
  ASSERT_FALSE(computed.is_exact());
  EXPECT_EQ(plan_context({"SELECT ?", kFresh, computed, 1}), "") << "no plan depends on it";
}

TEST(PlanMark, DiffersWhereTheStateNeedsNoneAnyMore) {
  PlanMark mark;
  const auto wide = after("SET div_precision_increment=10");
  EXPECT_TRUE(mark.update({"SELECT ?", kFresh, wide}));
  EXPECT_TRUE(mark.differs({"SELECT ?", kFresh, kFresh}));
  EXPECT_TRUE(mark.differs({"SELECT ?", kFresh, after("SET div_precision_increment=9")}));
}

TEST(PlanMark, IsMadeAnewForAnotherCollation) {
  PlanMark mark;
  EXPECT_FALSE(mark.update({"SELECT ?", kFresh, kFresh}));
  EXPECT_TRUE(mark.differs({"SELECT ?", kFresh, after("SET NAMES latin1")}));
}

TEST(PlanMark, IsNotRememberedForAStateThatOnlyTheBackendKnows) {
  PlanMark mark;
  const auto computed = after("SET time_zone=CONCAT('+', '01:00')");
  EXPECT_TRUE(mark.update({"SELECT ?", kFresh, computed, 1}));
  EXPECT_TRUE(mark.differs({"SELECT ?", kFresh, computed, 2})) << "another session's";
  EXPECT_FALSE(mark.differs({"SELECT ?", kFresh, computed, 1}));
}

TEST(PlanMark, IsForTextsOfWhichTidbKeepsAPlan) {
  const auto is_kept = [](const char* text) { return has_kept_plan(sql::classify(text, {})); };
  EXPECT_TRUE(is_kept("SELECT a FROM t"));
  EXPECT_TRUE(is_kept("UPDATE t SET a = 1"));
  EXPECT_TRUE(is_kept("SELECT FOUND_ROWS()"));
  EXPECT_FALSE(is_kept("SELECT ROW_COUNT()"));
  EXPECT_FALSE(is_kept("SELECT @a"));
  EXPECT_FALSE(is_kept("SELECT 1; SELECT 2"));
  EXPECT_FALSE(is_kept("COMMIT"));
  EXPECT_FALSE(is_kept(""));
}

TEST(PlanMark, IsOfATextThatHasTheWholeOfOneInFront) {
  const std::string space(63, ' ');
  EXPECT_EQ(plan_context({space + "SELECT ?", kFresh, kFresh}), "") << "one too few";
  EXPECT_NE(plan_context({space + " SELECT ?", kFresh, kFresh}), "");
}

TEST(PlanMark, TellsTheCharacterSetOfTheFirstByteThatIsNotAscii) {
  const auto latin1 = after("SET character_set_client=latin1");
  EXPECT_NE(context(latin1, latin1, "SELECT '\x80'"), "");
  EXPECT_EQ(context(latin1, latin1, "SELECT '\x7f'"), "");
}

}  // namespace
}  // namespace tidepool::tracking

#include "tidepool/sql/restore/restore.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "tidepool/sql/parse/statement.h"

namespace tidepool::sql {
namespace {

SessionState after(std::string_view text, SessionState state = SessionState{}) {
  const Script script = classify(text, state.lex_mode());
  for (std::size_t at = 0; at < script.size(); ++at)
    state.apply(script[at].changes);
  return state;
}

// "RESET | OPTION 1 | SET … | USE …"; "impossible"
std::string plan(const SessionState& actual, const SessionState& desired) {
  const RestorePlan made = plan_restore(actual, desired);
  if (!made.is_possible) return "impossible";
  std::string all;
  for (const RestoreStep& step : made.steps) {
    if (!all.empty()) all += " | ";
    if (step.kind == RestoreStep::Kind::kResetConnection) all += "RESET";
    if (step.kind == RestoreStep::Kind::kSetOption)
      all += step.multi_statements ? "OPTION 1" : "OPTION 0";
    all += step.text;
  }
  return all;
}

std::string plan(std::string_view actual, std::string_view desired) {
  return plan(after(actual), after(desired));
}

TEST(Restore, DoesNothingForEqualStates) {
  EXPECT_EQ(plan("", ""), "");
  EXPECT_EQ(plan("SET autocommit=0", "SET autocommit=OFF"), "");
  EXPECT_TRUE(plan_restore(SessionState{}, SessionState{}).empty());
}

TEST(Restore, SetsAllVariablesInOneStatement) {
  EXPECT_EQ(plan("", "SET autocommit=0"), "SET autocommit=OFF");
  EXPECT_EQ(plan("", "SET time_zone='+08:00', wait_timeout=5"),
            "SET time_zone='+08:00', wait_timeout=5");
  EXPECT_EQ(plan("SET wait_timeout=5", "SET wait_timeout=6"), "SET wait_timeout=6");
  EXPECT_EQ(plan("SET wait_timeout=5, time_zone=UTC", "SET wait_timeout=5"),
            "SET time_zone=DEFAULT");
  EXPECT_EQ(plan("SET autocommit=0", "SET sql_mode='ANSI_QUOTES'"),
            "SET sql_mode='ANSI_QUOTES', autocommit=DEFAULT");
  EXPECT_EQ(plan("", "SET tidb_read_staleness=-5"), "SET tidb_read_staleness=-5");
}

TEST(Restore, QuotesForTheModeThatTheBackendIsIn) {
  EXPECT_EQ(plan("", R"(SET time_zone='a''b\\c')"), R"(SET time_zone='a''b\\c')");
  EXPECT_EQ(plan("SET sql_mode='NO_BACKSLASH_ESCAPES'", R"(SET time_zone='a\\c')"),
            R"(SET time_zone='a\c', sql_mode=DEFAULT)");
  EXPECT_EQ(plan("", "SET time_zone=''"), "SET time_zone=''");
}

TEST(Restore, WritesCharacterSetsOut) {
  EXPECT_EQ(plan("", "SET NAMES latin1"), "SET NAMES latin1 COLLATE 'latin1_bin'");
  EXPECT_EQ(plan("SET NAMES latin1", ""), "SET NAMES utf8mb4 COLLATE 'utf8mb4_bin'");
  EXPECT_EQ(plan("", "SET NAMES utf8mb4 COLLATE 'utf8mb4_general_ci'"),
            "SET collation_connection='utf8mb4_general_ci'");
  EXPECT_EQ(plan("", "SET character_set_results=NULL"), "SET character_set_results=NULL");
  EXPECT_EQ(plan("SET character_set_results=NULL", ""), "SET character_set_results='utf8mb4'");
  EXPECT_EQ(plan("", "SET CHARACTER SET latin1"),
            "SET character_set_client='latin1', character_set_results='latin1'");
  EXPECT_EQ(plan("", "SET NAMES gbk, autocommit=0"),
            "SET NAMES gbk COLLATE 'gbk_chinese_ci', autocommit=OFF");
}

TEST(Restore, OvercomesDifferentHandshakes) {
  const SessionState general({.collation_id = 45});
  EXPECT_EQ(plan(SessionState{}, general), "SET collation_connection='utf8mb4_general_ci'");
  EXPECT_EQ(plan(SessionState{}, SessionState({.collation_id = 8})),
            "SET character_set_client='latin1', character_set_results='latin1'");
  const SessionState latin2({.collation_id = 9});
  EXPECT_EQ(plan(SessionState{}, latin2), "impossible");
  EXPECT_EQ(plan(latin2, SessionState{}),
            "SET character_set_client='utf8mb4', character_set_results='utf8mb4'");
  EXPECT_EQ(plan(after("SET NAMES utf8mb4", latin2), latin2), "RESET");
}

TEST(Restore, ChoosesTheDatabaseByText) {
  EXPECT_EQ(plan("", "USE d"), "USE `d`");
  EXPECT_EQ(plan("USE a", "USE `b``c`"), "USE `b``c`");
  EXPECT_EQ(plan("USE a", "USE b; SET autocommit=0"), "SET autocommit=OFF | USE `b`");
}

TEST(Restore, ResetsToHaveNoDatabase) {
  EXPECT_EQ(plan("USE a", ""), "RESET");
  EXPECT_EQ(plan("USE a; SET autocommit=0", "SET autocommit=0"), "RESET | SET autocommit=OFF");
  SessionState chosen;
  chosen.apply(init_database("a"));
  EXPECT_EQ(plan(chosen, SessionState{}), "impossible");
  EXPECT_EQ(plan(chosen, after("USE b")), "USE `b`");
}

TEST(Restore, SendsADatabaseNameInUtf8WhileTheBackendReadsUtf8) {
  const SessionState wanted = after("USE caf\xc3\xa9; SET NAMES latin1");
  EXPECT_EQ(plan(SessionState{}, wanted),
            "USE `caf\xc3\xa9` | SET NAMES latin1 COLLATE 'latin1_bin'");
  EXPECT_EQ(plan(after("SET NAMES gbk"), wanted),
            "SET NAMES utf8mb4 | USE `caf\xc3\xa9` | SET NAMES latin1 COLLATE 'latin1_bin'");
  EXPECT_EQ(plan(after("SET NAMES gbk"), after("USE caf\xc3\xa9")),
            "SET NAMES utf8mb4 COLLATE 'utf8mb4_bin' | USE `caf\xc3\xa9`");
}

TEST(Restore, ResetsWhereDefaultDoesNotUndo) {
  EXPECT_EQ(plan("SET SESSION TRANSACTION READ ONLY", ""), "RESET");
  EXPECT_EQ(plan("SET SESSION TRANSACTION READ ONLY", "SET autocommit=0"),
            "RESET | SET autocommit=OFF");
  EXPECT_EQ(plan("", "SET tx_read_only=1, tidb_enable_noop_functions=1"),
            "SET tidb_enable_noop_functions=ON, transaction_read_only=1");
}

TEST(Restore, StartsFromAResetWhenTheBackendsStateIsNotKnown) {
  const SessionState dirty = after("SET sql_mode=UPPER('ansi')");
  EXPECT_EQ(plan(dirty, SessionState{}), "RESET");
  EXPECT_EQ(plan(dirty, after("SET autocommit=0")), "RESET | SET autocommit=OFF");
  EXPECT_EQ(plan(SessionState{}, dirty), "impossible");
  EXPECT_TRUE(plan_restore(dirty, SessionState{}).needs_reset());
  EXPECT_FALSE(plan_restore(SessionState{}, after("SET autocommit=0")).needs_reset());
}

TEST(Restore, SetsUserVariables) {
  EXPECT_EQ(plan("", "SET @b='x', @a=1.50, @C=TRUE"), "SET @`a`=1.50, @`c`=TRUE, @`b`='x'");
  EXPECT_EQ(plan("SET @a=1", "SET @a=2"), "SET @`a`=2");
  EXPECT_EQ(plan("SET @a=1, @b='y'", "SET @`b``c`='x'"), "SET @`a`=NULL, @`b`=NULL, @`b``c`='x'");
  EXPECT_EQ(plan("", "SET time_zone='UTC', @a=1"), "SET time_zone='UTC', @`a`=1");
  EXPECT_EQ(plan("", R"(SET @a='a''b\\c')"), R"(SET @`a`='a''b\\c')");
  EXPECT_EQ(plan("SET @a=NOW()", "SET @a=1"), "RESET | SET @`a`=1");
  EXPECT_EQ(plan("", "SET @a=NOW()"), "impossible");
}

TEST(Restore, SetsStringsUnderTheCollationThatTheyHave) {
  const SessionState general({.collation_id = 45});
  const SessionState wanted = after("SET @a='x'", general);
  EXPECT_EQ(plan(SessionState{}, wanted),
            "SET collation_connection='utf8mb4_general_ci' | SET @`a`='x'");
  EXPECT_EQ(plan(general, wanted), "SET @`a`='x'");
  const SessionState since = after("SET NAMES latin1", after("SET @b='y'", wanted));
  EXPECT_EQ(plan(general, since), "SET NAMES latin1 COLLATE 'latin1_bin', @`a`='x', @`b`='y'");
  EXPECT_EQ(plan(SessionState{}, after("SET @c='z'", since)),
            "SET collation_connection='utf8mb4_general_ci' | "
            "SET NAMES latin1 COLLATE 'latin1_bin', @`a`='x', @`b`='y' | SET @`c`='z'");
}

TEST(Restore, LeavesAHandshakesCharacterSetThatTidbDoesNotHaveAlone) {
  constexpr std::uint16_t kBig5 = 1;
  const SessionState big5({.collation_id = kBig5});
  SessionState wanted = big5;
  wanted.apply(
      {.kind = ChangeKind::kSetUserString, .name = "a", .value = "x", .collation = "latin1_bin"});
  EXPECT_EQ(
      plan(big5, wanted),
      "SET collation_connection='latin1_bin' | SET collation_connection='utf8mb4_bin', @`a`='x'");
}

TEST(Restore, SetsOtherThanAsciiStringsWhileTheBackendReadsUtf8) {
  const SessionState wanted = after("SET NAMES latin1", after("SET @a='\xc3\xa9'"));
  EXPECT_EQ(plan(SessionState{}, wanted), "SET NAMES latin1 COLLATE 'latin1_bin', @`a`='\xc3\xa9'");
  EXPECT_EQ(plan(after("SET NAMES latin1"), wanted),
            "SET character_set_client='utf8mb4', collation_connection='utf8mb4_bin' | "
            "SET NAMES latin1 COLLATE 'latin1_bin', @`a`='\xc3\xa9'");
}

// TiDB has said OK to it, so the check was off then; it is off for the restore too.
TEST(Restore, SetsALevelThatTidbOnlyTakesWithoutItsCheck) {
  const SessionState strict = after("SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE");
  EXPECT_EQ(plan(SessionState{}, strict),
            "SET tidb_skip_isolation_level_check=ON, transaction_isolation='SERIALIZABLE', "
            "tidb_skip_isolation_level_check=DEFAULT");
  EXPECT_EQ(plan(strict, SessionState{}), "SET transaction_isolation=DEFAULT");
}

TEST(Restore, SwitchesMultiStatements) {
  const SessionState multiple({.multi_statements = true});
  EXPECT_EQ(plan(SessionState{}, multiple), "OPTION 1");
  EXPECT_EQ(plan(multiple, after("SET autocommit=0")), "OPTION 0 | SET autocommit=OFF");
  EXPECT_EQ(plan(after("USE a", multiple), SessionState{}), "RESET | OPTION 0");
}

TEST(Restore, LeadsToTheDesiredState) {
  const std::vector<std::string_view> texts = {
      "",
      "SET autocommit=0",
      "USE a",
      "USE b; SET NAMES latin1",
      "SET NAMES gbk, sql_mode='ANSI_QUOTES,NO_BACKSLASH_ESCAPES', time_zone='+01:00'",
      "SET character_set_results=NULL, wait_timeout=9",
      "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
      "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE",
      "SET tidb_skip_isolation_level_check=1; SET tx_isolation='READ-UNCOMMITTED'",
      "SET CHARACTER SET utf8; USE c",
      "SET tx_read_only=1",
      "SET sql_mode=UPPER('ansi')",
      "SET @a=1, @b='x\\\\''y', @c='\xc3\xa9', @d=-1.5",
      "SET @a=2, @b='x', sql_mode='NO_BACKSLASH_ESCAPES'",
      "SET @a='\xc3\xa9'; SET NAMES gbk",
      "SET @a=NOW()",
  };
  for (std::string_view from : texts) {
    for (std::string_view to : texts) {
      const SessionState actual = after(from);
      const SessionState desired = after(to);
      const RestorePlan made = plan_restore(actual, desired);
      if (!desired.is_exact()) continue;
      ASSERT_TRUE(made.is_possible);
      // The plan's own statements, followed like a client's, must lead to the desired state.
      SessionState reached = actual;
      for (const RestoreStep& step : made.steps) {
        if (step.kind == RestoreStep::Kind::kResetConnection) reached.reset();
        if (step.kind == RestoreStep::Kind::kQuery) reached = after(step.text, reached);
      }
      EXPECT_EQ(reached, desired) << from << " → " << to << ": " << plan(actual, desired);
      EXPECT_EQ(state_after_restore(actual, desired), desired);
      EXPECT_EQ(state_after_restore(actual, desired).hash(), desired.hash());
    }
  }
}

TEST(Restore, KeepsTheBackendsOwnHandshake) {
  SessionState backend({.collation_id = 45});
  backend.apply(init_database("a"));
  SessionState restored = state_after_restore(backend, after("USE b; SET NAMES latin1"));
  restored.reset();
  EXPECT_EQ(restored.database(), "a");
  EXPECT_EQ(restored.charset().connection, 45);
}

}  // namespace
}  // namespace tidepool::sql

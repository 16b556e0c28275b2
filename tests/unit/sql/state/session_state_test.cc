#include "tidepool/sql/state/session_state.h"

#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "forged_state.h"
#include "tidepool/sql/parse/statement.h"
#include "tidepool/sql/restore/restore.h"

namespace tidepool::sql {
namespace {

SessionState after(std::string_view text, SessionState state = SessionState{}) {
  const Script script = classify(text, state.lex_mode());
  for (std::size_t at = 0; at < script.size(); ++at)
    state.apply(script[at].changes);
  return state;
}

// "utf8mb4 utf8mb4_bin utf8mb4": client, connection, results.
std::string charset(const SessionState& state) {
  const CharsetState& sets = state.charset();
  const std::string results =
      sets.results == 0 ? "NULL" : std::string(charset_of_any_collation(sets.results));
  return std::string(charset_of_any_collation(sets.client)) + " " +
         std::string(collation_by_id(sets.connection)->name) + " " + results;
}

TEST(SessionState, StartsWithTheHandshake) {
  const SessionState fresh;
  EXPECT_EQ(fresh.database(), "");
  EXPECT_TRUE(fresh.autocommit());
  EXPECT_FALSE(fresh.multi_statements());
  EXPECT_TRUE(fresh.is_exact());
  EXPECT_EQ(fresh.lex_mode(), LexMode{});
  const SessionState given({.collation_id = 45, .database = "d", .multi_statements = true});
  EXPECT_EQ(given.database(), "d");
  EXPECT_TRUE(given.multi_statements());
  EXPECT_EQ(charset(given), "utf8mb4 utf8mb4_general_ci utf8mb4");
  EXPECT_NE(given, fresh);
}

// Each seen on TiDB with a client of that character set.
TEST(SessionState, IsInNoDatabaseWhenItsOwnIsDropped) {
  SessionState state;
  state.apply({.kind = ChangeKind::kUseDatabase, .name = "Shop"});
  state.apply({.kind = ChangeKind::kDropDatabase, .name = "other"});
  EXPECT_EQ(state.database(), "Shop");

  state.apply({.kind = ChangeKind::kDropDatabase, .name = "sHOP"});

  EXPECT_EQ(state.database(), "");
}

TEST(SessionState, UnderstandsTheCollationOfTheHandshakeAsTiDbDoes) {
  EXPECT_EQ(charset(SessionState({.collation_id = 0})), "utf8mb4 utf8mb4_bin utf8mb4");
  EXPECT_EQ(charset(SessionState({.collation_id = 255})), "utf8mb4 utf8mb4_0900_ai_ci utf8mb4");
  EXPECT_EQ(charset(SessionState({.collation_id = 33})), "utf8 utf8_general_ci utf8");
  EXPECT_EQ(charset(SessionState({.collation_id = 8})), "latin1 utf8mb4_bin latin1");
  EXPECT_EQ(charset(SessionState({.collation_id = 11})), "ascii utf8mb4_bin ascii");
  EXPECT_EQ(charset(SessionState({.collation_id = 28})), "gbk gbk_chinese_ci gbk");
  EXPECT_EQ(charset(SessionState({.collation_id = 246})), "utf8mb4 utf8mb4_bin utf8mb4");
  const SessionState latin2({.collation_id = 9});
  EXPECT_EQ(latin2.charset().client, 9);
  EXPECT_EQ(latin2.charset().connection, kUtf8mb4Bin);
}

// Each seen on TiDB (executor/set.go, setCharset; sysvar.go).
TEST(SessionState, ComposesCharacterSetsAsTiDbDoes) {
  struct Case {
    std::string_view text;
    std::string_view expected;
  };
  for (const Case& one : std::vector<Case>{
           {"SET NAMES latin1", "latin1 latin1_bin latin1"},
           {"SET NAMES gbk", "gbk gbk_chinese_ci gbk"},
           {"SET NAMES utf8mb3", "utf8 utf8_bin utf8"},
           {"SET NAMES utf8mb3 COLLATE utf8mb3_general_ci", "utf8 utf8_general_ci utf8"},
           {"SET NAMES binary", "binary binary binary"},
           {"SET NAMES latin1; SET NAMES DEFAULT", "utf8mb4 utf8mb4_bin utf8mb4"},
           {"SET NAMES utf8mb4 COLLATE utf8mb4_unicode_ci", "utf8mb4 utf8mb4_unicode_ci utf8mb4"},
           {"SET CHARACTER SET latin1", "latin1 utf8mb4_bin latin1"},
           {"SET character_set_client = LATIN1", "latin1 utf8mb4_bin utf8mb4"},
           {"SET character_set_connection = utf8", "utf8mb4 utf8_bin utf8mb4"},
           {"SET collation_connection = utf8_general_ci", "utf8mb4 utf8_general_ci utf8mb4"},
           {"SET character_set_results = NULL", "utf8mb4 utf8mb4_bin NULL"},
           {"SET character_set_results = ''", "utf8mb4 utf8mb4_bin NULL"},
           {"SET character_set_results = latin1", "utf8mb4 utf8mb4_bin latin1"},
           {"SET default_collation_for_utf8mb4 = utf8mb4_general_ci, NAMES utf8mb4",
            "utf8mb4 utf8mb4_general_ci utf8mb4"},
           {"SET default_collation_for_utf8mb4 = utf8mb4_general_ci, character_set_connection = "
            "utf8mb4",
            "utf8mb4 utf8mb4_bin utf8mb4"},
       }) {
    EXPECT_EQ(charset(after(one.text)), one.expected) << one.text;
  }
}

TEST(SessionState, TakesTheServersDefaultsFromTheBaseline) {
  const Baseline baseline =
      make_baseline(false, "ANSI_QUOTES,STRICT_ALL_TABLES", "utf8mb4_general_ci", "latin1_bin");
  const SessionState fresh({}, baseline);
  EXPECT_FALSE(fresh.autocommit());
  EXPECT_TRUE(fresh.lex_mode().ansi_quotes);
  EXPECT_EQ(charset(after("SET NAMES utf8mb4", fresh)), "utf8mb4 utf8mb4_general_ci utf8mb4");
  EXPECT_EQ(charset(after("SET CHARACTER SET utf8", fresh)), "utf8 latin1_bin utf8");
  EXPECT_FALSE(after("SET sql_mode = ''", fresh).lex_mode().ansi_quotes);
  EXPECT_TRUE(after("SET sql_mode = ''; SET sql_mode = DEFAULT", fresh).lex_mode().ansi_quotes);
}

TEST(SessionState, FollowsTheDatabase) {
  EXPECT_EQ(after("USE a; USE `b c`").database(), "b c");
  EXPECT_EQ(after("USE a; USE `b c`").reset_database(), "");
  SessionState state({.database = "d"});
  state.apply(init_database("e"));
  EXPECT_EQ(state.database(), "e");
  EXPECT_EQ(state.reset_database(), "e");
}

TEST(SessionState, DerivesAutocommit) {
  for (std::string_view text :
       {"SET autocommit=0", "SET autocommit=OFF", "SET autocommit='off'", "SET autocommit=FALSE"})
    EXPECT_FALSE(after(text).autocommit()) << text;
  for (std::string_view text : {"SET autocommit=1", "SET autocommit=ON", "SET autocommit=true",
                                "SET autocommit=0; SET autocommit=DEFAULT"})
    EXPECT_TRUE(after(text).autocommit()) << text;
}

TEST(SessionState, KnowsTheWaitTimeoutThatTheSessionHasSet) {
  using std::chrono::seconds;
  EXPECT_EQ(SessionState().wait_timeout(), std::nullopt) << "the account's, which only TiDB knows";
  EXPECT_EQ(after("SET wait_timeout=7").wait_timeout(), seconds(7));
  EXPECT_EQ(after("SET @@session.wait_timeout := 0").wait_timeout(), seconds(0));
  EXPECT_EQ(after("SET wait_timeout=99999999999").wait_timeout(), seconds(31'536'000));
  EXPECT_EQ(after("SET wait_timeout=7; SET wait_timeout=DEFAULT").wait_timeout(), std::nullopt);
  EXPECT_EQ(after("SET GLOBAL wait_timeout=7").wait_timeout(), std::nullopt);
}

TEST(SessionState, DerivesTheLexMode) {
  EXPECT_TRUE(after("SET sql_mode='ansi_quotes'").lex_mode().ansi_quotes);
  EXPECT_TRUE(after("SET sql_mode=ANSI").lex_mode().ansi_quotes);
  EXPECT_TRUE(after("SET sql_mode='STRICT_ALL_TABLES,ORACLE'").lex_mode().ansi_quotes);
  EXPECT_TRUE(after("SET sql_mode='ansi '").lex_mode().ansi_quotes);
  EXPECT_FALSE(after("SET sql_mode='TRADITIONAL'").lex_mode().ansi_quotes);
  EXPECT_TRUE(after("SET sql_mode='NO_BACKSLASH_ESCAPES'").lex_mode().no_backslash_escapes);
  EXPECT_EQ(after("SET NAMES gbk").lex_mode().encoding, TextEncoding::kGbk);
  EXPECT_EQ(after("SET character_set_client=latin1").lex_mode().encoding,
            TextEncoding::kSingleByte);
  EXPECT_EQ(after("SET character_set_connection=gbk").lex_mode().encoding, TextEncoding::kUtf8);
}

TEST(SessionState, KnowsThatItDoesNotKnowAComputedValue) {
  const SessionState computed = after("SET sql_mode=CONCAT(@@sql_mode,',ANSI')");
  EXPECT_FALSE(computed.is_exact());
  EXPECT_TRUE(computed.lex_mode().uncertain);
  EXPECT_NE(computed, SessionState{});
  EXPECT_EQ(after("SET sql_mode=''", computed), after("SET sql_mode=''"));
  EXPECT_EQ(after("SET sql_mode=DEFAULT", computed), SessionState{});
  EXPECT_FALSE(after("SET time_zone=NOW()").lex_mode().uncertain);
  EXPECT_FALSE(after("SET unheard_of=1").is_exact());
  EXPECT_TRUE(after("SET character_set_client=DEFAULT; SET NAMES utf8mb4").is_exact());
}

TEST(SessionState, IsEqualForSpellingsThatMeanTheSame) {
  const std::vector<std::vector<std::string_view>> groups = {
      {"SET autocommit=1", "SET autocommit=ON", "SET @@autocommit='on'",
       "SET SESSION AUTOCOMMIT:=TRUE"},
      {"SET NAMES utf8", "SET NAMES 'UTF8'", "SET NAMES utf8mb3 COLLATE utf8_bin"},
      {"SET wait_timeout=5", "SET wait_timeout='5'", "SET wait_timeout=005"},
      {"SET sql_mode='ansi_quotes'", "SET sql_mode='ANSI_QUOTES'", "SET sql_mode=Ansi_Quotes"},
      {"SET tx_isolation='read-committed'",
       "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"},
      {"SET time_zone='UTC', wait_timeout=5",
       "SET wait_timeout=4; SET wait_timeout=5; SET time_zone='UTC'"},
      {"SET @a=1, @b='x'", "SET @B=\"x\", @`a`=1", "SET @a=NOW(), @b='y'; SET @b='x', @a=1"},
      {"SET @a=1.0"},
      {"SET @a='1'"},
      {"SET @a=1", "SET @a=NOW(); SET @a=1"},
      {"SET @a=NOW()", "SET @a=1; SELECT @a:=2"},
      {"", "SET wait_timeout=5; SET wait_timeout=DEFAULT", "SET NAMES utf8mb4",
       "SET @a=1; SET @A=NULL", "SET @a=NULL", "SET last_insert_id=4"},
  };
  for (const auto& group : groups) {
    for (std::string_view text : group) {
      EXPECT_EQ(after(text), after(group.front())) << text;
      EXPECT_EQ(after(text).hash(), after(group.front()).hash()) << text;
    }
  }
  for (std::size_t left = 0; left < groups.size(); ++left) {
    for (std::size_t right = 0; right < left; ++right) {
      EXPECT_NE(after(groups[left].front()), after(groups[right].front()));
    }
  }
}

TEST(SessionState, ResetsToTheHandshake) {
  SessionState state({.collation_id = 45, .database = "d"});
  const SessionState fresh = state;
  state = after("USE e; SET NAMES latin1, wait_timeout=5, sql_mode=UPPER('ansi')", state);
  state.reset();
  EXPECT_EQ(state, fresh);
  EXPECT_EQ(state.hash(), fresh.hash());
  state.apply(init_database("e"));
  state.apply(multi_statements(true));
  state.reset();
  EXPECT_EQ(state.database(), "e");
  EXPECT_TRUE(state.multi_statements());
}

TEST(SessionState, FollowsChangesThatAreNoStatementsAndBack) {
  SessionState state;
  state.apply(multi_statements(true));
  EXPECT_NE(state, SessionState());
  state.apply(multi_statements(false));
  EXPECT_EQ(state, SessionState());
  state.apply(init_database("d"));
  EXPECT_NE(state, SessionState());
}

TEST(SessionState, DiffersFromOneThatWasMadeToHaveItsHash) {
  const SessionState target({.database = "shop"});
  SessionState forged({.database = "elsewhere"});
  forged.apply(testing::forge_hash(forged, target));
  EXPECT_EQ(forged.hash(), target.hash()) << "the attack works";
  EXPECT_NE(forged, target);
  EXPECT_FALSE(plan_restore(forged, target).steps.empty());
}

TEST(SessionState, SaysWhyItIsNotExact) {
  EXPECT_TRUE(after("SET @a=1").pins().empty());
  for (const char* text : {"SET @a=@b", "SELECT @a:=1", "LOAD DATA INFILE 'f' INTO TABLE t (@a)",
                           "SET sql_mode=@b", "SET collation_connection=DEFAULT"}) {
    EXPECT_FALSE(after(text).is_exact()) << text;
    EXPECT_TRUE(after(text).pins().empty()) << text << ": it can be read back";
  }
  EXPECT_EQ(after("SET new_in_tidb_9=1").pins(), PinReasons{Pin::kSessionVariable});
  EXPECT_EQ(after("SET timestamp=@b").pins(), PinReasons{Pin::kSessionVariable});
  EXPECT_EQ(after("SET tidb_snapshot=@b").pins(), PinReasons{Pin::kSessionVariable});
  EXPECT_EQ(after("SET @\u00e4=@b").pins(), PinReasons{Pin::kUserVariable});
  EXPECT_TRUE(after("SET @a=@b; SET @a=5").is_exact());
  EXPECT_TRUE(after("SET @a=@b; SET @a=NULL").pins().empty());
}

TEST(SessionState, KnowsTheSelectLimit) {
  constexpr std::uint64_t kNone = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(SessionState{}.select_limit(), kNone);
  EXPECT_EQ(after("SET sql_select_limit = 2").select_limit(), 2U);
  EXPECT_EQ(after("SET sql_select_limit = -1").select_limit(), 0U);
  EXPECT_EQ(after("SET sql_select_limit = 18446744073709551615").select_limit(), kNone);
  EXPECT_EQ(after("SET sql_select_limit = 2; SET sql_select_limit = DEFAULT").select_limit(),
            kNone);
}

TEST(SessionState, KeepsWhatAFileSetsThroughTheTypeOfBefore) {
  const std::string load = "LOAD DATA LOCAL INFILE 'f' INTO TABLE t (v, @a)";
  EXPECT_TRUE(after(load).pins().empty());
  EXPECT_TRUE(after(load, after("SET @a='x'")).pins().empty());
  EXPECT_EQ(after(load, after("SET @a=1.5")).pins(), PinReasons{Pin::kUserVariable});
  EXPECT_EQ(after(load, after("SET @a=@b")).pins(), PinReasons{Pin::kUserVariable});
}

TEST(SessionState, GivesStringsTheCollationOfTheConnection) {
  const SessionState state = after("SET @a='x'", after("SET collation_connection=utf8_general_ci"));
  EXPECT_EQ(state.user_variables().find("a")->collation, 33);
  // TiDB reads the whole text before it executes any of it.
  EXPECT_EQ(after("SET NAMES latin1; SET @a='x'").user_variables().find("a")->collation, 46);
  EXPECT_FALSE(after("SET @a='x'", after("SET collation_connection=DEFAULT")).is_exact());
}

TEST(SessionState, KeepsUserVariablesWithinABound) {
  SessionState state;
  state.apply({ChangeKind::kSetUserString, "a", std::string(70'000, 'x'), "utf8mb4_bin"});
  EXPECT_FALSE(state.is_exact());
  EXPECT_TRUE(state.user_variables().find("a")->is_computed);
  state.apply({ChangeKind::kSetUserString, "a", std::string(60'000, 'x'), "utf8mb4_bin"});
  EXPECT_TRUE(state.is_exact());
  state.apply({ChangeKind::kSetUserString, "b", std::string(60'000, 'x'), "utf8mb4_bin"});
  EXPECT_EQ(state.pins(), PinReasons{Pin::kUserVariable});
  state.apply({ChangeKind::kSetUserVariable, "a", "NULL"});
  state.apply({ChangeKind::kSetUserVariable, "b", "1"});
  EXPECT_EQ(state, after("SET @b=1"));
  state.apply({ChangeKind::kComputedUserVariable, std::string(70'000, 'n')});
  state.apply({ChangeKind::kSetUserVariable, std::string(70'000, 'n'), "1"});
  EXPECT_FALSE(state.is_exact());
  EXPECT_NE(state, after("SET @b=1"));
  state.reset();
  EXPECT_EQ(state, SessionState{});
  EXPECT_EQ(state.hash(), SessionState{}.hash());
}

TEST(SessionState, SharesUserVariablesWithItsCopiesUntilEitherChanges) {
  SessionState first = after("SET @a = 1, @b = 'x'");
  const SessionState copy = first;
  EXPECT_EQ(first.user_variables().all().data(), copy.user_variables().all().data());

  first.apply(classify("SET @a = 2", {}).front().changes);
  EXPECT_NE(first, copy);
  EXPECT_EQ(copy, after("SET @a = 1, @b = 'x'"));

  const UserVariable* own = first.user_variables().all().data();
  first.apply(classify("SET @a = 3", {}).front().changes);
  EXPECT_EQ(first.user_variables().all().data(), own) << "no copy of it is left to keep it for";

  SessionState equal = after("SET @b = 'x', @a = 1");
  EXPECT_NE(equal.user_variables().all().data(), copy.user_variables().all().data());
  equal.share(copy);
  EXPECT_EQ(equal.user_variables().all().data(), copy.user_variables().all().data());
}

TEST(SessionState, CostsLittleWhenIdle) {
  EXPECT_LE(sizeof(SessionState), 256U);
  EXPECT_EQ(SessionState{}.items().capacity(), 0U);
}

}  // namespace
}  // namespace tidepool::sql

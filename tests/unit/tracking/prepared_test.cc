#include "tidepool/tracking/prepared.h"

#include <gtest/gtest.h>

#include "forged_state.h"

namespace tidepool::tracking {
namespace {

const sql::SessionState kFresh;

TEST(PreparedStatements, CountTheirIdsAsTiDBDoes) {
  PreparedStatements statements;
  EXPECT_EQ(statements.add("SELECT 1", kFresh, 0, 1).id, 1U);
  EXPECT_EQ(statements.add("SELECT 2", kFresh, 0, 1).id, 2U);
  statements.erase(2);
  EXPECT_EQ(statements.add("SELECT 3", kFresh, 0, 1).id, 3U);
  statements.clear();
  EXPECT_EQ(statements.find(1), nullptr);
  EXPECT_EQ(statements.add("SELECT 1", kFresh, 0, 1).id, 1U);
}

TEST(PreparedStatements, KeepTheTextThatTheirScriptPointsInto) {
  PreparedStatements statements;
  PreparedStatement& made = statements.add(std::string("SELECT ?"), kFresh, 1, 1);
  statements.add("SELECT 2", kFresh, 0, 1);
  EXPECT_EQ(statements.find(1), &made);
  EXPECT_EQ(made.script.front().text, "SELECT ?");
  EXPECT_EQ(made.params, 1);
}

TEST(PreparedStatements, AreKnownByTextAndState) {
  sql::SessionState other;
  other.apply(sql::classify("USE elsewhere", {}).front().changes);
  EXPECT_EQ(*prepared_key("SELECT 1", kFresh), *prepared_key("SELECT 1", kFresh));
  EXPECT_NE(*prepared_key("SELECT 1", kFresh), *prepared_key("SELECT 2", kFresh));
  EXPECT_NE(*prepared_key("SELECT 1", kFresh), *prepared_key("SELECT 1", other));
}

TEST(PreparedStatements, AreKeptApartFromThoseOfAStateMadeToHaveTheSameHash) {
  sql::SessionState forged({.database = "elsewhere"});
  forged.apply(testing::forge_hash(forged, kFresh));
  ASSERT_EQ(forged.hash(), kFresh.hash());
  EXPECT_NE(*prepared_key("SELECT 1", forged), *prepared_key("SELECT 1", kFresh));
}

TEST(PreparedStatements, HaveKeysThatNoTextImitates) {
  const std::string types("\x08\0", 2);
  const std::string imitating = "SELECT ?" + std::string(1, '\0') + types;
  const PreparedCache::Key plain = prepared_key("SELECT ?", kFresh);
  EXPECT_NE(*key_of_types(plain, types), *prepared_key(imitating, kFresh));
  PreparedStatement statement;
  statement.serial = 7;
  statement.sent_text = types;
  EXPECT_NE(*key_of_types(plain, types), *key_of_sent_text(plain, statement));
  EXPECT_NE(*private_key(statement, 5), *private_key(statement, 57));
  EXPECT_NE(*key_of_types(private_key(statement, 5), types), *key_of_types(plain, types));
}

TEST(PreparedStatements, HaveShortKeysWhateverTheirText) {
  const std::string text = "SELECT '" + std::string(1U << 20U, 'x') + "'";
  const PreparedCache::Key key = prepared_key(text, kFresh);
  EXPECT_LT(key->size(), 256U);
  EXPECT_EQ(*key, *prepared_key(text, kFresh));
  EXPECT_NE(*key, *prepared_key(text + " ", kFresh));
  EXPECT_NE(*key, *prepared_key("SELECT '" + std::string(1U << 20U, 'y') + "'", kFresh));
  const std::string types(100'000, '\x08');
  EXPECT_LT(key_of_types(key, types)->size(), 512U);
  EXPECT_NE(*key_of_types(key, types), *key_of_types(key, types + types));
  EXPECT_NE(*key_of_types(key, types), *key_of_types(key, "\x08"));
}

TEST(PreparedStatements, KeepOneCopyOfTheirText) {
  PreparedStatements statements;
  const std::string text = "SELECT '" + std::string(1U << 20U, 'x') + "'";
  const PreparedStatement& made = statements.add(text, kFresh, 0, 1);
  EXPECT_GT(bytes_of(made), text.size());
  EXPECT_LT(bytes_of(made), text.size() + 4096);
  EXPECT_LT(made.key->size(), 256U);
  const std::size_t before = bytes_to_prepare(text, kFresh, made.script);
  EXPECT_LE(bytes_of(made), before) << "what was taken before TiDB was asked is enough";
}

TEST(PreparedStatements, ShareATextWhateverTheVariablesThatItDoesNotRead) {
  PreparedStatements statements;
  sql::SessionState other;
  other.apply({.kind = sql::ChangeKind::kSetUserVariable, .name = "x", .value = "1"});
  EXPECT_EQ(*statements.add("SELECT 1", kFresh, 0, 1).key,
            *statements.add("SELECT 1", other, 0, 1).key);
  EXPECT_NE(*statements.add("unheard of", kFresh, 0, 1).key,
            *statements.add("unheard of", kFresh, 0, 1).key)
      << "whatever that reads";
}

TEST(PreparedStatements, ShareNothingThatTiDBChangesWhenItExecutesIt) {
  PreparedStatements statements;
  EXPECT_EQ(*statements.add("SELECT 1", kFresh, 0, 1).key,
            *statements.add("SELECT 1", kFresh, 0, 1).key);
  for (const char* text : {"CREATE TABLE IF NOT EXISTS t (a INT)", "SELECT @a"}) {
    EXPECT_NE(*statements.add(text, kFresh, 0, 1).key, *statements.add(text, kFresh, 0, 1).key);
  }
}

TEST(PreparedStatements, SayWhetherACursorOrDataPins) {
  PreparedStatements statements;
  PreparedStatement& one = statements.add("SELECT 1", kFresh, 0, 1);
  EXPECT_FALSE(statements.any_cursor());
  one.has_cursor = true;
  EXPECT_TRUE(statements.any_cursor());
  EXPECT_FALSE(statements.any_long_data());
  one.has_long_data = true;
  EXPECT_TRUE(statements.any_long_data());
}

TEST(PreparedStatements, CountWhatTheStateOfTheirPrepareTakes) {
  PreparedStatements statements;
  sql::SessionState state;
  const std::size_t fresh = bytes_of(statements.add("SELECT 1", state, 0, 1));
  const sql::Script script = sql::classify("SELECT 1", {});
  const std::size_t asked = bytes_to_prepare("SELECT 1", state, script);
  state.apply(sql::classify("SET sql_mode = 'ANSI_QUOTES'", {}).front().changes);
  EXPECT_GT(bytes_of(statements.add("SELECT 1", state, 0, 1)), fresh);
  EXPECT_GT(bytes_to_prepare("SELECT 1", state, script), asked);
  state = sql::SessionState();
  state.apply({.kind = sql::ChangeKind::kSetUserVariable, .name = "x", .value = "1"});
  EXPECT_GT(bytes_to_prepare("SELECT 1", state, script), asked);
}

TEST(PreparedStatements, AreSharedWithThoseThatNeedThemAfterTheirClose) {
  PreparedStatements statements;
  const PreparedStatement& made = statements.add("SELECT 1", kFresh, 0, 1);
  const auto shared = statements.share(made);
  ASSERT_NE(shared, nullptr);
  statements.erase(1);
  EXPECT_EQ(shared->text(), "SELECT 1");
  EXPECT_EQ(statements.share(*shared), nullptr);
}

TEST(PreparedStatements, SayWhetherAnotherOneOfTheSameKeyHolds) {
  PreparedStatements statements;
  PreparedStatement& one = statements.add("SELECT 1", kFresh, 0, 1);
  PreparedStatement& same = statements.add("SELECT 1", kFresh, 0, 1);
  PreparedStatement& other = statements.add("SELECT 2", kFresh, 0, 1);
  one.has_cursor = true;
  EXPECT_FALSE(statements.other_holds(one)) << "it is no other one";
  EXPECT_TRUE(statements.other_holds(same));
  EXPECT_FALSE(statements.other_holds(other));
  one.has_cursor = false;
  EXPECT_FALSE(statements.other_holds(same));
  one.has_long_data = true;
  EXPECT_TRUE(statements.other_holds(same));
}

// TiDB drops the plan with the first statement of its text that is closed.
TEST(PreparedStatements, ForgetThePlansOfTheirKey) {
  PreparedStatements statements;
  PreparedStatement& one = statements.add("SELECT 1", kFresh, 0, 1);
  PreparedStatement& same = statements.add("SELECT 1", kFresh, 0, 1);
  PreparedStatement& other = statements.add("SELECT 2", kFresh, 0, 1);
  one.has_plan = other.has_plan = true;
  EXPECT_FALSE(statements.other_has_plan(one));
  EXPECT_TRUE(statements.other_has_plan(same));
  statements.forget_plans(same);
  EXPECT_FALSE(statements.other_has_plan(same));
  EXPECT_TRUE(other.has_plan);
}

TEST(PreparedStatements, ShareNoTextOfSeveralStatements) {
  PreparedStatements statements;
  EXPECT_NE(*statements.add("SELECT 1; SELECT 2", kFresh, 0, 1).key,
            *statements.add("SELECT 1; SELECT 2", kFresh, 0, 1).key);
}

TEST(PreparedStatements, AreWornByTheExecuteOfADefinition) {
  const auto rewritten = [](const char* text, std::uint16_t error) {
    protocol::ResponseSummary answer;
    answer.outcome = error == 0 ? protocol::ResponseSummary::Outcome::kOk
                                : protocol::ResponseSummary::Outcome::kError;
    answer.error_number = error;
    return rewrites_itself(sql::classify(text, {}), answer);
  };
  EXPECT_TRUE(rewritten("CREATE TABLE t (a INT)", 0));
  EXPECT_TRUE(rewritten("CREATE TABLE t (a INT)", 1050))
      << "TiDB had completed its columns by then";
  EXPECT_FALSE(rewritten("CREATE TABLE t (a INT)", 1142));
  EXPECT_FALSE(rewritten("SELECT 1", 0));
  EXPECT_FALSE(rewritten("CREATE TABLE t (a INT); SELECT 1", 0));
}

}  // namespace
}  // namespace tidepool::tracking

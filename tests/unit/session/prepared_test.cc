#include "tidepool/session/prepared.h"

#include <gtest/gtest.h>

namespace tidepool::session {
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

}  // namespace
}  // namespace tidepool::session

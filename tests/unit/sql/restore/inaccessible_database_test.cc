#include "tidepool/sql/restore/inaccessible_database.h"

#include <gtest/gtest.h>

namespace tidepool::sql {
namespace {

TEST(LostDatabase, EntersByName) {
  EXPECT_EQ(enter_inaccessible_database("shop", SessionState{}),
            R"(SET SESSION_STATES '{"current-db":"shop","status":2,"rs-group":"default"}')");
}

TEST(LostDatabase, KeepsTheStatusOfAFreshSession) {
  Baseline baseline;
  baseline.autocommit = false;
  baseline.no_backslash_escapes = true;
  EXPECT_EQ(enter_inaccessible_database("a\\b", SessionState({}, baseline)),
            R"(SET SESSION_STATES '{"current-db":"a\\b","status":512,"rs-group":"default"}')");
}

TEST(LostDatabase, LeavesTheStatementsThatWerePreparedSinceTheirNumbers) {
  EXPECT_EQ(
      enter_inaccessible_database("shop", SessionState{}, 2),
      R"(SET SESSION_STATES '{"current-db":"shop","status":2,"rs-group":"default","prepared-stmt-id":2}')");
}

TEST(LostDatabase, EscapesTheNameForJsonAndForSql) {
  EXPECT_EQ(
      enter_inaccessible_database("a'\"\\\n", SessionState{}),
      R"(SET SESSION_STATES '{"current-db":"a''\\"\\\\\\u000a","status":2,"rs-group":"default"}')");
}

TEST(LostDatabase, LeavesOtherThanAsciiNamesAlone) {
  EXPECT_EQ(enter_inaccessible_database("caf\xc3\xa9", SessionState{}), std::nullopt);
}

TEST(LostDatabase, IsOneThatIsGoneOrClosed) {
  EXPECT_TRUE(is_inaccessible_database(1049));
  EXPECT_TRUE(is_inaccessible_database(1044));
  EXPECT_FALSE(is_inaccessible_database(1231));
}

}  // namespace
}  // namespace tidepool::sql

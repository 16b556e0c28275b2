#include "tidepool/tracking/next_isolation.h"

#include <gtest/gtest.h>

#include "tidepool/sql/parse/own_answer.h"

namespace tidepool::tracking {
namespace {

bool takes(protocol::Command type, const char* text) {
  Command command(type, "?", Clock::now());
  command.script = sql::classify(text, {});
  return takes_next_isolation(command);
}

TEST(NextIsolation, IsTakenByEveryStatementAndNothingElse) {
  EXPECT_TRUE(takes(protocol::Command::kQuery, "SELECT 1"));
  EXPECT_TRUE(takes(protocol::Command::kQuery, "CALL unknown()"));
  EXPECT_TRUE(takes(protocol::Command::kInitDb, "USE a"));
  EXPECT_FALSE(takes(protocol::Command::kQuery, "/* nothing */"));
  EXPECT_FALSE(takes(protocol::Command::kStmtPrepare, "SELECT 1"));
  EXPECT_FALSE(takes(protocol::Command::kFieldList, ""));
  EXPECT_FALSE(takes(protocol::Command::kPing, ""));
  EXPECT_TRUE(takes(protocol::Command::kRefresh, ""));
}

TEST(NextIsolation, IsTakenByTheExecuteOfAStatement) {
  PreparedStatements statements;
  Command execute(protocol::Command::kStmtExecute, "?", Clock::now());
  execute.statement = &statements.add("SELECT 1", sql::SessionState(), 0);
  EXPECT_TRUE(takes_next_isolation(execute));
  execute.statement = &statements.add("/* nothing */", sql::SessionState(), 0);
  EXPECT_FALSE(takes_next_isolation(execute));
}

TEST(NextIsolation, IsNoneOfAnotherChange) {
  const sql::Script script = sql::classify("SET @a = 1, @b = 2", {});
  EXPECT_EQ(next_isolation_after(script.front()), "");
}

TEST(NextIsolation, IsWhatTheLastElementSays) {
  const sql::Script script = sql::classify(
      "SET TRANSACTION ISOLATION LEVEL READ COMMITTED, ISOLATION LEVEL REPEATABLE READ", {});
  EXPECT_EQ(next_isolation_after(script.front()), "REPEATABLE-READ");
  EXPECT_EQ(next_isolation_after(sql::classify("SELECT 1", {}).front()), "");
}

TEST(NextIsolation, IsSetByTheStatementThatTheClientSent) {
  EXPECT_EQ(next_isolation_text("READ-COMMITTED"),
            "SET TRANSACTION ISOLATION LEVEL READ COMMITTED");
  EXPECT_TRUE(sql::is_ordinary_isolation("READ-COMMITTED"));
  EXPECT_FALSE(sql::is_ordinary_isolation("SERIALIZABLE"));
}

}  // namespace
}  // namespace tidepool::tracking

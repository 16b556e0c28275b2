#include "tidepool/session/row_locks.h"

#include <string_view>

#include <gtest/gtest.h>

namespace tidepool::session {
namespace {

bool locks(std::string_view text) {
  return locks_rows(sql::classify(text, {}).front());
}

bool is_pessimistic(std::string_view begin, std::string_view set = "SET @a = 1") {
  sql::SessionState state;
  state.apply(sql::classify(set, {}).front().changes);
  const sql::Script script = sql::classify(begin, {});
  return begins_pessimistic(script.empty() ? nullptr : &script.front(), state);
}

TEST(RowLocks, AreTakenByForUpdate) {
  EXPECT_TRUE(locks("SELECT id FROM t FOR UPDATE"));
  EXPECT_TRUE(locks("(select id from t limit 1 for /* x */ update nowait)"));
  EXPECT_FALSE(locks("SELECT id FROM t"));
  EXPECT_FALSE(locks("SELECT 'FOR UPDATE' FROM t"));
  EXPECT_FALSE(locks("SELECT for_update, `FOR` UPDATE FROM t"));
  EXPECT_FALSE(locks("EXPLAIN SELECT id FROM t FOR UPDATE"));
  EXPECT_FALSE(locks("UPDATE t SET v = 1"));
}

TEST(RowLocks, AreThoseOfAPessimisticTransaction) {
  EXPECT_TRUE(is_pessimistic("BEGIN"));
  EXPECT_TRUE(is_pessimistic(""));
  EXPECT_TRUE(is_pessimistic("START TRANSACTION READ WRITE"));
  EXPECT_FALSE(is_pessimistic("begin optimistic"));
  EXPECT_FALSE(is_pessimistic("BEGIN", "SET tidb_txn_mode = 'optimistic'"));
  EXPECT_FALSE(is_pessimistic("", "SET tidb_txn_mode = ''"));
  EXPECT_TRUE(is_pessimistic("BEGIN", "SET tidb_txn_mode = 'Pessimistic'"));
  EXPECT_TRUE(is_pessimistic("BEGIN PESSIMISTIC", "SET tidb_txn_mode = 'optimistic'"));
}

}  // namespace
}  // namespace tidepool::session

#include "tidepool/sql/parse/transaction_mode.h"

#include <string_view>

#include <gtest/gtest.h>

namespace tidepool::sql {
namespace {

bool is_pessimistic(std::string_view begin, std::string_view set = "SET @a = 1") {
  SessionState state;
  state.apply(classify(set, {}).front().changes);
  const Script script = classify(begin, {});
  return begins_pessimistic(script.empty() ? nullptr : &script[script.size() - 1], state);
}

TEST(TransactionMode, IsThatOfBeginElseTheSessions) {
  EXPECT_TRUE(is_pessimistic("BEGIN"));
  EXPECT_TRUE(is_pessimistic(""));
  EXPECT_TRUE(is_pessimistic("START TRANSACTION READ WRITE"));
  EXPECT_FALSE(is_pessimistic("begin optimistic"));
  EXPECT_FALSE(is_pessimistic("BEGIN", "SET tidb_txn_mode = 'optimistic'"));
  EXPECT_FALSE(is_pessimistic("", "SET tidb_txn_mode = ''"));
  EXPECT_TRUE(is_pessimistic("BEGIN", "SET tidb_txn_mode = 'Pessimistic'"));
  EXPECT_TRUE(is_pessimistic("BEGIN PESSIMISTIC", "SET tidb_txn_mode = 'optimistic'"));
}

TEST(TransactionMode, IsReadBehindAnExecutableComment) {
  EXPECT_FALSE(is_pessimistic("/*! SELECT 1; */ BEGIN OPTIMISTIC"));
}

}  // namespace
}  // namespace tidepool::sql

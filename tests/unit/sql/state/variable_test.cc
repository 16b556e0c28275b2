#include "tidepool/sql/state/variable.h"

#include <string_view>

#include <gtest/gtest.h>

#include "tidepool/sql/state/collation.h"

namespace tidepool::sql {
namespace {

TEST(Variable, IsFoundInAnyLetterCase) {
  const VariableId id = find_variable("AutoCommit");
  ASSERT_NE(id, kNoVariable);
  EXPECT_EQ(variable(id).name, "autocommit");
  EXPECT_EQ(variable(id).group, VariableClass::kFollowed);
  EXPECT_EQ(variable(id).undo, Undo::kDefault);
  EXPECT_TRUE(variable(id).is_switch);
  EXPECT_EQ(find_variable("no_such_variable"), kNoVariable);
  EXPECT_EQ(find_variable(""), kNoVariable);
}

TEST(Variable, HasOneIdForAllItsNames) {
  EXPECT_EQ(find_variable("tx_isolation"), find_variable("transaction_isolation"));
  EXPECT_EQ(find_variable("tx_read_only"), find_variable("transaction_read_only"));
  EXPECT_EQ(find_variable("tidb_session_plan_cache_size"),
            find_variable("tidb_prepared_plan_cache_size"));
}

TEST(Variable, TableIsSortedAndEachIsFoundByItsName) {
  const VariableId last = find_variable("windowing_use_high_precision");
  ASSERT_NE(last, kNoVariable);
  for (VariableId id = 0; id <= last; ++id)
    EXPECT_EQ(find_variable(variable(id).name), id) << variable(id).name;
  for (VariableId id = 1; id <= last; ++id)
    EXPECT_LT(variable(VariableId(id - 1)).name, variable(id).name);
}

TEST(Variable, KnowsWhatDriversSet) {
  for (std::string_view name : {"autocommit",
                                "sql_mode",
                                "time_zone",
                                "transaction_isolation",
                                "wait_timeout",
                                "interactive_timeout",
                                "net_write_timeout",
                                "sql_select_limit",
                                "max_execution_time",
                                "foreign_key_checks",
                                "unique_checks",
                                "innodb_lock_wait_timeout",
                                "group_concat_max_len",
                                "sql_safe_updates",
                                "tidb_txn_mode",
                                "sql_notes",
                                "sql_quote_show_create",
                                "information_schema_stats_expiry",
                                "lock_wait_timeout",
                                "timestamp"}) {
    const VariableId id = find_variable(name);
    ASSERT_NE(id, kNoVariable) << name;
    EXPECT_EQ(variable(id).group, VariableClass::kFollowed) << name;
    EXPECT_EQ(variable(id).undo, Undo::kDefault) << name;
  }
}

TEST(Collation, IsFoundByIdAndName) {
  ASSERT_NE(collation_by_id(46), nullptr);
  EXPECT_EQ(collation_by_id(46)->name, "utf8mb4_bin");
  EXPECT_EQ(collation_by_id(309)->name, "utf8mb4_0900_bin");
  EXPECT_EQ(collation_by_id(8), nullptr);
  EXPECT_EQ(collation_by_name("UTF8MB4_General_ci")->id, 45);
  EXPECT_EQ(collation_by_name("utf8mb3_bin")->id, 83);
  EXPECT_EQ(collation_by_name("utf8mb4_unicode_520_ci"), nullptr);
  EXPECT_EQ(default_collation("utf8mb3")->name, "utf8_bin");
  EXPECT_EQ(default_collation("GBK")->name, "gbk_chinese_ci");
  EXPECT_EQ(default_collation("latin2"), nullptr);
}

TEST(Collation, TellsTheCharacterSetOfOnesThatOnlyAHandshakeMayName) {
  EXPECT_EQ(charset_of_any_collation(8), "latin1");
  EXPECT_EQ(charset_of_any_collation(246), "utf8mb4");
  EXPECT_EQ(charset_of_any_collation(192), "utf8");
  EXPECT_EQ(charset_of_any_collation(9), "");
  EXPECT_EQ(charset_of_any_collation(272), "");
}

TEST(Collation, TellsHowBytesGroup) {
  EXPECT_EQ(encoding_of("utf8mb4"), TextEncoding::kUtf8);
  EXPECT_EQ(encoding_of("UTF8MB3"), TextEncoding::kUtf8);
  EXPECT_EQ(encoding_of("gbk"), TextEncoding::kGbk);
  EXPECT_EQ(encoding_of("gb18030"), TextEncoding::kGb18030);
  EXPECT_EQ(encoding_of("latin1"), TextEncoding::kSingleByte);
  EXPECT_EQ(encoding_of("binary"), TextEncoding::kSingleByte);
}

}  // namespace
}  // namespace tidepool::sql

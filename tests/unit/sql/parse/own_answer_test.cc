#include "tidepool/sql/parse/own_answer.h"

#include <gtest/gtest.h>

namespace tidepool::sql {
namespace {

OwnAnswer answer_to(std::string_view text) {
  return own_answer(classify(text, {}), text);
}

std::string column_of(std::string_view text) {
  const Script script = classify(text, {});
  return script.front().lone_info_function ? lone_info_function_name(script.front()) : "none";
}

TEST(OwnAnswer, IsGivenToWhatIsReadWhole) {
  EXPECT_EQ(answer_to("commit and chain no release;"), OwnAnswer::kEnd);
  EXPECT_EQ(answer_to("ROLLBACK /*! AND NO CHAIN */ RELEASE"), OwnAnswer::kEnd);
  EXPECT_EQ(answer_to("SET autocommit = 1, NAMES utf8mb4 COLLATE utf8mb4_bin"),
            OwnAnswer::kSetting);
  EXPECT_EQ(answer_to("SET TRANSACTION ISOLATION LEVEL READ COMMITTED"), OwnAnswer::kSetting);
  EXPECT_EQ(answer_to("show Warnings"), OwnAnswer::kShown);
  EXPECT_EQ(answer_to("SHOW COUNT(*) ERRORS"), OwnAnswer::kShown);
  EXPECT_EQ(answer_to("SELECT row_count ( )"), OwnAnswer::kInfoFunction);
  EXPECT_EQ(answer_to("KILL TIDB QUERY 5"), OwnAnswer::kKill);
}

TEST(OwnAnswer, IsNotGivenToAnythingElse) {
  for (std::string_view text : {
           "COMMIT foo",
           "COMMIT WORK",
           "(COMMIT)",
           "(COMMIT",
           "(SELECT ROW_COUNT()",
           "((SELECT LAST_INSERT_ID()",
           "(SELECT FOUND_ROWS();",
           "COMMIT; COMMIT",
           "COMMIT /*! x */",
           "COMMIT /*+ x */",
           "COMMIT; /*+ x */",
           "ROLLBACK TO SAVEPOINT a",
           "SET autocommit = 2",
           "SET autocommit = 1 foo",
           "SET NAMES nonsense",
           "SET NAMES utf8 COLLATE latin1_bin",
           "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
           "SET TRANSACTION ISOLATION LEVEL READ COMMITTED foo",
           "SHOW WARNINGS 5",
           "SHOW WARNINGS()",
           "SHOW (WARNINGS)",
           "SHOW WARNINGS LIKE 'x'",
           "SHOW COUNT (*) WARNINGS",
           "SHOW COUNT(*) WARNINGSX",
           "SHOW COUNT(1) WARNINGS",
           "SELECT ROW_COUNT() x",
           "SELECT ROW_COUNT(), 1",
           "SELECT `ROW_COUNT`()",
           "(SELECT ROW_COUNT())",
           "KILL 5 foo",
           "SELECT 1",
           "INSERT INTO t VALUES (1)",
           "",
       }) {
    EXPECT_EQ(answer_to(text), OwnAnswer::kNone) << text;
  }
}

TEST(OwnAnswer, NamesTheColumnAsTidbDoes) {
  EXPECT_EQ(column_of("select Row_Count()"), "Row_Count()");
  EXPECT_EQ(column_of("select last_insert_id /* e */ ()"), "last_insert_id /* e  ()");
  EXPECT_EQ(column_of("select found_rows() ;"), "found_rows()");
  EXPECT_EQ(column_of("select found_rows() /* \xc3\xa9 */"), "none");
  EXPECT_EQ(column_of("/* select \xc3\xa9 */ select found_rows()"), "found_rows()");
  EXPECT_EQ(column_of("/*! ; */ select row_count()"), "row_count()");
}

}  // namespace
}  // namespace tidepool::sql

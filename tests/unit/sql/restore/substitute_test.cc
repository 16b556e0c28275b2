#include "tidepool/sql/restore/substitute.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace tidepool::sql {
namespace {

struct Case {
  std::string_view text;
  std::string_view expected;
};

std::string substituted(std::string_view text, const InfoValues& values, LexMode mode = {}) {
  return substitute(classify(text, mode), text, mode, values);
}

void expect_all(const std::vector<Case>& cases, const InfoValues& values, LexMode mode = {}) {
  for (const Case& one : cases)
    EXPECT_EQ(substituted(one.text, values, mode), one.expected) << one.text;
}

InfoValues row_count(std::int64_t count) {
  InfoValues values;
  values.row_count = count;
  return values;
}

TEST(Substitute, LeavesWhatAsksForNothing) {
  const InfoValues values = row_count(3);
  for (std::string_view text :
       {"", "SELECT 1", "SELECT 'ROW_COUNT()'", "SELECT row_count FROM t", "SELECT a.row_count()",
        "SELECT ROW_COUNT(1)", "-- ROW_COUNT()", "SELECT FOUND_ROWS()",
        "CREATE VIEW v AS SELECT ROW_COUNT()", "PREPARE s FROM 'SELECT ROW_COUNT()'"}) {
    EXPECT_EQ(substituted(text, values), text);
  }
}

TEST(Substitute, GivesTheColumnItsOwnTextAsAName) {
  expect_all(
      {
          {"SELECT ROW_COUNT()", "SELECT (ROW_COUNT()*0+3) AS `ROW_COUNT()`"},
          {"select row_count ( )+1 , 2", "select (ROW_COUNT()*0+3)+1 AS `row_count ( )+1` , 2"},
          {"SELECT `ROW_COUNT`()", "SELECT (ROW_COUNT()*0+3) AS ```ROW_COUNT``()`"},
          {"SELECT DISTINCT /*+ NO_DECORRELATE() */ ROW_COUNT()",
           "SELECT DISTINCT /*+ NO_DECORRELATE() */ (ROW_COUNT()*0+3) AS `ROW_COUNT()`"},
          {"SELECT /*+ QB_NAME(q) */ SQL_NO_CACHE 1, (ROW_COUNT( ))FROM t",
           "SELECT /*+ QB_NAME(q) */ SQL_NO_CACHE 1, ((ROW_COUNT()*0+3)) AS `(ROW_COUNT( ))`FROM "
           "t"},
          {"SELECT TRIM(BOTH 'x' FROM ROW_COUNT()) FROM t",
           "SELECT TRIM(BOTH 'x' FROM (ROW_COUNT()*0+3)) AS `TRIM(BOTH 'x' FROM ROW_COUNT())` FROM "
           "t"},
          {"SELECT ROW_COUNT() UNION ALL SELECT ROW_COUNT() ORDER BY ROW_COUNT()",
           "SELECT (ROW_COUNT()*0+3) AS `ROW_COUNT()` UNION ALL SELECT (ROW_COUNT()*0+3) AS "
           "`ROW_COUNT()` "
           "ORDER BY (ROW_COUNT()*0+3)"},
      },
      row_count(3));
}

TEST(Substitute, NamesAColumnWithItsCommentsAsTidbDoes) {
  expect_all(
      {
          {"SELECT ROW_COUNT() /* c */, /* d */ 1+ROW_COUNT() -- hi",
           "SELECT (ROW_COUNT()*0+3) AS `ROW_COUNT() /* c ` /* c */, /* d */ 1+(ROW_COUNT()*0+3) "
           "AS "
           "`1+ROW_COUNT() -- hi` -- hi"},
          {"SELECT /*!40101 ROW_COUNT() */, /*! 1 + ROW_COUNT( ) */ ",
           "SELECT /*!40101 (ROW_COUNT()*0+3) AS `ROW_COUNT() ` */, /*! 1 + (ROW_COUNT()*0+3) AS "
           "`1 + ROW_COUNT( ) ` */ "},
          {"SELECT 1 /*!40101 + ROW_COUNT() */ ",
           "SELECT 1 /*!40101 + (ROW_COUNT()*0+3) AS `1  + ROW_COUNT() ` */ "},
          {"SELECT ROW_COUNT()   FROM t", "SELECT (ROW_COUNT()*0+3) AS `ROW_COUNT()`   FROM t"},
          {"SELECT ROW_COUNT()   FROM DUAL",
           "SELECT (ROW_COUNT()*0+3) AS `ROW_COUNT()  `   FROM DUAL"},
          {"SELECT ROW_COUNT() ;", "SELECT (ROW_COUNT()*0+3) AS `ROW_COUNT()` ;"},
      },
      row_count(3));
}

TEST(Substitute, KeepsAnAliasAndKnowsWhatIsNone) {
  expect_all(
      {
          {"SELECT ROW_COUNT() a, ROW_COUNT() AS b, ROW_COUNT() 'c', ROW_COUNT() `d`",
           "SELECT (ROW_COUNT()*0+3) a, (ROW_COUNT()*0+3) AS b, (ROW_COUNT()*0+3) 'c', "
           "(ROW_COUNT()*0+3) `d`"},
          {"SELECT ROW_COUNT() + a", "SELECT (ROW_COUNT()*0+3) + a AS `ROW_COUNT() + a`"},
          {"SELECT ROW_COUNT() AND t.a",
           "SELECT (ROW_COUNT()*0+3) AND t.a AS `ROW_COUNT() AND t.a`"},
          {"SELECT ROW_COUNT() IS NULL",
           "SELECT (ROW_COUNT()*0+3) IS NULL AS `ROW_COUNT() IS NULL`"},
          {"SELECT ROW_COUNT() IS NULL x", "SELECT (ROW_COUNT()*0+3) IS NULL x"},
          {"SELECT ROW_COUNT() = 'a' 'b'",
           "SELECT (ROW_COUNT()*0+3) = 'a' 'b' AS `ROW_COUNT() = 'a' 'b'`"},
          {"SELECT ROW_COUNT() = _utf8'a'",
           "SELECT (ROW_COUNT()*0+3) = _utf8'a' AS `ROW_COUNT() = _utf8'a'`"},
          {"SELECT CASE ROW_COUNT() WHEN 1 THEN 2 ELSE 3 END",
           "SELECT CASE (ROW_COUNT()*0+3) WHEN 1 THEN 2 ELSE 3 END AS `CASE ROW_COUNT() WHEN 1 "
           "THEN 2 ELSE "
           "3 END`"},
          {"SELECT CASE ROW_COUNT() WHEN 1 THEN 2 END x",
           "SELECT CASE (ROW_COUNT()*0+3) WHEN 1 THEN 2 END x"},
          {"SELECT NOW() + INTERVAL ROW_COUNT() DAY",
           "SELECT NOW() + INTERVAL ROW_COUNT()*0+3 DAY AS `NOW() + INTERVAL ROW_COUNT() DAY`"},
          {"SELECT CONCAT(ROW_COUNT()) COLLATE utf8mb4_bin",
           "SELECT CONCAT((ROW_COUNT()*0+3)) COLLATE utf8mb4_bin AS `CONCAT(ROW_COUNT()) COLLATE "
           "utf8mb4_bin`"},
      },
      row_count(3));
}

TEST(Substitute, ReachesSubqueriesAndNamesTheFieldAround) {
  expect_all(
      {
          {"SELECT (SELECT ROW_COUNT() ), 2",
           "SELECT (SELECT (ROW_COUNT()*0+3) AS `ROW_COUNT()` ) AS `(SELECT ROW_COUNT() )`, 2"},
          {"SELECT * FROM (SELECT ROW_COUNT() /* z */) q WHERE ROW_COUNT() > 1",
           "SELECT * FROM (SELECT (ROW_COUNT()*0+3) AS `ROW_COUNT() /* z ` /* z */) q WHERE "
           "(ROW_COUNT()*0+3) > 1"},
          {"WITH c AS (SELECT ROW_COUNT()) SELECT * FROM c",
           "WITH c AS (SELECT (ROW_COUNT()*0+3) AS `ROW_COUNT()`) SELECT * FROM c"},
          {"SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u WHERE ROW_COUNT() = b)",
           "SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u WHERE (ROW_COUNT()*0+3) = b)"},
      },
      row_count(3));
}

TEST(Substitute, RewritesWhatWritesAndSets) {
  expect_all(
      {
          {"INSERT INTO t VALUES (ROW_COUNT(), 2)", "INSERT INTO t VALUES ((ROW_COUNT()*0+-1), 2)"},
          {"INSERT INTO t SELECT ROW_COUNT() ON DUPLICATE KEY UPDATE a=ROW_COUNT()",
           "INSERT INTO t SELECT (ROW_COUNT()*0+-1) AS `ROW_COUNT()` ON DUPLICATE KEY UPDATE "
           "a=(ROW_COUNT()*0+-1)"},
          {"UPDATE t SET a=ROW_COUNT()", "UPDATE t SET a=(ROW_COUNT()*0+-1)"},
          {"SET @a = ROW_COUNT()", "SET @a = (ROW_COUNT()*0+-1)"},
          {"DO ROW_COUNT()", "DO (ROW_COUNT()*0+-1)"},
      },
      row_count(-1));
}

TEST(Substitute, KeepsTheTypeOfEachFact) {
  InfoValues values;
  values.found_rows = 5;
  values.warnings = 2;
  values.errors = 1;
  values.insert_id = 0;
  values.connection_id = 77;
  expect_all(
      {
          {"SELECT FOUND_ROWS() f", "SELECT (FOUND_ROWS()&0|5) f"},
          {"SELECT @@warning_count",
           "SELECT IF(FOUND_ROWS()&0,@@warning_count,'2') AS "
           "`@@warning_count`"},
          {"SELECT @@session.error_count e, @@`error_count` f",
           "SELECT IF(FOUND_ROWS()&0,@@session.error_count,'1') e, "
           "IF(FOUND_ROWS()&0,@@`error_count`,'1') f"},
          {"SELECT LAST_INSERT_ID() a", "SELECT (LAST_INSERT_ID()&0|0) a"},
          {"SELECT @@identity a, @@LOCAL.last_insert_id b",
           "SELECT (@@identity&0|FOUND_ROWS()&0|0) a, "
           "(@@LOCAL.last_insert_id&0|FOUND_ROWS()&0|0) b"},
          {"SELECT LAST_INSERT_ID(5) a", "SELECT LAST_INSERT_ID(5) a"},
          {"SELECT CONNECTION_ID() a", "SELECT (CONNECTION_ID()&0|77) a"},
          {"SET @@identity = @@identity", "SET @@identity = (@@identity&0|0)"},
          {"SELECT @@identity+1 a, @@error_count DIV 1 b, CONCAT(@@error_count) c",
           "SELECT (@@identity&0|0)+1 a, REPLACE(@@error_count,@@error_count,'1') DIV 1 b, "
           "CONCAT(REPLACE(@@error_count,@@error_count,'1')) c"},
          {"SELECT @@global.identity a", "SELECT @@global.identity a"},
      },
      values);
}

TEST(Substitute, ReplacesAnInsertIdOnlyWhereItIsAnotherSessions) {
  InfoValues values;
  values.insert_id = 0;
  values.foreign_id = 9;
  expect_all(
      {{"SELECT LAST_INSERT_ID() a",
        "SELECT (LAST_INSERT_ID()&0|IF(LAST_INSERT_ID()=9,0,LAST_INSERT_ID())) a"},
       {"SELECT 1; SELECT LAST_INSERT_ID() a",
        "SELECT 1; SELECT (LAST_INSERT_ID()&0|IF(LAST_INSERT_ID()=9,0,LAST_INSERT_ID())) a"}},
      values);
}

TEST(Substitute, LeavesWhatAsksAboutAStatementOfTheSameText) {
  InfoValues values = row_count(3);
  values.found_rows = 5;
  values.connection_id = 77;
  expect_all({{"SELECT ROW_COUNT() a; SELECT ROW_COUNT(), CONNECTION_ID() b",
               "SELECT (ROW_COUNT()*0+3) a; SELECT ROW_COUNT(), (CONNECTION_ID()&0|77) b"},
              {"SELECT 1; SELECT ROW_COUNT() a;", "SELECT 1; SELECT ROW_COUNT() a;"},
              {"SELECT 1; SELECT FOUND_ROWS() a", "SELECT 1; SELECT FOUND_ROWS() a"},
              {"INSERT INTO t VALUES (1); SET @a = 1; SELECT FOUND_ROWS() a",
               "INSERT INTO t VALUES (1); SET @a = 1; SELECT (FOUND_ROWS()&0|5) a"},
              {"ANALYZE TABLE t; DROP TABLE t; SELECT FOUND_ROWS() a",
               "ANALYZE TABLE t; DROP TABLE t; SELECT (FOUND_ROWS()&0|5) a"}},
             values);
}

TEST(Substitute, ShowsInAPlanWhatTidbWouldShow) {
  InfoValues values = row_count(3);
  values.found_rows = 5;
  values.warnings = 2;
  values.insert_id = 4;
  expect_all({{"EXPLAIN SELECT ROW_COUNT() a, FOUND_ROWS() b, @@warning_count c, @@identity d",
               "EXPLAIN SELECT (ROW_COUNT()*0+3) a, FOUND_ROWS() b, "
               "REPLACE(@@warning_count,@@warning_count,'2') c, "
               "(@@identity&0|4) d"}},
             values);
}

TEST(Substitute, LeavesTheConnectionIdBesideTidbsListOfConnections) {
  InfoValues values;
  values.connection_id = 77;
  for (std::string_view text :
       {"SELECT * FROM information_schema.processlist WHERE id = CONNECTION_ID()",
        "SELECT 1 FROM information_schema.`TIDB_TRX` WHERE session_id = CONNECTION_ID()"}) {
    EXPECT_EQ(substituted(text, values), text);
  }
}

TEST(Substitute, DoesNothingInThePlaceOfWhatTheProxyDoes) {
  InfoValues values = row_count(3);
  values.done_here = {1, 3};
  expect_all({{"SELECT ROW_COUNT() a; KILL 5 ; SELECT 1;KILL QUERY 6",
               "SELECT (ROW_COUNT()*0+3) a;DO 0; SELECT 1;DO 0"}},
             values);
}

TEST(Substitute, GivesTheHolderOfALockAsTheConnectionId) {
  InfoValues values;
  values.connection_id = 77;
  values.backend_id = 1001;
  expect_all({{"SELECT IS_USED_LOCK('a') = CONNECTION_ID() b",
               "SELECT (1+(IS_USED_LOCK('a')-1) DIV 1000*76) = (CONNECTION_ID()&0|77) b"},
              {"SELECT is_used_lock ( CONCAT('(', CONNECTION_ID()) )",
               "SELECT (1+(is_used_lock ( CONCAT('(', (CONNECTION_ID()&0|77)) )-1) DIV 1000*76) AS "
               "`is_used_lock ( CONCAT('(', CONNECTION_ID()) )`"},
              {"SELECT IS_USED_LOCK(IS_USED_LOCK('a')) b",
               "SELECT (1+(IS_USED_LOCK((1+(IS_USED_LOCK('a')-1) DIV 1000*76))-1) DIV 1000*76) b"},
              {"SELECT NOW() + INTERVAL IS_USED_LOCK('a') DAY b",
               "SELECT NOW() + INTERVAL 1+(IS_USED_LOCK('a')-1) DIV 1000*76 DAY b"},
              {"SELECT IS_FREE_LOCK('a'), 'IS_USED_LOCK(1)', a.IS_USED_LOCK('a'), IS_USED_LOCK b",
               "SELECT IS_FREE_LOCK('a'), 'IS_USED_LOCK(1)', a.IS_USED_LOCK('a'), IS_USED_LOCK b"},
              {"SELECT IS_USED_LOCK('a'", "SELECT IS_USED_LOCK('a'"},
              {"DO IS_USED_LOCK(?)", "DO (1+(IS_USED_LOCK(?)-1) DIV 1000*76)"}},
             values);
  values.backend_id = 0;
  expect_all({{"SELECT IS_USED_LOCK('a') b", "SELECT IS_USED_LOCK('a') b"}}, values);
}

// Whoever looks for the end of each call anew never ends.
// Hours, if each of them looked at all before it.
TEST(Substitute, LooksAtEachOfManyStatementsOnce) {
  InfoValues values;
  values.found_rows = 7;
  std::string many;
  std::string expected;
  for (int i = 0; i < 100'000; ++i) {
    many += "DO FOUND_ROWS();";
    expected += "DO (FOUND_ROWS()&0|7);";
  }
  EXPECT_TRUE(substituted(many, values) == expected) << substituted("DO FOUND_ROWS()", values);
}

TEST(Substitute, LooksAtEachTokenOfManyNestedCallsOnce) {
  constexpr int kCalls = 20000;
  InfoValues values;
  values.connection_id = 77;
  values.backend_id = 1001;
  std::string nested = "SELECT ";
  for (int i = 0; i < kCalls; ++i)
    nested += "IS_USED_LOCK(";
  EXPECT_TRUE(substituted(nested, values) == nested);

  const std::string closed = substituted(nested + "'a'" + std::string(kCalls, ')') + " b", values);
  EXPECT_TRUE(closed.starts_with("SELECT (1+(IS_USED_LOCK((1+("));
  EXPECT_TRUE(closed.ends_with("-1) DIV 1000*76) b"));
}

TEST(Substitute, ReadsQuotesAsTheSessionDoes) {
  LexMode ansi;
  ansi.ansi_quotes = true;
  const InfoValues values = row_count(3);
  expect_all({{R"(SELECT "ROW_COUNT"() "x")", R"(SELECT (ROW_COUNT()*0+3) "x")"}}, values, ansi);
  expect_all({{R"(SELECT "ROW_COUNT"(), ROW_COUNT())",
               R"(SELECT "ROW_COUNT"(), (ROW_COUNT()*0+3) AS `ROW_COUNT()`)"}},
             values);
}

}  // namespace
}  // namespace tidepool::sql

// What kind of statement a text is, and what it does to the transaction.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tidepool/sql/parse/statement.h"

namespace tidepool::sql {
namespace {

using namespace std::string_view_literals;

using Kind = StatementKind;
using Transaction = TransactionEffect;

Script classify(std::string_view text) {
  return sql::classify(text, {});
}

struct Case {
  std::string_view text;
  Kind kind;
  Transaction transaction = Transaction::kNone;
};

void expect_all(const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    const Script script = classify(one.text);
    ASSERT_EQ(script.size(), 1U) << one.text;
    EXPECT_STREQ(to_string(script.front().kind), to_string(one.kind)) << one.text;
    EXPECT_EQ(script.front().transaction, one.transaction) << one.text;
  }
}

TEST(ClassifyStatement, KnowsReadsThatHaveNoSideEffects) {
  for (std::string_view text : {
           "SELECT 1",
           "select * from t where a = 'x'",
           "(SELECT 1)",
           "((SELECT 1) UNION (SELECT 2))",
           "SELECT 1 UNION ALL SELECT 2 ORDER BY 1 LIMIT 3",
           "/* c */ SELECT 1",
           "/*! SELECT */ 1",
           "/*!80000 SELECT 1 */",
           "/*T! SELECT 1 */",
           "SELECT /*+ SET_VAR(autocommit=0) MAX_EXECUTION_TIME(1000) */ 1",
           "WITH a AS (SELECT 1) SELECT * FROM a",
           "WITH RECURSIVE a(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM a) SELECT * FROM a",
           "WITH a AS (SELECT 1) (SELECT * FROM a)",
           "TABLE t",
           "VALUES ROW(1,2)",
           "SELECT SLEEP(1)",
           "SELECT UUID(), NOW(), RAND()",
           "SELECT LAST_INSERT_ID()",
           "SELECT @a, @@session.sql_mode",
           "SELECT t.last_insert_id FROM t",
           "SELECT * FROM t AS OF TIMESTAMP '2026-01-01'",
           "SELECT * FROM t USE INDEX FOR ORDER BY (i)",
           "SELECT 'FOR UPDATE', `FOR UPDATE`",
           "SELECT a -- FOR UPDATE\n FROM t",
           "SHOW TABLES",
           "SHOW WARNINGS",
           "SHOW COUNT(*) WARNINGS",
           "SHOW VARIABLES LIKE 'a%'",
           "SHOW CREATE TABLE t",
           "SHOW GRANTS FOR 'a'@'%'",
           "DESC t",
           "DESCRIBE t a",
           "EXPLAIN SELECT 1",
           "EXPLAIN FORMAT='brief' SELECT 1",
           "EXPLAIN FORMAT = brief UPDATE t SET a=1",
           "EXPLAIN DELETE FROM t",
           "EXPLAIN INSERT INTO t VALUES (1)",
           "EXPLAIN SELECT 1 FOR UPDATE",
           "EXPLAIN FOR CONNECTION 5",
           "EXPLAIN ANALYZE SELECT 1",
           "EXPLAIN ANALYZE FORMAT='row' SELECT 1",
           "EXPLAIN t",
           "HELP 'contents'",
           "DO 1",
           "DO SLEEP(1)",
       }) {
    const Script script = classify(text);
    ASSERT_EQ(script.size(), 1U) << text;
    EXPECT_EQ(script.front().kind, Kind::kRead) << text;
    EXPECT_TRUE(script.is_read()) << text;
    EXPECT_TRUE(script.pins().empty()) << text;
  }
}

TEST(ClassifyStatement, SaysTheFirstWord) {
  const std::vector<std::pair<std::string_view, Verb>> cases = {
      {"select 1", Verb::kSelect},
      {"/* c */ ((SELECT 1) UNION (SELECT 2))", Verb::kSelect},
      {"/*!80000 insert */ INTO t VALUES (1)", Verb::kInsert},
      {"EXPLAIN ANALYZE UPDATE t SET a = 1", Verb::kExplain},
      {"TRACE DELETE FROM t", Verb::kTrace},
      {"WITH a AS (SELECT 1) DELETE FROM t", Verb::kWith},
      {"ROLLBACK TO s", Verb::kRollback},
      {"CREATE PROCEDURE p() BEGIN END", Verb::kCreate},
      {"CALL p()", Verb::kNone},
      {"(INSERT INTO t VALUES (1))", Verb::kNone},
      {"nonsense", Verb::kNone},
      {"5", Verb::kNone},
  };
  for (const auto& [text, verb] : cases)
    EXPECT_EQ(classify(text).front().verb, verb) << text;
}

TEST(ClassifyStatement, SaysTheFirstWordBehindAnExecutableComment) {
  const Script script = classify("/*! BEGIN; */ INSERT INTO t VALUES (1)");
  ASSERT_EQ(script.size(), 2U);
  EXPECT_EQ(script[1].verb, Verb::kInsert);
}

TEST(ClassifyStatement, DoesNotCallAQueryWithSideEffectsARead) {
  for (std::string_view text : {
           "SELECT * FROM t FOR UPDATE",
           "SELECT * FROM t FOR UPDATE NOWAIT",
           "SELECT * FROM t FOR SHARE",
           "SELECT * FROM t LOCK IN SHARE MODE",
           "SELECT * FROM (SELECT * FROM t FOR UPDATE) x",
           "SELECT * FROM t /*! FOR UPDATE */",
           "SELECT 1 INTO OUTFILE '/tmp/x'",
           "SELECT NEXTVAL(s)",
           "SELECT NEXT VALUE FOR s",
           "SELECT SETVAL(s, 5)",
           "SELECT GET_LOCK('a', 1)",
           "SELECT GET_LOCK ('a', 1)",
           "SELECT `get_lock`('a', 1)",
           "SELECT RELEASE_LOCK('a')",
           "SELECT RELEASE_ALL_LOCKS()",
           "SELECT IS_FREE_LOCK('a')",
           "SELECT @a := 1",
           "SELECT @a:=@a+1 FROM t",
           "SELECT LAST_INSERT_ID(5)",
           "DO LAST_INSERT_ID(5)",
           "EXPLAIN SELECT NEXTVAL(s)",
           "WITH a AS (SELECT NEXTVAL(s)) SELECT * FROM a",
       }) {
    const Script script = classify(text);
    ASSERT_EQ(script.size(), 1U) << text;
    EXPECT_EQ(script.front().kind, Kind::kRead) << text;
    EXPECT_FALSE(script.is_read()) << text;
  }
}

TEST(ClassifyStatement, KnowsWhichQueriesLockWhatTheyRead) {
  for (const std::string_view text :
       {"SELECT id FROM t FOR UPDATE", "(select id from t limit 1 for /* x */ update nowait)",
        "SELECT * FROM (SELECT * FROM t FOR UPDATE) x"}) {
    EXPECT_TRUE(classify(text).front().locks_rows) << text;
  }
  for (const std::string_view text :
       {"SELECT id FROM t", "SELECT 'FOR UPDATE' FROM t", "SELECT for_update, `FOR` UPDATE FROM t",
        "SELECT id FROM t FOR SHARE", "EXPLAIN SELECT id FROM t FOR UPDATE",
        "EXPLAIN ANALYZE SELECT id FROM t FOR UPDATE", "TRACE SELECT id FROM t FOR UPDATE",
        "UPDATE t SET v = 1", "INSERT INTO t SELECT * FROM u FOR UPDATE"}) {
    EXPECT_FALSE(classify(text).front().locks_rows) << text;
  }
}

TEST(ClassifyStatement, ReadsForUpdateInTheSessionsMode) {
  const LexMode plain{.no_backslash_escapes = true};
  EXPECT_TRUE(sql::classify(R"(SELECT '\' FROM t FOR UPDATE)", plain).front().locks_rows);
  EXPECT_FALSE(sql::classify(R"(SELECT 'a\', ' FOR UPDATE')", plain).front().locks_rows);
  const LexMode gbk{.encoding = TextEncoding::kGbk};
  EXPECT_TRUE(sql::classify("SELECT '\xbf\\' FROM t FOR UPDATE", gbk).front().locks_rows);
}

TEST(ClassifyStatement, KnowsWrites) {
  expect_all({
      {"INSERT INTO t VALUES (1)", Kind::kWrite},
      {"insert ignore into t (a) select b from u on duplicate key update a = values(a)",
       Kind::kWrite},
      {"REPLACE INTO t VALUES (1)", Kind::kWrite},
      {"UPDATE t SET a = 1", Kind::kWrite},
      {"DELETE FROM t", Kind::kWrite},
      {"DELETE t1 FROM t1 JOIN t2", Kind::kWrite},
      {"WITH a AS (SELECT 1) UPDATE t SET a = 1", Kind::kWrite},
      {"WITH a AS (SELECT 1) DELETE FROM t", Kind::kWrite},
      {"EXPLAIN ANALYZE UPDATE t SET a = 1", Kind::kWrite},
      {"EXPLAIN ANALYZE FORMAT='row' INSERT INTO t VALUES (1)", Kind::kWrite},
      {"LOAD DATA INFILE 's3://x' INTO TABLE t", Kind::kWrite},
      {"LOAD DATA LOCAL INFILE 'x' INTO TABLE t", Kind::kWrite},
      {"IMPORT INTO t FROM 's3://x'", Kind::kWrite, Transaction::kUnknown},
      {"BATCH ON id LIMIT 10 DELETE FROM t", Kind::kWrite, Transaction::kUnknown},
      {"BATCH LIMIT 10 UPDATE t SET a = 1", Kind::kWrite, Transaction::kUnknown},
  });
}

TEST(ClassifyStatement, KnowsTransactions) {
  expect_all({
      {"BEGIN", Kind::kBegin, Transaction::kBegin},
      {"begin pessimistic", Kind::kBegin, Transaction::kBegin},
      {"BEGIN OPTIMISTIC", Kind::kBegin, Transaction::kBegin},
      {"START TRANSACTION", Kind::kBegin, Transaction::kBegin},
      {"START TRANSACTION READ ONLY", Kind::kBegin, Transaction::kBegin},
      {"START TRANSACTION READ ONLY AS OF TIMESTAMP NOW()", Kind::kBegin, Transaction::kBegin},
      {"START TRANSACTION WITH CONSISTENT SNAPSHOT", Kind::kBegin, Transaction::kBegin},
      {"/*! START TRANSACTION */", Kind::kBegin, Transaction::kBegin},
      {"/*!40100 START TRANSACTION WITH CONSISTENT SNAPSHOT */", Kind::kBegin, Transaction::kBegin},
      {"COMMIT", Kind::kEnd, Transaction::kCommit},
      {"COMMIT AND CHAIN", Kind::kEnd, Transaction::kCommit},
      {"ROLLBACK", Kind::kEnd, Transaction::kRollback},
      {"ROLLBACK RELEASE", Kind::kEnd, Transaction::kRollback},
      {"ROLLBACK TO a", Kind::kOther},
      {"ROLLBACK TO SAVEPOINT a", Kind::kOther},
      {"SAVEPOINT a", Kind::kOther},
      {"RELEASE SAVEPOINT a", Kind::kOther},
  });
}

TEST(ClassifyStatement, SeesWhatTraceExecutesAlthoughTheAnswerIsOfAnotherForm) {
  expect_all({
      {"TRACE BEGIN", Kind::kOther, Transaction::kBegin},
      {"TRACE FORMAT='row' COMMIT", Kind::kOther, Transaction::kCommit},
      {"TRACE DELETE FROM t", Kind::kWrite},
      {"TRACE SET autocommit = 0", Kind::kOther, Transaction::kUnknown},
  });
  const StateChanges expected = {{ChangeKind::kSetVariable, "sql_mode", "ansi"}};
  EXPECT_EQ(classify("TRACE SET sql_mode = 'ansi'").front().changes, expected);
}

TEST(ClassifyStatement, KnowsDefinitions) {
  for (std::string_view text : {
           "CREATE DATABASE d",
           "CREATE TABLE t (a INT)",
           "CREATE TABLE IF NOT EXISTS t LIKE u",
           "CREATE GLOBAL TEMPORARY TABLE t (a INT) ON COMMIT DELETE ROWS",
           "CREATE INDEX i ON t (a)",
           "CREATE UNIQUE INDEX i ON t (a)",
           "CREATE VIEW v AS SELECT 1",
           "CREATE OR REPLACE VIEW v AS SELECT NEXTVAL(s)",
           "CREATE USER 'a'@'%' IDENTIFIED BY 'b'",
           "CREATE ROLE r",
           "CREATE SEQUENCE s",
           "CREATE PLACEMENT POLICY p FOLLOWERS=1",
           "CREATE RESOURCE GROUP g RU_PER_SEC=1",
           "CREATE STATISTICS s (correlation) ON t(a,b)",
           "CREATE TABLE t (a INT DEFAULT (NEXT VALUE FOR s))",
           "ALTER TABLE t ADD COLUMN b INT",
           "ALTER DATABASE d CHARACTER SET utf8mb4",
           "ALTER USER u IDENTIFIED BY 'x'",
           "ALTER SEQUENCE s RESTART",
           "ALTER PLACEMENT POLICY p FOLLOWERS=2",
           "ALTER RESOURCE GROUP g RU_PER_SEC=2",
           "ALTER RANGE global PLACEMENT POLICY p",
           "ALTER INSTANCE RELOAD TLS",
           "DROP DATABASE d",
           "DROP VIEW v",
           "DROP INDEX i ON t",
           "DROP USER u",
           "DROP ROLE r",
           "DROP SEQUENCE s",
           "DROP STATISTICS s",
           "DROP STATS t",
           "DROP PLACEMENT POLICY p",
           "DROP RESOURCE GROUP g",
           "DROP PROCEDURE p",
           "TRUNCATE TABLE t",
           "TRUNCATE t",
           "RENAME TABLE a TO b",
           "RENAME USER a TO b",
           "GRANT SELECT ON *.* TO u",
           "GRANT r TO u",
           "GRANT PROXY ON a TO b",
           "REVOKE ALL ON *.* FROM u",
           "REVOKE r FROM u",
           "RECOVER TABLE t",
           "FLASHBACK TABLE t",
           "FLASHBACK CLUSTER TO TIMESTAMP '2026-01-01'",
           "FLASHBACK DATABASE d TO e",
       }) {
    const Script script = classify(text);
    ASSERT_EQ(script.size(), 1U) << text;
    EXPECT_EQ(script.front().kind, Kind::kDdl) << text;
    EXPECT_EQ(script.front().transaction, Transaction::kImplicitCommit) << text;
    EXPECT_TRUE(script.pins().empty()) << text;
    EXPECT_TRUE(script.front().info_functions.empty()) << text;
  }
}

TEST(ClassifyStatement, DoesNotClaimToKnowWhetherADroppedTableIsTemporary) {
  expect_all({{"DROP TABLE t", Kind::kDdl, Transaction::kUnknown},
              {"DROP TABLES IF EXISTS a, `b`", Kind::kDdl, Transaction::kUnknown},
              {"DROP TEMPORARY TABLE t", Kind::kDdl, Transaction::kNone},
              {"DROP GLOBAL TEMPORARY TABLE t", Kind::kDdl, Transaction::kImplicitCommit}});
}

TEST(ClassifyStatement, KnowsTheRestOfTheGrammar) {
  for (std::string_view text : {
           "ADMIN SHOW DDL JOBS",
           "ADMIN CHECK TABLE t",
           "ADMIN CHECKSUM TABLE t",
           "ADMIN RELOAD BINDINGS",
           "ANALYZE TABLE t",
           "ANALYZE INCREMENTAL TABLE t INDEX i",
           "BACKUP DATABASE * TO 's3://x'",
           "RESTORE DATABASE * FROM 's3://x'",
           "SHOW BACKUP LOGS STATUS",
           "SHOW BR JOB 1",
           "ALTER TABLE t ANALYZE PARTITION p",
           "ALTER IGNORE TABLE d.t COMPACT",
           "STOP BACKUP LOGS",
           "PAUSE BACKUP LOGS",
           "RESUME BACKUP LOGS",
           "PURGE BACKUP LOGS FROM 'x'",
           "CANCEL IMPORT JOB 1",
           "CANCEL BR JOB 1",
           "CANCEL DISTRIBUTION JOB 1",
           "BINLOG 'x'",
           "CALIBRATE RESOURCE",
           "DISTRIBUTE TABLE t RULE='leader-scatter' ENGINE='tikv'",
           "SPLIT TABLE t BETWEEN (0) AND (1) REGIONS 2",
           "QUERY WATCH ADD SQL TEXT EXACT TO 'x'",
           "QUERY WATCH REMOVE 1",
           "RECOMMEND INDEX RUN",
           "OPTIMIZE TABLE t",
           "FLUSH PRIVILEGES",
           "FLUSH TABLES",
           "SHUTDOWN",
           "RESTART",
           "LOCK STATS t",
           "UNLOCK STATS t",
           "UNLOCK TABLES",
           "LOAD STATS 'x'",
           "PLAN REPLAYER DUMP EXPLAIN SELECT 1",
           "PLAN REPLAYER LOAD 'x'",
           "TRACE SELECT 1",
           "TRACE FORMAT='row' SELECT 1",
           "TRACE PLAN TARGET='estimation' SELECT 1",
           "KILL 5",
           "SET BINDING ENABLED FOR SELECT 1",
           "CREATE GLOBAL BINDING FOR SELECT 1 USING SELECT 1",
           "DROP GLOBAL BINDING FOR SELECT 1",
       }) {
    const Script script = classify(text);
    ASSERT_EQ(script.size(), 1U) << text;
    EXPECT_EQ(script.front().kind, Kind::kOther) << text;
    EXPECT_FALSE(script.is_read()) << text;
    EXPECT_TRUE(script.pins().empty()) << text;
  }
}

TEST(ClassifyStatement, PinsWhatItDoesNotUnderstand) {
  for (std::string_view text : {
           "CALL p()"sv,
           "XA START 'a'"sv,
           "HANDLER t OPEN"sv,
           "SELEC 1"sv,
           "1"sv,
           "'SELECT'"sv,
           "`SELECT` 1"sv,
           "CREATE PROCEDURE p() BEGIN SELECT 1; END"sv,
           "BEGIN SELECT 1"sv,
           "SELECT 'a"sv,
           "SELECT \"a"sv,
           "SELECT 1 /* x"sv,
           "SELECT `a"sv,
           "SELECT 1 \0"sv,
           "SELECT\x01"sv,
           "\xff\xff"sv,
           "USE"sv,
           "USE 'a'"sv,
           "USE a b"sv,
           "SET"sv,
           "SET a"sv,
           "SET a=1,"sv,
           "SET GLOBAL"sv,
           "SET NAMES"sv,
           "SET , a=1"sv,
           "EXPLAIN ANALYZE CREATE TABLE t (a INT)"sv,
           "TRACE TRACE SELECT 1"sv,
           "START SLAVE"sv,
           "PREPARE a"sv,
           "PREPARE a FROM 1"sv,
           "KILL x"sv,
           "KILL 99999999999999999999"sv,
           "KILL 5 foo"sv,
           "KILL (5"sv,
           "KILL CONNECTION_ID 5"sv,
           "KILL QUERY CONNECTION_ID()"sv,
           "COMMIT foo"sv,
           "COMMIT WORK"sv,
           "COMMIT AND CHAIN RELEASE"sv,
           "(COMMIT)"sv,
           "ROLLBACK WORK TO SAVEPOINT zz"sv,
           "SHOW COUNT(*) WARNINGSX"sv,
           "SET TRANSACTION ISOLATION LEVEL READ COMMITTED foo"sv,
           "SET TRANSACTION READ WRITE, READ WRITE, READ WRITE"sv,
           "LOCK x"sv,
           "(BEGIN SELECT"sv,
           "()"sv,
       }) {
    const Script script = classify(text);
    ASSERT_GE(script.size(), 1U) << text;
    EXPECT_EQ(script.front().kind, Kind::kUnknown) << text;
    EXPECT_FALSE(script.is_read()) << text;
    EXPECT_TRUE(script.pins().contains(Pin::kUnknownStatement)) << text;
  }
}

TEST(ClassifyStatement, FindsNoStatementInAnEmptyText) {
  for (std::string_view text : {"", " ", "\n\t", ";", ";;", " ; ; ", "-- x", "# x\n", "/* x */",
                                "/**/;", "/*! */", "/*T![unheard_of] SELECT 1 */"}) {
    const Script script = classify(text);
    EXPECT_TRUE(script.empty()) << text;
    EXPECT_FALSE(script.is_read()) << text;
    EXPECT_TRUE(script.pins().empty()) << text;
  }
}

TEST(ClassifyStatement, SplitsMultiStatements) {
  const Script script = classify("SELECT ';' ; ; BEGIN;SET a=1 ;\nUPDATE t SET a='x;y'; ");
  ASSERT_EQ(script.size(), 4U);
  EXPECT_EQ(script[0].kind, Kind::kRead);
  EXPECT_EQ(script[1].kind, Kind::kBegin);
  EXPECT_EQ(script[2].kind, Kind::kSet);
  EXPECT_EQ(script[3].kind, Kind::kWrite);
  EXPECT_EQ(script[0].text, "SELECT ';' ");
  EXPECT_EQ(script[1].text, " BEGIN");
  EXPECT_EQ(script[3].text, "\nUPDATE t SET a='x;y'");
  EXPECT_FALSE(script.is_read());
}

TEST(ClassifyStatement, CallsAScriptARead) {
  EXPECT_TRUE(classify("SELECT 1; SHOW TABLES;").is_read());
  EXPECT_FALSE(classify("SELECT 1; UPDATE t SET a=1").is_read());
  EXPECT_FALSE(classify("SELECT 1; SELECT 'a").is_read());
}

TEST(ClassifyStatement, TakesATrailingSemicolonForNoSecondStatement) {
  const Script script = classify("SELECT 1;");
  ASSERT_EQ(script.size(), 1U);
  EXPECT_EQ(script.front().text, "SELECT 1");
  EXPECT_EQ(classify("SELECT 1; -- done").size(), 1U);
}

TEST(ClassifyStatement, FollowsStatementsThatSpanExecutableComments) {
  const Script script = classify("/*! BEGIN; SELECT */ 1");
  ASSERT_EQ(script.size(), 2U);
  EXPECT_EQ(script[0].kind, Kind::kBegin);
  EXPECT_EQ(script[1].kind, Kind::kRead);
}

TEST(ClassifyStatement, UnderstandsNothingAmbiguousWhileTheModeIsUncertain) {
  const LexMode uncertain{.uncertain = true};
  EXPECT_TRUE(sql::classify("SELECT 'a', b FROM t", uncertain).is_read());
  for (std::string_view text : {R"(SELECT "a")", R"(SELECT '\\')", "SELECT '\xe4\xb8\xad'"}) {
    EXPECT_TRUE(sql::classify(text, {}).is_read()) << text;
    EXPECT_EQ(sql::classify(text, uncertain).front().kind, Kind::kUnknown) << text;
  }
}

TEST(ClassifyStatement, ReadsQuotesByTheMode) {
  // In ANSI_QUOTES the whole is one name; else a string ends where the other begins.
  const std::string_view text = R"(SELECT 'a\'; DELETE FROM t; -- ')";
  EXPECT_EQ(sql::classify(text, {}).size(), 1U);
  EXPECT_EQ(sql::classify(text, {.no_backslash_escapes = true}).size(), 2U);
  const std::string_view gbk = "SELECT '\xbf\x5c'; DELETE FROM t; -- '";
  EXPECT_EQ(sql::classify(gbk, {}).size(), 1U);
  EXPECT_EQ(sql::classify(gbk, {.encoding = TextEncoding::kGbk}).size(), 2U);
}

std::string repeated(std::size_t count, std::string_view piece) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i)
    text += piece;
  return text;
}

TEST(ClassifyStatement, KeepsTrackOfSoManyStatementsAndNoMore) {
  const std::string most = repeated(kMostStatements, "DO 1;");
  EXPECT_EQ(classify(most).size(), kMostStatements);
  EXPECT_EQ(classify(most).excess(), Excess::kNone);

  const std::string more = most + "KILL 1";
  const Script script = classify(more);
  EXPECT_EQ(script.excess(), Excess::kStatements);
  ASSERT_EQ(script.size(), 1U);
  EXPECT_EQ(script.front().kind, Kind::kUnknown);
  EXPECT_EQ(script.front().text, more);
  EXPECT_LT(script.bytes(), 1000U);
}

TEST(ClassifyStatement, KeepsTrackOfSoManyChangesAndNoMore) {
  const std::string most = "SET " + repeated(kMostChanges - 1, "@a=1,") + "@b=1";
  EXPECT_EQ(classify(most).front().changes.size(), kMostChanges);
  EXPECT_EQ(classify(most).excess(), Excess::kNone);
  for (const std::string& more :
       {most + ",@c=1", "SET " + repeated(kMostChanges, "GLOBAL autocommit=1,") + "@b=1",
        "SELECT " + repeated(kMostChanges + 1, "@a:=1,") + "1",
        "DROP TABLE " + repeated(kMostChanges, "t,") + "t",
        "LOAD DATA INFILE 'x' INTO TABLE t (" + repeated(kMostChanges, "@a,") + "@b)",
        repeated(kMostChanges / 2 + 1, "SET @a=1,@b=1;")}) {
    const Script script = classify(more);
    EXPECT_EQ(script.excess(), Excess::kChanges) << more.substr(0, 40);
    EXPECT_EQ(script.size(), 1U);
    EXPECT_LT(script.bytes(), 1000U);
  }
}

TEST(ClassifyStatement, TellsWhatItTakes) {
  EXPECT_EQ(classify("INSERT INTO t VALUES " + repeated(100'000, "(1),") + "(1)").bytes(), 0U);
  EXPECT_GT(classify(repeated(1000, "DO 1;")).bytes(), 999 * sizeof(Statement));
  const std::string name(100, 'n');
  EXPECT_GT(classify("SET @" + name + "=1").bytes(), sizeof(StateChange) + name.size());
}

}  // namespace
}  // namespace tidepool::sql

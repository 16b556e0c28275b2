// What a statement reads of the one before, and what it leaves behind in the session.
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "tidepool/sql/parse/statement.h"

namespace tidepool::sql {
namespace {

Script classify(std::string_view text) {
  return sql::classify(text, {});
}

std::string words(PinReasons pins) {
  std::string all;
  pins.for_each([&all](Pin pin) { all += (all.empty() ? "" : " ") + std::string(to_string(pin)); });
  return all;
}

TEST(ClassifyEffect, KnowsWhatNoRollbackUndoes) {
  for (std::string_view text :
       {"SELECT SETVAL(s, 5)", "UPDATE t SET a = `setval` (s, 5)", "DO RELEASE_LOCK(a)",
        "SELECT release_all_locks() FROM t", "SELECT 1 INTO OUTFILE '/tmp/x'",
        "SELECT 1 FROM t INTO /* c */ dumpfile 'x'"}) {
    EXPECT_TRUE(classify(text).front().acts_outside_transaction) << text;
  }
  for (std::string_view text :
       {"SELECT setval, outfile FROM release_lock", "SELECT IS_FREE_LOCK('a')",
        "SELECT IS_USED_LOCK('a')", "SELECT 'SETVAL(s, 5)'", "SELECT LAST_INSERT_ID(5)",
        "SELECT @a := 1", "EXPLAIN SELECT 1 INTO OUTFILE '/tmp/x'"}) {
    EXPECT_FALSE(classify(text).front().acts_outside_transaction) << text;
  }
}

TEST(ClassifyEffect, SaysWhatIsReadOfTheStatementBefore) {
  struct Case {
    std::string_view text;
    InfoFunctions info_functions;
  };
  const std::vector<Case> cases = {
      {"SELECT 1", {}},
      {"SELECT last_insert_id()", {InfoFunction::kLastInsertId}},
      {"SELECT LAST_INSERT_ID ( )", {InfoFunction::kLastInsertId}},
      {"SELECT `last_insert_id`()", {InfoFunction::kLastInsertId}},
      {"SELECT LAST_INSERT_ID(7)", {}},
      {"SELECT last_insert_id FROM t", {}},
      {"SELECT @@identity, @@session.last_insert_id", {InfoFunction::kLastInsertId}},
      {"INSERT INTO t VALUES (LAST_INSERT_ID())", {InfoFunction::kLastInsertId}},
      {"SELECT ROW_COUNT(), FOUND_ROWS()", {InfoFunction::kRowCount, InfoFunction::kFoundRows}},
      {"SHOW WARNINGS LIMIT 1", {InfoFunction::kWarnings}},
      {"SHOW ERRORS", {InfoFunction::kErrors}},
      {"SHOW COUNT(*) WARNINGS", {InfoFunction::kWarnings}},
      {"SHOW COUNT(*) ERRORS", {InfoFunction::kErrors}},
      {"SELECT @@warning_count", {InfoFunction::kWarnings}},
      {"SELECT @@Error_Count", {InfoFunction::kErrors}},
      {"SELECT CONNECTION_ID()", {InfoFunction::kConnectionId}},
      {"SELECT * FROM t WHERE id = connection_id()", {InfoFunction::kConnectionId}},
      {"SELECT @@last_plan_from_cache", {InfoFunction::kLastPlan}},
      {"SELECT @@tidb_last_txn_info", {InfoFunction::kLastTransaction}},
      {"SELECT @@tidb_current_ts, TIDB_CURRENT_TSO()", {InfoFunction::kTransactionTime}},
      {"SELECT LASTVAL(s)", {InfoFunction::kSequence}},
      {"SELECT IS_USED_LOCK('a')", {InfoFunction::kConnectionId}},
      {"SHOW STATUS LIKE 'Ssl_cipher'", {InfoFunction::kStatus}},
      {"SHOW GLOBAL STATUS; SHOW LOCAL STATUS", {InfoFunction::kStatus}},
      {"show session /* x */ status", {InfoFunction::kStatus}},
      {"SHOW TABLE STATUS", {}},
      {"SHOW SESSION VARIABLES LIKE 'status'", {}},
      {"SELECT @a", {InfoFunction::kUserVariable}},
      {"UPDATE t SET a = @a", {InfoFunction::kUserVariable}},
      {"SET @a = 1", {}},
      {"SET @a = @b", {InfoFunction::kUserVariable}},
      {"SET @a = LAST_INSERT_ID()", {InfoFunction::kLastInsertId}},
      {"/*! SELECT LAST_INSERT_ID() */", {InfoFunction::kLastInsertId}},
      {"SELECT 'LAST_INSERT_ID()' -- ROW_COUNT()", {}},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(classify(one.text).info_functions().bits(), one.info_functions.bits()) << one.text;
  }
}

TEST(ClassifyEffect, KnowsWhatAsksForNothingElse) {
  EXPECT_EQ(classify("SELECT ROW_COUNT();").front().lone_info_function, InfoFunction::kRowCount);
  EXPECT_EQ(classify("select last_insert_id ( )").front().lone_info_function,
            InfoFunction::kLastInsertId);
  EXPECT_EQ(classify("SELECT FOUND_ROWS() /* c */").front().lone_info_function,
            InfoFunction::kFoundRows);
  for (std::string_view text :
       {"SELECT ROW_COUNT(), 1", "SELECT ROW_COUNT() a", "(SELECT ROW_COUNT())", "DO ROW_COUNT()",
        "VALUES ROW_COUNT()", "EXPLAIN SELECT ROW_COUNT()", "EXPLAIN ANALYZE SELECT ROW_COUNT()",
        "TRACE SELECT ROW_COUNT()", "SELECT LAST_INSERT_ID(1)", "SELECT `row_count`()"}) {
    EXPECT_FALSE(classify(text).front().lone_info_function) << text;
  }
}

TEST(ClassifyEffect, KnowsWhichDiagnosticsAreShown) {
  const auto shown = [](std::string_view text) { return classify(text).front().shown; };
  EXPECT_FALSE(shown("SHOW WARNINGS").value().errors);
  EXPECT_FALSE(shown("show warnings;").value().counts);
  EXPECT_TRUE(shown("SHOW COUNT( * ) ERRORS").value().errors);
  EXPECT_TRUE(shown("SHOW COUNT(*) WARNINGS").value().counts);
  for (std::string_view text : {"SHOW WARNINGS LIMIT 1", "SHOW COUNT (*) WARNINGS",
                                "TRACE SHOW WARNINGS", "SHOW TABLES", "SHOW COUNT(*) TABLES"}) {
    EXPECT_FALSE(shown(text)) << text;
  }
}

TEST(ClassifyEffect, SaysWhatMaySetTheLastInsertId) {
  for (std::string_view text :
       {"INSERT INTO t VALUES (1)", "REPLACE INTO t VALUES (1)", "SELECT LAST_INSERT_ID(3)",
        "UPDATE t SET id = LAST_INSERT_ID(id + 1)", "LOAD DATA LOCAL INFILE 'x' INTO TABLE t",
        "EXECUTE s"}) {
    EXPECT_TRUE(classify(text).front().may_set_last_insert_id) << text;
  }
  for (std::string_view text :
       {"SELECT LAST_INSERT_ID()", "UPDATE t SET a = LAST_INSERT_ID()", "DELETE FROM t"}) {
    EXPECT_FALSE(classify(text).front().may_set_last_insert_id) << text;
  }
}

TEST(ClassifyEffect, PinsForWhatCannotBeMoved) {
  struct Case {
    std::string_view text;
    std::string_view pins;
  };
  const std::vector<Case> cases = {
      {"CREATE TEMPORARY TABLE t (a INT)", "temporary_table"},
      {"CREATE TEMPORARY TABLE IF NOT EXISTS d.t LIKE u", "temporary_table"},
      {"CREATE GLOBAL TEMPORARY TABLE t (a INT) ON COMMIT DELETE ROWS", ""},
      {"SELECT GET_LOCK('a', 1)", "lock"},
      {"DO GET_LOCK('a', 1)", "lock"},
      {"INSERT INTO t SELECT GET_LOCK('a', 1)", "lock"},
      {"LOCK TABLES t WRITE", "table_lock"},
      {"LOCK TABLE t READ", "table_lock"},
      {"SELECT @a := 1", "user_variable"},
      {"SET @a = 1", ""},
      {"SET @a = 1 + 1", "user_variable"},
      {"SET autocommit = 1, @a := (SELECT 1)", "user_variable"},
      {"LOAD DATA LOCAL INFILE 'x' INTO TABLE t (a, @b)", "user_variable"},
      {"PREPARE s FROM 'SELECT 1'", "prepared_text"},
      {"EXECUTE s USING @a", "prepared_text"},
      {"DEALLOCATE PREPARE s", ""},
      {"SET sql_mode = CONCAT(@@sql_mode, ',ANSI')", "session_variable"},
      {"SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "one_shot_transaction"},
      {"SET TRANSACTION READ ONLY AS OF TIMESTAMP NOW()", "stale_read"},
      {"SET ROLE 'a', 'b'", ""},
      {"SET RESOURCE GROUP g", ""},
      {"SET RESOURCE GROUP `caf\xc3\xa9`", "resource_group"},
      {"CREATE BINDING FOR SELECT 1 USING SELECT 1", "session_binding"},
      {"CREATE SESSION BINDING FOR SELECT 1 USING SELECT 1", "session_binding"},
      {"DROP SESSION BINDING FOR SELECT 1", "session_binding"},
      {"SELECT NEXTVAL(s)", "sequence"},
      {"INSERT INTO t VALUES (NEXT VALUE FOR s)", "sequence"},
      {"SELECT SETVAL(s, 5)", ""},
      {"CREATE INDEX i TYPE HYPO ON t (a)", "hypothetical_index"},
      {"ALTER TABLE t SET HYPO TIFLASH REPLICA 1", "hypothetical_index"},
      {"SET SESSION_STATES '{}'", "session_states"},
      {"CALL p()", "unknown_statement"},
      {"TRACE SELECT @a := 1", "user_variable"},
      {"EXPLAIN ANALYZE SELECT GET_LOCK('a', 1)", "lock"},
  };
  for (const Case& one : cases)
    EXPECT_EQ(words(classify(one.text).pins()), one.pins) << one.text;
}

TEST(ClassifyEffect, ReleasesWhatIsCertainlyGone) {
  EXPECT_EQ(words(classify("UNLOCK TABLES").front().releases), "table_lock");
  EXPECT_EQ(words(classify("DO RELEASE_ALL_LOCKS()").front().releases), "lock");
  EXPECT_EQ(words(classify("SELECT RELEASE_ALL_LOCKS();").front().releases), "lock");
  EXPECT_EQ(words(classify("SELECT RELEASE_ALL_LOCKS() FROM (t)").front().releases), "");
  EXPECT_EQ(words(classify("SELECT RELEASE_ALL_LOCKS(), GET_LOCK('a', 1)").front().releases), "");
  EXPECT_EQ(words(classify("SELECT RELEASE_LOCK('a')").front().releases), "");
}

TEST(ClassifyEffect, ListsTemporaryTablesPreparedTextsAndAssignedVariables) {
  struct Case {
    std::string_view text;
    StateChanges changes;
  };
  const std::vector<Case> cases = {
      {"CREATE TEMPORARY TABLE `a``b`.c (d INT)",
       {{ChangeKind::kCreateTemporaryTable, "c", "a`b"}}},
      {"DROP TEMPORARY TABLE IF EXISTS a, b.c",
       {{ChangeKind::kDropTable, "a"}, {ChangeKind::kDropTable, "c", "b"}}},
      {"DROP TABLE a", {{ChangeKind::kDropTable, "a"}}},
      {"DROP DATABASE IF EXISTS `a b`", {{ChangeKind::kDropDatabase, "a b"}}},
      {"drop schema a", {{ChangeKind::kDropDatabase, "a"}}},
      {"SELECT GET_LOCK('A', 1)", {{ChangeKind::kGetLock, "a"}}},
      {"SELECT get_lock ('a', -1) AS ok", {{ChangeKind::kGetLock, "a"}}},
      {"SELECT GET_LOCK(?, ?)", {{ChangeKind::kGetLock, ""}}},
      {"SELECT GET_LOCK('a', 1) FROM t", {}},
      {"SELECT GET_LOCK('a', 1), 2", {}},
      {"SELECT GET_LOCK(CONCAT('a'), 1)", {}},
      {"SELECT GET_LOCK('\xc3\xa4', 1)", {}},
      {"DO RELEASE_LOCK('a')", {{ChangeKind::kReleaseLock, "a"}}},
      {"SELECT RELEASE_LOCK('a') x", {{ChangeKind::kReleaseLock, "a"}}},
      {"SELECT RELEASE_LOCK('a') + 1", {}},
      {"PREPARE s FROM 'SELECT ''a\\''", {{ChangeKind::kPrepareNamed, "s", "SELECT 'a'"}}},
      {"PREPARE s FROM @t", {{ChangeKind::kPrepareNamed, "s", "@t"}}},
      {"PREPARE s FROM @`T`", {{ChangeKind::kPrepareNamed, "s", "@t"}}},
      {"SET ROLE ALL", {{ChangeKind::kComputedRole}}},
      {"SET ROLE 'a', 'b'", {{ChangeKind::kComputedRole}}},
      {"SET RESOURCE GROUP `Rg``1`", {{ChangeKind::kSetResourceGroup, {}, "rg`1"}}},
      {"SET RESOURCE GROUP DEFAULT", {{ChangeKind::kSetResourceGroup, {}, "default"}}},
      {"EXECUTE s USING @a, @b", {{ChangeKind::kExecuteNamed, "s"}}},
      {"DEALLOCATE PREPARE s", {{ChangeKind::kDeallocateNamed, "s"}}},
      {"DROP PREPARE S", {{ChangeKind::kDeallocateNamed, "S"}}},
      {"EXPLAIN SELECT @a := 1", {{ChangeKind::kUnrestorableUserVariable, "a"}}},
      {"SELECT @A := 1, @`b C` := 2",
       {{ChangeKind::kComputedUserVariable, "a"}, {ChangeKind::kComputedUserVariable, "b c"}}},
      {"USE d", {{ChangeKind::kUseDatabase, "d"}}},
      {"use `d``e`;", {{ChangeKind::kUseDatabase, "d`e"}}},
      {"/*!40000 USE d */", {{ChangeKind::kUseDatabase, "d"}}},
      {"USE caf\xc3\xa9", {{ChangeKind::kUseDatabase, "caf\xc3\xa9"}}},
  };
  for (const Case& one : cases)
    EXPECT_EQ(classify(one.text).front().changes, one.changes) << one.text;
}

TEST(ClassifyEffect, PinsADatabaseNameThatIsNotUtf8) {
  const Script script = sql::classify("USE \xb0\xa1", {.encoding = TextEncoding::kGbk});
  EXPECT_EQ(script.front().kind, StatementKind::kUse);
  EXPECT_FALSE(script.pins().empty());
}

TEST(ClassifyEffect, SaysWhatChangesTheServer) {
  for (std::string_view text :
       {"SET GLOBAL max_connections = 5", "SET @@global.sql_mode = ''", "SET tidb_general_log = 1",
        "SET SESSION tidb_general_log = 1", "SET GLOBAL TRANSACTION READ ONLY",
        "SET CONFIG tikv x.y = 1", "FLUSH PRIVILEGES", "SHUTDOWN", "ALTER INSTANCE RELOAD TLS"}) {
    EXPECT_TRUE(classify(text).front().changes_server) << text;
    EXPECT_TRUE(classify(text).front().changes.empty()) << text;
    EXPECT_TRUE(classify(text).pins().empty()) << text;
  }
  EXPECT_FALSE(classify("SET sql_mode = ''").front().changes_server);
}

TEST(ClassifyEffect, SaysWhatRequestsALocalFile) {
  for (std::string_view text : {"LOAD DATA LOCAL INFILE 'x' INTO TABLE t",
                                "load data low_priority local infile 'x' into table t",
                                "LOAD STATS 'x'", "PLAN REPLAYER LOAD 'x'"}) {
    EXPECT_TRUE(classify(text).requests_local_file()) << text;
  }
  for (std::string_view text :
       {"LOAD DATA INFILE 's3://x' INTO TABLE t", "PLAN REPLAYER DUMP EXPLAIN SELECT 1",
        "LOAD DATA INFILE 'x' INTO TABLE local"}) {
    EXPECT_FALSE(classify(text).requests_local_file()) << text;
  }
}

TEST(ClassifyEffect, FindsTheTargetOfKill) {
  const Script query = classify("KILL TIDB QUERY 5");
  ASSERT_TRUE(query.front().kill.has_value());
  EXPECT_EQ(query.front().kill->id, 5U);
  EXPECT_TRUE(query.front().kill->query_only);
  const Script connection = classify("KILL CONNECTION 18446744073709551615");
  ASSERT_TRUE(connection.front().kill.has_value());
  EXPECT_EQ(connection.front().kill->id, 18446744073709551615U);
  EXPECT_FALSE(connection.front().kill->query_only);
  const Script own = classify("KILL CONNECTION_ID()");
  ASSERT_TRUE(own.front().kill.has_value());
  EXPECT_TRUE(own.front().kill->own_connection);
  EXPECT_TRUE(classify("kill tidb ((`connection_id`()))").front().kill->own_connection);
  EXPECT_FALSE(classify("SELECT 1").front().kill.has_value());
}

TEST(ClassifyEffect, KnowsWhatKeepsTheDiagnostics) {
  EXPECT_TRUE(classify("SHOW WARNINGS").front().keeps_diagnostics);
  EXPECT_TRUE(classify("SHOW ERRORS").front().keeps_diagnostics);
  EXPECT_FALSE(classify("SHOW TABLES").front().keeps_diagnostics);
  EXPECT_FALSE(classify("SELECT @@warning_count").front().keeps_diagnostics);
}

TEST(ClassifyEffect, EveryPinHasAWord) {
  for (int index = 0; index < kPinCount; ++index) {
    EXPECT_GT(std::string_view(to_string(static_cast<Pin>(index))).size(), 3U) << index;
  }
}

}  // namespace
}  // namespace tidepool::sql

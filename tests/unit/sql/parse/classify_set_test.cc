// SET in all its forms.
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "tidepool/sql/parse/statement.h"

namespace tidepool::sql {
namespace {

using Kind = ChangeKind;

struct Case {
  std::string_view text;
  StateChanges changes;
};

void expect_all(const std::vector<Case>& cases, LexMode mode = {}) {
  for (const Case& one : cases) {
    const Script script = classify(one.text, mode);
    ASSERT_EQ(script.size(), 1U) << one.text;
    EXPECT_EQ(script.front().kind, StatementKind::kSet) << one.text;
    EXPECT_EQ(script.front().changes, one.changes) << one.text;
    EXPECT_TRUE(script.pins().empty()) << one.text;
    EXPECT_FALSE(script.is_read()) << one.text;
  }
}

TEST(ClassifySet, UnderstandsEveryScopeThatMeansTheSession) {
  for (std::string_view text :
       {"SET wait_timeout = 5", "set Wait_Timeout=5", "SET SESSION wait_timeout = 5",
        "SET LOCAL wait_timeout = 5", "SET @@wait_timeout = 5", "SET @@session.wait_timeout = 5",
        "SET @@LOCAL.wait_timeout = 5", "SET wait_timeout := 5", "SET @@wait_timeout:=5",
        "SET `wait_timeout` = 5", "SET SESSION `wait_timeout` = 5", "SET @@`wait_timeout` = 5",
        "SET @@session.`wait_timeout` = '5'", "/*!40101 SET wait_timeout = 5 */",
        "/*T! SET wait_timeout = 5 */", "SET /* x */ wait_timeout /* y */ = -- z\n 5 ;"}) {
    expect_all({{text, {{Kind::kSetVariable, "wait_timeout", "5"}}}});
  }
}

TEST(ClassifySet, TurnsLiteralsIntoTheTextThatTiDbMakesOfThem) {
  const auto set = [](std::string_view value) {
    return StateChanges{{Kind::kSetVariable, "time_zone", std::string(value)}};
  };
  expect_all({
      {"SET time_zone = 'SYSTEM'", set("SYSTEM")},
      {"SET time_zone = \"+08:00\"", set("+08:00")},
      {"SET time_zone = UTC", set("UTC")},
      {"SET time_zone = `UTC`", set("UTC")},
      {"SET time_zone = ''", set("")},
      {"SET time_zone = NULL", set("")},
      {"SET time_zone = 5", set("5")},
      {"SET time_zone = 007", set("7")},
      {"SET time_zone = 0", set("0")},
      {"SET time_zone = +5", set("5")},
      {"SET time_zone = -5", set("-5")},
      {"SET time_zone = - 5", set("-5")},
      {"SET time_zone = 1.50", set("1.50")},
      {"SET time_zone = 0.5", set("0.5")},
      {"SET time_zone = ON", set("ON")},
      {"SET time_zone = off", set("off")},
      {"SET time_zone = TRUE", set("1")},
      {"SET time_zone = false", set("0")},
      {"SET time_zone = BINARY", set("BINARY")},
      {R"(SET time_zone = 'a\'b\\c''d')", set(R"(a'b\c'd)")},
      {R"(SET time_zone = 'a\%\_\n\q')", set("a\\%\\_\nq")},
      {"SET time_zone = DEFAULT", {{Kind::kSetDefault, "time_zone"}}},
  });
  expect_all({{R"(SET time_zone = 'a\b')", set(R"(a\b)")}}, {.no_backslash_escapes = true});
  expect_all({{R"(SET time_zone = "a")", set("a")}}, {.ansi_quotes = true});
}

TEST(ClassifySet, PinsForValuesThatAreNoLiterals) {
  for (std::string_view value : {"(SELECT 1)",
                                 "1 + 1",
                                 "@a",
                                 "@@sql_mode",
                                 "CONCAT('a', 'b')",
                                 "'a' 'b'",
                                 "_utf8mb4'a'",
                                 "N'a'",
                                 "x'41'",
                                 "0x41",
                                 "b'1'",
                                 "1e3",
                                 ".5",
                                 "1.",
                                 "99999999999999999999",
                                 "'caf\xc3\xa9'",
                                 "?",
                                 "NOW()",
                                 "CURRENT_USER",
                                 "current_timestamp",
                                 "(5)",
                                 "- - 5",
                                 "-1.5",
                                 "-'5'",
                                 "'a' COLLATE utf8mb4_bin",
                                 "DATABASE()",
                                 "\\N",
                                 "NOT 1",
                                 "a.b",
                                 "!1",
                                 "-0"}) {
    const std::string text = "SET time_zone = " + std::string(value) + ", wait_timeout = 5";
    const Script script = classify(text, {});
    ASSERT_EQ(script.size(), 1U) << text;
    EXPECT_EQ(script.pins(), PinReasons{Pin::kSessionVariable}) << text;
    const StateChanges expected = {{Kind::kComputedVariable, "time_zone"},
                                   {Kind::kSetVariable, "wait_timeout", "5"}};
    EXPECT_EQ(script.front().changes, expected) << text;
  }
}

TEST(ClassifySet, FollowsListsInOrder) {
  const Script script = classify(
      "SET autocommit=0, NAMES utf8mb4, SESSION sql_mode='', @a=1, @@wait_timeout := 9, GLOBAL "
      "max_connections=1",
      {});
  const StateChanges expected = {{Kind::kSetVariable, "autocommit", "0"},
                                 {Kind::kSetNames, "", "utf8mb4"},
                                 {Kind::kSetVariable, "sql_mode", ""},
                                 {Kind::kSetUserVariable, "a", "1"},
                                 {Kind::kSetVariable, "wait_timeout", "9"}};
  EXPECT_EQ(script.front().changes, expected);
  EXPECT_TRUE(script.pins().empty());
  EXPECT_TRUE(script.front().changes_server);
  EXPECT_EQ(script.front().transaction, TransactionEffect::kUnknown);
}

TEST(ClassifySet, GivesAScopeToOneVariableOnly) {
  const Script script = classify("SET GLOBAL wait_timeout=1, wait_timeout=2", {});
  EXPECT_EQ(script.front().changes, (StateChanges{{Kind::kSetVariable, "wait_timeout", "2"}}));
}

TEST(ClassifySet, UnderstandsCharacterSets) {
  const StateChanges utf8mb4 = {{Kind::kSetNames, "", "utf8mb4"}};
  const StateChanges charset = {{Kind::kSetCharacterSet, "", "latin1"}};
  expect_all({
      {"SET NAMES utf8mb4", utf8mb4},
      {"SET NAMES 'utf8mb4'", utf8mb4},
      {"set names UTF8MB4", utf8mb4},
      {"SET NAMES \"utf8mb4\"", utf8mb4},
      {"SET NAMES utf8mb4 COLLATE DEFAULT", utf8mb4},
      {"/*!40101 SET NAMES utf8mb4 */;", utf8mb4},
      {"SET NAMES utf8mb4 COLLATE utf8mb4_general_ci",
       {{Kind::kSetNames, "", "utf8mb4", "utf8mb4_general_ci"}}},
      {"SET NAMES 'utf8mb4' COLLATE 'UTF8MB4_BIN'",
       {{Kind::kSetNames, "", "utf8mb4", "utf8mb4_bin"}}},
      {"SET NAMES binary", {{Kind::kSetNames, "", "binary"}}},
      {"SET NAMES DEFAULT", {{Kind::kSetNames}}},
      {"SET CHARACTER SET latin1", charset},
      {"SET CHAR SET 'latin1'", charset},
      {"SET CHARSET latin1", charset},
      {"SET CHARACTER SET DEFAULT", {{Kind::kSetCharacterSet}}},
      {"SET character_set_results = NULL", {{Kind::kSetVariable, "character_set_results", ""}}},
      {"SET character_set_client = gbk", {{Kind::kSetVariable, "character_set_client", "gbk"}}},
      {"SET collation_connection = 'utf8mb4_bin'",
       {{Kind::kSetVariable, "collation_connection", "utf8mb4_bin"}}},
  });
  EXPECT_EQ(classify("SET character_set_client = DEFAULT", {}).pins(),
            PinReasons{Pin::kSessionVariable});
}

TEST(ClassifySet, UnderstandsTransactionCharacteristicsOfTheSession) {
  const StateChanges committed = {{Kind::kSetVariable, "transaction_isolation", "READ-COMMITTED"}};
  expect_all({
      {"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", committed},
      {"SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
       {{Kind::kSetVariable, "transaction_isolation", "REPEATABLE-READ"}}},
      {"SET tx_isolation = 'READ-COMMITTED'", committed},
      {"SET @@session.transaction_isolation = 'READ-COMMITTED'", committed},
      {"SET SESSION TRANSACTION READ WRITE", {{Kind::kSetVariable, "transaction_read_only", "0"}}},
      {"SET SESSION TRANSACTION READ ONLY", {{Kind::kSetVariable, "transaction_read_only", "1"}}},
      {"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE",
       {committed[0], {Kind::kSetVariable, "transaction_read_only", "0"}}},
      {"SET TRANSACTION READ WRITE", {{Kind::kSetVariable, "transaction_read_only", "0"}}},
  });
  expect_all({
      {"SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE",
       {{Kind::kSetVariable, "transaction_isolation", "SERIALIZABLE"}}},
      {"SET tx_isolation = 'READ-UNCOMMITTED'",
       {{Kind::kSetVariable, "transaction_isolation", "READ-UNCOMMITTED"}}},
  });
}

TEST(ClassifySet, PinsForOneShotCharacteristics) {
  for (std::string_view text :
       {"SET TRANSACTION ISOLATION LEVEL READ COMMITTED",
        "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ WRITE",
        "SET tx_isolation_one_shot = 'SERIALIZABLE'", "SET @@tx_read_ts = '2026-01-01'"}) {
    EXPECT_TRUE(classify(text, {}).pins().contains(Pin::kOneShotTransaction)) << text;
  }
}

TEST(ClassifySet, SaysWhichLevelTheNextTransactionGets) {
  const Script script = classify("SET TRANSACTION ISOLATION LEVEL READ COMMITTED", {});
  EXPECT_EQ(script.front().changes, (StateChanges{{Kind::kNextIsolation, "", "READ-COMMITTED"}}));
}

// Only a statement that reads a table takes the time, and BEGIN; a failed one may have.
TEST(ClassifySet, PinsForATimeToReadFromUntilItIsTaken) {
  for (std::string_view text :
       {"SET TRANSACTION READ ONLY AS OF TIMESTAMP NOW() - INTERVAL 1 SECOND",
        "SET SESSION TRANSACTION READ ONLY AS OF TIMESTAMP '2026-01-01'"}) {
    EXPECT_EQ(classify(text, {}).pins(), PinReasons{Pin::kStaleRead}) << text;
  }
  for (std::string_view text :
       {"BEGIN", "START TRANSACTION", "SELECT * FROM t", "SELECT a FROM `db`.`t` WHERE a = 1",
        "SELECT 1 UNION SELECT a FROM t"}) {
    EXPECT_TRUE(classify(text, {}).front().releases.contains(Pin::kStaleRead)) << text;
  }
  for (std::string_view text :
       {"SELECT 1", "SELECT 1 FROM dual", "SELECT * FROM (SELECT 1) t", "SHOW TABLES FROM db",
        "WITH x AS (SELECT 1) SELECT * FROM x", "SELECT EXTRACT(YEAR FROM d)", "SET @a = 1",
        "INSERT INTO t VALUES (1)", "COMMIT"}) {
    EXPECT_FALSE(classify(text, {}).front().releases.contains(Pin::kStaleRead)) << text;
  }
}

TEST(ClassifySet, IgnoresWhatIsNoSessionState) {
  for (std::string_view text :
       {"SET last_insert_id = 5", "SET identity = 5", "SET placement_checks = 1",
        "SET PASSWORD = 'x'", "SET PASSWORD FOR u = 'x'", "SET DEFAULT ROLE r TO u",
        "SET GLOBAL sql_mode = CONCAT(@@sql_mode, 'x')", "SET GLOBAL validate_password.enable = 1",
        "SET @@GLOBAL.wait_timeout = 5"}) {
    const Script script = classify(text, {});
    EXPECT_EQ(script.front().kind, StatementKind::kSet) << text;
    EXPECT_TRUE(script.front().changes.empty()) << text;
    EXPECT_TRUE(script.pins().empty()) << text;
  }
}

TEST(ClassifySet, PinsForVariablesThatALiteralDoesNotBringBack) {
  for (std::string_view text :
       {"SET a_new_variable = 1", "SET x.y = 1", "SET rand_seed1 = 5", "SET names = 5",
        "SET tidb_snapshot = '2026-01-01'", "SET character_set_server = latin1",
        "SET collation_database = utf8mb4_bin"}) {
    EXPECT_FALSE(classify(text, {}).pins().empty()) << text;
  }
}

TEST(ClassifySet, FollowsLiteralsOfUserVariables) {
  const auto number = [](std::string_view value) {
    return StateChanges{{Kind::kSetUserVariable, "a", std::string(value)}};
  };
  const auto string = [](std::string_view value) {
    return StateChanges{{Kind::kSetUserString, "a", std::string(value), "utf8mb4_bin"}};
  };
  expect_all({
      {"SET @a := 5", number("5")},
      {"SET @A = -5", number("-5")},
      {"SET @a = - 5", number("-5")},
      {"SET @a = +5", number("5")},
      {"SET @a = 007", number("007")},
      {"SET @a = 99999999999999999999", number("99999999999999999999")},
      {"SET @`a` = NULL", number("NULL")},
      {"SET @'a' = 1.50", number("1.50")},
      {"SET @a = -.5", number("-.5")},
      {"SET @a = 1e3", number("1e3")},
      {"SET @a = x'41'", number("x'41'")},
      {"SET @a = 0x41", number("0x41")},
      {"SET @a = b'101'", number("b'101'")},
      {"SET @a = true", number("TRUE")},
      {"SET @a = 'x''y'", string("x'y")},
      {R"(SET @a = "x\ny")", string("x\ny")},
      {R"(SET @a = 'x\ny')", string("x\ny")},
      {"SET @a = 'caf\xc3\xa9'", string("caf\xc3\xa9")},
      {"SET @a = ''", string("")},
  });
  expect_all({{R"(SET @a = '\')", string("\\")}}, {.no_backslash_escapes = true});
}

TEST(ClassifySet, LeavesComputedUserVariablesToTheBackend) {
  for (std::string_view value :
       {"@b", "NOW()", "b", "(1)", "1 + 1", "- - 5", "-'5'", "-0x41", "-TRUE", "N'a'", "_utf8'a'",
        "'a' 'b'", "'a' COLLATE utf8mb4_bin", "?", "CURRENT_USER", "DEFAULT(b)", "(SELECT 1)"}) {
    const std::string text = "SET @a = " + std::string(value);
    const Script script = classify(text, {});
    EXPECT_EQ(script.front().changes, (StateChanges{{Kind::kComputedUserVariable, "a"}})) << text;
    EXPECT_EQ(script.pins(), PinReasons{Pin::kUserVariable}) << text;
  }
}

TEST(ClassifySet, FollowsNoUserStringThatItCannotRepeat) {
  const auto is_followed = [](std::string_view text, LexMode mode) {
    return classify(text, mode).pins().empty();
  };
  EXPECT_FALSE(is_followed("SET @a = '\xe9'", {.encoding = TextEncoding::kSingleByte}));
  EXPECT_FALSE(is_followed("SET @a = '\xe9\xe9'", {.encoding = TextEncoding::kGbk}));
  EXPECT_TRUE(is_followed("SET @a = 'e'", {.encoding = TextEncoding::kGbk}));
  EXPECT_FALSE(is_followed("SET @a = 'e'", {.collation = 0}));
  EXPECT_TRUE(is_followed("SET @a = 1", {.collation = 0}));
  EXPECT_FALSE(is_followed("SET @\xc3\x89 = 1", {}));  // TiDB makes small letters as Unicode does
  EXPECT_FALSE(is_followed(R"(SET @'a\b' = 1)", {}));  // sql_mode decides about the name
  EXPECT_TRUE(is_followed("SET @`a b``c` = 1", {}));
  EXPECT_EQ(classify("SET @a = 'x'", {.collation = 45}).front().changes.front().collation,
            "utf8mb4_general_ci");
}

TEST(ClassifySet, FollowsIntegersOf64Bits) {
  for (const char* value :
       {"18446744073709551615", "-9223372036854775808", "1234567890123456789"}) {
    const Script script = classify("SET sql_select_limit = " + std::string(value), {});
    EXPECT_EQ(script.front().changes,
              (StateChanges{{Kind::kSetVariable, "sql_select_limit", value}}));
  }
  for (const char* value : {"18446744073709551616", "-9223372036854775809"}) {
    const Script script = classify("SET sql_select_limit = " + std::string(value), {});
    EXPECT_EQ(script.pins(), PinReasons{Pin::kSessionVariable}) << value;
  }
}

TEST(ClassifySet, SeesWhatExpressionsInItDo) {
  EXPECT_EQ(classify("SET wait_timeout = GET_LOCK('a', 1)", {}).pins(),
            (PinReasons{Pin::kSessionVariable, Pin::kLock}));
  const Script nested = classify("SET @a = (@b := 1)", {});
  const StateChanges expected = {{Kind::kComputedUserVariable, "a"},
                                 {Kind::kComputedUserVariable, "b"}};
  EXPECT_EQ(nested.front().changes, expected);
}

}  // namespace
}  // namespace tidepool::sql

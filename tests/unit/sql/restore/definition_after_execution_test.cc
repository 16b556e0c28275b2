#include "tidepool/sql/restore/definition_after_execution.h"

#include <gtest/gtest.h>

namespace tidepool::sql {
namespace {

std::string rewritten(const char* text) {
  return definition_after_execution(text, {});
}

TEST(WornDefinition, HasTheWidthsThatTiDBFillsIn) {
  EXPECT_EQ(rewritten("CREATE TABLE IF NOT EXISTS t (id INT PRIMARY KEY, v bigint)"),
            "CREATE TABLE IF NOT EXISTS t (id INT(11) PRIMARY KEY, v bigint(20))");
  EXPECT_EQ(
      rewritten("create temporary table t (a TINYINT, b SMALLINT, c MEDIUMINT, d INTEGER)"),
      "create temporary table t (a TINYINT(4), b SMALLINT(6), c MEDIUMINT(9), d INTEGER(11))");
}

TEST(WornDefinition, CountsNoSignWhereThereIsNone) {
  EXPECT_EQ(
      rewritten("CREATE TABLE t (a INT UNSIGNED, b INT SIGNED ZEROFILL, c BIGINT UNSIGNED)"),
      "CREATE TABLE t (a INT(10) UNSIGNED, b INT(10) SIGNED ZEROFILL, c BIGINT(20) UNSIGNED)");
}

TEST(WornDefinition, LeavesEverythingElse) {
  for (const char* text :
       {"CREATE TABLE t (a INT(5), b VARCHAR(9), `int` BOOL)", "CREATE TABLE t LIKE s", "",
        "CREATE TABLE t (s CHAR(3) COMMENT 'INT', b JSON AS (CAST(1 AS UNSIGNED INTEGER)))",
        "ALTER TABLE t ADD c INT", "SELECT 1", "CREATE VIEW v AS SELECT 1"}) {
    EXPECT_EQ(rewritten(text), text);
  }
}

}  // namespace
}  // namespace tidepool::sql

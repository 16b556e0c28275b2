#include "tidepool/tracking/schema_change.h"

#include <gtest/gtest.h>

namespace tidepool::tracking {
namespace {

bool may_change_schema(const char* text) {
  return tracking::may_change_schema(sql::classify(text, {}));
}

TEST(MayChangeSchema, DefinitionsAndWhatMayBeOne) {
  for (const char* text :
       {"CREATE TABLE t(a INT)", "GRANT ALL ON d.* TO u", "SELECT 1; DROP VIEW v", "EXECUTE s",
        "nonsense", "FLUSH PRIVILEGES", "SET GLOBAL sql_mode=''"})
    EXPECT_TRUE(may_change_schema(text)) << text;
  for (const char* text : {"", "SELECT 1", "INSERT INTO t VALUES (1)", "SET sql_mode=''", "BEGIN",
                           "CREATE TEMPORARY TABLE t(a INT)", "PREPARE s FROM 'DROP TABLE t'"})
    EXPECT_FALSE(may_change_schema(text)) << text;
}

}  // namespace
}  // namespace tidepool::tracking

#include "tidepool/sql/parse/account_change.h"

#include <gtest/gtest.h>

namespace tidepool::sql {
namespace {

bool changes(std::string_view text) {
  return changes_accounts(classify(text, LexMode{}));
}

TEST(AccountChange, KnowsWhatMayMendARefusal) {
  for (const std::string_view text :
       {"CREATE USER app IDENTIFIED BY 'x'", "create user if not exists app",
        "/* by hand */ ALTER USER app ACCOUNT UNLOCK", "DROP USER app", "RENAME USER a TO b",
        "CREATE ROLE r", "DROP ROLE r", "GRANT SELECT ON *.* TO app", "REVOKE r FROM app",
        "SET PASSWORD FOR app = 'x'", "SET DEFAULT ROLE r TO app", "FLUSH PRIVILEGES",
        "SELECT 1; GRANT r TO app"})
    EXPECT_TRUE(changes(text)) << text;
}

TEST(AccountChange, LeavesAloneWhatDoesNot) {
  for (const std::string_view text :
       {"SELECT 1", "CREATE TABLE user (id INT)", "DROP TABLE t", "SET NAMES utf8mb4", "SET @a = 1",
        "SET GLOBAL max_connections = 5", "INSERT INTO user VALUES (1)", ""})
    EXPECT_FALSE(changes(text)) << text;
}

}  // namespace
}  // namespace tidepool::sql

#include "tidepool/session/environment.h"

#include <gtest/gtest.h>

namespace tidepool::session {
namespace {

using std::chrono::seconds;

constexpr TimePoint kNow{std::chrono::hours{1}};

TEST(KnownDatabases, AreTrustedForAMinute) {
  KnownDatabases databases;
  EXPECT_FALSE(databases.knows("shop", kNow));

  databases.add("shop", kNow);

  EXPECT_TRUE(databases.knows("shop", kNow + seconds(59)));
  EXPECT_FALSE(databases.knows("shop", kNow + seconds(60)));
  EXPECT_FALSE(databases.knows("Shop", kNow));
}

TEST(KnownDatabases, AreTrustedAnewOnceTheyWereSeenAgain) {
  KnownDatabases databases;
  databases.add("shop", kNow);
  databases.add("shop", kNow + seconds(50));
  EXPECT_TRUE(databases.knows("shop", kNow + seconds(100)));
}

TEST(KnownDatabases, DoNotGrowWithoutEnd) {
  KnownDatabases databases;
  databases.add("first", kNow);
  for (int i = 0; i < 2000; ++i)
    databases.add("d" + std::to_string(i), kNow);

  EXPECT_FALSE(databases.knows("first", kNow));
  EXPECT_TRUE(databases.knows("d1999", kNow));
}

TEST(Environment, FindsAnAccountByItsExactName) {
  net::Loop loop;
  Environment environment(loop);
  environment.accounts["app"].database = "shop";

  ASSERT_NE(environment.find_account("app"), nullptr);
  EXPECT_EQ(environment.find_account("app")->database, "shop");
  EXPECT_EQ(environment.find_account("APP"), nullptr);
  EXPECT_EQ(environment.find_account(""), nullptr);
}

TEST(Environment, GreetsAsARecentTidbBeforeItHasSeenOne) {
  net::Loop loop;
  const Environment environment(loop);
  EXPECT_EQ(environment.server_version(), "8.0.11-TiDB-v8.5.0");
}

}  // namespace
}  // namespace tidepool::session

// Sessions whose states have the same hash, because one of the clients saw to it.
#include "forged_state.h"
#include "session_fixture.h"

namespace tidepool::testing {
namespace {

using ::testing::ElementsAre;

class CollisionTest : public SessionTest {
 protected:
  RawClient client_in(const std::string& database) {
    RawClient::Options options = this->options();
    options.database = database;
    return client(options);
  }
  // What a session in `own` sets to have the hash of one in `target`.
  static std::string forging_text(const char* own, const char* target) {
    std::string text = "SET ";
    for (const sql::StateChange& change :
         forge_hash(sql::SessionState({.database = own}), sql::SessionState({.database = target})))
      text += "@" + change.name + "=" + change.value + ",";
    return text + "@mine=1,@mine=NULL";
  }
};

TEST_F(CollisionTest, BringTheBackendToTheDatabaseOfTheSessionThatGetsIt) {
  start();
  RawClient victim = client_in("shop");
  RawClient attacker = client_in("elsewhere");
  ASSERT_TRUE(attacker.query(forging_text("elsewhere", "shop")).is_ok());
  tidb_.forget();

  EXPECT_EQ(victim.query("SELECT 1").rows, Words{"0"});
  EXPECT_EQ(attacker.query("SELECT 2").rows, Words{"0"});

  Words commands = tidb_.commands();
  std::erase_if(commands, [](const std::string& word) { return word.starts_with("SET @"); });
  EXPECT_THAT(commands, ElementsAre("USE `shop`", "SELECT 1", "USE `elsewhere`", "SELECT 2"));
}

TEST_F(CollisionTest, TakeNothingThatTheOtherHasPrepared) {
  start();
  RawClient victim = client_in("shop");
  RawClient attacker = client_in("elsewhere");
  ASSERT_TRUE(attacker.query(forging_text("elsewhere", "shop")).is_ok());
  const std::uint32_t id = victim.prepare("SELECT v FROM t").statement;
  ASSERT_EQ(attacker.prepare("SELECT v FROM t").statement, 1U);
  tidb_.forget();

  EXPECT_EQ(victim.execute(id).kind, Reply::Kind::kRows);

  EXPECT_EQ(tidb_.commands().back(), "EXECUTE 1") << "and not the attacker's, number 2";
}

}  // namespace
}  // namespace tidepool::testing

// SET RESOURCE GROUP: set again where the next session has another; that of a login is asked for
// before it is lost.
#include "session_fixture.h"

namespace tidepool::testing {
namespace {

using ::testing::ElementsAre;

class ResourceGroupTest : public SessionTest {
 protected:
  void login_is_in(const char* group) {
    tidb_.answer("SELECT CURRENT_RESOURCE_GROUP()", text_result({"g"}, {{group}}));
  }
};

TEST_F(ResourceGroupTest, IsSetAgainAndUndone) {
  start();
  login_is_in("account's");
  RawClient one = client();
  RawClient two = client();

  EXPECT_TRUE(one.query("SET RESOURCE GROUP Rg1").is_ok());
  EXPECT_TRUE(is_idle());
  EXPECT_EQ(two.query("SELECT 2").rows, Words{"0"});
  EXPECT_EQ(one.query("SELECT 3").rows, Words{"0"});

  EXPECT_THAT(
      tidb_.commands(),
      ElementsAre("SELECT CURRENT_RESOURCE_GROUP()", "SET RESOURCE GROUP Rg1",
                  "SET RESOURCE GROUP `default`", "SET RESOURCE GROUP `account's`", "SELECT 2",
                  "SET RESOURCE GROUP `default`", "SET RESOURCE GROUP `rg1`", "SELECT 3"));
}

TEST_F(ResourceGroupTest, ThatIsDroppedSinceIsNoErrorOfTheStatement) {
  start();
  login_is_in("default");
  RawClient one = client();
  RawClient two = client();
  EXPECT_TRUE(one.query("SET RESOURCE GROUP a").is_ok());
  EXPECT_EQ(two.query("SELECT 2").rows, Words{"0"});
  tidb_.answer("SET RESOURCE GROUP `a`", err_packet(8249, "HY000", "Unknown resource group 'a'"));

  EXPECT_TRUE(one.query("INSERT INTO t VALUES (1)").is_ok());
}

TEST_F(ResourceGroupTest, ThatTidbRefusesChangesNothing) {
  start();
  login_is_in("default");
  tidb_.answer("SET RESOURCE GROUP a", err_packet(8250, "HY000", "disabled"));
  RawClient one = client();
  RawClient two = client();

  EXPECT_TRUE(one.query("SET RESOURCE GROUP a").is_error(8250));
  EXPECT_EQ(two.query("SELECT 2").rows, Words{"0"});

  EXPECT_THAT(tidb_.commands(),
              ElementsAre("SELECT CURRENT_RESOURCE_GROUP()", "SET RESOURCE GROUP a", "PING",
                          "SHOW WARNINGS", "SELECT 2"));
}

// A TiDB without the function: a reset leads back.
TEST_F(ResourceGroupTest, OfALoginThatIsNotToldIsLeftByAReset) {
  start();
  tidb_.answer("SELECT CURRENT_RESOURCE_GROUP()", err_packet(1305, "42000", "no such function"));
  RawClient one = client();
  RawClient two = client();

  EXPECT_TRUE(one.query("SET RESOURCE GROUP a").is_ok());
  EXPECT_EQ(two.query("SELECT 2").rows, Words{"0"});

  EXPECT_THAT(tidb_.commands(), ElementsAre("SELECT CURRENT_RESOURCE_GROUP()",
                                            "SET RESOURCE GROUP a", "RESET", "SELECT 2"));
}

TEST_F(ResourceGroupTest, BeyondAsciiPins) {
  start();
  RawClient client = this->client();

  EXPECT_TRUE(client.query("SET RESOURCE GROUP `caf\xc3\xa9`").is_ok());
  EXPECT_TRUE(eventually([&] { return proxy_->pinned(sql::Pin::kResourceGroup) == 1; }));

  EXPECT_TRUE(client.query("SET RESOURCE GROUP a").is_ok());
  EXPECT_TRUE(is_idle());
}

}  // namespace
}  // namespace tidepool::testing

// SET ROLE: asked for at the end of the lease, and set again where the next one has another.
#include "session_fixture.h"

namespace tidepool::testing {
namespace {

using ::testing::ElementsAre;

class RoleTest : public SessionTest {
 protected:
  void says(const char* roles) {
    tidb_.answer("SELECT CURRENT_ROLE()", text_result({"r"}, {{roles}}));
  }
};

TEST_F(RoleTest, IsAskedForAndSetAgain) {
  start();
  says("`a`@`%`");
  RawClient one = client();
  RawClient two = client();

  EXPECT_TRUE(one.query("SET ROLE ALL").is_ok());
  EXPECT_TRUE(is_idle());
  EXPECT_EQ(one.query("SELECT 1").rows, Words{"0"});
  EXPECT_EQ(two.query("SELECT 2").rows, Words{"0"});
  EXPECT_EQ(one.query("SELECT 3").rows, Words{"0"});

  EXPECT_THAT(tidb_.commands(),
              ElementsAre("SET ROLE ALL", "SELECT CURRENT_ROLE()", "SELECT 1", "SET ROLE DEFAULT",
                          "SELECT 2", "SET ROLE NONE", "SET ROLE `a`@`%`", "SELECT 3"));
}

TEST_F(RoleTest, ThatIsNotGrantedAnyMoreIsNoErrorOfTheStatement) {
  start();
  says("`a`@`%`");
  RawClient one = client();
  RawClient two = client();
  EXPECT_TRUE(one.query("SET ROLE a").is_ok());
  EXPECT_EQ(two.query("SELECT 2").rows, Words{"0"});
  tidb_.answer("SET ROLE `a`@`%`", err_packet(3530, "HY000", "not granted"));

  EXPECT_TRUE(one.query("INSERT INTO t VALUES (1)").is_ok());
}

TEST_F(RoleTest, WhoseNameIsUnclearPins) {
  start();
  says("`r`4`@`%`");
  RawClient client = this->client();

  EXPECT_TRUE(client.query("SET ROLE DEFAULT").is_ok());

  EXPECT_TRUE(eventually([&] { return proxy_->pinned(sql::Pin::kRole) == 1; }));
  EXPECT_TRUE(client.command("\x1f").is_ok());
  EXPECT_TRUE(is_idle());
}

TEST_F(RoleTest, OfAnotherSessionDoesNotDecideAboutALogin) {
  start();
  says("NONE");
  RawClient one = client();
  EXPECT_TRUE(one.query("SET ROLE NONE").is_ok());
  EXPECT_TRUE(is_idle());
  tidb_.forget();
  RawClient::Options options = this->options();
  options.database = "d";

  RawClient two = client(options);

  EXPECT_THAT(tidb_.commands(), ElementsAre("SET ROLE DEFAULT", "USE `d`"));
}

}  // namespace
}  // namespace tidepool::testing

// A prepared CREATE TABLE that was executed is another one for TiDB: it is so on every backend.
#include "session_fixture.h"

namespace tidepool::testing {
namespace {

using ::testing::ElementsAre;
using Received = FakeTidb::Received;

constexpr const char* kCreate = "CREATE TABLE IF NOT EXISTS t (a INT)";
constexpr const char* kWorn = "CREATE TABLE IF NOT EXISTS t (a INT(11))";

class WornDefinitionTest : public SessionTest {
 protected:
  WornDefinitionTest() { pool().size = 2; }
};

TEST_F(WornDefinitionTest, ThatWasExecutedIsPreparedElsewhereAsTiDBHasIt) {
  start();
  RawClient one = client();
  RawClient two = client();
  const std::uint32_t id = one.prepare(kCreate).statement;
  ASSERT_TRUE(one.execute(id).is_ok());
  ASSERT_TRUE(two.query("BEGIN").is_ok());  // takes backend 0
  tidb_.forget();

  EXPECT_TRUE(one.execute(id).is_ok());

  EXPECT_THAT(tidb_.received(),
              ElementsAre(Received{1, std::string("PREPARE ") + kWorn}, Received{1, "EXECUTE 1"}));
}

TEST_F(WornDefinitionTest, ThatWasNotExecutedIsPreparedElsewhereAsItIs) {
  start();
  RawClient one = client();
  RawClient two = client();
  const std::uint32_t id = one.prepare(kCreate).statement;
  ASSERT_TRUE(two.query("BEGIN").is_ok());
  tidb_.forget();

  EXPECT_TRUE(one.execute(id).is_ok());

  EXPECT_THAT(tidb_.received(), ElementsAre(Received{1, std::string("PREPARE ") + kCreate},
                                            Received{1, "EXECUTE 1"}));
}

TEST_F(WornDefinitionTest, ServesOneSessionOnly) {
  pool().size = 1;
  start();
  RawClient one = client();
  RawClient two = client();
  ASSERT_TRUE(one.execute(one.prepare(kCreate).statement).is_ok());
  tidb_.forget();

  const std::uint32_t id = two.prepare(kCreate).statement;
  EXPECT_TRUE(two.execute(id).is_ok());

  EXPECT_THAT(tidb_.commands(), ElementsAre(std::string("PREPARE ") + kCreate, "EXECUTE 2"));
}

TEST_F(WornDefinitionTest, ByNameIsMadeElsewhereAsTiDBHasIt) {
  start();
  RawClient one = client();
  RawClient two = client();
  ASSERT_TRUE(one.query(std::string("PREPARE p FROM '") + kCreate + "'").is_ok());
  ASSERT_TRUE(one.query("EXECUTE p").is_ok());
  ASSERT_TRUE(two.query("BEGIN").is_ok());
  tidb_.forget();

  EXPECT_TRUE(one.query("EXECUTE p").is_ok());

  EXPECT_THAT(tidb_.received(),
              ElementsAre(Received{1, std::string("PREPARE `p` FROM '") + kWorn + "'"},
                          Received{1, "EXECUTE p"}));
}

}  // namespace
}  // namespace tidepool::testing

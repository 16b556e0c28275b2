// What the proxy answers without TiDB, and what it must not.
#include "session_fixture.h"

namespace tidepool::testing {
namespace {

using ::testing::ElementsAreArray;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class OwnAnswerTest : public SessionTest {};

TEST_F(OwnAnswerTest, IsNotGivenToWhatTidbMayRefuse) {
  const Words texts = {"COMMIT foo",
                       "commit work",
                       "ROLLBACK WORK TO SAVEPOINT zz",
                       "(COMMIT)",
                       "COMMIT /*+ x */",
                       "SHOW COUNT(*) WARNINGSX",
                       "SHOW WARNINGS 5",
                       "SHOW WARNINGS()",
                       "SET TRANSACTION ISOLATION LEVEL READ COMMITTED foo",
                       "SET autocommit = 1 foo"};
  start();
  RawClient client = this->client();
  for (const std::string& text : texts)
    (void)client.query(text);
  EXPECT_THAT(tidb_.commands(), ElementsAreArray(texts));
}

TEST_F(OwnAnswerTest, IsGivenToTextsWithAZeroByteBehindThemAsTidbReadsThem) {
  start();
  RawClient client = this->client();
  EXPECT_TRUE(client.query(std::string("COMMIT\0", 7)).is_ok());
  EXPECT_THAT(tidb_.commands(), IsEmpty());
  (void)client.query(std::string("COMMIT\0\0", 8));
  EXPECT_THAT(tidb_.commands(), SizeIs(1)) << "TiDB takes one of them only";
}

TEST_F(OwnAnswerTest, EndsASessionThatSendsAnEmptyPacketWithTidbsWords) {
  start();
  RawClient client = this->client();
  const Reply reply = client.command("");
  EXPECT_TRUE(reply.is_error(1105));
  EXPECT_EQ(reply.text, "runtime error: index out of range [0] with length 0");
  EXPECT_TRUE(client.is_closed());
}

}  // namespace
}  // namespace tidepool::testing

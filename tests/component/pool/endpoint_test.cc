// Endpoints that fail and come back, and accounts that TiDB refuses, before fake TiDBs.
#include <gmock/gmock.h>

#include "pool_fixture.h"

namespace tidepool::pool {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using testing::Taker;
using Opening = testing::FakeMysql::Opening;

class PoolEndpointTest : public testing::PoolTest {
 protected:
  PoolEndpointTest() {
    limits_.endpoints = 2;
    limits_.max_overflow = 1;
    options_.dial.endpoints.push_back({"127.0.0.1", other_.port()});
    for (const char* name : {"one", "other"})
      stats_.endpoints.push_back(std::make_unique<EndpointStats>(name));
  }
  std::int64_t backends(int endpoint) const { return at(endpoint).backends.value(); }
  std::int64_t up(int endpoint) const { return at(endpoint).up.value(); }

  testing::FakeTidb other_;

 private:
  const EndpointStats& at(int endpoint) const {
    return *stats_.endpoints[static_cast<std::size_t>(endpoint)];
  }
};

TEST_F(PoolEndpointTest, UsesTheFirstOne) {
  open();
  give_one_back();
  EXPECT_EQ(backends(0), 1);
  EXPECT_EQ(up(0), 1);
  EXPECT_EQ(backends(1), 0);
  EXPECT_EQ(other_.server().connections(), 0);
}

TEST_F(PoolEndpointTest, GoesOnToTheNextOneAndReturns) {
  tidb_.server().set_opening(Opening::kHangUp);
  open();
  pool().start_clock();
  give_one_back();
  EXPECT_EQ(backends(1), 1);
  EXPECT_EQ(up(0), 0);
  EXPECT_EQ(up(1), 1);
  EXPECT_GE(stats_.endpoints[0]->dials[DialResult::kOther].value(), 1U);

  tidb_.server().set_opening(Opening::kGreeting);

  ASSERT_TRUE(run([&] { return backends(0) == 1 && backends(1) == 0; }));
  EXPECT_EQ(up(0), 1);
  give_one_back();
  EXPECT_EQ(other_.server().connections(), 1);
}

TEST_F(PoolEndpointTest, ALossOfTheFirstOneIsServedByTheNext) {
  open();
  pool().start_clock();
  give_one_back();

  tidb_.server().set_opening(Opening::kHangUp);
  tidb_.server().hang_up();
  ASSERT_TRUE(run([&] { return counts().total() == 0; }));

  give_one_back();
  EXPECT_EQ(backends(0), 0);
  EXPECT_EQ(backends(1), 1);
}

TEST_F(PoolEndpointTest, TellsAtOnceInTidbsWordsThatTheQuotaIsUsedUp) {
  limits_.backoff_initial = seconds(60);
  limits_.backoff_refused = seconds(600);
  tidb_.server().set_opening(Opening::kUsedUp);
  open();
  pool().start_clock();
  Taker first;
  take(first);
  ASSERT_TRUE(run([&] { return first.error.has_value(); }));
  EXPECT_EQ(first.error->mysql_errno, 1105);
  EXPECT_THAT(first.error->message,
              StartsWith("Due to the usage quota being exhausted, access to"));

  Taker second;
  take(second);
  ASSERT_TRUE(run([&] { return second.error.has_value(); }));

  EXPECT_EQ(second.error->message, first.error->message);
  EXPECT_EQ(tidb_.server().connections(), 1) << "not hammered";
  EXPECT_EQ(other_.server().connections(), 0) << "it is the same account";
  EXPECT_EQ(stats_.dials[DialResult::kQuota].value(), 1U);
  EXPECT_EQ(stats_.unavailable.value(), 1);
}

TEST_F(PoolEndpointTest, KeepsWhatItHasWhileTheQuotaIsUsedUp) {
  limits_.size = 2;
  open();
  pool().start_clock();
  Taker holder;
  take(holder);
  ASSERT_TRUE(run([&] { return bool(holder.lease); }));
  tidb_.server().set_opening(Opening::kUsedUp);

  Taker waiter;
  take(waiter);
  ASSERT_TRUE(run([&] { return stats_.dials[DialResult::kQuota].value() > 0; }));
  EXPECT_FALSE(waiter.error) << "the one that is leased will come back";
  holder.lease.release(Release::kClean);

  ASSERT_TRUE(run([&] { return bool(waiter.lease); }));
  waiter.lease.release(Release::kClean);
}

}  // namespace
}  // namespace tidepool::pool

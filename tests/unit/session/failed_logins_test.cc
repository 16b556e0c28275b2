#include "tidepool/session/failed_logins.h"

#include <gtest/gtest.h>

namespace tidepool::session {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kLongest{1000};

class FailedLoginsTest : public ::testing::Test {
 protected:
  Duration fail(const std::string& user, const std::string& network = "192.0.2.1") {
    return failed_.add(network, user, kLongest, now_);
  }

  FailedLogins failed_{8};
  TimePoint now_ = Clock::now();
};

TEST_F(FailedLoginsTest, TheFirstOnesAreAnsweredAtOnceAndEachFurtherOneTwiceAsLate) {
  for (const int wanted : {0, 0, 0, 100, 200, 400, 800, 1000, 1000})
    EXPECT_EQ(fail("app"), milliseconds(wanted));
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(fail("app"), kLongest);
}

TEST_F(FailedLoginsTest, EachUserAndEachAddressCountsForItself) {
  for (int i = 0; i < 5; ++i)
    (void)fail("app");
  EXPECT_EQ(fail("other"), Duration{});
  EXPECT_EQ(fail("app", "192.0.2.2"), Duration{});
  EXPECT_EQ(fail("app", ""), Duration{});
  EXPECT_EQ(fail("app"), milliseconds(400));
}

TEST_F(FailedLoginsTest, AreForgottenAfterAWhileWithoutAny) {
  for (int i = 0; i < 5; ++i) {
    (void)fail("app");
    now_ += seconds(50);
  }
  EXPECT_EQ(fail("app"), milliseconds(400)) << "each of them prolongs it";
  now_ += FailedLogins::kMemory;
  EXPECT_EQ(fail("other"), Duration{});
  EXPECT_EQ(failed_.size(), 1U);
  EXPECT_EQ(fail("app"), Duration{});
}

TEST_F(FailedLoginsTest, AreNeverMoreThanTheTableHolds) {
  for (int i = 0; i < 5; ++i)
    (void)fail("app");
  for (int i = 0; i < 1000; ++i) {
    (void)fail("name" + std::to_string(i));
    EXPECT_LE(failed_.size(), 8U);
    if (i % 7 != 0) continue;
    EXPECT_GT(fail("app"), Duration{}) << "the one that failed last stays";
  }
}

}  // namespace
}  // namespace tidepool::session

#include "memory_trim.h"

#include <gtest/gtest.h>

namespace tidepool::proxy {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20U;

class MemoryTrimTest : public ::testing::Test {
 protected:
  bool is_due(std::uint64_t megabytes) { return trim_.is_due(megabytes * kMiB, now_); }

  MemoryTrim trim_;
  TimePoint now_{std::chrono::hours(1)};
};

TEST_F(MemoryTrimTest, IsNotDueWhileMemoryIsTaken) {
  for (const std::uint64_t taken : {0, 10, 100, 90})
    EXPECT_FALSE(is_due(taken)) << taken;
}

TEST_F(MemoryTrimTest, IsDueOnceWhenMuchIsGivenBack) {
  EXPECT_FALSE(is_due(100));
  EXPECT_FALSE(is_due(85));
  EXPECT_TRUE(is_due(84));
  now_ += MemoryTrim::kPause;
  EXPECT_FALSE(is_due(84));
  EXPECT_FALSE(is_due(70));
  EXPECT_TRUE(is_due(60));
}

TEST_F(MemoryTrimTest, IsRareHoweverOftenMemoryIsTakenAndGivenBack) {
  int times = 0;
  for (int i = 0; i < 400; ++i) {  // four times a second
    times += is_due(100) ? 1 : 0;
    times += is_due(0) ? 1 : 0;
    now_ += std::chrono::milliseconds(250);
  }
  EXPECT_EQ(times, 10);
}

TEST_F(MemoryTrimTest, ComesLaterForWhatWasGivenBackTooSoon) {
  EXPECT_FALSE(is_due(100));
  EXPECT_TRUE(is_due(0));
  EXPECT_FALSE(is_due(100));
  EXPECT_FALSE(is_due(0));
  now_ += MemoryTrim::kPause;
  EXPECT_TRUE(is_due(0));
}

}  // namespace
}  // namespace tidepool::proxy

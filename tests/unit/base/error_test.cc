#include "tidepool/base/error.h"

#include <gtest/gtest.h>

#include "tidepool/base/check.h"

namespace tidepool {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return fail(Code::kConfig, "not even");
  return number / 2;
}

TEST(Error, TravelsInAResult) {
  EXPECT_EQ(half(4).value(), 2);
  ASSERT_FALSE(half(3).has_value());
  EXPECT_EQ(half(3).error().code, Code::kConfig);
  EXPECT_EQ(half(3).error().message, "not even");
  EXPECT_EQ(half(3).error().mysql_errno, 0);
}

TEST(Error, EveryCodeHasAWordOfItsOwn) {
  const std::pair<Code, const char*> all[] = {
      {Code::kTimeout, "timeout"},   {Code::kClosed, "closed"},     {Code::kRefused, "refused"},
      {Code::kTls, "tls"},           {Code::kProtocol, "protocol"}, {Code::kAuth, "auth"},
      {Code::kBackend, "backend"},   {Code::kBusy, "busy"},         {Code::kConfig, "config"},
      {Code::kCanceled, "canceled"}, {Code::kInternal, "internal"}, {Code::kNotTidb, "not_tidb"},
  };
  for (const auto& [code, word] : all)
    EXPECT_STREQ(to_string(code), word);
}

TEST(CheckDeathTest, EndsTheProcessAndSaysWhere) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  const int leases = 2;
  TIDEPOOL_CHECK(leases == 2);
  EXPECT_DEATH(TIDEPOOL_CHECK(leases < 2), "bug: leases < 2 does not hold at .*error_test.cc:");
}

}  // namespace
}  // namespace tidepool

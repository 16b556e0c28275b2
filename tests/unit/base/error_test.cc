#include "tidepool/base/error.h"

#include <gtest/gtest.h>

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

TEST(Error, CodeHasAWordForLogsAndLabels) {
  EXPECT_STREQ(to_string(Code::kTls), "tls");
  EXPECT_STREQ(to_string(Code::kTimeout), "timeout");
}

}  // namespace
}  // namespace tidepool

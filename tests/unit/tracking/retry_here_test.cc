#include "tidepool/tracking/retry_here.h"

#include <gtest/gtest.h>

namespace tidepool::tracking {
namespace {

TEST(IsUnknownStatement, AsTidbSaysIt) {
  EXPECT_TRUE(is_unknown_statement(
      1105, "ERROR 1243 (HY000): Unknown prepared statement handler 7 given to stmt_execute"));
  EXPECT_TRUE(is_unknown_statement(8111, "Prepared statement not found"));
  EXPECT_FALSE(is_unknown_statement(1105, "anything"));
}

}  // namespace
}  // namespace tidepool::tracking

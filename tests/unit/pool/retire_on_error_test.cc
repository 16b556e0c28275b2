#include "retire_on_error.h"

#include <gtest/gtest.h>

namespace tidepool::pool {
namespace {

TEST(Fitness, EndsABackendWhoseTidbStopsOrIsOutOfTouch) {
  EXPECT_TRUE(retires_backend(1053, "Server shutdown in progress"));
  EXPECT_TRUE(retires_backend(8027, "Information schema is out of date"));
  EXPECT_TRUE(retires_backend(1105, "tidb server shutting down"));
  EXPECT_TRUE(
      retires_backend(1105, "No available TiDB instances, please make sure TiDB is available"));
}

TEST(Fitness, KeepsABackendAfterErrorsOfStatementsAndOfTheStorage) {
  for (const int number : {1040, 1062, 1205, 1213, 1317, 8028, 8252, 9001, 9002, 9005, 9007}) {
    EXPECT_FALSE(retires_backend(static_cast<std::uint16_t>(number), "tidb server shutting down"))
        << number;
  }
  EXPECT_FALSE(retires_backend(1105, "pessimistic lock retry limit reached"));
  EXPECT_FALSE(retires_backend(1105, ""));
}

}  // namespace
}  // namespace tidepool::pool

#include "tidepool/session/idle_timeout.h"

#include <gtest/gtest.h>

namespace tidepool::session {
namespace {

using std::chrono::seconds;

constexpr Timeouts kBoth{.query = {}, .idle_transaction = seconds(5), .client_idle = seconds(60)};

TEST(IdleLimit, IsNoneUnlessSomebodySetsOne) {
  EXPECT_FALSE(idle_limit({}, std::nullopt, false, false));
  EXPECT_FALSE(idle_limit({}, seconds(0), true, true));
  EXPECT_FALSE(idle_limit({.idle_transaction = seconds(5)}, std::nullopt, false, false));
}

TEST(IdleLimit, IsTheShortestThatCounts) {
  const auto idle = idle_limit(kBoth, std::nullopt, false, false);
  EXPECT_EQ(idle->after, seconds(60));
  EXPECT_EQ(idle->kind, TimeoutKind::kClientIdle);

  const auto transaction = idle_limit(kBoth, std::nullopt, true, true);
  EXPECT_EQ(transaction->after, seconds(5));
  EXPECT_EQ(transaction->kind, TimeoutKind::kIdleTransaction);

  EXPECT_EQ(idle_limit(kBoth, seconds(3), false, false)->after, seconds(3));
}

TEST(IdleLimit, LeavesWaitTimeoutToTidbWhileTheBackendIsKept) {
  EXPECT_FALSE(idle_limit({}, seconds(3), true, false));
  EXPECT_EQ(idle_limit(kBoth, seconds(3), true, false)->after, seconds(60));
}

}  // namespace
}  // namespace tidepool::session

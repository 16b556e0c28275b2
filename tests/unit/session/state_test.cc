#include "tidepool/session/state.h"

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

namespace tidepool::session {
namespace {

State nth(int index) {
  return static_cast<State>(index);
}

TEST(State, EveryStateMayCloseAndNothingFollowsClosing) {
  for (int i = 0; i < kStates; ++i) {
    EXPECT_TRUE(may_follow(nth(i), State::kClosing)) << to_string(nth(i));
    if (nth(i) != State::kClosing) {
      EXPECT_FALSE(may_follow(State::kClosing, nth(i)));
    }
  }
}

TEST(State, ARetryIsImpossibleOnceTheAnswerStreams) {
  EXPECT_FALSE(may_follow(State::kStreaming, State::kAcquiring));
  EXPECT_FALSE(may_follow(State::kStreaming, State::kExecuting));
  EXPECT_TRUE(may_follow(State::kExecuting, State::kAcquiring));
}

TEST(State, ASessionWithoutALeaseDoesNotStream) {
  EXPECT_FALSE(may_follow(State::kIdle, State::kStreaming));
  EXPECT_FALSE(may_follow(State::kAcquiring, State::kStreaming));
}

}  // namespace
}  // namespace tidepool::session

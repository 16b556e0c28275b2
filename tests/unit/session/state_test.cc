#include "tidepool/session/state.h"

#include <gtest/gtest.h>

#include "documented_table.h"
#include "tidepool/session/replay_phase.h"

namespace tidepool::session {
namespace {

using testing::expect_documented;

State nth(std::size_t index) {
  return static_cast<State>(index);
}

TEST(StatesInTheDocs, AreThoseOfTheCode) {
  expect_documented(markdown_of<State>(kStateRows));
}

TEST(StatesInTheDocs, AreThoseOfAReplayToo) {
  expect_documented(markdown_of<ReplayPhase>(kReplayPhaseRows));
}

TEST(ReplayPhase, NothingRunsBeforeTheTransactionIsGone) {
  EXPECT_FALSE(may_follow(ReplayPhase::kRecording, ReplayPhase::kRunning));
  EXPECT_TRUE(may_follow(ReplayPhase::kRunning, ReplayPhase::kDue));
}

TEST(State, EveryStateMayCloseAndNothingFollowsClosing) {
  for (std::size_t i = 0; i < kStates; ++i) {
    const State state = nth(i);
    EXPECT_EQ(may_follow(state, State::kClosing), state != State::kClosing) << to_string(state);
    EXPECT_FALSE(may_follow(State::kClosing, state));
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

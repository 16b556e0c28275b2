// The tables of states in docs/architecture.md are those of the code.
#include "backend_states.h"

#include <gtest/gtest.h>

#include "connection_states.h"
#include "documented_table.h"

namespace tidepool::pool {
namespace {

using testing::expect_documented;

TEST(BackendStatesInTheDocs, AsTheBrokerCountsThem) {
  expect_documented(markdown_of<BackendRecord::State>(kRecordRows));
}

TEST(BackendStatesInTheDocs, AsItsWorkersPoolKeepsIt) {
  expect_documented(markdown_of<ConnectionState>(kConnectionRows));
}

TEST(ConnectionStates, OnlyIdleBackendsArePingedAndOnlyTheyAndParkedOnesAreLent) {
  using State = ConnectionState;
  for (std::size_t i = 0; i < kConnectionStates; ++i) {
    const auto from = static_cast<State>(i);
    const bool is_idle = from == State::kIdle;
    EXPECT_EQ(may_follow(from, State::kPinging), is_idle);
    EXPECT_EQ(may_follow(from, State::kLeased), is_idle || from == State::kParked);
  }
}

TEST(ConnectionStates, NothingBecomesNewAndNothingFollowsClosing) {
  for (std::size_t i = 0; i < kConnectionStates; ++i) {
    const auto state = static_cast<ConnectionState>(i);
    EXPECT_FALSE(may_follow(state, ConnectionState::kNew));
    EXPECT_FALSE(may_follow(ConnectionState::kClosing, state));
  }
}

TEST(ConnectionStates, AParkedBackendIsNotResetBeforeItIsLeasedAgain) {
  EXPECT_FALSE(may_follow(ConnectionState::kParked, ConnectionState::kResetting));
  EXPECT_TRUE(may_follow(ConnectionState::kLeased, ConnectionState::kResetting));
}

}  // namespace
}  // namespace tidepool::pool

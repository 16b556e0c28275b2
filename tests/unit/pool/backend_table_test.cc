#include "tidepool/pool/backend_table.h"

#include <vector>

#include <gtest/gtest.h>

#include "backend_states.h"

namespace tidepool::pool {
namespace {

using State = BackendRecord::State;
using Replacement = BackendRecord::Replacement;
using Reach = BackendTable::Reach;

class BackendTableTest : public ::testing::Test {
 protected:
  BackendRecord& add(std::uint64_t profile = 1, WorkerIndex worker = 0) {
    BackendRecord& record = table_.add();
    record.profile = profile;
    record.worker = worker;
    return record;
  }
  // One in that state, by the shortest way.
  BackendRecord& add_in(State state) {
    BackendRecord& record = add();
    if (state == State::kParked) table_.set_state(record, State::kLeased);
    if (state != State::kIdle) table_.set_state(record, state);
    return record;
  }
  std::vector<BackendId> ids(State state) const {
    std::vector<BackendId> found;
    found.reserve(table_.in(state).size());
    for (const BackendRecord* record : table_.in(state))
      found.push_back(record->id);
    return found;
  }
  BackendId pick(WorkerIndex worker, const LeaseRequest& request, Reach reach) const {
    const BackendRecord* record = table_.pick_idle(worker, request, reach);
    return record == nullptr ? 0 : record->id;
  }
  using Ids = std::vector<BackendId>;

  BackendTable table_;
};

TEST_F(BackendTableTest, EachRecordIsOnTheListOfItsState) {
  for (std::size_t i = 0; i < kRecordStates; ++i) {
    const auto state = static_cast<State>(i);
    const BackendId id = add_in(state).id;
    EXPECT_EQ(ids(state), Ids{id}) << kRecordRows[i].name;
  }
  EXPECT_EQ(table_.size(), 5U);
  EXPECT_EQ(table_.open(), 4U);
}

TEST_F(BackendTableTest, IdleOnesAreMostRecentlyUsedFirstAndParkedOnesOldestFirst) {
  std::vector<BackendId> made;
  made.reserve(3);
  for (int i = 0; i < 3; ++i)
    made.push_back(add().id);
  EXPECT_EQ(ids(State::kIdle), (Ids{made[2], made[1], made[0]}));
  for (const BackendId id : made) {
    table_.set_state(table_.at(id), State::kLeased);
    table_.set_state(table_.at(id), State::kParked);
  }
  EXPECT_EQ(ids(State::kParked), made);
  table_.set_state(table_.at(made[1]), State::kIdle);
  EXPECT_EQ(ids(State::kIdle), Ids{made[1]});
}

TEST_F(BackendTableTest, AnIdleOneTakesItsPlaceByWhenItWasUsed) {
  BackendRecord& first = add();
  BackendRecord& second = add();
  BackendRecord& third = add();
  first.idle_since = TimePoint{std::chrono::seconds{1}};
  second.idle_since = TimePoint{std::chrono::seconds{2}};
  third.idle_since = TimePoint{std::chrono::seconds{1}};
  table_.sort_in(third);
  EXPECT_EQ(ids(State::kIdle), (Ids{second.id, third.id, first.id}));
}

TEST_F(BackendTableTest, OneThatHasItsReplacementOrClosesIsNotKept) {
  BackendRecord& one = add();
  BackendRecord& other = add();
  EXPECT_EQ(table_.kept(), 2U);
  table_.set_replacement(one, Replacement::kDialling);
  EXPECT_EQ(table_.kept(), 2U);
  table_.set_replacement(one, Replacement::kReady);
  EXPECT_EQ(table_.kept(), 1U);
  table_.set_state(one, State::kClosing);
  EXPECT_EQ(table_.kept(), 1U) << "it was counted off once";
  EXPECT_EQ(one.replacement(), Replacement::kNone);
  table_.set_replacement(one, Replacement::kReady);
  EXPECT_EQ(one.replacement(), Replacement::kNone) << "one that closes has none";
  table_.set_state(other, State::kClosing);
  EXPECT_EQ(table_.kept(), 0U);
  table_.erase(one.id);
  table_.erase(other.id);
  EXPECT_EQ(table_.kept(), 0U);
  EXPECT_EQ(table_.size(), 0U);
}

TEST_F(BackendTableTest, TheBestIdleOneIsOfTheWorkerThenTheLastThenInTheRightState) {
  struct Row {
    const char* what;
    LeaseRequest request;
    Reach reach;
    std::size_t expected;  // index of the backend, from the one used most recently; 4: none
  };
  std::vector<BackendId> made(4);
  made[3] = add(1, 0).id;
  made[2] = add(1, 1).id;
  made[1] = add(1, 1).id;
  made[0] = add(2, 0).id;
  table_.at(made[2]).state_hash = 7;
  const std::vector<Row> rows = {
      {"another variant", {.profile = 3}, Reach::kAllWorkers, 4},
      {"the own worker's, though it is the oldest", {.profile = 1}, Reach::kAllWorkers, 3},
      {"the own worker's, though another's is in the right state",
       {.profile = 1, .state = 7},
       Reach::kAllWorkers,
       3},
      {"the only one of its variant", {.profile = 2}, Reach::kOwnWorker, 0},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(pick(0, row.request, row.reach), row.expected < 4 ? made[row.expected] : 0)
        << row.what;
  }
  EXPECT_EQ(pick(1, {.profile = 1}, Reach::kOwnWorker), made[1]) << "the last used";
  EXPECT_EQ(pick(1, {.profile = 1, .state = 7}, Reach::kOwnWorker), made[2]);
  EXPECT_EQ(pick(1, {.profile = 1, .state = 7, .last = made[1]}, Reach::kOwnWorker), made[1]);
  EXPECT_EQ(pick(2, {.profile = 1}, Reach::kOwnWorker), 0U);
}

TEST_F(BackendTableTest, ABackendIsFoundByTidbsNumberOfIt) {
  BackendRecord& record = add();
  EXPECT_EQ(table_.find_connection(0), nullptr) << "the number is not known";
  record.tidb_connection = 1000;
  EXPECT_EQ(table_.find_connection(1000), &record);
  EXPECT_EQ(table_.find_connection(1001), nullptr);
}

TEST_F(BackendTableTest, AProfileIsThereUntilItsLastBackendCloses) {
  BackendRecord& record = add(3);
  record.expires = TimePoint{std::chrono::seconds{5}};
  EXPECT_TRUE(table_.has_open(3));
  EXPECT_FALSE(table_.has_open(1));
  EXPECT_EQ(table_.ends_of_life(), std::vector{record.expires});
  table_.set_state(record, State::kClosing);
  EXPECT_FALSE(table_.has_open(3));
  EXPECT_TRUE(table_.ends_of_life().empty());
}

TEST(BackendStates, NothingFollowsClosingAndAnyOpenOneMayClose) {
  for (std::size_t i = 0; i < kRecordStates; ++i) {
    const auto state = static_cast<State>(i);
    EXPECT_FALSE(may_follow(State::kClosing, state));
    EXPECT_EQ(may_follow(state, State::kClosing), state != State::kClosing);
  }
}

TEST(BackendStates, OnlyALeasedBackendIsParked) {
  for (const State from : {State::kIdle, State::kPinging, State::kParked, State::kClosing})
    EXPECT_FALSE(may_follow(from, State::kParked));
  EXPECT_TRUE(may_follow(State::kLeased, State::kParked));
}

TEST(BackendStatesDeathTest, AMoveThatTheTableDoesNotHaveStopsTheProcess) {
  BackendTable table;
  BackendRecord& record = table.add();
  table.set_state(record, State::kPinging);
  EXPECT_DEATH(table.set_state(record, State::kLeased), "may_follow");
}

}  // namespace
}  // namespace tidepool::pool

#include "lifetime.h"

#include <optional>
#include <vector>

#include <gtest/gtest.h>

namespace tidepool::pool {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using State = BackendRecord::State;
using Replacement = BackendRecord::Replacement;

constexpr TimePoint kNow{std::chrono::hours{1}};

Limits limits_of_two() {
  Limits limits;
  limits.size = 2;
  limits.max_overflow = 1;
  limits.idle_timeout = seconds{60};
  limits.overflow_linger = seconds{1};
  return limits;
}

class LifetimeTest : public ::testing::Test {
 protected:
  // A backend in that state, idle (or parked) for so long, whose life ended a second ago.
  BackendRecord& backend(State state, Duration idle_for,
                         Replacement replacement = Replacement::kNone) {
    BackendRecord& record = table_.add();
    record.idle_since = kNow - idle_for;
    record.expires = kNow - seconds{1};
    table_.set_replacement(record, replacement);
    if (state != State::kIdle) table_.set_state(record, state);
    return record;
  }

  BackendTable table_;
};

TEST_F(LifetimeTest, ABackendIsReplacedIfThePoolNeedsItsNumberAndItIsUsed) {
  struct Row {
    const char* what;
    State state;
    Duration idle_for;
    PoolFigures figures;
    bool expected;
  };
  const PoolFigures usual{.kept = 2, .open = 2, .idle = 1};
  const std::vector<Row> rows = {
      {"leased", State::kLeased, seconds{0}, usual, true},
      {"idle for less than half of the timeout", State::kIdle, seconds{29}, usual, true},
      {"idle for half of it", State::kIdle, seconds{30}, usual, false},
      {"idle, and a spare one", State::kIdle, seconds{59}, {.kept = 2, .open = 2, .idle = 0}, true},
      {"others are enough", State::kLeased, seconds{0}, {.kept = 3, .open = 3, .idle = 0}, false},
      {"the pool drains",
       State::kLeased,
       seconds{0},
       {.kept = 2, .open = 2, .idle = 1, .is_draining = true},
       false},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(
        wants_replacement(backend(row.state, row.idle_for), limits_of_two(), row.figures, kNow),
        row.expected)
        << row.what;
  }
  Limits patient = limits_of_two();
  patient.idle_timeout = milliseconds{0};
  EXPECT_TRUE(wants_replacement(backend(State::kIdle, seconds{3600}), patient, usual, kNow));
}

TEST_F(LifetimeTest, AtItsEndALeasedBackendWaitsOnlyForAReplacementThatIsOnItsWay) {
  struct Row {
    Replacement replacement;
    unsigned kept;
    AtEnd expected;
  };
  const std::vector<Row> rows = {
      {Replacement::kReady, 2, AtEnd::kRetire},  {Replacement::kReady, 3, AtEnd::kRetire},
      {Replacement::kDialling, 2, AtEnd::kGoOn}, {Replacement::kDialling, 3, AtEnd::kRetire},
      {Replacement::kNone, 2, AtEnd::kReplace},  {Replacement::kNone, 3, AtEnd::kRetire},
  };
  for (const Row& row : rows) {
    const BackendRecord& record = backend(State::kLeased, seconds{0}, row.replacement);
    EXPECT_EQ(at_end(record, limits_of_two(), {.kept = row.kept, .open = 3, .idle = 0}, kNow),
              row.expected)
        << static_cast<int>(row.replacement) << " " << row.kept;
  }
}

TEST_F(LifetimeTest, AnIdleBackendIsClosedForTheFirstReasonThatHolds) {
  struct Row {
    const char* what;
    Duration idle_for;
    Duration life_left;
    PoolFigures figures;
    std::optional<RetireReason> expected;
  };
  const PoolFigures usual{.kept = 2, .open = 2, .idle = 2};
  const PoolFigures over{.kept = 3, .open = 3, .idle = 2};
  const PoolFigures over_cap{.kept = 2, .open = 4, .idle = 2};
  const std::vector<Row> rows = {
      {"used lately", seconds{0}, seconds{9}, usual, std::nullopt},
      {"its time is over, and it is used", seconds{0}, seconds{0}, usual, std::nullopt},
      {"its time is over, and it is not", seconds{30}, seconds{0}, usual, RetireReason::kRecycle},
      {"unused for too long", seconds{60}, seconds{9}, usual, RetireReason::kIdle},
      {"overflow that lingers", milliseconds{999}, seconds{9}, over, std::nullopt},
      {"overflow", seconds{1}, seconds{9}, over, RetireReason::kOverflow},
      {"no overflow", seconds{1}, seconds{9}, usual, std::nullopt},
      {"the cap has become smaller", seconds{0}, seconds{9}, over_cap, RetireReason::kOverflow},
  };
  for (const Row& row : rows) {
    BackendRecord& record = backend(State::kIdle, row.idle_for);
    record.expires = kNow + row.life_left;
    EXPECT_EQ(reason_to_retire(record, limits_of_two(), row.figures, kNow), row.expected)
        << row.what;
  }
  for (const Duration life_left : {seconds{9}, seconds{0}}) {
    BackendRecord& replaced = backend(State::kIdle, seconds{0}, Replacement::kReady);
    replaced.expires = kNow + life_left;
    EXPECT_EQ(reason_to_retire(replaced, limits_of_two(), usual, kNow), RetireReason::kRecycle)
        << "its replacement is there";
  }
  Limits with_spare = limits_of_two();
  with_spare.min_idle = 2;
  BackendRecord& spare = backend(State::kIdle, seconds{60});
  spare.expires = kNow + seconds{9};
  EXPECT_EQ(reason_to_retire(spare, with_spare, usual, kNow), std::nullopt);
}

TEST(EndOfLife, IsWithinRecycleAndApartFromTheOthers) {
  Limits limits = limits_of_two();
  limits.recycle = seconds{100};
  const TimePoint alone = end_of_life(limits, {}, 0, kNow);
  EXPECT_EQ(alone, kNow + seconds{100});
  EXPECT_EQ(end_of_life(limits, {}, 0.2, kNow), kNow + seconds{80});
  EXPECT_EQ(end_of_life(limits, {alone}, 0, kNow), kNow + seconds{60})
      << "two lives share the time, but for a fifth of it";
  limits.recycle = seconds{0};
  EXPECT_EQ(end_of_life(limits, {}, 0.2, kNow), TimePoint::max());
}

TEST_F(LifetimeTest, APingIsDueToASuspectAndAfterASilence) {
  Limits limits = limits_of_two();
  BackendRecord& record = backend(State::kIdle, seconds{10});
  EXPECT_FALSE(is_ping_due(record, limits, kNow)) << "without ping_interval";
  limits.ping_interval = seconds{10};
  EXPECT_TRUE(is_ping_due(record, limits, kNow));
  record.heard_at = kNow - seconds{9};
  EXPECT_FALSE(is_ping_due(record, limits, kNow)) << "it has answered a ping";
  record.is_suspect = true;
  EXPECT_TRUE(is_ping_due(record, limits, kNow));
}

}  // namespace
}  // namespace tidepool::pool

// The life of backends on a real loop before a fake TiDB: replaced before they go, pinged where
// asked, and retired when TiDB says that it stops.
#include <functional>

#include <gmock/gmock.h>
#include <uv.h>

#include "pool_fixture.h"

namespace tidepool::pool {
namespace {

using std::chrono::milliseconds;
using testing::Fault;
using testing::Taker;

class PoolLifeTest : public testing::PoolTest {
 protected:
  std::uint64_t retired(RetireReason reason) const { return stats_.retired[reason].value(); }
};

TEST_F(PoolLifeTest, ReplacesABackendBeforeItGoes) {
  limits_.max_overflow = 1;
  limits_.recycle = milliseconds(300);
  limits_.min_idle = 1;
  open();
  pool().start_clock();
  ASSERT_TRUE(run([&] { return counts().idle == 1; }));

  std::uint64_t seen = 0;
  unsigned fewest = 1;
  ASSERT_TRUE(run([&] {
    seen = retired(RetireReason::kRecycle);
    fewest = std::min(fewest, counts().idle);
    return seen >= 3;
  }));

  EXPECT_EQ(fewest, 1U);
  EXPECT_LE(tidb_.server().most_open(), 2);
}

TEST_F(PoolLifeTest, KeepsMinIdleAlsoWhenAllAreLost) {
  limits_.size = 2;
  limits_.min_idle = 2;
  open();
  pool().start_clock();
  ASSERT_TRUE(run([&] { return counts().idle == 2; }));

  tidb_.server().hang_up();

  ASSERT_TRUE(run([&] { return retired(RetireReason::kLost) == 2 && counts().idle == 2; }));
}

TEST_F(PoolLifeTest, PingsAnIdleBackendAndLendsItAfterwards) {
  limits_.ping_interval = milliseconds(50);
  open();
  give_one_back();
  pool().start_clock();

  ASSERT_TRUE(run([&] { return tidb_.commands().size() >= 3; }));

  EXPECT_THAT(tidb_.commands(), ::testing::Each("PING"));
  give_one_back();
  EXPECT_EQ(tidb_.server().connections(), 1);
}

TEST_F(PoolLifeTest, RetiresABackendThatFailsItsPingInAnyWay) {
  limits_.ping_interval = milliseconds(50);
  for (const Fault fault :
       {Fault::kClose, Fault::kReset, Fault::kError, Fault::kShuttingDown, Fault::kShort}) {
    SCOPED_TRACE(testing::to_string(fault));
    open();
    give_one_back();
    tidb_.break_at(0, fault);
    pool().start_clock();

    EXPECT_TRUE(run([&] { return tidb_.has_broken() && counts().total() == 0; }));
    tidb_.break_at(-1, fault);
    close();
  }
  EXPECT_EQ(retired(RetireReason::kLost), 5U);
}

TEST_F(PoolLifeTest, PingsTheIdleOnesWhenOneHasSaidThatTidbStops) {
  limits_.size = 3;
  open();
  pool().start_clock();
  std::vector<std::unique_ptr<Taker>> takers;
  for (int i = 0; i < 3; ++i) {
    takers.push_back(std::make_unique<Taker>());
    take(*takers.back());
  }
  ASSERT_TRUE(run([&] { return counts().leased == 3; }));
  takers[0]->lease.release(Release::kClean);
  takers[1]->lease.release(Release::kClean);

  takers[2]->lease.note_error(1053, "Server shutdown in progress");
  takers[2]->lease.release(Release::kClean);

  ASSERT_TRUE(run([&] { return counts().total() == 2 && tidb_.commands().size() == 3; }));
  EXPECT_THAT(tidb_.commands(), ::testing::UnorderedElementsAre("QUIT", "PING", "PING"));
  EXPECT_EQ(retired(RetireReason::kLost), 1U);
}

TEST_F(PoolLifeTest, AnErrorOfAStatementRetiresNothing) {
  open();
  Taker taker;
  take(taker);
  ASSERT_TRUE(run([&] { return bool(taker.lease); }));

  taker.lease.note_error(1062, "Duplicate entry");
  taker.lease.release(Release::kClean);

  EXPECT_EQ(counts().idle, 1U);
}

// Runs at the end of each turn of the loop.
class EndOfTurn {
 public:
  EndOfTurn(net::Loop& loop, std::function<void()> callback) : callback_(std::move(callback)) {
    uv_check_init(loop.raw(), &handle_);
    handle_.data = this;
    uv_check_start(&handle_, [](uv_check_t* handle) noexcept {
      static_cast<EndOfTurn*>(handle->data)->callback_();
    });
  }
  // The loop has to turn once more before this goes.
  void close() { uv_close(reinterpret_cast<uv_handle_t*>(&handle_), nullptr); }

 private:
  uv_check_t handle_{};
  std::function<void()> callback_;
};

// TiDB has closed, and before the loop's next turn the time for that is over too: the machine was
// busy.
TEST_F(PoolLifeTest, ForgetsABackendOnceWhoseGoodbyeIsOverdueAsWell) {
  options_.quit_timeout = milliseconds(50);
  open();
  give_one_back();
  bool has_stalled = false;
  TimePoint overdue{};
  EndOfTurn end_of_turn(loop_, [&] {
    if (has_stalled || counts().total() > 0) return;
    has_stalled = true;
    EXPECT_TRUE(testing::eventually([&] { return Clock::now() >= overdue; }));
  });

  loop_.post([&] {
    pool().drain();
    overdue = Clock::now() + 2 * options_.quit_timeout;
  });

  EXPECT_TRUE(run([&] { return has_stalled; }));
  end_of_turn.close();
  bool has_turned = false;
  loop_.post([&] { has_turned = true; });
  EXPECT_TRUE(run([&] { return has_turned; }));
}

}  // namespace
}  // namespace tidepool::pool

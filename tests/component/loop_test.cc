#include "tidepool/net/loop.h"

#include <atomic>
#include <csignal>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

#include "loop_run.h"
#include "tidepool/net/blocking.h"
#include "tidepool/net/signal.h"
#include "tidepool/net/timer.h"

namespace tidepool::net {
namespace {

using std::chrono::milliseconds;
using testing::run_until;

TEST(Loop, RunsPostedTasksInOrderAndNeverInline) {
  Loop loop;
  std::string order;
  loop.post([&] {
    loop.post([&] { order += 'b'; });
    loop.post([&] {
      order += 'c';
      loop.stop();
    });
    order += 'a';
  });
  EXPECT_EQ(order, "");
  loop.run();
  EXPECT_EQ(order, "abc");
}

TEST(Loop, TakesTasksFromManyThreads) {
  Loop loop;
  int count = 0;
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i)
        loop.post([&] { ++count; });
    });
  }
  EXPECT_TRUE(run_until(loop, [&] { return count == 4000; }));
  for (std::thread& thread : threads)
    thread.join();
}

TEST(Loop, StopsFromAnotherThreadAndRunsAgain) {
  Loop loop;
  for (int i = 0; i < 2; ++i) {
    std::thread stopper([&] { loop.stop(); });
    loop.run();
    stopper.join();
  }
}

TEST(Loop, DestroysTasksThatItDidNotGetTo) {
  const auto token = std::make_shared<int>();
  {
    Loop loop;
    loop.post([token] {});
    EXPECT_EQ(token.use_count(), 2);
  }
  EXPECT_EQ(token.use_count(), 1);
}

struct Retiree {
  Loop& loop;
  bool& gone;
  std::unique_ptr<Retiree> next;
  ~Retiree() {
    gone = true;
    loop.retire(std::move(next));
  }
};

TEST(Loop, RetiresOnALaterTurn) {
  Loop loop;
  bool gone = false;
  bool next_gone = false;
  loop.post([&] {
    auto next = std::unique_ptr<Retiree>(new Retiree{loop, next_gone, nullptr});
    loop.retire(std::unique_ptr<Retiree>(new Retiree{loop, gone, std::move(next)}));
    EXPECT_FALSE(gone);
  });
  EXPECT_TRUE(run_until(loop, [&] { return gone && next_gone; }));
}

TEST(Loop, RetiresWhatIsLeftAtItsEnd) {
  bool gone = false;
  bool next_gone = false;
  {
    Loop loop;
    auto next = std::unique_ptr<Retiree>(new Retiree{loop, next_gone, nullptr});
    loop.retire(std::unique_ptr<Retiree>(new Retiree{loop, gone, std::move(next)}));
  }
  EXPECT_TRUE(gone && next_gone);
}

TEST(Loop, KnowsTheTimeOfTheTurn) {
  Loop loop;
  const TimePoint before = Clock::now() - milliseconds(5);
  loop.post([&] {
    EXPECT_GE(loop.now(), before);
    EXPECT_LE(loop.now(), Clock::now());
    loop.stop();
  });
  loop.run();
}

TEST(Deferred, RunsOnceUnlessItGoesFirst) {
  Loop loop;
  int ran = 0;
  Deferred kept(loop);
  auto canceled = std::make_unique<Deferred>(loop);
  auto destroyed = std::make_unique<Deferred>(loop);
  kept.schedule([&] {
    ++ran;
    destroyed.reset();
  });
  canceled->schedule([&] { ran += 100; });
  canceled.reset();
  destroyed->schedule([] {});
  EXPECT_TRUE(run_until(loop, [&] { return ran == 1; }));
  EXPECT_FALSE(kept.is_scheduled());
}

TEST(Deferred, RunsAgainOnTheNextTurnWhenScheduledFromItself) {
  Loop loop;
  Deferred deferred(loop);
  int ran = 0;
  const std::function<void()> again = [&] {
    if (++ran < 3) deferred.schedule(again);
  };
  deferred.schedule(again);
  EXPECT_TRUE(run_until(loop, [&] { return ran == 3; }));
}

TEST(Timer, FiresOnceAndMayDestroyItself) {
  Loop loop;
  auto timer = std::make_unique<Timer>(loop);
  int fired = 0;
  timer->start(milliseconds(1), [&] {
    ++fired;
    timer.reset();
    loop.stop();
  });
  EXPECT_TRUE(timer->is_active());
  loop.run();
  EXPECT_EQ(fired, 1);
}

TEST(Timer, ReplacesAndStops) {
  Loop loop;
  Timer timer(loop);
  Timer stopped(loop);
  std::string fired;
  stopped.start(milliseconds(0), [&] { fired += 'x'; });
  stopped.stop();
  timer.start(milliseconds(0), [&] { fired += 'x'; });
  timer.start(milliseconds(-5), [&] {
    fired += 'a';
    timer.start(milliseconds(1), [&] { fired += 'b'; });
  });
  EXPECT_TRUE(run_until(loop, [&] { return fired == "ab"; }));
  EXPECT_FALSE(timer.is_active());
}

TEST(Signal, CallsBackEachTime) {
  Loop loop;
  int seen = 0;
  const Signal signal(loop, SIGHUP, [&] {
    if (++seen == 1) ::raise(SIGHUP);
  });
  loop.post([] { ::raise(SIGHUP); });
  EXPECT_TRUE(run_until(loop, [&] { return seen == 2; }));
}

TEST(Signal, IsCalledForWhatCameBeforeIt) {
  hold_signals();
  ASSERT_EQ(::kill(::getpid(), SIGTERM), 0);
  std::thread other([] { ::raise(SIGHUP); });  // held there too: it would end the process
  other.join();
  Loop loop;
  int seen = 0;
  {
    const Signal signal(loop, SIGTERM, [&] { ++seen; });
    EXPECT_TRUE(run_until(loop, [&] { return seen == 1; }));
  }
  ASSERT_EQ(::kill(::getpid(), SIGTERM), 0);  // while nobody watches it: it goes on waiting
  const Signal again(loop, SIGTERM, [&] { ++seen; });
  EXPECT_TRUE(run_until(loop, [&] { return seen == 2; }));
  release_signals();
}

TEST(Blocking, GivesTheResultOnTheLoopsThread) {
  Loop loop;
  std::thread::id worked;
  std::unique_ptr<int> result;
  const Blocking blocking = run_blocking<std::shared_ptr<int>>(
      loop,
      [&] {
        worked = std::this_thread::get_id();
        return std::make_shared<int>(7);
      },
      [&](const std::shared_ptr<int>& got) {
        EXPECT_TRUE(loop.is_current_thread());
        result = std::make_unique<int>(*got);
      });
  EXPECT_TRUE(blocking.is_pending());
  EXPECT_TRUE(run_until(loop, [&] { return result != nullptr; }));
  EXPECT_EQ(*result, 7);
  EXPECT_NE(worked, std::this_thread::get_id());
  EXPECT_FALSE(blocking.is_pending());
}

TEST(Blocking, DestroysTheResultThatNobodyWantsAnyMore) {
  std::atomic<bool> may_end = false;
  const auto result = std::make_shared<int>(1);
  bool done = false;
  {
    Loop loop;
    const auto captured = std::make_shared<int>(2);
    {
      const Blocking blocking = run_blocking<std::shared_ptr<int>>(
          loop,
          [&may_end, result] {
            while (!may_end)
              std::this_thread::yield();
            return result;
          },
          [&done, captured](const std::shared_ptr<int>&) { done = true; });
      EXPECT_EQ(captured.use_count(), 2);
    }
    EXPECT_EQ(captured.use_count(), 1);  // its captures went at once
    may_end = true;
  }  // the loop waits for the work
  EXPECT_FALSE(done);
  EXPECT_EQ(result.use_count(), 1);
}

}  // namespace
}  // namespace tidepool::net

// A scripted clock: when backends end, and who follows them.
#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <string>

#include "broker_world.h"

namespace tidepool::pool {
namespace {

// Lets the broker run; dials take a third of a second, goodbyes a tenth. Keeps when dials began and
// when backends were retired.
class Life {
 public:
  explicit Life(const Limits& limits) : world(limits), limits_(limits) {}

  void run(Duration time) {
    for (const TimePoint end = world.now + time; world.now < end;) {
      world.advance(milliseconds{100});
      pump();
    }
  }
  void pump() {
    for (const auto& [dial, due] : take_due(dials_)) {
      if (is_up) {
        live_.push_back(world.broker.dialled(dial, 0, world.now, world.orders));
      } else {
        world.broker.dial_failed(dial, {Code::kRefused, "away"}, world.now, world.orders);
      }
    }
    for (const auto& [backend, due] : take_due(goodbyes_))
      world.broker.closed(backend, world.now, world.orders);
    for (const DialOrder& order : world.take<DialOrder>()) {
      begun.push_back(world.now);
      dials_[order.dial] = world.now + milliseconds{300};
    }
    for (const RetireOrder& order : world.take<RetireOrder>()) {
      if (order.reason == RetireReason::kRecycle) retired.push_back(world.now);
      std::erase(live_, order.backend);
      goodbyes_[order.backend] = world.now + milliseconds{100};
    }
    const BrokerCounts counts = world.counts();
    ASSERT_LE(counts.total(), limits_.cap());
    fewest = std::min(fewest, counts.idle + counts.leased + counts.parked);
  }
  // All are gone at once, as when a gateway restarts.
  void lose_all() {
    for (const BackendId backend : std::exchange(live_, {})) {
      world.broker.retire(backend, RetireReason::kDirty, world.now, world.orders);
      world.broker.closed(backend, world.now, world.orders);
    }
  }
  std::size_t live() const { return live_.size(); }

  World world;
  bool is_up = true;
  std::vector<TimePoint> begun;
  std::vector<TimePoint> retired;
  unsigned fewest = 1'000'000;

 private:
  template <class Id>
  std::map<Id, TimePoint> take_due(std::map<Id, TimePoint>& all) const {
    std::map<Id, TimePoint> due;
    for (const auto& one : all)
      if (one.second <= world.now) due.insert(one);
    for (const auto& one : due)
      all.erase(one.first);
    return due;
  }

  const Limits limits_;
  std::map<DialId, TimePoint> dials_;
  std::map<BackendId, TimePoint> goodbyes_;
  std::vector<BackendId> live_;
};

void expect_rate(const std::vector<TimePoint>& begun, std::size_t rate) {
  for (std::size_t i = rate; i < begun.size(); ++i)
    ASSERT_GE(begun[i] - begun[i - rate], seconds{1}) << "dial " << i;
}

std::string to_text(const std::vector<int>& histogram) {
  std::string text = "retirements in each minute:";
  for (const int count : histogram)
    text += " " + std::to_string(count);
  return text;
}

// How many there were in each minute from `from` on.
std::vector<int> by_minute(const std::vector<TimePoint>& times, TimePoint from, int minutes_long) {
  std::vector<int> histogram(static_cast<std::size_t>(minutes_long));
  for (const TimePoint time : times) {
    const auto minute = std::chrono::duration_cast<minutes>(time - from).count();
    if (time >= from && minute < minutes_long) ++histogram[static_cast<std::size_t>(minute)];
  }
  return histogram;
}

void expect_flat(const std::vector<int>& histogram) {
  SCOPED_TRACE(to_text(histogram));
  ::testing::Test::RecordProperty("histogram", to_text(histogram));
  const double mean = std::accumulate(histogram.begin(), histogram.end(), 0.0) /
                      static_cast<double>(histogram.size());
  EXPECT_GT(mean, 0.0);
  EXPECT_LE(*std::max_element(histogram.begin(), histogram.end()), 1.5 * mean);
}

Limits many() {
  Limits limits;
  limits.size = 100;
  limits.max_overflow = 10;
  limits.min_idle = 100;  // all of them are there, and stay
  limits.dial_rate = 5;
  return limits;
}

TEST(BrokerLife, AnHourOfRetirementsIsFlatAndDialsKeepTheirRate) {
  Life life(many());
  life.run(minutes{1});
  ASSERT_EQ(life.live(), 100U);
  const TimePoint from = life.world.now;
  life.fewest = 100;

  life.run(minutes{60});

  expect_flat(by_minute(life.retired, from, 60));
  expect_rate(life.begun, 5);
  EXPECT_EQ(life.fewest, 100U) << "each successor was there before the old one went";
}

TEST(BrokerLife, ALossOfAllBackendsLeavesNoWaves) {
  Life life(many());
  life.run(minutes{30});
  life.lose_all();
  life.run(minutes{1});
  ASSERT_EQ(life.live(), 100U);
  const TimePoint from = life.world.now;

  life.run(minutes{30});

  expect_flat(by_minute(life.retired, from, 30));
  expect_rate(life.begun, 5);
}

TEST(BrokerLife, ASmallPoolIsReplacedOneAfterTheOther) {
  Limits limits;
  limits.min_idle = 5;
  Life life(limits);

  life.run(minutes{60});

  ASSERT_GT(life.retired.size(), 50U);
  EXPECT_LT(life.retired.size(), 90U);
  for (std::size_t i = 1; i < life.retired.size(); ++i)
    EXPECT_GE(life.retired[i] - life.retired[i - 1], seconds{10}) << i;
}

TEST(BrokerLife, NobodyWaitsForASuccessor) {
  Limits limits = small();
  limits.idle_timeout = milliseconds{0};
  World world(limits);
  const BackendId old = world.leased();
  world.release(old);

  world.advance(minutes{5});
  EXPECT_TRUE(world.take<RetireOrder>().empty());
  EXPECT_EQ(world.acquire(), old) << "lent as before, meanwhile";
  world.release(old);
  const auto made = world.finish_dials();

  ASSERT_EQ(made.size(), 1U);
  const auto retired = world.take<RetireOrder>();
  ASSERT_EQ(retired.size(), 1U);
  EXPECT_EQ(retired[0].backend, old);
  EXPECT_EQ(retired[0].reason, RetireReason::kRecycle);
  EXPECT_EQ(world.acquire(), made[0]);
}

TEST(BrokerLife, ALeasedBackendIsReplacedWhileItIsLeasedAndGoesAtItsRelease) {
  World world(small());
  const BackendId old = world.leased();
  world.advance(minutes{5});
  const auto made = world.finish_dials();
  ASSERT_EQ(made.size(), 1U);
  world.advance(seconds{5});
  EXPECT_TRUE(world.take<RetireOrder>().empty()) << "the successor is no overflow";

  world.release(old);

  EXPECT_EQ(world.take<RetireOrder>().at(0).backend, old);
  EXPECT_EQ(world.acquire(), made[0]);
}

TEST(BrokerLife, ABackendWhoseSuccessorCameDuringAPingGoesAfterIt) {
  Limits limits = small();
  limits.recycle = minutes{2};
  limits.ping_interval = minutes{2};
  World world(limits);
  const BackendId old = world.leased();
  world.release(old);
  world.advance(minutes{2});
  ASSERT_EQ(world.take<PingOrder>().size(), 1U);
  ASSERT_EQ(world.finish_dials().size(), 1U);
  ASSERT_TRUE(world.take<RetireOrder>().empty()) << "its worker has not ended the ping";

  world.broker.pinged(old, world.now, world.orders);

  const auto retired = world.take<RetireOrder>();
  ASSERT_EQ(retired.size(), 1U);
  EXPECT_EQ(retired[0].backend, old);
  EXPECT_EQ(retired[0].reason, RetireReason::kRecycle);
  world.advance(minutes{2});
  EXPECT_EQ(world.take<RetireOrder>().size(), 1U);
  EXPECT_TRUE(world.take<DialOrder>().empty()) << "the successor is as idle as the one before";
}

TEST(BrokerLife, ASuccessorThatCameDuringADrainIsDialledAgainAfterIt) {
  World world(small());
  const BackendId old = world.leased();
  world.advance(minutes{5});
  world.broker.drain(world.orders);
  ASSERT_EQ(world.finish_dials().size(), 1U);
  world.close_retired();

  world.broker.resume(world.now, world.orders);
  world.advance(milliseconds{100});

  EXPECT_EQ(world.finish_dials().size(), 1U);
  world.release(old);
  EXPECT_EQ(world.take<RetireOrder>().size(), 1U);
}

TEST(BrokerLife, WithoutRoomTheOldOneGoesFirst) {
  Limits limits = small();
  limits.max_overflow = 0;
  limits.idle_timeout = milliseconds{0};
  World world(limits);
  const BackendId old = world.leased();
  world.advance(minutes{5});
  EXPECT_TRUE(world.take<DialOrder>().empty()) << "no room";

  world.release(old);
  ASSERT_EQ(world.take<RetireOrder>().size(), 1U);
  world.broker.closed(old, world.now, world.orders);
  const auto made = world.finish_dials();
  ASSERT_EQ(made.size(), 1U);

  world.advance(minutes{5});
  ASSERT_EQ(world.take<RetireOrder>().size(), 1U) << "an idle one, too";
  EXPECT_TRUE(world.take<DialOrder>().empty());
  world.broker.closed(made[0], world.now, world.orders);
  EXPECT_EQ(world.finish_dials().size(), 1U);
}

TEST(BrokerLife, ABackendOutlivesItsTimeWhileTidbTakesNoNewOnes) {
  Limits limits = small();
  limits.idle_timeout = milliseconds{0};
  Life life(limits);
  const WaiterId waiter = life.world.broker.enqueue(0, kPlain, life.world.now + seconds{9},
                                                    life.world.now, life.world.orders);
  life.run(seconds{1});
  const auto granted = life.world.take<GrantOrder>();
  ASSERT_EQ(granted.at(0).waiter, waiter);
  life.is_up = false;

  life.run(minutes{6});
  life.world.release(granted[0].backend);
  life.run(minutes{6});
  EXPECT_TRUE(life.retired.empty());
  EXPECT_EQ(life.world.counts().idle, 1U);

  life.is_up = true;
  life.run(seconds{30});
  EXPECT_EQ(life.retired.size(), 1U);
  EXPECT_EQ(life.world.counts().idle, 1U);
}

TEST(BrokerLife, WhatNobodyNeedsIsNotReplaced) {
  Limits limits = small();
  limits.recycle = minutes{4};
  Life life(limits);
  life.world.release(life.world.leased());

  life.run(minutes{6});

  EXPECT_EQ(life.retired.size(), 1U);
  EXPECT_TRUE(life.begun.empty());
  EXPECT_EQ(life.world.counts().total(), 0U);
}

TEST(BrokerLife, ASuccessorIsAsIdleAsTheOneBefore) {
  Limits limits = small();
  limits.recycle = minutes{2};
  Life life(limits);
  life.world.release(life.world.leased());

  life.run(seconds{299});
  EXPECT_EQ(life.retired.size(), 2U) << "the second one was idle for too long to be replaced";
  EXPECT_EQ(life.begun.size(), 1U);
}

TEST(BrokerLife, MinIdleIsDialledInAdvanceAndAfterLosses) {
  Limits limits;
  limits.size = 4;
  limits.min_idle = 2;
  Life life(limits);
  life.run(seconds{2});
  EXPECT_EQ(life.world.counts().idle, 2U);

  const auto one = life.world.acquire({.profile = 0});
  const auto two = life.world.acquire({.profile = 0});
  ASSERT_TRUE(one && two);
  life.run(seconds{2});
  EXPECT_EQ(life.world.counts().idle, 2U);
  const auto three = life.world.acquire({.profile = 0});
  ASSERT_TRUE(three);
  life.run(seconds{2});
  EXPECT_EQ(life.world.counts().total(), 4U) << "spare ones are never overflow";

  for (const auto backend : {one, two, three})
    life.world.release(*backend);
  life.lose_all();
  life.run(seconds{2});
  EXPECT_EQ(life.world.counts().idle, 2U);
  EXPECT_EQ(life.world.counts().total(), 2U);
}

TEST(BrokerLife, WithoutMinIdleAPoolThatNobodyUsesIsEmptyAndStaysSo) {
  Life life{Limits{}};
  life.world.release(life.world.leased());

  life.run(minutes{30});

  EXPECT_EQ(life.world.counts().total(), 0U);
  EXPECT_LE(life.begun.size(), 1U);
}

TEST(BrokerLife, PingsOnlyWhereAsked) {
  for (const bool asked : {false, true}) {
    Limits limits = small();
    limits.recycle = milliseconds{0};
    limits.idle_timeout = minutes{5};
    if (asked) limits.ping_interval = minutes{1};
    World world(limits);
    const BackendId backend = world.leased();
    world.release(backend);
    int pings = 0;
    for (int second = 0; second < 299; ++second) {
      world.advance(seconds{1});
      for (const PingOrder& order : world.take<PingOrder>()) {
        ++pings;
        EXPECT_FALSE(world.broker.try_acquire(0, kPlain)) << "not while it is pinged";
        world.broker.pinged(order.backend, world.now, world.orders);
      }
    }
    EXPECT_EQ(pings, asked ? 4 : 0);
    world.advance(seconds{2});
    EXPECT_EQ(world.take<RetireOrder>().size(), 1U) << "a ping is no use";
  }
}

TEST(BrokerLife, WhoComesDuringAPingGetsTheBackendAfterIt) {
  Limits limits = small();
  limits.ping_interval = minutes{1};
  World world(limits);
  const BackendId backend = world.leased();
  world.release(backend);
  world.advance(minutes{1});
  ASSERT_EQ(world.take<PingOrder>().size(), 1U);

  EXPECT_FALSE(world.acquire());
  EXPECT_TRUE(world.take<DialOrder>().empty());
  world.broker.pinged(backend, world.now, world.orders);

  EXPECT_EQ(world.take<GrantOrder>().at(0).backend, backend);
}

TEST(BrokerLife, ABackendThatDoesNotAnswerAPingIsGone) {
  Limits limits = small();
  limits.ping_interval = minutes{1};
  World world(limits);
  const BackendId backend = world.leased();
  world.release(backend);
  world.advance(minutes{1});
  world.acquire();

  world.broker.retire(backend, RetireReason::kDirty, world.now, world.orders);
  world.broker.closed(backend, world.now, world.orders);

  EXPECT_EQ(world.finish_dials().size(), 1U);
  EXPECT_EQ(world.take<GrantOrder>().size(), 1U);
  EXPECT_EQ(world.counts().total(), 1U);
}

TEST(BrokerLife, PingsWhatIsIdleOnceWhenTidbMayBeStopping) {
  Limits limits;
  World world(limits);
  std::vector<BackendId> backends;
  for (int i = 0; i < 3; ++i)
    backends.push_back(world.leased());
  const BackendId lost = world.leased();
  for (const BackendId backend : backends)
    world.release(backend);

  world.broker.retire(lost, RetireReason::kLost, world.now, world.orders);
  world.advance(milliseconds{100});

  std::vector<BackendId> pinged;
  for (auto orders = world.take<PingOrder>(); !orders.empty(); orders = world.take<PingOrder>()) {
    ASSERT_EQ(orders.size(), 1U);
    pinged.push_back(orders[0].backend);
    world.broker.pinged(orders[0].backend, world.now, world.orders);
  }
  EXPECT_EQ(pinged, backends);
  EXPECT_EQ(world.counts().idle, 3U);
  world.advance(seconds{1});
  EXPECT_TRUE(world.take<PingOrder>().empty());
}

TEST(BrokerLife, ADrainDuringAPingEndsTheBackend) {
  Limits limits = small();
  limits.ping_interval = minutes{1};
  World world(limits);
  const BackendId backend = world.leased();
  world.release(backend);
  world.advance(minutes{1});
  world.broker.drain(world.orders);
  EXPECT_TRUE(world.take<RetireOrder>().empty());

  world.broker.pinged(backend, world.now, world.orders);

  EXPECT_EQ(world.take<RetireOrder>().at(0).reason, RetireReason::kShutdown);
}

TEST(BrokerLife, KnowsWhoHasABackendByTheNumberThatTidbGaveIt) {
  World world(small());
  LeaseRequest request = kPlain;
  request.holder = 7;
  const BackendId backend = world.leased(request);

  EXPECT_EQ(world.broker.holder_of(1000), 7U);
  EXPECT_EQ(world.broker.holder_of(1001), std::nullopt);
  EXPECT_EQ(world.broker.holder_of(0), std::nullopt) << "what has no number yet is not found";
  world.release(backend);
  EXPECT_EQ(world.broker.holder_of(1000), 0U) << "nobody has it";
}

TEST(BrokerLife, EndsABackendThatAClientKillsOnlyWhileNobodyHasIt) {
  World world(small());
  world.leased();

  world.broker.end_idle(1000, world.now, world.orders);
  EXPECT_TRUE(world.take<RetireOrder>().empty());
  world.broker.end_idle(1001, world.now, world.orders);
  EXPECT_TRUE(world.take<RetireOrder>().empty());

  World another(small());
  const BackendId idle = another.leased();
  another.release(idle);
  another.broker.end_idle(1000, another.now, another.orders);
  EXPECT_EQ(another.take<RetireOrder>().at(0).reason, RetireReason::kKilled);
}

}  // namespace
}  // namespace tidepool::pool

#include "tidepool/pool/broker.h"

#include <random>
#include <set>

#include "broker_world.h"

namespace tidepool::pool {
namespace {

TEST(Broker, DialsOnDemandAndGrantsTheNewBackend) {
  World world(small());

  EXPECT_FALSE(world.acquire());
  const auto dials = world.take<DialOrder>();
  ASSERT_EQ(dials.size(), 1U);
  EXPECT_EQ(dials[0].profile, 1U);
  const BackendId backend = world.broker.dialled(dials[0].dial, 0, world.now, world.orders);

  const auto grants = world.take<GrantOrder>();
  ASSERT_EQ(grants.size(), 1U);
  EXPECT_EQ(grants[0].backend, backend);
  EXPECT_EQ(grants[0].waiter, world.waiter);
  EXPECT_EQ(world.counts().leased, 1U);
}

TEST(Broker, LendsAnIdleBackendAtOnce) {
  World world(small());
  const BackendId backend = world.leased();
  world.release(backend);

  EXPECT_EQ(world.acquire(), backend);
  EXPECT_TRUE(world.orders.empty());
}

TEST(Broker, NeverExceedsTheCapWhateverIsAsked) {
  World world(small());
  for (int i = 0; i < 10; ++i)
    world.acquire();

  EXPECT_EQ(world.take<DialOrder>().size(), 2U);
  EXPECT_EQ(world.counts().waiting, 10U);
  EXPECT_EQ(world.counts().total(), 2U);
}

TEST(Broker, CountsABackendUntilItIsClosed) {
  World world(small());
  const BackendId first = world.leased();
  world.leased();
  world.broker.retire(first, RetireReason::kDirty, world.now, world.orders);
  world.acquire();
  EXPECT_TRUE(world.take<DialOrder>().empty());

  world.broker.closed(first, world.now, world.orders);

  EXPECT_EQ(world.take<DialOrder>().size(), 1U);
}

TEST(Broker, ServesWaitersFirstComeFirstServed) {
  World world(small());
  const BackendId one = world.leased();
  world.leased();
  world.acquire();
  const WaiterId first = world.waiter;
  world.acquire();
  const WaiterId second = world.waiter;

  world.release(one);
  EXPECT_EQ(world.take<GrantOrder>().at(0).waiter, first);
  world.release(one);
  EXPECT_EQ(world.take<GrantOrder>().at(0).waiter, second);
}

TEST(Broker, DoesNotLetANewcomerOvertakeTheQueue) {
  World world(small());
  world.leased();
  world.leased();
  world.acquire();

  EXPECT_FALSE(world.broker.try_acquire(0, kPlain));
}

TEST(Broker, PrefersTheLastBackendThenTheStateThenTheMostRecent) {
  Limits limits;
  World world(limits);
  const BackendId a = world.leased();
  const BackendId b = world.leased();
  const BackendId c = world.leased();
  world.release(a, 7);
  world.release(b, 8);
  world.release(c, 8);

  EXPECT_EQ(world.acquire({.profile = 1, .state = 7, .last = b}), b);
  EXPECT_EQ(world.acquire({.profile = 1, .state = 7, .last = 0}), a);
  EXPECT_EQ(world.acquire({.profile = 1, .state = 9, .last = 0}), c);
}

TEST(Broker, MovesAnIdleBackendOfAnotherWorker) {
  World world(small());
  const BackendId backend = world.leased();
  world.release(backend);

  EXPECT_FALSE(world.acquire(kPlain, 1));
  const auto moves = world.take<MoveOrder>();
  ASSERT_EQ(moves.size(), 1U);
  EXPECT_EQ(moves[0].backend, backend);
  EXPECT_EQ(moves[0].to, 1U);
  EXPECT_EQ(moves[0].waiter, world.waiter);
  EXPECT_TRUE(world.take<DialOrder>().empty());
}

TEST(Broker, KeepsProfilesApartAndMakesRoomForAMissingOne) {
  World world(small());
  const BackendId one = world.leased();
  const BackendId two = world.leased();
  world.release(one);
  world.release(two);

  EXPECT_FALSE(world.acquire({.profile = 2}));
  EXPECT_TRUE(world.take<DialOrder>().empty()) << "the cap is reached";
  const auto retired = world.take<RetireOrder>();
  ASSERT_EQ(retired.size(), 1U);
  EXPECT_EQ(retired[0].reason, RetireReason::kProfile);
  EXPECT_EQ(retired[0].backend, one) << "used longest ago";
  world.broker.closed(one, world.now, world.orders);
  ASSERT_EQ(world.take<DialOrder>().size(), 1U);
}

TEST(Broker, GivesUpABackendForAWaiterWhoseProfileNobodyHas) {
  World world(small());
  const BackendId one = world.leased();
  world.leased();
  world.acquire({.profile = 2});
  world.acquire(kPlain);

  world.release(one);

  EXPECT_TRUE(world.take<GrantOrder>().empty());
  EXPECT_EQ(world.take<RetireOrder>().at(0).reason, RetireReason::kProfile);
}

TEST(Broker, TellsAWaiterAtItsDeadlineHowThePoolIs) {
  World world(small());
  world.leased();
  world.leased();
  world.acquire();
  world.advance(seconds{29});
  EXPECT_TRUE(world.take<FailOrder>().empty());

  world.advance(seconds{1});

  const auto failed = world.take<FailOrder>();
  ASSERT_EQ(failed.size(), 1U);
  EXPECT_EQ(failed[0].error.mysql_errno, 1040);
  EXPECT_NE(failed[0].error.message.find("2 leased, 0 dialling, 0 idle of at most 2"),
            std::string::npos)
      << failed[0].error.message;
}

TEST(Broker, ForgetsACancelledWaiter) {
  World world(small());
  const BackendId one = world.leased();
  world.leased();
  world.acquire();
  world.broker.cancel(world.waiter, world.now, world.orders);

  world.release(one);

  EXPECT_TRUE(world.take<GrantOrder>().empty());
  EXPECT_EQ(world.counts().idle, 1U);
}

TEST(Broker, BacksOffAfterAFailedDialAndThenProbesOneAtATime) {
  World world(small());
  world.acquire();
  world.acquire();
  const auto dials = world.take<DialOrder>();
  ASSERT_EQ(dials.size(), 2U);
  const Error refused{Code::kRefused, "nobody listens"};
  for (const auto& dial : dials) {
    world.broker.dial_failed(dial.dial, refused, world.now, world.orders);
  }
  EXPECT_TRUE(world.take<DialOrder>().empty());
  EXPECT_EQ(world.counts().waiting, 2U) << "waiters are patient";

  world.advance(milliseconds{201});

  EXPECT_EQ(world.take<DialOrder>().size(), 1U);
}

TEST(Broker, BackoffIsBounded) {
  World world(small());
  world.acquire();
  for (int i = 0; i < 40; ++i) {
    const auto dials = world.take<DialOrder>();
    ASSERT_EQ(dials.size(), 1U) << i;
    world.broker.dial_failed(dials[0].dial, Error{Code::kTimeout, "slow"}, world.now, world.orders);
    world.advance(seconds{10});
    if (world.counts().waiting == 0) world.acquire();
  }
}

TEST(Broker, TellsAllWaitersAtOnceWhatWaitingCannotMend) {
  World world(small());
  world.acquire();
  world.acquire();
  const auto dials = world.take<DialOrder>();
  const Error denied{Code::kAuth, "Access denied", 1045, "28000"};

  world.broker.dial_failed(dials.at(0).dial, denied, world.now, world.orders);

  EXPECT_EQ(world.take<FailOrder>().size(), 2U);
  world.broker.dial_failed(dials.at(1).dial, denied, world.now, world.orders);
  world.acquire();
  const auto failed = world.take<FailOrder>();
  ASSERT_EQ(failed.size(), 1U) << "not hammered: told at once while the backoff lasts";
  EXPECT_EQ(failed[0].error.mysql_errno, 1045);
}

TEST(Broker, TellsSoonThatTidbWasNeverThere) {
  World world(small());
  world.acquire();
  for (int second = 0; second < 5; ++second) {
    EXPECT_TRUE(world.take<FailOrder>().empty()) << second;
    for (const auto& dial : world.take<DialOrder>()) {
      world.broker.dial_failed(dial.dial, Error{Code::kRefused, "the name does not resolve"},
                               world.now, world.orders);
    }
    world.advance(seconds{1});
  }

  const auto failed = world.take<FailOrder>();
  ASSERT_EQ(failed.size(), 1U);
  EXPECT_EQ(failed[0].error.mysql_errno, 2003);
  EXPECT_NE(failed[0].error.message.find("the name does not resolve"), std::string::npos);
}

TEST(Broker, WaitsLongForATidbThatWasThereOrDoesNotAnswer) {
  for (const bool was_there : {true, false}) {
    World world(small());
    if (was_there) {
      const BackendId lost = world.leased();
      world.broker.retire(lost, RetireReason::kDirty, world.now, world.orders);
      world.broker.closed(lost, world.now, world.orders);
    }
    const Error error{was_there ? Code::kRefused : Code::kTimeout, "away"};
    world.acquire();
    for (int second = 0; second < 29; ++second) {
      for (const auto& dial : world.take<DialOrder>())
        world.broker.dial_failed(dial.dial, error, world.now, world.orders);
      EXPECT_TRUE(world.take<FailOrder>().empty()) << second;
      world.advance(seconds{1});
    }
    world.advance(seconds{1});
    EXPECT_EQ(world.take<FailOrder>().at(0).error.mysql_errno, 1040);
  }
}

TEST(Broker, DialsARefusedAccountOnlyForThoseWhoWait) {
  Limits limits = small();
  limits.backoff_refused = milliseconds{10};
  limits.min_idle = 1;
  World world(limits);
  const Error denied{Code::kAuth, "Access denied", 1045, "28000"};
  int dials = 0;
  for (int i = 0; i < 600; ++i) {  // a minute
    world.broker.warm_up(1, 0, 0, world.now, world.orders);
    world.advance(milliseconds{100});
    for (const auto& dial : world.take<DialOrder>()) {
      ++dials;
      world.broker.dial_failed(dial.dial, denied, world.now, world.orders);
    }
  }
  EXPECT_LE(dials, 7);

  world.acquire();
  EXPECT_EQ(world.take<DialOrder>().size(), 1U) << "somebody waits";
}

// By another way than this proxy, while clients knock all the time: whenever that is.
TEST(Broker, FindsAnAccountThatWasJustMadeWithinFiveSecondsAndKnocksSeldomBefore) {
  const Error denied{Code::kAuth, "Access denied", 1045, "28000"};
  for (int made_after = 0; made_after < 120; made_after += 7) {
    World world(small());
    const TimePoint made_at = world.now + seconds{made_after};
    std::vector<TimePoint> dials;
    while (world.take<GrantOrder>().empty() && world.now - made_at < minutes{2}) {
      world.acquire();
      for (const auto& dial : world.take<DialOrder>()) {
        dials.push_back(world.now);
        if (world.now >= made_at) {
          world.broker.dialled(dial.dial, 0, world.now, world.orders);
        } else {
          world.broker.dial_failed(dial.dial, denied, world.now, world.orders);
        }
      }
      world.advance(milliseconds{50});
    }
    EXPECT_LE(world.now - made_at, seconds{5} + milliseconds{100}) << made_after;
    for (std::size_t i = 4; i < dials.size(); ++i)
      EXPECT_GE(dials[i] - dials[i - 1], seconds{2}) << made_after << ' ' << i;
  }
}

TEST(Broker, AChangeOfAccountsEndsTheRefusal) {
  World world(small());
  world.acquire();
  const Error denied{Code::kAuth, "Access denied", 1045, "28000"};
  world.broker.dial_failed(world.take<DialOrder>().at(0).dial, denied, world.now, world.orders);
  ASSERT_EQ(world.take<FailOrder>().size(), 1U);

  world.broker.forget_refusals(world.now, world.orders);

  world.acquire();
  EXPECT_EQ(world.take<DialOrder>().size(), 1U);
}

TEST(Broker, RetiresAtTheEndOfLifeIdleOrAtRelease) {
  World world(small());
  const BackendId one = world.leased();
  const BackendId two = world.leased();
  world.release(one);
  world.advance(minutes{5});
  const auto retired = world.take<RetireOrder>();
  ASSERT_EQ(retired.size(), 1U);
  EXPECT_EQ(retired[0].reason, RetireReason::kRecycle);
  world.broker.closed(one, world.now, world.orders);
  world.advance(milliseconds{100});
  EXPECT_EQ(world.finish_dials().size(), 1U);

  world.release(two);

  EXPECT_EQ(world.take<RetireOrder>().at(0).reason, RetireReason::kRecycle);
}

TEST(Broker, ClosesOverflowSoonAndTheRestWhenIdleTooLong) {
  Limits limits = small();
  limits.recycle = minutes{60};
  World world(limits);
  const BackendId one = world.leased();
  const BackendId two = world.leased();
  world.release(one);
  world.release(two);
  world.advance(seconds{2});
  auto retired = world.take<RetireOrder>();
  ASSERT_EQ(retired.size(), 1U);
  EXPECT_EQ(retired[0].reason, RetireReason::kOverflow);
  EXPECT_EQ(retired[0].backend, one);

  world.advance(seconds{300});

  retired = world.take<RetireOrder>();
  ASSERT_EQ(retired.size(), 1U);
  EXPECT_EQ(retired[0].reason, RetireReason::kIdle);
}

TEST(Broker, MinIdleSurvivesTheIdleTimeout) {
  Limits limits = small();
  limits.min_idle = 1;
  limits.recycle = minutes{60};
  World world(limits);
  world.release(world.leased());

  world.advance(minutes{10});

  EXPECT_TRUE(world.take<RetireOrder>().empty());
}

TEST(Broker, DrainRetiresIdleNowAndLeasedAtRelease) {
  World world(small());
  const BackendId one = world.leased();
  const BackendId two = world.leased();
  world.release(one);

  world.broker.drain(world.orders);
  EXPECT_EQ(world.take<RetireOrder>().at(0).backend, one);
  world.release(two);
  EXPECT_EQ(world.take<RetireOrder>().at(0).reason, RetireReason::kShutdown);
}

// Any order of events: the cap holds, every waiter is answered once, and nothing stays behind.
TEST(Broker, HoldsItsInvariantsUnderRandomEvents) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    std::mt19937_64 random(seed);
    Limits limits;
    limits.size = 3;
    limits.max_overflow = 2;
    limits.recycle = seconds{5};
    limits.min_idle = static_cast<unsigned>(random() % 3);
    limits.ping_interval = milliseconds{random() % 2 * 300};
    World world(limits);
    std::set<WaiterId> waiting;
    std::set<BackendId> leased;
    std::vector<DialId> dialling;
    std::vector<BackendId> closing;
    std::vector<BackendId> pinged;
    std::set<BackendId> parked;
    const auto pump = [&] {
      std::vector<RecallOrder> recalls;
      while (!(recalls = world.take<RecallOrder>()).empty()) {
        for (const auto& order : recalls) {
          ASSERT_EQ(parked.erase(order.backend), 1U) << "asked who does not have it";
          if (random() % 2 == 0) world.broker.unpark(order.backend, world.now, world.orders);
          world.release(order.backend, 0);
        }
      }
      for (const auto& order : world.take<DialOrder>())
        dialling.push_back(order.dial);
      for (const auto& order : world.take<PingOrder>())
        pinged.push_back(order.backend);
      for (const auto& order : world.take<RetireOrder>())
        closing.push_back(order.backend);
      for (const auto& order : world.take<FailOrder>())
        ASSERT_EQ(waiting.erase(order.waiter), 1U);
      for (const auto& order : world.take<MoveOrder>()) {
        ASSERT_EQ(waiting.erase(order.waiter), 1U);
        ASSERT_TRUE(leased.insert(order.backend).second);
      }
      for (const auto& order : world.take<GrantOrder>()) {
        ASSERT_EQ(waiting.erase(order.waiter), 1U);
        ASSERT_TRUE(leased.insert(order.backend).second) << "lent twice";
      }
      ASSERT_LE(world.counts().total(), limits.cap());
    };
    for (int step = 0; step < 2000; ++step) {
      const auto dice = random() % 100;
      if (dice < 40) {
        const LeaseRequest request{.profile = random() % 2, .state = random() % 3, .last = 0};
        if (const auto got = world.acquire(request, random() % 2)) {
          ASSERT_TRUE(leased.insert(*got).second);
        } else {
          waiting.insert(world.waiter);
        }
      } else if (dice < 65 && !leased.empty()) {
        const BackendId backend = *leased.begin();
        leased.erase(backend);
        world.release(backend, random() % 3);
      } else if (dice < 68 && !leased.empty()) {
        const BackendId backend = *leased.begin();
        if (world.broker.try_park(backend, world.now)) {
          leased.erase(backend);
          parked.insert(backend);
        }
      } else if (dice < 70 && !leased.empty()) {
        const BackendId backend = *leased.rbegin();
        leased.erase(backend);
        world.broker.retire(backend, RetireReason::kDirty, world.now, world.orders);
        closing.push_back(backend);
      } else if (dice < 80 && !dialling.empty()) {
        const DialId dial = dialling.back();
        dialling.pop_back();
        if (random() % 4 == 0) {
          world.broker.dial_failed(dial, Error{Code::kRefused, "x"}, world.now, world.orders);
        } else {
          world.broker.dialled(dial, 0, world.now, world.orders);
        }
      } else if (dice < 90 && !closing.empty()) {
        const BackendId backend = closing.back();
        closing.pop_back();
        world.broker.closed(backend, world.now, world.orders);
      } else if (dice < 92 && !pinged.empty()) {
        const BackendId backend = pinged.back();
        pinged.pop_back();
        if (random() % 4 == 0) {
          world.broker.retire(backend, RetireReason::kLost, world.now, world.orders);
          closing.push_back(backend);
        } else {
          world.broker.pinged(backend, world.now, world.orders);
        }
      } else if (dice < 93 && !waiting.empty()) {
        world.broker.cancel(*waiting.begin(), world.now, world.orders);
        waiting.erase(waiting.begin());
      } else {
        world.advance(milliseconds{random() % 500});
      }
      pump();
      if (::testing::Test::HasFatalFailure()) FAIL() << "seed " << seed << " step " << step;
    }
    EXPECT_EQ(world.counts().waiting, waiting.size());
    EXPECT_EQ(world.counts().leased, leased.size());
    EXPECT_EQ(world.counts().parked, parked.size());
  }
}

}  // namespace
}  // namespace tidepool::pool

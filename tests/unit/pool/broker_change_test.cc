// A pool whose limits or account change while it works.
#include <algorithm>
#include <random>

#include "broker_world.h"

namespace tidepool::pool {
namespace {

Limits of_size(unsigned size) {
  Limits limits = small();
  limits.size = size;
  limits.max_overflow = 0;
  return limits;
}

TEST(BrokerChange, AHigherCapServesThoseWhoWait) {
  World world(of_size(1));
  world.leased();
  EXPECT_FALSE(world.acquire());
  EXPECT_TRUE(world.take<DialOrder>().empty());

  world.broker.set_limits(of_size(2), world.now, world.orders);
  world.advance(milliseconds{100});

  world.finish_dials();
  EXPECT_EQ(world.take<GrantOrder>().size(), 1U);
}

TEST(BrokerChange, ALowerCapClosesWhatIsGivenBackAndWhatIsIdle) {
  World world(of_size(4));
  const BackendId first = world.leased();
  const BackendId second = world.leased();
  const BackendId third = world.leased();
  const BackendId fourth = world.leased();
  world.release(first);

  world.broker.set_limits(of_size(2), world.now, world.orders);

  world.release(second);
  EXPECT_EQ(world.take<RetireOrder>().size(), 1U) << "as it is one too many";
  world.advance(milliseconds{1});
  EXPECT_EQ(world.take<RetireOrder>().size(), 1U) << "the idle one too";
  world.release(third);
  world.release(fourth);
  EXPECT_TRUE(world.take<RetireOrder>().empty());
  EXPECT_EQ(world.counts().idle, 2U);
}

TEST(BrokerChange, AnotherAccountReplacesEveryBackendAndNoneThatIsLent) {
  World world(of_size(2));
  const BackendId lent = world.leased();
  const BackendId idle = world.leased();
  world.release(idle);

  world.broker.replace_all(world.now, world.orders);
  world.advance(milliseconds{100});

  const auto retired = world.take<RetireOrder>();
  ASSERT_EQ(retired.size(), 1U);
  EXPECT_EQ(retired[0].backend, idle);
  world.broker.closed(idle, world.now, world.orders);
  EXPECT_EQ(world.finish_dials().size(), 1U);
  world.release(lent);
  EXPECT_EQ(world.take<RetireOrder>().size(), 1U) << "when it is given back";
}

TEST(BrokerChange, ABackendThatWasBeingDialledIsReplacedToo) {
  World world(of_size(1));
  ASSERT_FALSE(world.acquire());
  const DialId dial = world.take<DialOrder>().at(0).dial;

  world.broker.replace_all(world.now, world.orders);
  const BackendId old = world.broker.dialled(dial, 0, world.now, world.orders);
  ASSERT_EQ(world.take<GrantOrder>().at(0).backend, old);
  world.release(old);

  EXPECT_EQ(world.take<RetireOrder>().size(), 1U);
}

TEST(BrokerChange, ARefusalOfTheOldAccountIsForgotten) {
  World world(of_size(1));
  ASSERT_FALSE(world.acquire());
  const Error refusal{Code::kAuth, "Access denied", 1045, "28000"};
  world.broker.dial_failed(world.take<DialOrder>().at(0).dial, refusal, world.now, world.orders);
  ASSERT_FALSE(world.acquire());
  ASSERT_TRUE(world.take<DialOrder>().empty()) << "it is left alone";

  world.broker.replace_all(world.now, world.orders);
  EXPECT_FALSE(world.acquire());

  EXPECT_EQ(world.take<DialOrder>().size(), 1U);
}

TEST(BrokerChange, ServesAgainAfterADrain) {
  World world(of_size(1));
  world.release(world.leased());
  world.broker.drain(world.orders);
  world.close_retired();

  world.broker.resume(world.now, world.orders);

  EXPECT_FALSE(world.acquire());
  EXPECT_EQ(world.finish_dials().size(), 1U);
}

TEST(BrokerChange, WhatIsElsewhereIsNotOpenedHere) {
  World world(of_size(3));
  world.broker.set_reserved_by_peer(2, world.now, world.orders);
  const BackendId only = world.leased();
  EXPECT_FALSE(world.acquire());
  EXPECT_TRUE(world.take<DialOrder>().empty());

  world.broker.set_reserved_by_peer(1, world.now, world.orders);

  EXPECT_EQ(world.finish_dials().size(), 1U) << "for the one who waits, at once";
  EXPECT_EQ(world.counts().leased, 2U);
  world.release(only);
  EXPECT_TRUE(world.take<RetireOrder>().empty());
}

TEST(BrokerChange, WhatGoesElsewhereIsClosedWhenIdleOrGivenBack) {
  World world(of_size(3));
  const BackendId lent = world.leased();
  const BackendId parked = world.leased();
  const BackendId idle = world.leased();
  world.release(idle);
  EXPECT_TRUE(world.broker.try_park(parked, world.now));

  world.broker.set_reserved_by_peer(3, world.now, world.orders);

  ASSERT_EQ(world.take<RecallOrder>().size(), 1U);
  const auto retired = world.take<RetireOrder>();
  ASSERT_EQ(retired.size(), 1U);
  EXPECT_EQ(retired[0].backend, idle);
  world.broker.closed(idle, world.now, world.orders);
  world.release(parked);
  world.release(lent);
  EXPECT_EQ(world.take<RetireOrder>().size(), 2U);
}

TEST(BrokerChange, OtherLimitsLeaveWhatIsElsewhere) {
  World world(of_size(1));
  world.broker.set_reserved_by_peer(2, world.now, world.orders);

  world.broker.set_limits(of_size(3), world.now, world.orders);

  EXPECT_EQ(world.broker.pool().limits.cap(), 1U);
}

// Two processes that share a cap, as a takeover has it: the one gives away what it does not need.
TEST(BrokerChange, TwoThatShareACapNeverExceedItTogether) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    World one(of_size(5));
    World two(of_size(5));
    two.broker.set_reserved_by_peer(5, two.now, two.orders);
    unsigned kept = 5;
    std::vector<BackendId> lent_one;
    std::vector<BackendId> lent_two;
    const auto turn = [&random](World& world, std::vector<BackendId>& lent) {
      if (random() % 2 == 0) {
        if (const auto backend = world.acquire()) lent.push_back(*backend);
      } else if (!lent.empty()) {
        world.release(lent.back());
        lent.pop_back();
      }
      if (random() % 2 == 0) world.finish_dials();
      for (const GrantOrder& grant : world.take<GrantOrder>())
        lent.push_back(grant.backend);
      if (random() % 2 == 0) world.close_retired();
      world.advance(milliseconds{10});
    };
    for (int step = 0; step < 500; ++step) {
      turn(one, lent_one);
      turn(two, lent_two);
      if (random() % 50 == 0 && kept > 0) --kept;
      one.broker.set_reserved_by_peer(5 - kept, one.now, one.orders);
      const unsigned held = std::max(kept, one.counts().total());
      two.broker.set_reserved_by_peer(held, two.now, two.orders);
      ASSERT_LE(one.counts().total() + two.counts().total(), 5U);
    }
    EXPECT_LE(one.counts().total() - one.counts().leased, kept + 1);
  }
}

}  // namespace
}  // namespace tidepool::pool

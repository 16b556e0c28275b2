// Parked backends: when one is asked for, and what then happens to those who wait.
#include "broker_world.h"

namespace tidepool::pool {
namespace {

// One parked backend, and nobody who had to wait lately.
class BrokerParking : public ::testing::Test {
 protected:
  BackendId parked_one(World& world, const LeaseRequest& request = kPlain) {
    const BackendId backend = world.leased(request);
    world.now += seconds{5};  // nobody has waited since
    EXPECT_TRUE(world.broker.try_park(backend, world.now));
    EXPECT_TRUE(world.orders.empty());
    return backend;
  }
  // The backends that the broker asked for since the last call.
  static std::vector<BackendId> recalled(World& world) {
    std::vector<BackendId> backends;
    for (const RecallOrder& order : world.take<RecallOrder>())
      backends.push_back(order.backend);
    return backends;
  }
  using Backends = std::vector<BackendId>;
};

TEST_F(BrokerParking, AParkedBackendCountsForItself) {
  World world(small());
  parked_one(world);

  EXPECT_EQ(world.counts().parked, 1U);
  EXPECT_EQ(world.counts().leased, 0U);
  EXPECT_EQ(world.counts().idle, 0U);
  EXPECT_EQ(world.counts().total(), 1U);
}

TEST_F(BrokerParking, IsLentToNobodyWhoDoesNotWait) {
  World world(small());
  parked_one(world);

  EXPECT_FALSE(world.broker.try_acquire(0, kPlain));
}

TEST_F(BrokerParking, IsAskedForBeforeAnOverflowBackendIsOpened) {
  World world(small());
  const BackendId backend = parked_one(world);

  EXPECT_FALSE(world.acquire());

  EXPECT_EQ(recalled(world), Backends{backend});
  EXPECT_TRUE(world.take<DialOrder>().empty());
  world.release(backend, 7);
  EXPECT_EQ(world.take<GrantOrder>().at(0).waiter, world.waiter);
  EXPECT_EQ(world.counts().parked, 0U);
  EXPECT_EQ(world.counts().leased, 1U);
}

TEST_F(BrokerParking, IsLeftAloneWhileThePoolIsSmallerThanItsSize) {
  Limits limits = small();
  limits.size = 2;
  World world(limits);
  parked_one(world);

  EXPECT_FALSE(world.acquire());

  EXPECT_TRUE(recalled(world).empty());
  EXPECT_EQ(world.take<DialOrder>().size(), 1U);
}

TEST_F(BrokerParking, IsAskedForWhenTidbCannotBeDialled) {
  Limits limits = small();
  limits.size = 2;
  limits.max_dials = 1;
  World world(limits);
  const BackendId backend = parked_one(world);
  world.acquire();
  EXPECT_EQ(world.take<DialOrder>().size(), 1U);

  world.acquire();

  EXPECT_EQ(recalled(world), Backends{backend});
}

TEST_F(BrokerParking, TheOldestIsAskedFirstAndOneForEachWhoWaits) {
  Limits limits = small();
  limits.size = 3;
  limits.max_overflow = 0;
  World world(limits);
  const BackendId one = world.leased();
  const BackendId two = world.leased();
  const BackendId three = world.leased();
  world.now += seconds{5};
  for (const BackendId backend : {two, one, three})
    ASSERT_TRUE(world.broker.try_park(backend, world.now));

  world.acquire();
  EXPECT_EQ(recalled(world), Backends{two});
  world.acquire();
  EXPECT_EQ(recalled(world), Backends{one});
  world.advance(milliseconds{100});
  EXPECT_TRUE(recalled(world).empty()) << "each waiter has one coming";
}

TEST_F(BrokerParking, AWaiterGetsAnotherWhenTheAskedOneGoesOn) {
  Limits limits = small();
  limits.size = 2;
  limits.max_overflow = 0;
  World world(limits);
  const BackendId one = world.leased();
  const BackendId two = world.leased();
  world.now += seconds{5};
  ASSERT_TRUE(world.broker.try_park(one, world.now));
  ASSERT_TRUE(world.broker.try_park(two, world.now));
  world.acquire();
  ASSERT_EQ(recalled(world), Backends{one});

  world.broker.unpark(one, world.now, world.orders);

  EXPECT_EQ(recalled(world), Backends{two});
  EXPECT_EQ(world.counts().leased, 1U);
}

TEST_F(BrokerParking, AWaiterGetsADialWhenTheOnlyOneGoesOn) {
  World world(small());
  const BackendId backend = parked_one(world);
  world.acquire();
  ASSERT_EQ(recalled(world), Backends{backend});

  world.broker.unpark(backend, world.now, world.orders);

  EXPECT_EQ(world.take<DialOrder>().size(), 1U);
}

TEST_F(BrokerParking, GoingOnWithoutBeingAskedOrdersNothing) {
  World world(small());
  const BackendId backend = parked_one(world);

  world.broker.unpark(backend, world.now, world.orders);

  EXPECT_TRUE(world.orders.empty());
  EXPECT_EQ(world.counts().leased, 1U);
}

TEST_F(BrokerParking, NobodyParksWhileSomebodyWaits) {
  World world(small());
  const BackendId one = world.leased();
  world.leased();
  world.acquire();

  EXPECT_FALSE(world.broker.try_park(one, world.now));

  EXPECT_EQ(world.counts().leased, 2U) << "still the holder's, to be read back and released";
}

TEST_F(BrokerParking, TheLastBackendAtHandIsNotParkedWhileSessionsQueueNowAndThen) {
  World world(small());
  const BackendId backend = world.leased();  // somebody waited for the dial

  EXPECT_FALSE(world.broker.try_park(backend, world.now));
  world.now += seconds{5};
  EXPECT_TRUE(world.broker.try_park(backend, world.now));
}

TEST_F(BrokerParking, ABusyPoolParksWhileAnotherBackendIsIdle) {
  Limits limits = small();
  limits.size = 2;
  World world(limits);
  const BackendId one = world.leased();
  const BackendId two = world.leased();
  world.release(two);

  EXPECT_TRUE(world.broker.try_park(one, world.now));
}

TEST_F(BrokerParking, IsAskedForAfterAWhile) {
  World world(small());
  const BackendId backend = parked_one(world);

  world.advance(milliseconds{999});
  EXPECT_TRUE(recalled(world).empty());
  world.advance(milliseconds{1});
  EXPECT_EQ(recalled(world), Backends{backend});
  world.advance(seconds{1});
  EXPECT_TRUE(recalled(world).empty()) << "once is enough";
}

TEST_F(BrokerParking, IsAskedForAtTheEndOfItsLifeAndThenRetired) {
  Limits limits = small();
  limits.recycle = minutes{1};
  limits.parking.limit = minutes{10};
  World world(limits);
  const BackendId backend = parked_one(world);

  world.advance(minutes{2});

  EXPECT_EQ(recalled(world), Backends{backend});
  world.finish_dials();
  world.release(backend);
  EXPECT_EQ(world.take<RetireOrder>().at(0).reason, RetireReason::kRecycle);
}

TEST_F(BrokerParking, ADrainAsksForItAndThenRetiresIt) {
  World world(small());
  const BackendId backend = parked_one(world);

  world.broker.drain(world.orders);

  EXPECT_EQ(recalled(world), Backends{backend});
  world.release(backend);
  EXPECT_EQ(world.take<RetireOrder>().at(0).reason, RetireReason::kShutdown);
  EXPECT_EQ(world.counts().parked, 0U);
}

TEST_F(BrokerParking, NobodyParksInADrain) {
  World world(small());
  const BackendId backend = world.leased();
  world.now += seconds{5};
  world.broker.drain(world.orders);

  EXPECT_FALSE(world.broker.try_park(backend, world.now));
}

TEST_F(BrokerParking, OfAnotherWorkerIsAskedThereAndThenMoves) {
  World world(small());
  const BackendId backend = parked_one(world);

  EXPECT_FALSE(world.acquire(kPlain, 1));

  ASSERT_EQ(world.orders.size(), 1U);
  EXPECT_EQ(world.orders[0].worker, 0U);
  EXPECT_EQ(recalled(world), Backends{backend});
  world.release(backend);
  const auto moves = world.take<MoveOrder>();
  ASSERT_EQ(moves.size(), 1U);
  EXPECT_EQ(moves[0].to, 1U);
}

TEST_F(BrokerParking, OfAnotherProfileMakesRoomAtTheCap) {
  Limits limits = small();
  limits.max_overflow = 0;
  World world(limits);
  const BackendId backend = parked_one(world);

  world.acquire({.profile = 2});

  EXPECT_EQ(recalled(world), Backends{backend});
  world.release(backend);
  EXPECT_EQ(world.take<RetireOrder>().at(0).reason, RetireReason::kProfile);
  world.broker.closed(backend, world.now, world.orders);
  EXPECT_EQ(world.take<DialOrder>().at(0).profile, 2U);
}

TEST_F(BrokerParking, IsNoLongerCountedWhenTidbClosesIt) {
  World world(small());
  const BackendId backend = parked_one(world);
  world.acquire();
  recalled(world);

  world.broker.retire(backend, RetireReason::kDirty, world.now, world.orders);
  EXPECT_EQ(world.counts().parked, 0U);
  EXPECT_EQ(world.counts().closing, 1U);
  world.broker.closed(backend, world.now, world.orders);

  EXPECT_EQ(world.take<DialOrder>().size(), 1U) << "for the one who waits";
}

TEST_F(BrokerParking, MayBeReleasedUnasked) {
  World world(small());
  const BackendId backend = parked_one(world);

  world.release(backend);

  EXPECT_EQ(world.counts().idle, 1U);
  EXPECT_EQ(world.acquire(), backend);
}

TEST_F(BrokerParking, AWaiterThatLeavesTakesNothingFromTheNext) {
  World world(small());
  const BackendId backend = parked_one(world);
  world.acquire();
  recalled(world);

  world.broker.cancel(world.waiter, world.now, world.orders);
  world.release(backend);

  EXPECT_EQ(world.counts().idle, 1U);
  EXPECT_TRUE(world.take<GrantOrder>().empty());
}

}  // namespace
}  // namespace tidepool::pool

// Users who compete for a pool, limits of users and databases, and the bound of the queue.
#include "broker_world.h"

namespace tidepool::pool {
namespace {

LeaseRequest of(std::uint64_t user, unsigned max_leases = 0) {
  return {.profile = 1, .user = user, .max_leases = max_leases};
}
LeaseRequest in(std::uint64_t database) {
  return {.profile = 1, .user = 1, .database = database};
}

Limits limits(unsigned cap) {
  Limits limits = small();
  limits.size = cap;
  limits.max_overflow = 0;
  limits.max_dials = cap;
  return limits;
}

class BrokerShare : public ::testing::Test {
 protected:
  WaiterId wait(World& world, const LeaseRequest& request) {
    EXPECT_FALSE(world.acquire(request));
    return world.waiter;
  }
  std::vector<WaiterId> granted(World& world) {
    std::vector<WaiterId> ids;
    for (const GrantOrder& grant : world.take<GrantOrder>())
      ids.push_back(grant.waiter);
    return ids;
  }
  using Ids = std::vector<WaiterId>;
};

TEST_F(BrokerShare, ServesUsersInTurnHoweverManyOfOneWait) {
  World world(limits(1));
  const BackendId backend = world.leased(of(1));
  const Ids many{wait(world, of(1)), wait(world, of(1)), wait(world, of(1))};
  const Ids few{wait(world, of(2)), wait(world, of(2))};

  Ids order;
  for (int i = 0; i < 5; ++i) {
    world.release(backend);
    order.push_back(granted(world).at(0));
  }

  EXPECT_EQ(order, (Ids{few[0], many[0], few[1], many[1], many[2]}));
}

TEST_F(BrokerShare, ServesTheUserWithFewerLeasesFirst) {
  World world(limits(3));
  const BackendId one = world.leased(of(1));
  world.leased(of(1));
  world.leased(of(2));
  const WaiterId first = wait(world, of(1));
  const WaiterId second = wait(world, of(2));

  world.release(one);
  EXPECT_EQ(granted(world), Ids{first}) << "one each, and user 1 was served longer ago";
  world.release(one);
  EXPECT_EQ(granted(world), Ids{second});
}

TEST_F(BrokerShare, KeepsAUserWithinItsLimitAndLetsOthersPass) {
  World world(limits(2));
  const BackendId one = world.leased(of(1, 1));
  const BackendId two = world.leased(of(2));
  world.release(two);
  const WaiterId waits = wait(world, of(1, 1));
  EXPECT_TRUE(granted(world).empty());
  EXPECT_TRUE(world.take<DialOrder>().empty());

  EXPECT_EQ(world.acquire(of(2)), two) << "who waits for a limit is in nobody's way";
  world.release(two);
  world.release(one);

  EXPECT_EQ(granted(world), Ids{waits});
}

TEST_F(BrokerShare, ServesFromWhatIsIdleWhenALeaseOfTheUserIsLost) {
  World world(limits(2));
  const BackendId one = world.leased(of(1, 1));
  const BackendId two = world.leased(of(2));
  world.release(two);
  const WaiterId waits = wait(world, of(1, 1));

  world.broker.retire(one, RetireReason::kDirty, world.now, world.orders);
  world.broker.closed(one, world.now, world.orders);

  const auto grants = world.take<GrantOrder>();
  ASSERT_EQ(grants.size(), 1U);
  EXPECT_EQ(grants[0].waiter, waits);
  EXPECT_EQ(grants[0].backend, two);
}

TEST_F(BrokerShare, OpensNoMoreBackendsThanALimitLetsAUserHave) {
  World world(limits(4));
  for (int i = 0; i < 4; ++i)
    wait(world, of(1, 2));

  EXPECT_EQ(world.take<DialOrder>().size(), 2U);
}

TEST_F(BrokerShare, RecallsWhatTheUserItselfHasParked) {
  World world(limits(2));
  const BackendId parked = world.leased(of(1, 1));
  ASSERT_TRUE(world.broker.try_park(parked, world.now));

  const WaiterId waits = wait(world, of(1, 1));

  const auto recalls = world.take<RecallOrder>();
  ASSERT_EQ(recalls.size(), 1U);
  EXPECT_EQ(recalls[0].backend, parked);
  world.release(parked);
  EXPECT_EQ(granted(world), Ids{waits});
}

TEST_F(BrokerShare, KeepsADatabaseWithinItsLimit) {
  Limits two = limits(2);
  two.max_leases_per_database = 1;
  World world(two);
  const BackendId one = world.leased(in(7));
  const WaiterId waits = wait(world, in(7));

  EXPECT_TRUE(world.take<DialOrder>().empty());
  world.leased(in(8));
  world.release(one);

  EXPECT_EQ(granted(world), Ids{waits});
}

TEST_F(BrokerShare, RefusesWhoFindsTheQueueFull) {
  Limits one = limits(1);
  one.max_waiters = 2;
  World world(one);
  const BackendId backend = world.leased();
  const Ids queued{wait(world, of(1)), wait(world, of(1))};
  EXPECT_TRUE(world.take<FailOrder>().empty());

  const WaiterId refused = wait(world, of(1));

  const auto failures = world.take<FailOrder>();
  ASSERT_EQ(failures.size(), 1U);
  EXPECT_EQ(failures[0].waiter, refused);
  EXPECT_EQ(failures[0].error.code, Code::kBusy);
  EXPECT_EQ(failures[0].error.mysql_errno, 1040);
  EXPECT_NE(failures[0].error.message.find("1 leased, 0 dialling, 0 idle of at most 1"),
            std::string::npos)
      << failures[0].error.message;
  world.release(backend);
  EXPECT_EQ(granted(world), Ids{queued[0]});
}

TEST_F(BrokerShare, CountsNobodyForWhomABackendIsBeingOpened) {
  Limits three = limits(3);
  three.max_waiters = 1;
  World world(three);
  for (int i = 0; i < 4; ++i)
    wait(world, of(1));
  EXPECT_TRUE(world.take<FailOrder>().empty());

  wait(world, of(1));

  EXPECT_EQ(world.take<FailOrder>().size(), 1U);
}

TEST_F(BrokerShare, LetsAKillPassTheFullQueue) {
  Limits one = limits(1);
  one.max_waiters = 1;
  World world(one);
  const BackendId backend = world.leased();
  wait(world, of(1));
  LeaseRequest urgent = of(0);
  urgent.is_urgent = true;

  const WaiterId kill = wait(world, urgent);

  EXPECT_TRUE(world.take<FailOrder>().empty());
  world.release(backend);
  EXPECT_EQ(granted(world), Ids{kill});
}

}  // namespace
}  // namespace tidepool::pool

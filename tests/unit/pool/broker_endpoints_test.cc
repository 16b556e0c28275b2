// Several endpoints: the first one that answers, and the way back to a better one.
#include <array>
#include <map>
#include <set>

#include "broker_world.h"

namespace tidepool::pool {
namespace {

Limits two_endpoints() {
  Limits limits;
  limits.endpoints = 2;
  limits.size = 3;
  limits.max_overflow = 1;
  limits.idle_timeout = milliseconds{0};
  limits.recycle = milliseconds{0};
  return limits;
}

// Plays two servers.
class Servers {
 public:
  explicit Servers(const Limits& limits) : world(limits) {}

  // Lets each dial end as its endpoint is. Answers how many there were.
  std::size_t dial() {
    const auto dials = world.take<DialOrder>();
    for (const DialOrder& order : dials) {
      dialled.push_back(order.endpoint);
      if (!up[order.endpoint]) {
        world.broker.dial_failed(order.dial, {Code::kRefused, "away"}, world.now, world.orders);
        continue;
      }
      where[world.broker.dialled(order.dial, 0, world.now, world.orders)] = order.endpoint;
    }
    for (const RetireOrder& order : world.take<RetireOrder>()) {
      world.broker.closed(order.backend, world.now, world.orders);
      where.erase(order.backend);
    }
    return dials.size();
  }
  void run(Duration time) {
    for (const TimePoint end = world.now + time; world.now < end;) {
      world.advance(milliseconds{100});
      while (dial() > 0) {
      }
    }
  }
  // Opens that many and gives them back.
  void open(int count) {
    for (int i = 0; i < count; ++i)
      world.acquire();
    run(seconds{2});
    for (const GrantOrder& order : world.take<GrantOrder>())
      world.release(order.backend);
  }
  // Clients that always want more than there is: whoever is given back is wanted by the next.
  void run_full(Duration time) {
    for (const TimePoint end = world.now + time; world.now < end;) {
      world.advance(milliseconds{100});
      while (dial() > 0) {
      }
      for (const GrantOrder& order : world.take<GrantOrder>()) {
        world.acquire();
        world.release(order.backend);
        while (dial() > 0) {
        }
      }
    }
  }
  std::multiset<EndpointIndex> places() const {
    std::multiset<EndpointIndex> found;
    for (const auto& [backend, endpoint] : where)
      found.insert(endpoint);
    return found;
  }

  World world;
  std::array<bool, 2> up{true, true};
  std::map<BackendId, EndpointIndex> where;
  std::vector<EndpointIndex> dialled;
};

using Places = std::multiset<EndpointIndex>;

TEST(BrokerEndpoints, TheFirstOneIsUsedWhileItAnswers) {
  Servers servers(two_endpoints());
  servers.open(3);
  EXPECT_EQ(servers.places(), (Places{0, 0, 0}));
}

TEST(BrokerEndpoints, AWaiterGoesOnToTheNextOneAtOnce) {
  Servers servers(two_endpoints());
  servers.up = {false, true};
  servers.world.acquire();
  EXPECT_EQ(servers.dial(), 1U);
  EXPECT_EQ(servers.dial(), 1U) << "without a tick";
  EXPECT_EQ(servers.dialled, (std::vector<EndpointIndex>{0, 1}));
  EXPECT_EQ(servers.world.take<GrantOrder>().size(), 1U);
}

TEST(BrokerEndpoints, WaitersDoNotPayForTheProbes) {
  Servers servers(two_endpoints());
  servers.up = {false, true};
  servers.open(2);
  servers.run(seconds{30});
  servers.dialled.clear();

  servers.world.broker.retire(servers.where.begin()->first, RetireReason::kDirty, servers.world.now,
                              servers.world.orders);
  servers.world.broker.closed(servers.where.begin()->first, servers.world.now,
                              servers.world.orders);
  servers.where.erase(servers.where.begin());
  servers.world.acquire();
  servers.world.acquire();
  servers.dial();

  ASSERT_FALSE(servers.dialled.empty());
  EXPECT_EQ(servers.dialled[0], 1U);
}

TEST(BrokerEndpoints, AllReturnToTheBetterOneOneAfterTheOther) {
  Servers servers(two_endpoints());
  servers.up = {false, true};
  servers.open(3);
  ASSERT_EQ(servers.places(), (Places{1, 1, 1}));
  servers.run(seconds{30});
  ASSERT_EQ(servers.places(), (Places{1, 1, 1})) << "a probe that fails harms nobody";

  servers.up[0] = true;
  servers.run(seconds{15});
  EXPECT_TRUE(servers.places().contains(0));
  servers.run(seconds{45});

  EXPECT_EQ(servers.places(), (Places{0, 0, 0}));
}

TEST(BrokerEndpoints, WithoutRoomOneGoesFirst) {
  Limits limits = two_endpoints();
  limits.max_overflow = 0;
  Servers servers(limits);
  servers.up = {false, true};
  servers.open(3);
  servers.up[0] = true;

  servers.run(minutes{2});

  const Places places = servers.places();
  EXPECT_FALSE(places.contains(1));
  EXPECT_GE(places.size(), 1U);
}

TEST(BrokerEndpoints, AFullPoolReturnsWithTheEndsOfItsBackendsLives) {
  for (const unsigned size : {1U, 3U}) {
    Limits limits = two_endpoints();
    limits.size = size;
    limits.max_overflow = 0;
    limits.recycle = seconds{20};
    Servers servers(limits);
    servers.up = {false, true};
    for (unsigned i = 0; i < 2 * size; ++i)
      servers.world.acquire();
    servers.run_full(seconds{60});
    ASSERT_FALSE(servers.places().contains(0));
    EXPECT_EQ(servers.places().size(), size) << "a probe that fails is followed by the next one";

    servers.up[0] = true;
    servers.run_full(seconds{120});

    EXPECT_FALSE(servers.places().contains(1));
    EXPECT_EQ(servers.places().size(), size);
  }
}

TEST(BrokerEndpoints, TheOnlyBackendIsNotGivenUpForAProbe) {
  Limits limits = two_endpoints();
  limits.size = 1;
  limits.max_overflow = 0;
  Servers servers(limits);
  servers.up = {false, true};
  servers.open(1);
  servers.dialled.clear();

  servers.run(minutes{1});

  EXPECT_TRUE(servers.dialled.empty());
  EXPECT_EQ(servers.places(), (Places{1}));
}

TEST(BrokerEndpoints, ALeasedBackendIsNotDisturbed) {
  Servers servers(two_endpoints());
  servers.up = {false, true};
  servers.open(1);
  const auto leased = servers.world.acquire();
  ASSERT_TRUE(leased);
  servers.up[0] = true;

  servers.run(minutes{1});
  EXPECT_EQ(servers.places(), (Places{0, 1}));
  servers.world.release(*leased);
  servers.run(seconds{1});

  EXPECT_EQ(servers.places(), (Places{0}));
}

// Two backends on the worse endpoint, one leased, one that closes: the leased one is replaced, and
// has some time left.
class ReplacedBeforeItsEnd : public ::testing::Test {
 protected:
  ReplacedBeforeItsEnd() : servers_(two_endpoints()) {
    servers_.up = {false, true};
    servers_.open(2);
    World& world = servers_.world;
    const auto leased = world.acquire();
    const auto closing = world.acquire();
    leased_ = std::min(*leased, *closing);
    world.broker.retire(std::max(*leased, *closing), RetireReason::kDirty, world.now, world.orders);
    servers_.up[0] = true;
    for (int tenths = 0; tenths < 600 && servers_.places().count(0) == 0; ++tenths)
      servers_.run(milliseconds{100});
  }

  Servers servers_;
  BackendId leased_ = 0;
};

TEST_F(ReplacedBeforeItsEnd, ABackendGoesWithItsLease) {
  ASSERT_EQ(servers_.places().count(0), 1U);

  servers_.world.release(leased_);

  const auto retired = servers_.world.take<RetireOrder>();
  ASSERT_EQ(retired.size(), 1U);
  EXPECT_EQ(retired[0].backend, leased_);
  EXPECT_EQ(retired[0].reason, RetireReason::kRecycle);
}

TEST_F(ReplacedBeforeItsEnd, ABackendIsNotParked) {
  ASSERT_EQ(servers_.places().count(0), 1U);

  EXPECT_FALSE(servers_.world.broker.try_park(leased_, servers_.world.now));
}

}  // namespace
}  // namespace tidepool::pool

// The one scheduler: nobody waits while there is something for them, whatever happens in whatever
// order.
#include <algorithm>
#include <map>
#include <random>
#include <sstream>

#include "broker_world.h"

namespace tidepool::pool {
namespace {

constexpr LeaseRequest kOther{.profile = 2};

Limits of_size(unsigned size) {
  Limits limits = small();
  limits.size = size;
  limits.max_overflow = 0;
  limits.max_dials = size;
  return limits;
}

LeaseRequest of(std::uint64_t user, std::uint64_t profile) {
  return {.profile = profile, .user = user};
}

// Plays clients that always have one more statement: whoever is served runs it and queues again.
class Crowd {
 public:
  Crowd(const Limits& limits, std::vector<LeaseRequest> clients) : world_(limits) {
    for (const LeaseRequest& request : clients)
      wait(request);
  }

  // Statements take a millisecond. Answers how many each profile ran.
  std::map<std::uint64_t, int> run(int milliseconds_long) {
    std::map<std::uint64_t, int> served;
    for (int ms = 0; ms < milliseconds_long; ++ms) {
      world_.now += milliseconds{1};
      if (ms % 100 == 0) world_.broker.tick(world_.now, world_.orders);
      world_.close_retired();
      dials += static_cast<int>(world_.finish_dials().size());
      for (const GrantOrder& grant : world_.take<GrantOrder>()) {
        const LeaseRequest request = waiting_.at(grant.waiter);
        waiting_.erase(grant.waiter);
        ++served[request.profile];
        wait(request);
        world_.release(grant.backend);
      }
    }
    return served;
  }
  int dials = 0;

 private:
  void wait(const LeaseRequest& request) {
    const TimePoint deadline = world_.now + std::chrono::hours{1};
    waiting_[world_.broker.enqueue(0, request, deadline, world_.now, world_.orders)] = request;
  }

  World world_;
  std::map<WaiterId, LeaseRequest> waiting_;
};

std::vector<LeaseRequest> six_of_each() {
  std::vector<LeaseRequest> clients;
  for (int i = 0; i < 6; ++i) {
    clients.push_back(of(1, 1));
    clients.push_back(of(2, 2));
  }
  return clients;
}

TEST(BrokerSchedule, TwoProfilesShareAFullPoolWithoutStandingStill) {
  for (const unsigned size : {2U, 3U, 15U}) {
    Crowd crowd(of_size(size), six_of_each());
    const auto served = crowd.run(10'000);
    EXPECT_GT(served.at(1) + served.at(2), 10'000) << "size " << size;
    EXPECT_GT(served.at(1), 2'000) << "size " << size;
    EXPECT_GT(served.at(2), 2'000) << "size " << size;
    EXPECT_LT(crowd.dials, 15) << "size " << size;
  }
}

TEST(BrokerSchedule, FewerPlacesThanProfilesAreNotDialledForEachStatement) {
  Crowd crowd(of_size(1), six_of_each());

  const auto served = crowd.run(10'000);

  EXPECT_GT(served.at(1), 2'000);
  EXPECT_GT(served.at(2), 2'000);
  EXPECT_LT(crowd.dials, 50) << "a variant keeps the place for a while";
}

TEST(BrokerSchedule, WhatAWaiterWouldHaveHadIsTheNextOnesWhenItLeaves) {
  World world(of_size(1));
  const BackendId lent = world.leased();
  world.acquire(kOther);
  const WaiterId leaves = world.waiter;
  world.acquire();
  world.release(lent);  // goes, for the one who leaves
  world.broker.cancel(leaves, world.now, world.orders);

  world.close_retired();
  world.finish_dials();

  EXPECT_EQ(world.take<GrantOrder>().size(), 1U);
}

TEST(BrokerSchedule, ALostLeaseServesAtOnceWhoseLimitItWas) {
  World world(of_size(2));
  const LeaseRequest limited{.profile = 1, .user = 1, .max_leases = 1};
  const BackendId lost = world.leased(limited);
  const BackendId other = world.leased();
  world.release(other);
  EXPECT_FALSE(world.acquire(limited));

  world.broker.retire(lost, RetireReason::kDirty, world.now, world.orders);

  const auto grants = world.take<GrantOrder>();
  ASSERT_EQ(grants.size(), 1U) << "not only when it is closed";
  EXPECT_EQ(grants[0].backend, other);
}

TEST(BrokerSchedule, SeveralWhoWaitGetRoomAtOnce) {
  World world(of_size(3));
  std::vector<BackendId> backends;
  for (int i = 0; i < 3; ++i)
    backends.push_back(world.leased());
  for (const BackendId backend : backends)
    world.release(backend);

  world.acquire(kOther);
  world.acquire(kOther);

  EXPECT_EQ(world.take<RetireOrder>().size(), 2U);
}

// A pool, its workers and its clients, with everything known that can be seen from outside.
class Model {
 public:
  enum class State : std::uint8_t { kIdle, kPinging, kLeased, kParked, kClosing };
  struct Backend {
    std::uint64_t profile = 0;
    State state = State::kIdle;
    bool is_recalled = false;
    LeaseRequest holder;
  };

  explicit Model(unsigned seed) : random_(seed), limits_(any_limits()), world_(limits_) {}

  void step() {
    const unsigned dice = pick(100);
    if (dice < 35) {
      lease_request();
    } else if (dice < 55) {
      with_any(State::kLeased, [this](BackendId id) { release(id); });
    } else if (dice < 60) {
      with_any(State::kLeased, [this](BackendId id) { park(id); });
    } else if (dice < 63) {
      with_any(State::kParked, [this](BackendId id) { unpark(id); });
    } else if (dice < 66) {
      with_any(State::kParked, [this](BackendId id) { release(id); });
    } else if (dice < 69) {
      with_any(State::kLeased, [this](BackendId id) { lose(id); });
    } else if (dice < 78) {
      end_dial(pick(4) == 0);
    } else if (dice < 86) {
      with_any(State::kClosing, [this](BackendId id) { close(id); });
    } else if (dice < 88) {
      with_any(State::kPinging, [this](BackendId id) { answer_ping(id); });
    } else if (dice < 92) {
      cancel();
    } else if (dice < 93) {
      change_limits();
    } else {
      world_.advance(milliseconds{pick(300)});
    }
    note_orders();
  }

  // Everything that is under way ends well, and nobody wants more.
  void settle() {
    for (std::size_t rounds = 100 + 40 * waiting_.size(); rounds > 0 && !waiting_.empty();
         --rounds) {
      while (!dials_.empty())
        end_dial(false);
      for (const State state : {State::kClosing, State::kPinging, State::kParked, State::kLeased})
        for (const BackendId id : all_in(state))
          settle_one(state, id);
      world_.advance(milliseconds{100});
      note_orders();
    }
  }

  // Empty: all is well.
  std::string fault() const {
    std::ostringstream text;
    if (world_.counts().total() > limits_.cap()) text << "beyond the cap; ";
    if (world_.counts().waiting != waiting_.size()) text << "waiters differ; ";
    for (const auto& [id, request] : waiting_) {
      if (!allows(request)) continue;
      if (count(State::kIdle, request.profile) > 0) text << "waits beside an idle one; ";
      if (stands_still()) text << "stands still beside an idle one of another variant; ";
    }
    return text.str();
  }
  std::size_t waiting() const { return waiting_.size(); }

 private:
  unsigned pick(unsigned count) { return static_cast<unsigned>(random_() % count); }

  Limits any_limits() {
    Limits limits;
    limits.size = 1 + pick(4);
    limits.max_overflow = pick(3);
    limits.max_dials = 1 + pick(4);
    limits.dial_rate = 1'000'000;
    limits.recycle = pick(2) == 0 ? milliseconds{0} : milliseconds{5'000};
    limits.min_idle = pick(3);
    limits.ping_interval = milliseconds{pick(2) * 300};
    limits.max_leases_per_database = pick(3);
    limits.backoff_max = milliseconds{400};
    return limits;
  }
  LeaseRequest any_request() {
    LeaseRequest request{
        .profile = pick(3), .state = pick(3), .user = 1 + pick(3), .database = pick(3)};
    request.max_leases = request.user == 1 ? 2 : 0;
    request.is_urgent = pick(20) == 0;
    return request;
  }

  void lease_request() {
    const LeaseRequest request = any_request();
    const WorkerIndex worker = pick(2);
    if (const auto at_once = world_.broker.try_acquire(worker, request)) {
      lend(*at_once, request);
      return;
    }
    const TimePoint deadline = world_.now + (pick(10) == 0 ? seconds{1} : seconds{100'000});
    waiting_[world_.broker.enqueue(worker, request, deadline, world_.now, world_.orders)] = request;
  }
  void release(BackendId id) {
    set_state(id, State::kIdle);
    world_.release(id, pick(3));
  }
  void park(BackendId id) {
    if (world_.broker.try_park(id, world_.now)) set_state(id, State::kParked);
  }
  void unpark(BackendId id) {
    set_state(id, State::kLeased);
    world_.broker.unpark(id, world_.now, world_.orders);
  }
  void lose(BackendId id) {
    set_state(id, State::kClosing);
    world_.broker.retire(id, RetireReason::kDirty, world_.now, world_.orders);
  }
  void close(BackendId id) {
    backends_.erase(id);
    world_.broker.closed(id, world_.now, world_.orders);
  }
  void answer_ping(BackendId id) {
    if (pick(4) == 0) return lose(id);
    set_state(id, State::kIdle);
    world_.broker.pinged(id, world_.now, world_.orders);
  }
  void end_dial(bool fails) {
    if (dials_.empty()) return;
    const auto [dial, profile] = dials_.back();
    dials_.pop_back();
    if (fails) {
      world_.broker.dial_failed(dial, {Code::kRefused, "away"}, world_.now, world_.orders);
    } else {
      const BackendId id = world_.broker.dialled(dial, 0, world_.now, world_.orders);
      backends_[id].profile = profile;
    }
    note_orders();
  }
  void cancel() {
    if (waiting_.empty()) return;
    const WaiterId id =
        std::next(waiting_.begin(), pick(static_cast<unsigned>(waiting_.size())))->first;
    waiting_.erase(id);
    world_.broker.cancel(id, world_.now, world_.orders);
  }
  void change_limits() {
    limits_.max_leases_per_database = pick(3);
    limits_.max_overflow += pick(2);
    world_.broker.set_limits(limits_, world_.now, world_.orders);
  }
  void settle_one(State state, BackendId id) {
    if (state == State::kClosing) close(id);
    if (state == State::kParked || state == State::kLeased) release(id);
    if (state == State::kPinging) {
      set_state(id, State::kIdle);
      world_.broker.pinged(id, world_.now, world_.orders);
    }
    note_orders();
  }

  void note_orders() {
    for (const DialOrder& order : world_.take<DialOrder>())
      dials_.emplace_back(order.dial, order.profile);
    for (const GrantOrder& order : world_.take<GrantOrder>())
      grant(order.backend, order.waiter);
    for (const MoveOrder& order : world_.take<MoveOrder>())
      grant(order.backend, order.waiter);
    for (const RetireOrder& order : world_.take<RetireOrder>())
      set_state(order.backend, State::kClosing);
    for (const PingOrder& order : world_.take<PingOrder>())
      set_state(order.backend, State::kPinging);
    for (const RecallOrder& order : world_.take<RecallOrder>())
      backends_.at(order.backend).is_recalled = true;
    for (const FailOrder& order : world_.take<FailOrder>())
      waiting_.erase(order.waiter);
  }
  void grant(BackendId backend, WaiterId waiter) {
    ASSERT_TRUE(waiting_.contains(waiter)) << "served twice";
    lend(backend, waiting_.at(waiter));
    waiting_.erase(waiter);
  }
  void lend(BackendId backend, const LeaseRequest& request) {
    ASSERT_EQ(backends_.at(backend).profile, request.profile);
    ASSERT_EQ(backends_.at(backend).state, State::kIdle) << "lent twice";
    ASSERT_TRUE(allows(request)) << "more than allowed";
    set_state(backend, State::kLeased);
    backends_.at(backend).holder = request;
  }

  void set_state(BackendId id, State state) {
    backends_.at(id).state = state;
    backends_.at(id).is_recalled = false;
  }
  std::vector<BackendId> all_in(State state) const {
    std::vector<BackendId> found;
    for (const auto& [id, backend] : backends_)
      if (backend.state == state) found.push_back(id);
    return found;
  }
  template <class Action>
  void with_any(State state, Action action) {
    const auto found = all_in(state);
    if (!found.empty()) action(found[pick(static_cast<unsigned>(found.size()))]);
  }
  std::ptrdiff_t count(State state, std::uint64_t profile) const {
    return std::count_if(backends_.begin(), backends_.end(), [&](const auto& one) {
      return one.second.state == state && one.second.profile == profile;
    });
  }
  bool allows(const LeaseRequest& request) const {
    unsigned of_user = 0;
    unsigned in_database = 0;
    for (const auto& [id, backend] : backends_) {
      if (backend.state != State::kLeased && backend.state != State::kParked) continue;
      of_user += backend.holder.user == request.user ? 1 : 0;
      in_database += backend.holder.database == request.database ? 1 : 0;
    }
    if (request.max_leases > 0 && of_user >= request.max_leases) return false;
    const unsigned limit = limits_.max_leases_per_database;
    return limit == 0 || request.database == 0 || in_database < limit;
  }
  // Nothing is under way that might help, although TiDB may be dialled and an idle backend could
  // go.
  bool stands_still() const {
    const bool is_recalling = std::any_of(backends_.begin(), backends_.end(),
                                          [](const auto& one) { return one.second.is_recalled; });
    const bool is_under_way = !dials_.empty() || !all_in(State::kClosing).empty() || is_recalling ||
                              !all_in(State::kPinging).empty();
    if (is_under_way || !world_.broker.pool().dials.may_begin(world_.now)) return false;
    return !all_in(State::kIdle).empty() || world_.counts().total() < limits_.cap();
  }

  std::mt19937 random_;
  Limits limits_;
  World world_;
  std::map<WaiterId, LeaseRequest> waiting_;
  std::map<BackendId, Backend> backends_;
  std::vector<std::pair<DialId, std::uint64_t>> dials_;  // with the profile
};

TEST(BrokerSchedule, NobodyWaitsForWhatIsThereWhateverHappens) {
  for (unsigned seed = 0; seed < 100; ++seed) {
    Model model(seed);
    for (int step = 0; step < 600; ++step) {
      model.step();
      ASSERT_EQ(model.fault(), "") << "seed " << seed << " step " << step;
      if (::testing::Test::HasFatalFailure()) FAIL() << "seed " << seed << " step " << step;
    }
    model.settle();
    ASSERT_EQ(model.waiting(), 0U) << "seed " << seed << ": all that may have a lease get one";
    ASSERT_EQ(model.fault(), "") << "seed " << seed;
  }
}

}  // namespace
}  // namespace tidepool::pool

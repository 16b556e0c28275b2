// One worker's part of a pool, on a real loop before a fake TiDB.
#include <gmock/gmock.h>

#include "pool_fixture.h"

namespace tidepool::pool {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using testing::Fault;
using ::testing::HasSubstr;
using testing::Taker;
using Words = std::vector<std::string>;

class PoolTest : public testing::PoolTest {};

TEST_F(PoolTest, DialsOnDemandAndKeepsTheBackend) {
  open();
  Taker taker;
  take(taker);
  ASSERT_TRUE(run([&] { return bool(taker.lease); }));
  EXPECT_EQ(counts().leased, 1U);

  taker.lease.release(Release::kClean);

  EXPECT_EQ(counts().idle, 1U);
  auto again = pool().try_acquire({.state = 0});
  ASSERT_TRUE(again);
  again->release(Release::kClean);
  EXPECT_EQ(tidb_.server().connections(), 1);
  EXPECT_EQ(stats_.dials[DialResult::kOk].value(), 1U);
  EXPECT_EQ(stats_.leases.value(), 2U);
}

TEST_F(PoolTest, LearnsFromTheFirstBackendWhatTheServerIs) {
  open();
  pool().start_clock();

  ASSERT_TRUE(run([&] { return pool().info() != nullptr; }));

  EXPECT_EQ(pool().info()->server.version, "8.0.11-TiDB-v8.5.4");
  EXPECT_TRUE(pool().info()->baseline.autocommit);
}

// What MySQL and MariaDB answer, and a server that takes any text for a statement without rows.
TEST_F(PoolTest, TellsAtOnceThatAnotherServerIsNoTidb) {
  const std::string no_variable =
      testing::err_packet(1193, "HY000", "Unknown system variable 'tidb_mem_quota_query'");
  for (const std::string& answer : {no_variable, testing::ok_packet()}) {
    const std::uint64_t before = stats_.dials[DialResult::kNotTidb].value();
    tidb_.answer_first_look(answer);
    open();
    Taker taker;
    take(taker);

    ASSERT_TRUE(run([&] { return taker.error.has_value(); }));

    EXPECT_EQ(taker.error->mysql_errno, 2003);
    EXPECT_THAT(taker.error->message,
                AllOf(HasSubstr("127.0.0.1 port " + std::to_string(tidb_.port()) + " is no TiDB"),
                      HasSubstr("greets as '8.0.11-TiDB-v8.5.4'"), HasSubstr("tidb_mem_quota")));
    EXPECT_EQ(stats_.dials[DialResult::kNotTidb].value() - before, 1U);
    close();
  }
}

TEST_F(PoolTest, TakesATidbForOneWhateverItsGreetingSays) {
  testing::FakeMysql::Options script;
  script.version = "5.7.25-acme";
  testing::FakeTidb renamed(std::move(script));
  options_.dial.endpoints = {{"127.0.0.1", renamed.port()}};
  open();
  give_one_back();
  EXPECT_EQ(pool().info()->server.version, "5.7.25-acme");
  pool_.reset();
}

// A TiDB of before 7.4 lacks another one.
TEST_F(PoolTest, AVariableThatAnOldTidbLacksDoesNotMakeItAnotherServer) {
  tidb_.answer_first_look(testing::err_packet(
      1193, "HY000", "Unknown system variable 'default_collation_for_utf8mb4'"));
  open();
  Taker taker;
  take(taker);
  EXPECT_TRUE(run([&] { return stats_.dials[DialResult::kBackend].value() > 0; }));
  EXPECT_EQ(stats_.dials[DialResult::kNotTidb].value(), 0U);
}

TEST_F(PoolTest, NeverPassesTheCapEvenWhileBackendsClose) {
  limits_.size = 2;
  limits_.max_overflow = 1;
  limits_.recycle = milliseconds(1);  // every release retires
  open();
  std::vector<std::unique_ptr<Taker>> takers;
  for (int i = 0; i < 30; ++i) {
    takers.push_back(std::make_unique<Taker>());
    take(*takers.back(), {}, seconds(60));
  }

  // Whoever has had a lease for a moment gives it back, and its backend is then at the end of its
  // life.
  ASSERT_TRUE(run([&] {
    for (const auto& one : takers) {
      if (one->lease) one->lease.release(Release::kClean);
    }
    return std::all_of(takers.begin(), takers.end(), [](const auto& one) { return one->taken; });
  }));

  EXPECT_GT(tidb_.server().connections(), 3) << "backends were replaced";
  EXPECT_LE(tidb_.server().most_open(), 3);
  EXPECT_GT(stats_.retired[RetireReason::kRecycle].value(), 0U);
}

TEST_F(PoolTest, NoticesThatAnIdleBackendIsClosed) {
  open();
  give_one_back();

  tidb_.server().hang_up();

  EXPECT_TRUE(run([&] { return counts().total() == 0; }));
  EXPECT_EQ(stats_.retired[RetireReason::kLost].value(), 1U);
}

TEST_F(PoolTest, NoticesThatAnIdleBackendSaysAnything) {
  for (const std::string& words :
       {testing::err_packet(1053, "08S01", "Server shutdown in progress", 0),
        std::string("garbage")}) {
    open();
    give_one_back();

    tidb_.server().send_unasked(words);

    EXPECT_TRUE(run([&] { return counts().total() == 0; }));
    close();
  }
}

TEST_F(PoolTest, RetiresWhatIsBeyondItsSizeAndNotNeeded) {
  limits_.size = 1;
  limits_.max_overflow = 2;
  limits_.overflow_linger = milliseconds(60);
  open();
  pool().start_clock();
  std::vector<std::unique_ptr<Taker>> takers;
  for (int i = 0; i < 3; ++i) {
    takers.push_back(std::make_unique<Taker>());
    take(*takers.back());
  }
  ASSERT_TRUE(run([&] { return counts().leased == 3; }));

  takers.clear();  // leases that are not released are discarded: none is left

  ASSERT_TRUE(run([&] { return counts().leased == 0 && tidb_.server().open_connections() == 0; }));
  for (int i = 0; i < 3; ++i) {
    takers.push_back(std::make_unique<Taker>());
    take(*takers.back());
  }
  ASSERT_TRUE(run([&] { return counts().leased == 3; }));
  for (const auto& taker : takers)
    taker->lease.release(Release::kClean);
  ASSERT_TRUE(run([&] { return counts().total() == 1; }));
  EXPECT_EQ(stats_.retired[RetireReason::kOverflow].value(), 2U);
  EXPECT_TRUE(testing::eventually([&] { return tidb_.server().open_connections() == 1; }));
}

TEST_F(PoolTest, ResetsABackendBeforeAnybodyElseGetsIt) {
  open();
  Taker first;
  take(first);
  ASSERT_TRUE(run([&] { return bool(first.lease); }));
  first.lease.model().last_session = 7;

  first.lease.release(Release::kReset);
  Taker second;
  take(second);

  ASSERT_TRUE(run([&] { return bool(second.lease); }));
  EXPECT_EQ(second.lease.model().last_session, 0U);
  EXPECT_THAT(tidb_.commands(), ElementsAre("RESET"));
  second.lease.release(Release::kClean);
}

TEST_F(PoolTest, DiscardsABackendWhoseResetFailsInAnyWay) {
  for (const Fault fault : {Fault::kClose, Fault::kReset, Fault::kError, Fault::kShuttingDown,
                            Fault::kGarbage, Fault::kShort}) {
    SCOPED_TRACE(testing::to_string(fault));
    open();
    give_one_back();
    auto lease = pool().try_acquire({});
    ASSERT_TRUE(lease);
    tidb_.break_at(0, fault);

    lease->release(Release::kReset);

    EXPECT_TRUE(run([&] { return counts().total() == 0; }));
    EXPECT_TRUE(tidb_.has_broken());
    tidb_.break_at(-1, fault);
    close();
  }
}

TEST_F(PoolTest, DiscardsABackendWhoseResetIsNotAnsweredInTime) {
  options_.control_timeout = milliseconds(500);
  open();
  pool().start_clock();  // the first look may be too late as well, and is then tried again
  give_one_back();
  auto lease = pool().try_acquire({});
  ASSERT_TRUE(lease);
  tidb_.break_at(0, Fault::kSilence);

  lease->release(Release::kReset);

  EXPECT_TRUE(run([&] { return counts().total() == 0; }));
  EXPECT_EQ(stats_.retired[RetireReason::kDirty].value(), 1U);
}

TEST_F(PoolTest, SurvivesEveryFaultOfTheFirstLookAtANewBackend) {
  for (const Fault fault : {Fault::kClose, Fault::kReset, Fault::kError, Fault::kShuttingDown,
                            Fault::kGarbage, Fault::kShort, Fault::kAnswerAndClose}) {
    SCOPED_TRACE(testing::to_string(fault));
    open();
    pool().start_clock();
    tidb_.break_at(0, fault);
    Taker taker;

    take(taker);

    ASSERT_TRUE(run([&] { return bool(taker.lease); })) << "the next dial serves";
    taker.lease.release(Release::kClean);
    close();
  }
}

TEST_F(PoolTest, WaitsForTheFirstLookAtANewBackendAsLongAsForADial) {
  options_.dial.connect_timeout = milliseconds(500);
  options_.control_timeout = std::chrono::hours(1);
  open();
  pool().start_clock();
  tidb_.break_at(0, Fault::kSilence);
  Taker taker;

  take(taker);

  ASSERT_TRUE(run([&] { return bool(taker.lease); })) << "the next dial serves";
  EXPECT_GT(stats_.dials[DialResult::kTimeout].value(), 0U);
  taker.lease.release(Release::kClean);
}

TEST_F(PoolTest, TriesAgainAfterAFailureAndTellsItWhileItLasts) {
  tidb_.server().set_opening(testing::FakeMysql::Opening::kError);
  open();
  pool().start_clock();
  Taker patient;
  Taker hasty;
  take(patient);
  ASSERT_TRUE(run([&] { return stats_.dials[DialResult::kBackend].value() > 0; }));
  take(hasty, {}, milliseconds(50));

  ASSERT_TRUE(run([&] { return hasty.error.has_value(); }));
  EXPECT_EQ(hasty.error->mysql_errno, 1040);
  EXPECT_THAT(hasty.error->message, HasSubstr("last dial error: "));
  EXPECT_FALSE(broker().last_dial_error().empty());

  tidb_.server().set_opening(testing::FakeMysql::Opening::kGreeting);
  ASSERT_TRUE(run([&] { return bool(patient.lease); }));
  EXPECT_TRUE(broker().last_dial_error().empty());
  patient.lease.release(Release::kClean);
}

TEST_F(PoolTest, TellsAtOnceThatTheAccountIsRefused) {
  options_.dial.password = "wrong";
  open();
  Taker taker;
  take(taker);

  ASSERT_TRUE(run([&] { return taker.error.has_value(); }));
  EXPECT_EQ(taker.error->code, Code::kAuth);
  EXPECT_EQ(taker.error->mysql_errno, 1045);
  EXPECT_EQ(stats_.dials[DialResult::kAuth].value(), 1U);
}

TEST_F(PoolTest, ReplacesAnIdleBackendOfAnotherProfileWhenItsPlaceIsNeeded) {
  open();
  give_one_back();
  Taker other;
  const std::uint64_t found_rows = profile_key({.found_rows = true});

  take(other, {.profile = found_rows});

  ASSERT_TRUE(run([&] { return bool(other.lease); }));
  EXPECT_EQ(tidb_.server().most_open(), 1) << "one after the other";
  EXPECT_EQ(stats_.retired[RetireReason::kProfile].value(), 1U);
  other.lease.release(Release::kClean);
}

TEST_F(PoolTest, ForgetsATicketThatGoes) {
  open();
  Taker first;
  take(first);
  ASSERT_TRUE(run([&] { return bool(first.lease); }));
  {
    Taker second;
    take(second);
    EXPECT_EQ(counts().waiting, 1U);
  }
  EXPECT_EQ(counts().waiting, 0U);
  first.lease.release(Release::kClean);
  EXPECT_EQ(counts().idle, 1U);
}

TEST_F(PoolTest, LeavesNothingAfterADrain) {
  limits_.size = 2;
  open();
  Taker leased;
  take(leased);
  ASSERT_TRUE(run([&] { return bool(leased.lease); }));
  give_one_back();
  ASSERT_EQ(counts().idle, 1U);

  pool().drain();

  ASSERT_TRUE(run([&] { return counts().total() == 1; })) << "only what is leased is left";
  leased.lease.release(Release::kClean);
  ASSERT_TRUE(run([&] { return pool().is_empty(); }));
  EXPECT_EQ(counts().total(), 0U);
  EXPECT_THAT(tidb_.commands(), ElementsAre("QUIT", "QUIT"));
  EXPECT_TRUE(testing::eventually([&] { return tidb_.server().open_connections() == 0; }));
}

}  // namespace
}  // namespace tidepool::pool

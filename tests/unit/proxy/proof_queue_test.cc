#include "proof_queue.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidepool::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using Likelihood = ProofQueue::Likelihood;
using Outcome = ProofQueue::Outcome;

class ProofQueueTest : public testing::Test {
 protected:
  bool add(const std::string& user, const std::string& password, const std::string& network = "",
           Likelihood likelihood = Likelihood::kUnknown) {
    return queue_.try_add({++last_, user, password, network}, likelihood);
  }
  ProofQueue::Handle begin() {
    auto job = queue_.next(now_);
    EXPECT_TRUE(job.has_value());
    return *job;
  }
  [[nodiscard]] bool has_next() { return queue_.next(now_).has_value(); }

  TimePoint now_ = Clock::now();
  ProofQueue queue_;
  ProofQueue::Id last_ = 0;
};

TEST_F(ProofQueueTest, WhoAsksTheSameSharesTheAnswer) {
  EXPECT_TRUE(add("u", "p"));
  EXPECT_TRUE(add("u", "p"));
  const auto job = begin();
  EXPECT_TRUE(add("u", "p"));  // while it runs
  EXPECT_FALSE(has_next());
  EXPECT_THAT(queue_.end(job, Outcome::kOther, now_), ElementsAre(1, 2, 3));
}

TEST_F(ProofQueueTest, AUsersPasswordsAreTriedOneAfterTheOther) {
  ASSERT_TRUE(add("u", "p"));
  ASSERT_TRUE(add("u", "q"));
  ASSERT_TRUE(add("v", "p"));
  const auto first = begin();
  EXPECT_EQ(first->password, "p");
  EXPECT_EQ(begin()->user, "v");
  EXPECT_FALSE(has_next());
  (void)queue_.end(first, Outcome::kOther, now_);
  EXPECT_EQ(begin()->password, "q");
}

TEST_F(ProofQueueTest, AfterAWrongOneAPauseGrows) {
  milliseconds wanted = ProofQueue::kFirstPause;
  for (int i = 0; i < 8; ++i) {
    ASSERT_TRUE(add("u", std::to_string(i)));
    (void)queue_.end(begin(), Outcome::kRefused, now_);
    ASSERT_TRUE(add("u", "next"));
    EXPECT_FALSE(has_next());
    EXPECT_EQ(queue_.next_at(now_), now_ + wanted);
    now_ += wanted - milliseconds(1);
    EXPECT_FALSE(has_next());
    now_ += milliseconds(1);
    wanted = std::min(wanted * 2, ProofQueue::kLongestPause);
    (void)queue_.end(begin(), Outcome::kRefused, now_);
    now_ += wanted;
    wanted = std::min(wanted * 2, ProofQueue::kLongestPause);
  }
}

TEST_F(ProofQueueTest, OthersDoNotWaitForThatPause) {
  ASSERT_TRUE(add("u", "p"));
  (void)queue_.end(begin(), Outcome::kRefused, now_);
  ASSERT_TRUE(add("u", "q"));
  ASSERT_TRUE(add("v", "p"));
  EXPECT_EQ(begin()->user, "v");
}

TEST_F(ProofQueueTest, ARightOneEndsThePause) {
  ASSERT_TRUE(add("u", "p"));
  (void)queue_.end(begin(), Outcome::kRefused, now_);
  now_ += ProofQueue::kFirstPause;
  ASSERT_TRUE(add("u", "q"));
  (void)queue_.end(begin(), Outcome::kOther, now_);
  ASSERT_TRUE(add("u", "p"));
  (void)queue_.end(begin(), Outcome::kRefused, now_);
  ASSERT_TRUE(add("u", "r"));
  EXPECT_EQ(queue_.next_at(now_), now_ + ProofQueue::kFirstPause);
}

TEST_F(ProofQueueTest, FewRunAtOnce) {
  queue_.set_limits({.at_once = 2, .in_a_second = 100});
  for (const std::string user : {"a", "b", "c"})
    ASSERT_TRUE(add(user, "p"));
  const auto first = begin();
  (void)begin();
  EXPECT_FALSE(has_next());
  EXPECT_FALSE(queue_.next_at(now_).has_value());
  (void)queue_.end(first, Outcome::kOther, now_);
  EXPECT_EQ(begin()->user, "c");
}

TEST_F(ProofQueueTest, FewBeginInASecond) {
  queue_.set_limits({.at_once = 100, .in_a_second = 3});
  for (int i = 0; i < 7; ++i)
    ASSERT_TRUE(add("u" + std::to_string(i), "p"));
  for (int i = 0; i < 3; ++i)
    (void)begin();
  EXPECT_FALSE(has_next());
  EXPECT_EQ(queue_.next_at(now_), now_ + seconds(1));
  now_ += seconds(1);
  for (int i = 0; i < 3; ++i)
    (void)begin();
  EXPECT_FALSE(has_next());
}

TEST_F(ProofQueueTest, BoundsWhatWaits) {
  for (std::size_t i = 0; i < ProofQueue::kMaxJobsOfUser; ++i)
    EXPECT_TRUE(add("u", std::to_string(i)));
  EXPECT_FALSE(add("u", "more"));
  EXPECT_TRUE(add("u", "0"));  // it shares an answer
  for (std::size_t i = ProofQueue::kMaxJobsOfUser; i < ProofQueue::kMaxJobs; ++i)
    EXPECT_TRUE(add("v" + std::to_string(i), "p"));
  EXPECT_FALSE(add("w", "p"));
}

TEST_F(ProofQueueTest, OneNetworkDoesNotTakeAll) {
  for (std::size_t i = 0; i < ProofQueue::kMaxJobsOfNetwork; ++i)
    EXPECT_TRUE(add("u" + std::to_string(i), "p", "192.0.2.1"));
  EXPECT_FALSE(add("v", "p", "192.0.2.1"));
  EXPECT_TRUE(add("v", "p", "192.0.2.2"));
  EXPECT_TRUE(add("w", "p"));  // on this machine
}

TEST_F(ProofQueueTest, GuessersDoNotHoldUpAPasswordThatWasRight) {
  ASSERT_TRUE(add("u", "guess"));
  (void)queue_.end(begin(), Outcome::kRefused, now_);
  for (std::size_t i = 0; i < ProofQueue::kMaxJobsOfUser; ++i)
    ASSERT_TRUE(add("u", std::to_string(i)));
  EXPECT_TRUE(add("u", "right", "", Likelihood::kProbablyRight));
  EXPECT_EQ(begin()->password, "right");
}

TEST_F(ProofQueueTest, WhoLeavesIsNotAskedAbout) {
  ASSERT_TRUE(add("u", "p"));
  queue_.leave(1);
  EXPECT_FALSE(has_next());
  EXPECT_FALSE(queue_.next_at(now_).has_value());

  ASSERT_TRUE(add("u", "p"));
  const auto job = begin();
  queue_.leave(2);  // TiDB has been asked already
  EXPECT_THAT(queue_.end(job, Outcome::kOther, now_), IsEmpty());
}

}  // namespace
}  // namespace tidepool::proxy

#include "proof_memory.h"

#include <string>

#include <gtest/gtest.h>

namespace tidepool::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;

class ProofMemoryTest : public testing::Test {
 protected:
  [[nodiscard]] Remembered judge(const std::string& user, const std::string& password) const {
    return memory_.judge(user, password, now_);
  }

  TimePoint now_ = Clock::now();
  ProofMemory memory_;
};

TEST_F(ProofMemoryTest, KnowsNothingAtFirst) {
  EXPECT_EQ(judge("u", "p"), Remembered::kNothing);
}

TEST_F(ProofMemoryTest, ARightPasswordCountsForItsTime) {
  memory_.add_right("u", "p", now_ + minutes(1));
  EXPECT_EQ(judge("u", "p"), Remembered::kRight);
  EXPECT_EQ(judge("u", "q"), Remembered::kNothing);
  EXPECT_EQ(judge("v", "p"), Remembered::kNothing);
  now_ += minutes(1);
  EXPECT_EQ(judge("u", "p"), Remembered::kNothing);
}

TEST_F(ProofMemoryTest, ANewPasswordTakesThePlaceOfTheOldOne) {
  memory_.add_right("u", "old", now_ + minutes(1));
  memory_.add_right("u", "new", now_ + minutes(1));
  EXPECT_EQ(judge("u", "old"), Remembered::kNothing);
  EXPECT_EQ(judge("u", "new"), Remembered::kRight);
}

TEST_F(ProofMemoryTest, AWrongPasswordCountsForAWhile) {
  memory_.add_wrong("u", "p", now_);
  EXPECT_EQ(judge("u", "p"), Remembered::kWrong);
  EXPECT_EQ(judge("u", "q"), Remembered::kNothing);
  now_ += ProofMemory::kWrongLifetime;
  EXPECT_EQ(judge("u", "p"), Remembered::kNothing);
}

TEST_F(ProofMemoryTest, WhatWasWrongMayBecomeRight) {
  memory_.add_wrong("u", "p", now_);
  memory_.add_right("u", "p", now_ + minutes(1));
  EXPECT_EQ(judge("u", "p"), Remembered::kRight);
  memory_.forget("u");
  EXPECT_EQ(judge("u", "p"), Remembered::kNothing);
}

TEST_F(ProofMemoryTest, WhereTheNameEndsMatters) {
  memory_.add_right("ab", "c", now_ + minutes(1));
  EXPECT_EQ(judge("a", "bc"), Remembered::kNothing);
  memory_.add_wrong("1:a", "b", now_);
  EXPECT_EQ(judge("1", "ab"), Remembered::kNothing);
}

TEST_F(ProofMemoryTest, TellsARefusalOfWhatWasRightFromAnother) {
  memory_.add_right("u", "p", now_ + minutes(1));
  now_ += minutes(1);  // it does not count any more
  EXPECT_TRUE(memory_.was_right("u", "p"));
  EXPECT_FALSE(memory_.was_right("u", "q"));
  EXPECT_FALSE(memory_.was_right("v", "p"));
  memory_.forget_all();
  EXPECT_FALSE(memory_.was_right("u", "p"));
}

TEST_F(ProofMemoryTest, KeepsABoundedNumberOfWrongOnes) {
  for (std::size_t i = 0; i <= ProofMemory::kMaxWrong; ++i)
    memory_.add_wrong("u", std::to_string(i), now_ + milliseconds(i));
  EXPECT_EQ(judge("u", "0"), Remembered::kNothing);
  EXPECT_EQ(judge("u", "1"), Remembered::kWrong);
  EXPECT_EQ(judge("u", std::to_string(ProofMemory::kMaxWrong)), Remembered::kWrong);
}

}  // namespace
}  // namespace tidepool::proxy

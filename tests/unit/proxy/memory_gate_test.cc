#include "memory_gate.h"

#include <gtest/gtest.h>

namespace tidepool::proxy {
namespace {

TEST(MemoryGate, IsAlwaysOpenWithoutALimit) {
  MemoryGate gate;
  EXPECT_TRUE(gate.is_open(0, 1'000'000, 5));
}

TEST(MemoryGate, ClosesBeyondTheLimitAndOpensATenthBelowIt) {
  MemoryGate gate;
  EXPECT_TRUE(gate.is_open(100, 100, 5));
  EXPECT_FALSE(gate.is_open(100, 101, 5));
  EXPECT_FALSE(gate.is_open(100, 95, 5));
  EXPECT_TRUE(gate.is_open(100, 90, 5));
  EXPECT_TRUE(gate.is_open(100, 95, 5));
}

TEST(MemoryGate, IsOpenWhenThereIsNobodyToWaitFor) {
  MemoryGate gate;
  EXPECT_FALSE(gate.is_open(100, 200, 1));
  EXPECT_TRUE(gate.is_open(100, 200, 0));
}

}  // namespace
}  // namespace tidepool::proxy

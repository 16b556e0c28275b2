#include "tidepool/net/write_queue.h"

#include <string>

#include <gtest/gtest.h>

namespace tidepool::net {
namespace {

TEST(WriteQueue, HoldsWhatWaitsInOrder) {
  WriteQueue queue;
  EXPECT_TRUE(queue.is_empty());

  queue.append("one ");
  queue.append("two");
  queue.take(2);

  EXPECT_EQ(queue.waiting(), "e two");
  EXPECT_EQ(queue.size(), 5U);
  EXPECT_FALSE(queue.is_empty());
  queue.take(5);
  EXPECT_TRUE(queue.is_empty());
  queue.append("three");
  EXPECT_EQ(queue.waiting(), "three");
}

TEST(WriteQueue, AdoptsTheRestOfALargeString) {
  WriteQueue queue;
  std::string bytes(1000, 'x');
  const char* place = bytes.data();

  queue.adopt(std::move(bytes), 400);

  EXPECT_EQ(queue.size(), 600U);
  EXPECT_EQ(queue.waiting().data(), place + 400) << "without a copy";
}

TEST(WriteQueue, CompactsOnlyWhereMuchIsWritten) {
  constexpr std::size_t kMuch = std::size_t{64} << 10U;
  struct Row {
    const char* what;
    std::size_t size;
    std::size_t taken;
    bool compacts;
  };
  const Row rows[] = {{"little is written", kMuch, kMuch - 1, false},
                      {"less than half is written", 2 * kMuch, kMuch, false},
                      {"more than half is written", 2 * kMuch, kMuch + 1, true}};
  for (const Row& row : rows) {
    WriteQueue queue;
    queue.adopt(std::string(row.size - 1, 'x') + "y", 0);
    const char* place = queue.waiting().data();
    queue.take(row.taken);

    queue.compact();

    EXPECT_EQ(queue.waiting().data() == place, row.compacts) << row.what;
    EXPECT_EQ(queue.size(), row.size - row.taken);
    EXPECT_EQ(queue.waiting().back(), 'y');
  }
}

TEST(WriteQueue, TellsOnceThatItHasBecomeSmall) {
  WriteQueue queue;
  queue.set_low_watermark(10);
  queue.append(std::string(10, 'x'));
  EXPECT_FALSE(queue.take_drained()) << "it never was above";

  queue.append("x");
  EXPECT_FALSE(queue.take_drained());
  queue.take(1);
  EXPECT_TRUE(queue.take_drained());
  EXPECT_FALSE(queue.take_drained());

  queue.append("x");
  queue.clear();
  EXPECT_TRUE(queue.is_empty());
  EXPECT_FALSE(queue.take_drained()) << "nothing is to be told any more";
}

}  // namespace
}  // namespace tidepool::net

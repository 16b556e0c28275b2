#include "tidepool/session/prepare_cache.h"

#include <optional>

#include <gtest/gtest.h>

namespace tidepool::session {
namespace {

using std::chrono::seconds;

class PrepareCacheTest : public ::testing::Test {
 protected:
  explicit PrepareCacheTest(std::size_t entries = 2)
      : memory({.life = seconds(60), .entries = entries, .bytes = 16'000}) {}

  static RememberedPrepare answer(std::string packets) { return {.packets = std::move(packets)}; }
  PrepareCache::View view(int second) const { return memory.view(at(second)); }
  static TimePoint at(int second) { return TimePoint(seconds(1000 + second)); }
  // Empty: not known.
  std::string found(std::string_view text, int second, std::string_view context = "d") {
    const auto one = memory.find(context, text, view(second), at(second));
    return one.prepare ? one.prepare->packets : "";
  }

  PrepareCache memory;
};

TEST_F(PrepareCacheTest, FindsTheSameTextInTheSameContext) {
  memory.add("d", "SELECT 1", answer("a"), view(0));

  EXPECT_EQ(found("SELECT 1", 1), "a");
  EXPECT_EQ(found("SELECT 2", 1), "");
  EXPECT_EQ(found("SELECT 1", 1, "other"), "");
}

TEST_F(PrepareCacheTest, KeepsAnAnswerForItsLifeAndNoLonger) {
  memory.add("d", "SELECT 1", answer("a"), view(0));

  EXPECT_EQ(found("SELECT 1", 59), "a");
  EXPECT_EQ(found("SELECT 1", 60), "");
  EXPECT_EQ(memory.size(), 0U);
}

TEST_F(PrepareCacheTest, TellsOfWhenAnAnswerIs) {
  memory.add("d", "SELECT 1", answer("a"), view(3));
  EXPECT_EQ(memory.find("d", "SELECT 1", view(5), at(5)).seen, at(3));
}

TEST_F(PrepareCacheTest, RemembersNothingWithoutALife) {
  PrepareCache off(PrepareCache::Limits{});
  off.add("d", "SELECT 1", answer("a"), off.view(at(0)));
  EXPECT_FALSE(off.is_on());
  EXPECT_EQ(off.size(), 0U);
}

TEST_F(PrepareCacheTest, PushesOutTheLeastRecentlyUsed) {
  memory.add("d", "a", answer("1"), view(0));
  memory.add("d", "b", answer("2"), view(0));
  EXPECT_EQ(found("a", 1), "1");
  memory.add("d", "c", answer("3"), view(1));

  EXPECT_EQ(found("a", 2), "1");
  EXPECT_EQ(found("b", 2), "");
  EXPECT_EQ(found("c", 2), "3");
}

class ManyBytesTest : public PrepareCacheTest {
 protected:
  ManyBytesTest() : PrepareCacheTest(1000) {}
};

TEST_F(ManyBytesTest, AreBoundedInAllAndEach) {
  for (char name = 'a'; name < 'a' + 26; ++name)
    memory.add("d", std::string(1, name), answer(std::string(600, 'x')), view(0));
  EXPECT_EQ(memory.size(), 16'000U / (600 + 256 + 1));
  EXPECT_NE(found("z", 1), "");

  memory.add("d", "long", answer(std::string(2000, 'x')), view(0));
  EXPECT_EQ(found("long", 1), "");
}

TEST_F(PrepareCacheTest, ForgetsOne) {
  memory.add("d", "a", answer("1"), view(0));
  memory.add("d", "b", answer("2"), view(0));
  memory.forget("d", "a");
  EXPECT_EQ(found("a", 1), "");
  EXPECT_EQ(found("b", 1), "2");
}

TEST_F(PrepareCacheTest, ForgetsAllWhenTheSchemaChanges) {
  memory.add("d", "a", answer("1"), view(0));
  std::optional<PrepareCache::Change> change(std::in_place, memory);
  EXPECT_EQ(found("a", 1), "");

  memory.add("d", "a", answer("1"), view(1));
  EXPECT_EQ(memory.size(), 0U) << "may be of before the change";

  const PrepareCache::View during = view(1);
  change.reset();
  memory.add("d", "a", answer("1"), during);
  EXPECT_EQ(found("a", 2), "") << "likewise";

  memory.add("d", "a", answer("2"), view(2));
  EXPECT_EQ(found("a", 3), "2");
}

TEST_F(PrepareCacheTest, TellsATransactionNothingNewerThanItself) {
  const PrepareCache::View transaction = view(5);
  memory.add("d", "old", answer("1"), view(4));
  memory.add("d", "new", answer("2"), view(6));

  EXPECT_NE(memory.find("d", "old", transaction, at(7)).prepare, nullptr);
  EXPECT_EQ(memory.find("d", "new", transaction, at(7)).prepare, nullptr);
}

TEST_F(PrepareCacheTest, TellsATransactionNothingAfterAChange) {
  const PrepareCache::View transaction = view(5);
  { const PrepareCache::Change change(memory); }
  memory.add("d", "a", answer("1"), view(4));
  EXPECT_EQ(memory.find("d", "a", transaction, at(7)).prepare, nullptr);
}

TEST_F(PrepareCacheTest, LearnsFromATransactionAsOfItsBegin) {
  const PrepareCache::View transaction = view(5);
  memory.add("d", "a", answer("1"), transaction);
  EXPECT_EQ(memory.find("d", "a", transaction, at(7)).seen, at(5));

  memory.add("d", "a", answer("2"), view(8));
  memory.add("d", "a", answer("3"), transaction);
  EXPECT_EQ(found("a", 9), "2") << "the newer one stays";
}

TEST(PrepareCache, KnowsForAWhileThatTidbHasTooMany) {
  PrepareCache memory({.life = std::chrono::seconds(1)});
  const TimePoint now = Clock::now();
  EXPECT_GT(memory.most_kept(now), 1000000U);
  memory.keep_fewer(20, now);
  memory.keep_fewer(30, now);
  EXPECT_EQ(memory.most_kept(now + std::chrono::minutes(9)), 20U);
  EXPECT_GT(memory.most_kept(now + std::chrono::minutes(11)), 1000000U);
}

}  // namespace
}  // namespace tidepool::session

#include "tidepool/pool/memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidepool::pool {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

PreparedCache::Key key(const char* text) {
  return std::make_shared<const std::string>(text);
}

TEST(PreparedCache, FindsWhatWasInserted) {
  PreparedCache cache(2);
  EXPECT_THAT(cache.insert(key("a"), 1), IsEmpty());
  EXPECT_EQ(cache.find("a"), 1U);
  EXPECT_EQ(cache.find("b"), std::nullopt);
}

TEST(PreparedCache, PushesOutTheLeastRecentlyUsed) {
  PreparedCache cache(2);
  cache.insert(key("a"), 1);
  cache.insert(key("b"), 2);
  cache.find("a");

  EXPECT_THAT(cache.insert(key("c"), 3), ElementsAre(2));

  EXPECT_EQ(cache.find("a"), 1U);
  EXPECT_EQ(cache.find("b"), std::nullopt);
  EXPECT_EQ(cache.size(), 2U);
}

TEST(PreparedCache, ReplacesTheOlderIdOfTheSameKey) {
  PreparedCache cache(2);
  cache.insert(key("a"), 1);
  EXPECT_THAT(cache.insert(key("a"), 5), ElementsAre(1));
  EXPECT_EQ(cache.find("a"), 5U);
  EXPECT_EQ(cache.size(), 1U);
}

TEST(PreparedCache, ForgetsOneOrAll) {
  PreparedCache cache(4);
  cache.insert(key("a"), 1);
  cache.insert(key("b"), 2);
  cache.erase("a");
  EXPECT_EQ(cache.find("a"), std::nullopt);
  cache.clear();
  EXPECT_EQ(cache.size(), 0U);
}

TEST(PreparedCache, KnowsTheNextIdAfterTheFirst) {
  PreparedCache cache(2);
  EXPECT_EQ(cache.next_id(), std::nullopt);
  cache.insert(key("a"), 7);
  EXPECT_EQ(cache.next_id(), 8U);
  cache.clear();
  EXPECT_EQ(cache.next_id(), std::nullopt);
}

TEST(PreparedCache, KnowsWhenTheBackendWasAsked) {
  PreparedCache cache(2);
  cache.insert(key("a"), 7, TimePoint(std::chrono::seconds(5)));
  EXPECT_EQ(cache.asked("a"), TimePoint(std::chrono::seconds(5)));
  EXPECT_EQ(cache.asked("b"), std::nullopt);
}

TEST(Memory, AResetForgetsStateAndStatements) {
  Memory memory(sql::SessionState(), 4);
  memory.actual.apply(sql::init_database("d"));
  memory.prepared.insert(key("a"), 1);
  memory.last_session = 9;

  memory.reset();

  EXPECT_EQ(memory.prepared.size(), 0U);
  EXPECT_EQ(memory.last_session, 0U);
}

TEST(PreparedCache, RenamesWhatItKnowsUnlessTheNewNameIsTaken) {
  PreparedCache cache(4);
  const auto key = [](const char* name) { return std::make_shared<const std::string>(name); };
  cache.insert(key("a"), 1);
  cache.insert(key("b"), 2);
  cache.rename("a", key("c"));
  EXPECT_EQ(cache.find("a"), std::nullopt);
  EXPECT_EQ(cache.find("c"), 1U);
  cache.rename("b", key("c"));
  EXPECT_EQ(cache.find("b"), 2U);
  EXPECT_EQ(cache.find("c"), 1U);
  cache.rename("nothing", key("d"));
  EXPECT_EQ(cache.find("d"), std::nullopt);
  EXPECT_EQ(cache.size(), 2U);
}

}  // namespace
}  // namespace tidepool::pool

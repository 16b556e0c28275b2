#include "tidepool/tracking/backend_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidepool::tracking {
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

TEST(BackendModel, AResetForgetsStateAndStatements) {
  BackendModel memory(sql::SessionState(), 4);
  memory.actual.apply(sql::init_database("d"));
  memory.prepared.insert(key("a"), 1);
  memory.last_session = 9;

  memory.reset();

  EXPECT_EQ(memory.prepared.size(), 0U);
  EXPECT_EQ(memory.last_session, 0U);
}

TEST(PreparedCache, KnowsWhatWarnedWhenItWasFirstExecuted) {
  PreparedCache cache(2);
  cache.insert(key("a"), 1);
  cache.insert(key("b"), 2);
  cache.note_executed("a", true);
  cache.note_executed("b", false);
  cache.note_executed("b", true);
  EXPECT_TRUE(cache.warns_when_planned("a"));
  EXPECT_FALSE(cache.warns_when_planned("b")) << "that was another time than the first";
  cache.insert(key("a"), 3);
  EXPECT_TRUE(cache.warns_when_planned("a")) << "so would the next";
  cache.insert(key("c"), 4);
  cache.insert(key("d"), 5);
  EXPECT_FALSE(cache.warns_when_planned("a")) << "pushed out";
  EXPECT_NE(cache.next_plan(), cache.next_plan());
}

TEST(PreparedCache, MakesWayLeastRecentlyUsedFirst) {
  PreparedCache cache(4);
  for (std::uint32_t id = 1; id <= 4; ++id)
    cache.insert(key(std::to_string(id).c_str()), id);
  cache.hold("1", true);
  cache.find("2");
  EXPECT_EQ(cache.make_way(3), std::vector<std::uint32_t>{3});
  EXPECT_EQ(cache.limit(2), std::vector<std::uint32_t>{4});
  EXPECT_EQ(cache.insert(key("5"), 5), std::vector<std::uint32_t>{2});
  EXPECT_EQ(cache.limit(0), std::vector<std::uint32_t>{5});
  EXPECT_EQ(cache.size(), 1U) << "the one that is held";
  EXPECT_EQ(cache.limit(100), std::vector<std::uint32_t>{});
  for (std::uint32_t id = 6; id <= 8; ++id)
    EXPECT_TRUE(cache.insert(key(std::to_string(id).c_str()), id).empty());
  EXPECT_FALSE(cache.insert(key("9"), 9).empty()) << "never more than at the beginning";
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

TEST(PreparedCache, KeepsWhatIsHeldThoughAllElseGoes) {
  PreparedCache cache(2);
  cache.insert(key("a"), 1);
  cache.insert(key("b"), 2);
  cache.hold("a", true);
  cache.hold("b", true);
  EXPECT_THAT(cache.make_way(0), IsEmpty());
  EXPECT_EQ(cache.size(), 2U);
}

TEST(PreparedCache, RemembersOnceThatAPlanHasWarned) {
  PreparedCache cache(2);
  cache.note_executed("a", true);
  EXPECT_FALSE(cache.warns_when_planned("a")) << "it is not there";
  cache.insert(key("a"), 1);
  cache.note_executed("a", true);
  EXPECT_TRUE(cache.warns_when_planned("a"));
  EXPECT_FALSE(cache.warns_when_planned("b"));
  cache.insert(key("a"), 2);
  EXPECT_TRUE(cache.warns_when_planned("a")) << "the one that it replaced has";
  cache.note_executed("a", true);
  cache.erase("b");
  cache.erase("a");
  EXPECT_FALSE(cache.warns_when_planned("a"));
}

}  // namespace
}  // namespace tidepool::tracking

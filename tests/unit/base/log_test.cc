#include "tidepool/base/log.h"

#include <gtest/gtest.h>

namespace tidepool::log {
namespace {

TEST(Log, TextQuotesOnlyWhatNeedsIt) {
  EXPECT_EQ(format_line(Format::kText, Level::kInfo, "dialled", {{"pool", "app"}, {"ms", 12}}),
            "info  dialled pool=app ms=12");
  EXPECT_EQ(format_line(Format::kText, Level::kWarn, "x", {{"e", "a \"b\"\n"}, {"empty", ""}}),
            R"(warn  x e="a \"b\"\n" empty="")");
}

TEST(Log, JsonEscapesAndKeepsNumbersBare) {
  EXPECT_EQ(
      format_line(Format::kJson, Level::kError, "it \"failed\"", {{"n", -3}, {"s", "a\\\x01"}}),
      R"({"level":"error","message":"it \"failed\"","n":-3,"s":"a\\\u0001"})");
}

TEST(Log, LevelDecidesWhatIsEnabled) {
  set_level(Level::kWarn);
  EXPECT_FALSE(enabled(Level::kInfo));
  EXPECT_TRUE(enabled(Level::kError));
  set_level(Level::kInfo);
  EXPECT_TRUE(enabled(Level::kInfo));
}

}  // namespace
}  // namespace tidepool::log

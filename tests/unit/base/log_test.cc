#include "tidepool/base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidepool::log {
namespace {

using ::testing::MatchesRegex;

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

TEST(Log, NothingThatSomebodyElseSaysBreaksALineOrATerminal) {
  const std::pair<std::string, std::string> all[] = {
      {"a\r\nb", R"("a\u000d\nb")"},
      {"\x1b[2J", R"("\u001b[2J")"},
      {"tab\t", R"("tab\u0009")"},
      {std::string("a\0b", 3), R"("a\u0000b")"},
      {"del\x7f", R"("del\u007f")"},
      {"csi\xC2\x9B", R"("csi\u009b")"},
      {"latin1 \xE9", R"("latin1 \ufffd")"},
      {"cut\xE2\x82", R"("cut\ufffd\ufffd")"},
      {"\xC0\xAF", R"("\ufffd\ufffd")"},            // a long form of '/'
      {"\xE0\x80\xAF", R"("\ufffd\ufffd\ufffd")"},  // another
      {"\xF0\x80\x80\xAF", R"("\ufffd\ufffd\ufffd\ufffd")"},
      {"\xED\xA0\x80", R"("\ufffd\ufffd\ufffd")"},            // a surrogate
      {"\xF4\x90\x80\x80", R"("\ufffd\ufffd\ufffd\ufffd")"},  // beyond U+10FFFF
      {"\xF5\x80\x80\x80", R"("\ufffd\ufffd\ufffd\ufffd")"},
      {"\x80", R"("\ufffd")"},
      {"\xC3(", R"("\ufffd(")"},
  };
  for (const auto& [text, quoted] : all) {
    EXPECT_EQ(format_line(Format::kText, Level::kInfo, "m", {{"k", text}}), "info  m k=" + quoted);
    EXPECT_EQ(format_line(Format::kJson, Level::kInfo, "m", {{"k", text}}),
              R"({"level":"info","message":"m","k":)" + quoted + "}");
  }
}

TEST(Log, OtherAlphabetsStayLegible) {
  for (const std::string word : {"caf\xC3\xA9", "\xE6\xBD\xAE", "\xF0\x9F\x8C\x8A", "\xC2\xA0",
                                 "\xED\x9F\xBF", "\xEE\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_EQ(format_line(Format::kText, Level::kInfo, "m", {{"k", word}}), "info  m k=" + word);
    EXPECT_EQ(format_line(Format::kJson, Level::kInfo, "m", {{"k", word}}),
              R"({"level":"info","message":"m","k":")" + word + "\"}");
  }
}

TEST(Log, EveryLevelHasItsWord) {
  const std::pair<Level, std::string> all[] = {{Level::kTrace, "trace m"},
                                               {Level::kDebug, "debug m"},
                                               {Level::kInfo, "info  m"},
                                               {Level::kWarn, "warn  m"},
                                               {Level::kError, "error m"}};
  for (const auto& [level, line] : all)
    EXPECT_EQ(format_line(Format::kText, level, "m", {}), line);
}

// What a line looks like on standard error.
std::string written(Format format, Level level) {
  configure(Level::kInfo, format);
  ::testing::internal::CaptureStderr();
  write(level, "said", {{"n", 1}});
  const std::string line = ::testing::internal::GetCapturedStderr();
  configure(Level::kInfo, Format::kText);
  return line;
}

TEST(Log, WritesALineWithItsTimeToStandardError) {
  const std::string time = R"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z)";
  EXPECT_THAT(written(Format::kText, Level::kWarn), MatchesRegex(time + " warn  said n=1\n"));
  EXPECT_THAT(written(Format::kJson, Level::kInfo),
              MatchesRegex(R"(\{"time":")" + time +
                           R"(","level":"info","message":"said","n":1\})"
                           "\n"));
  EXPECT_EQ(written(Format::kText, Level::kDebug), "") << "below the level";
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

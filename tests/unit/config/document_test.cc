#include "document.h"

#include <iterator>

#include "config_support.h"

namespace tidepool::config {
namespace {

std::string in_source(const std::string& path) {
  return std::string(TIDEPOOL_SOURCE_DIR) + "/" + path;
}

// Run with TIDEPOOL_UPDATE=1 to write the files anew after a change of the table.
void expect_file(const std::string& path, const std::string& wanted) {
  if (std::getenv("TIDEPOOL_UPDATE") != nullptr) std::ofstream(in_source(path)) << wanted;
  std::ifstream file(in_source(path));
  const std::string found{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  EXPECT_EQ(found, wanted) << path
                           << " differs from the table; run this test with TIDEPOOL_UPDATE=1";
}

TEST(Document, SampleFileIsWhatTheTableSays) {
  expect_file("conf/tidepool.yaml", sample_file());
}

TEST(Document, ReferenceIsWhatTheTableSays) {
  expect_file("docs/configuration.md", reference());
}

TEST(Document, SampleFileLoadsAndStatesTheDefaults) {
  const LoadResult result =
      load_file(in_source("conf/tidepool.yaml"),
                environment({{"TIDB_PASSWORD", "tidb secret"}, {"APP_PASSWORD", "app secret"}}));

  Config wanted;
  Pool pool;
  pool.endpoints = {{"gateway01.us-east-1.prod.aws.tidbcloud.com", 4000}};
  pool.user = "3pTAoNNegb47Uc8.root";
  pool.password = "tidb secret";
  wanted.pools = {pool};
  wanted.users = {{"app", "app secret", "", "default", ""}};
  EXPECT_EQ(config_of(result), wanted);
  EXPECT_EQ(lines(result ? result->warnings : Problems{}), "");
}

// The commented keys too: each alternative in place of what it excludes.
TEST(Document, SampleFileNamesNoKeyThatIsUnknown) {
  std::string text = sample_file();
  for (std::size_t at = text.find(" #"); at != std::string::npos; at = text.find(" #", at + 1)) {
    if (text[at + 2] != ' ' && text[at + 2] != '\n') text.erase(at + 1, 1);
  }

  const std::string problems = problems_of(load(text));

  EXPECT_THAT(problems, testing::HasSubstr("found beside"));
  EXPECT_THAT(problems, testing::Not(testing::HasSubstr("unknown key")));
  EXPECT_THAT(problems, testing::Not(testing::HasSubstr("not YAML")));
}

TEST(Document, MinimalFileLoads) {
  const LoadResult result =
      load_file(in_source("conf/tidepool.minimal.yaml"),
                environment({{"TIDB_URL", "mysql://p.root:x@h.example/app"}}));

  const Config config = config_of(result);
  ASSERT_EQ(config.users.size(), 2U);
  EXPECT_EQ(config.users[1], (User{"root", "x", "", "default", ""}));
  EXPECT_EQ(config.pools.front().database, "app");
  EXPECT_EQ(config.listeners, Config{}.listeners);
}

}  // namespace
}  // namespace tidepool::config

// The tables of states in docs/architecture.md are those of the code.
#include "backend_states.h"

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

namespace tidepool::pool {
namespace {

std::string architecture() {
  std::ifstream file(TIDEPOOL_SOURCE_DIR "/docs/architecture.md");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

void expect_documented(const std::string& table) {
  EXPECT_NE(architecture().find("\n\n" + table + "\n"), std::string::npos)
      << "docs/architecture.md should have this table:\n\n"
      << table;
}

TEST(BackendStatesInTheDocs, AsTheBrokerCountsThem) {
  expect_documented(markdown_of<BackendRecord::State>(kRecordRows));
}

}  // namespace
}  // namespace tidepool::pool

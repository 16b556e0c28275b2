// Compares a table of states of the code with docs/architecture.md.
#pragma once

#include <fstream>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

namespace tidepool::testing {

inline void expect_documented(const std::string& table) {
  std::ifstream file(TIDEPOOL_SOURCE_DIR "/docs/architecture.md");
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_NE(text.str().find("\n\n" + table + "\n"), std::string::npos)
      << "docs/architecture.md should have this table:\n\n"
      << table;
}

}  // namespace tidepool::testing

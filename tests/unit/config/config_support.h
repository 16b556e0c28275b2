// A scripted environment and shorthands for what a load gave.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tidepool/config/load.h"

namespace tidepool::config {

using Variables = std::map<std::string, std::string, std::less<>>;

inline Environment environment(Variables variables) {
  return [variables = std::move(variables)](std::string_view name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
}

inline std::string lines(const std::vector<std::string>& all) {
  std::string text;
  for (const std::string& line : all)
    text += line + "\n";
  return text;
}

inline std::string problems_of(const LoadResult& result) {
  return result ? std::string("no problem\n") : lines(result.error());
}

// The config, or a failed test that says why there is none.
inline Config config_of(const LoadResult& result) {
  EXPECT_TRUE(result) << problems_of(result);
  return result ? result->config : Config{};
}

inline LoadResult load(const std::string& text, Variables variables = {}) {
  return load_text("t.yaml", text, environment(std::move(variables)));
}

// A file that exists for as long as the object does.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& text, mode_t mode = 0600) {
    std::string name = testing::TempDir() + "tidepool_XXXXXX";
    const int fd = mkstemp(name.data());
    EXPECT_GE(fd, 0);
    ::close(fd);
    path_ = name;
    std::ofstream(path_, std::ios::binary) << text;
    EXPECT_EQ(::chmod(path_.c_str(), mode), 0);
  }
  ~TemporaryFile() { std::remove(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace tidepool::config

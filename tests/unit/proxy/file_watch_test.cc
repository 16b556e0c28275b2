#include "file_watch.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace tidepool::proxy {
namespace {

class FileWatchTest : public ::testing::Test {
 protected:
  FileWatchTest() {
    std::string name = ::testing::TempDir() + "watch_XXXXXX";
    folder_ = ::mkdtemp(name.data());
    write("a", "one");
  }
  ~FileWatchTest() override { std::filesystem::remove_all(folder_); }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
  }
  std::filesystem::path folder_;
  FileWatch watch_;
};

TEST_F(FileWatchTest, SaysOnceThatAFileHasChangedAndIsSettled) {
  watch_.watch({folder_ / "a"});
  EXPECT_FALSE(watch_.has_changed());
  write("a", "one and two");

  EXPECT_FALSE(watch_.has_changed()) << "who writes it may not be done";
  EXPECT_TRUE(watch_.has_changed());
  EXPECT_FALSE(watch_.has_changed());
}

TEST_F(FileWatchTest, SeesALinkThatLeadsElsewhere) {
  write("b", "one");
  std::filesystem::create_symlink(folder_ / "a", folder_ / "link");
  watch_.watch({folder_ / "link"});
  std::filesystem::create_symlink(folder_ / "b", folder_ / "new");
  std::filesystem::rename(folder_ / "new", folder_ / "link");

  EXPECT_FALSE(watch_.has_changed());
  EXPECT_TRUE(watch_.has_changed());
}

TEST_F(FileWatchTest, SeesAFileThatGoesAndComesBack) {
  watch_.watch({folder_ / "a"});
  std::filesystem::remove(folder_ / "a");
  EXPECT_FALSE(watch_.has_changed());
  EXPECT_TRUE(watch_.has_changed());
}

TEST_F(FileWatchTest, SeesAnotherFileThatTakesTheName) {
  watch_.watch({folder_ / "a"});
  write("new", "two");
  std::filesystem::rename(folder_ / "new", folder_ / "a");
  EXPECT_FALSE(watch_.has_changed());
  EXPECT_TRUE(watch_.has_changed());
}

TEST_F(FileWatchTest, KeepsWhatItKnowsOfAFileThatIsWatchedOn) {
  watch_.watch({folder_ / "a"});
  write("a", "longer than before");
  write("b", "one");

  watch_.watch({folder_ / "a", folder_ / "b"});

  EXPECT_FALSE(watch_.has_changed());
  EXPECT_TRUE(watch_.has_changed());
}

TEST_F(FileWatchTest, TakesForGrantedWhatWasAccepted) {
  watch_.watch({folder_ / "a"});
  write("a", "longer than before");

  watch_.accept();

  EXPECT_FALSE(watch_.has_changed());
  EXPECT_FALSE(watch_.has_changed());
}

}  // namespace
}  // namespace tidepool::proxy

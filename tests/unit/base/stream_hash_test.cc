#include "tidepool/base/stream_hash.h"

#include <cstdio>
#include <cstdlib>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidepool {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

StreamHash::Value hash_of(std::string_view bytes) {
  StreamHash hash;
  hash.add(bytes);
  return hash.value();
}

TEST(StreamHash, IsTheSameWhereverTheBytesAreCut) {
  std::string bytes;
  for (int i = 0; i < 1000; ++i)
    bytes += static_cast<char>(i);
  const StreamHash::Value whole = hash_of(bytes);
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    StreamHash hash;
    hash.add(std::string_view(bytes).substr(0, cut));
    hash.add(std::string_view(bytes).substr(cut));
    ASSERT_EQ(hash.value(), whole) << "cut at " << cut;
    ASSERT_EQ(hash.bytes(), bytes.size());
  }
}

TEST(StreamHash, EachByteCounts) {
  std::string bytes(300, 'x');
  const StreamHash::Value before = hash_of(bytes);
  for (char& byte : bytes) {
    byte = 'y';
    EXPECT_NE(hash_of(bytes), before);
    byte = 'x';
  }
}

// A death test of this style runs the program anew.
TEST(StreamHash, HasAKeyThatEachProcessMakesForItself) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  std::string here = "value";
  for (const std::uint8_t byte : hash_of("x"))
    here += " " + std::to_string(byte);
  EXPECT_EXIT(
      {
        std::fputs(here.c_str(), stderr);
        std::_Exit(0);
      },
      ::testing::ExitedWithCode(0), AllOf(HasSubstr("value"), Not(HasSubstr(here))));
}

TEST(StreamHash, NumbersNames) {
  EXPECT_EQ(keyed_number("app"), keyed_number("app"));
  EXPECT_NE(keyed_number("app"), keyed_number("apq"));
  EXPECT_NE(keyed_number(""), 0U);
}

TEST(StreamHash, BeginsAnew) {
  StreamHash hash;
  hash.add("before");
  hash.clear();
  hash.add("after");
  EXPECT_EQ(hash.value(), hash_of("after"));
  EXPECT_EQ(hash.bytes(), 5U);
}

}  // namespace
}  // namespace tidepool

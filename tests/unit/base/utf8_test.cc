#include "tidepool/base/utf8.h"

#include <string>

#include <gtest/gtest.h>

namespace tidepool {
namespace {

TEST(Utf8, CutsBetweenCharacters) {
  EXPECT_EQ(first_characters("abc", 2), "ab");
  EXPECT_EQ(first_characters("abc", 3), "abc");
  EXPECT_EQ(first_characters("abc", 48), "abc");
  EXPECT_EQ(first_characters("", 48), "");
  EXPECT_EQ(first_characters("ä€😀x", 3), "ä€😀");
}

TEST(Utf8, CountsEachByteThatIsNoUtf8) {
  EXPECT_EQ(first_characters(std::string(1000, '\x80'), 48).size(), 48U);
  EXPECT_EQ(first_characters(std::string(1000, '\xE2'), 48).size(), 48U);
  EXPECT_EQ(first_characters("\xE2\x82", 48), "\xE2\x82");
}

}  // namespace
}  // namespace tidepool

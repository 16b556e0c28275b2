#include "tidepool/base/encoding.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace tidepool {
namespace {

std::string encoded(const std::string& one, const std::string& two) {
  return Encoding().text(one).text(two).take();
}

TEST(Encoding, KeepsPartsApartThatRunTogether) {
  EXPECT_NE(encoded("ab", "c"), encoded("a", "bc"));
  EXPECT_NE(encoded("", "a"), encoded("a", ""));
  EXPECT_NE(encoded("a", std::string("\x01z", 2)), encoded("a\x01", "z"));
  EXPECT_EQ(encoded("a", "b"), encoded("a", "b"));
}

TEST(Encoding, WritesANumberInOneWay) {
  std::set<std::string> seen;
  for (const std::uint64_t value :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{0x7f}, std::uint64_t{0x80},
        std::uint64_t{0x3fff}, std::uint64_t{0x4000}, std::uint64_t{1} << 63U, ~std::uint64_t{0}})
    EXPECT_TRUE(seen.insert(Encoding().number(value).take()).second) << value;
  EXPECT_EQ(Encoding().number(0x7f).take(), "\x7f");
  EXPECT_EQ(Encoding().number(0x80).take(), "\x80\x01");
}

TEST(Encoding, GoesOnFromAnother) {
  EXPECT_EQ(Encoding(Encoding().text("a").take()).text("b").take(), encoded("a", "b"));
}

}  // namespace
}  // namespace tidepool

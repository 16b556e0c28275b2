#include "tidepool/base/stream_hash.h"

#include <string>

#include <gtest/gtest.h>

namespace tidepool {
namespace {

std::uint64_t hash_of(std::string_view bytes) {
  StreamHash hash;
  hash.add(bytes);
  return hash.value();
}

TEST(StreamHash, IsTheSameWhereverTheBytesAreCut) {
  std::string bytes;
  for (int i = 0; i < 1000; ++i)
    bytes += static_cast<char>(i);
  const std::uint64_t whole = hash_of(bytes);
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
  const std::uint64_t before = hash_of(bytes);
  for (char& byte : bytes) {
    byte = 'y';
    EXPECT_NE(hash_of(bytes), before);
    byte = 'x';
  }
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

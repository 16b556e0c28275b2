#include "tidepool/protocol/codec.h"

#include <gtest/gtest.h>

#include "bytes.h"

namespace tidepool::protocol {
namespace {

TEST(Reader, ReadsFixedIntegersLittleEndian) {
  const std::string bytes = hex("01 0203 040506 0708090a 0b0c0d0e0f101112");
  Reader reader(bytes);
  EXPECT_EQ(reader.u8(), 0x01U);
  EXPECT_EQ(reader.u16(), 0x0302U);
  EXPECT_EQ(reader.u24(), 0x060504U);
  EXPECT_EQ(reader.u32(), 0x0a090807U);
  EXPECT_EQ(reader.u64(), 0x1211100f0e0d0c0bU);
  EXPECT_TRUE(reader.ok());
  EXPECT_TRUE(reader.at_end());
}

TEST(Reader, StaysFailedAfterReadingPastTheEnd) {
  Reader reader(std::string_view("ab"));
  EXPECT_EQ(reader.u32(), 0U);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.u8(), 0U);
  EXPECT_EQ(reader.rest(), "");
  EXPECT_EQ(reader.nul_string(), "");
  EXPECT_FALSE(reader.ok());
}

TEST(Reader, ReadsStringsOfEachKind) {
  const std::string bytes = hex("616200 02 6364 fb 00 6566");
  Reader reader(bytes);
  EXPECT_EQ(reader.nul_string(), "ab");
  EXPECT_EQ(reader.lenenc_string(), "cd");
  EXPECT_EQ(reader.nullable_lenenc_string(), std::nullopt);
  EXPECT_EQ(reader.nullable_lenenc_string(), "");
  EXPECT_EQ(reader.peek(), 'e');
  EXPECT_EQ(reader.rest(), "ef");
  EXPECT_TRUE(reader.ok());
}

TEST(Reader, RefusesStringsLongerThanTheRest) {
  for (const char* text : {"05 616263", "fe ffffffffffffffff", "fd 000001", "fb", "ff"}) {
    const std::string bytes = hex(text);
    Reader reader(bytes);
    EXPECT_EQ(reader.lenenc_string(), "") << text;
    EXPECT_FALSE(reader.ok()) << text;
  }
  Reader no_nul(std::string_view("abc"));
  no_nul.nul_string();
  EXPECT_FALSE(no_nul.ok());
}

TEST(Writer, PicksTheShortestLengthEncoding) {
  const auto encoded = [](std::uint64_t value) {
    std::string out;
    Writer(out).lenenc(value);
    return out;
  };
  EXPECT_EQ(encoded(0), hex("00"));
  EXPECT_EQ(encoded(250), hex("fa"));
  EXPECT_EQ(encoded(251), hex("fc fb00"));
  EXPECT_EQ(encoded(0xffff), hex("fc ffff"));
  EXPECT_EQ(encoded(0x10000), hex("fd 000001"));
  EXPECT_EQ(encoded(0xffffff), hex("fd ffffff"));
  EXPECT_EQ(encoded(0x1000000), hex("fe 0000000100000000"));
}

TEST(Writer, WritesWhatTheReaderReads) {
  for (const std::uint64_t value : {0ULL, 1ULL, 250ULL, 251ULL, 65535ULL, 65536ULL, 16777215ULL,
                                    16777216ULL, 0xffffffffffffffffULL}) {
    std::string out;
    Writer(out).lenenc(value).u64(value).lenenc_string("x").nul_string("y").zeros(2);
    Reader reader(out);
    EXPECT_EQ(reader.lenenc(), value);
    EXPECT_EQ(reader.u64(), value);
    EXPECT_EQ(reader.lenenc_string(), "x");
    EXPECT_EQ(reader.nul_string(), "y");
    EXPECT_EQ(reader.u16(), 0U);
    EXPECT_TRUE(reader.ok() && reader.at_end());
  }
}

}  // namespace
}  // namespace tidepool::protocol

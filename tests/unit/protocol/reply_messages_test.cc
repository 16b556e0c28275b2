#include "tidepool/protocol/reply_messages.h"

#include <gtest/gtest.h>

#include "bytes.h"

namespace tidepool::protocol {
namespace {

TEST(Ok, LooksLikeTheOneThatEndsTidbsLogin) {
  EXPECT_EQ(encode_ok({}), hex("00 00 00 0200 0000"));
  EXPECT_EQ(ok_packet({}, 2), hex("070000 02 00 00 00 0200 0000"));
}

TEST(Ok, CarriesInfoLengthEncoded) {
  const OkMessage ok{.affected_rows = 3, .last_insert_id = 300, .status = 3, .info = "Records: 3"};
  EXPECT_EQ(encode_ok(ok), hex("00 03 fc2c01 0300 0000 0a") + "Records: 3");
}

TEST(Ok, SurvivesEncodingAndParsing) {
  for (const std::uint8_t header : {kOkHeader, kEofHeader}) {
    const OkMessage ok{1ULL << 40U, 251, 0x2003, 9, "info", header};
    EXPECT_EQ(parse_ok(encode_ok(ok)).value(), ok);
  }
}

TEST(Ok, ToleratesAnInfoThatIsNotLengthEncoded) {
  EXPECT_EQ(parse_ok(hex("00 00 00 0200 0000") + "Rows matched").value().info, "Rows matched");
}

TEST(Eof, SurvivesEncodingAndParsing) {
  EXPECT_EQ(encode_eof({.warnings = 1, .status = 0x22}), hex("fe 0100 2200"));
  EXPECT_EQ(parse_eof(hex("fe 0100 2200")).value(), (EofMessage{1, 0x22}));
  EXPECT_EQ(eof_packet({}, 4), hex("050000 04 fe 0000 0200"));
}

TEST(Err, HasASqlstateUnlessToldNotTo) {
  EXPECT_EQ(encode_err({1064, "42000", "no"}), hex("ff 2804 23") + "42000no");
  EXPECT_EQ(encode_err({1040, "", "Too many"}), hex("ff 1004") + "Too many");
  EXPECT_EQ(err_packet({1040, "", ""}, 0), hex("030000 00 ff1004"));
}

TEST(Err, SurvivesEncodingAndParsing) {
  for (const char* state : {"28000", ""}) {
    const ErrMessage err{1045, state, "Access denied"};
    EXPECT_EQ(parse_err(encode_err(err)).value(), err);
  }
}

TEST(Replies, RefuseWhatIsCutShortOrSomethingElse) {
  const std::string ok = encode_ok({.affected_rows = 70000});
  for (std::size_t size = 0; size < ok.size(); ++size)
    EXPECT_FALSE(parse_ok(ok.substr(0, size)));
  const std::string eof = encode_eof({});
  for (std::size_t size = 0; size < eof.size(); ++size) {
    EXPECT_FALSE(parse_eof(eof.substr(0, size)));
  }
  for (const char* text : {"", "ff", "ff01"})
    EXPECT_FALSE(parse_err(hex(text)));
  EXPECT_FALSE(parse_ok(encode_err({1, "HY000", "some text"})));
  EXPECT_FALSE(parse_err(ok));
  EXPECT_FALSE(parse_eof(hex("fe 0100 2200 00000000")));
}

}  // namespace
}  // namespace tidepool::protocol

#include "tidepool/protocol/statement_messages.h"

#include <gtest/gtest.h>

#include "bytes.h"

namespace tidepool::protocol {
namespace {

TEST(StmtPrepareOk, SurvivesEncodingAndParsing) {
  const StmtPrepareOk ok{7, 2, 3, 0};
  EXPECT_EQ(encode_stmt_prepare_ok(ok), hex("00 07000000 0200 0300 00 0000"));
  EXPECT_EQ(parse_stmt_prepare_ok(encode_stmt_prepare_ok(ok)).value(), ok);
  EXPECT_FALSE(parse_stmt_prepare_ok(hex("00 07000000 0200 03")));
  EXPECT_FALSE(parse_stmt_prepare_ok(hex("ff 07000000 0200 0300")));
}

TEST(StatementId, IsReadAndReplacedInPlace) {
  std::string payload = encode_stmt_prepare_ok({7, 2, 3, 0});
  EXPECT_EQ(parse_statement_id(payload).value(), 7U);
  EXPECT_TRUE(patch_statement_id(payload, 0x01020304));
  EXPECT_EQ(payload, hex("00 04030201 0200 0300 00 0000"));
  EXPECT_EQ(parse_statement_id(payload).value(), 0x01020304U);

  std::string frame = framed(0, encode_statement_command(Command::kStmtClose, 9));
  EXPECT_TRUE(patch_statement_id(std::span<char>(frame).subspan(kHeaderBytes), 10));
  EXPECT_EQ(frame, hex("050000 00 19 0a000000"));
}

TEST(StatementId, IsNotLookedForInTooShortAPacket) {
  std::string payload = hex("19 010000");
  EXPECT_FALSE(parse_statement_id(payload));
  EXPECT_FALSE(patch_statement_id(payload, 1));
  EXPECT_EQ(payload, hex("19 010000"));
}

TEST(StmtExecute, HasTypesOnlyWhenTheClientSendsThem) {
  const std::string first = hex("17 05000000 00 01000000 02 01 0800 fd00 2a00000000000000");
  const StmtExecute execute = parse_stmt_execute(first, 2).value();
  EXPECT_EQ(execute.statement_id, 5U);
  EXPECT_EQ(execute.null_bitmap, hex("02"));
  EXPECT_TRUE(execute.has_types);
  EXPECT_EQ(execute.types, hex("0800 fd00"));
  EXPECT_EQ(execute.values, hex("2a00000000000000"));
  EXPECT_EQ(encode_stmt_execute(execute), first);

  const std::string later = hex("17 05000000 01 01000000 02 00 2b00000000000000");
  StmtExecute again = parse_stmt_execute(later, 2).value();
  EXPECT_FALSE(again.has_types);
  EXPECT_EQ(again.cursor_flags, kCursorReadOnly);
  EXPECT_EQ(encode_stmt_execute(again), later);

  again.has_types = true;
  again.types = execute.types;
  again.statement_id = 6;
  EXPECT_EQ(encode_stmt_execute(again),
            hex("17 06000000 01 01000000 02 01 0800 fd00 2b00000000000000"));
}

TEST(StmtExecute, NeedsNothingAfterTheIterationsWithoutParameters) {
  const std::string payload = hex("17 05000000 00 01000000");
  const StmtExecute execute = parse_stmt_execute(payload, 0).value();
  EXPECT_FALSE(execute.has_types);
  EXPECT_EQ(encode_stmt_execute(execute), payload);
}

TEST(StmtExecute, SizesTheNullBitmapByTheParameters) {
  const std::string payload = hex("17 05000000 00 01000000 ff00 00");
  EXPECT_EQ(parse_stmt_execute(payload, 9).value().null_bitmap, hex("ff00"));
  EXPECT_EQ(parse_stmt_execute(payload, 8).value().null_bitmap, hex("ff"));
}

TEST(StmtExecute, RefusesWhatIsCutShort) {
  const std::string whole = hex("17 05000000 00 01000000 00 01 0800 fd00");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(parse_stmt_execute(whole.substr(0, size), 2)) << size;
  }
  EXPECT_TRUE(parse_stmt_execute(whole, 2));
  EXPECT_FALSE(parse_stmt_execute(hex("16 05000000 00 01000000"), 0));
}

}  // namespace
}  // namespace tidepool::protocol

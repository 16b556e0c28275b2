#include "tidepool/protocol/text_result.h"

#include <gtest/gtest.h>

#include "bytes.h"
#include "tidepool/protocol/reply_messages.h"

namespace tidepool::protocol {
namespace {

TEST(TextResult, LooksLikeTidbs) {
  const std::string bytes = make_text_result({integer_column("id")}, {{{"42"}}}, 2, 0);
  EXPECT_EQ(bytes,
            hex("010000 01 01") +
                hex("180000 02 03 646566 00 00 00 02 6964 00 0c 3f00 14000000 08 8100 00 0000") +
                hex("050000 03 fe 0000 0200") + hex("030000 04 02") + "42" +
                hex("050000 05 fe 0000 0200"));
}

TEST(TextResult, SurvivesBuildingAndParsing) {
  std::vector<Column> columns = {string_column("name"), integer_column("n")};
  columns[0].schema = "db";
  columns[0].table = "t";
  columns[0].org_table = "org_t";
  columns[0].org_name = "org_name";
  const std::vector<Row> rows = {
      {{"a"}, {"1"}}, {std::nullopt, {std::string(300, 'x')}}, {{""}, {"2"}}};
  const TextResult result = parse_text_result(make_text_result(columns, rows, 0x22, 3)).value();
  EXPECT_EQ(result.columns, columns);
  EXPECT_EQ(result.rows, rows);
  EXPECT_EQ(result.status, 0x22);
  EXPECT_EQ(result.warnings, 3);
}

std::vector<Column> columns_of_show_warnings() {
  std::vector<Column> columns = {string_column("Level"), integer_column("Code"),
                                 string_column("Message")};
  columns[1].type = static_cast<std::uint8_t>(ColumnType::kLong);
  return columns;
}

TEST(TextResult, HasBinaryRowsLikeTidbs) {
  const std::string bytes = make_text_result(columns_of_show_warnings(), {{"Warning", "1365", "x"}},
                                             2, 0, RowFormat::kBinary);
  const std::string row = hex("100000 06 00 00 07") + "Warning" + hex("55050000 01") + "x";
  EXPECT_TRUE(bytes.ends_with(row + hex("050000 07 fe 0000 0200")));
}

TEST(TextResult, SurvivesBuildingAndParsingInBinary) {
  const std::vector<Column> columns = columns_of_show_warnings();
  const std::vector<Row> rows = {{{"a"}, {"-1"}, {std::string(300, 'x')}},
                                 {std::nullopt, std::nullopt, std::nullopt},
                                 {{""}, {"2147483647"}, {"z"}}};
  const std::string bytes = make_text_result(columns, rows, 0x22, 3, RowFormat::kBinary);
  const TextResult result = parse_text_result(bytes, RowFormat::kBinary).value();
  EXPECT_EQ(result.columns, columns);
  EXPECT_EQ(result.rows, rows);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(parse_text_result(bytes.substr(0, size), RowFormat::kBinary)) << size;
  }
}

TEST(TextResult, RefusesABinaryColumnThatItCannotRead) {
  const std::string bytes = make_text_result({integer_column("id")}, {{{"42"}}}, 2, 0);
  EXPECT_FALSE(parse_text_result(bytes, RowFormat::kBinary));
}

TEST(TextResult, MayBeAnOkInstead) {
  const TextResult result = parse_text_result(ok_packet({.status = 3, .warnings = 1}, 1)).value();
  EXPECT_TRUE(result.columns.empty());
  EXPECT_EQ(result.status, 3);
  EXPECT_EQ(result.warnings, 1);
}

TEST(TextResult, TurnsAnErrIntoAnError) {
  const auto result = parse_text_result(err_packet({1146, "42S02", "no table"}, 1));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kBackend);
  EXPECT_EQ(result.error().mysql_errno, 1146);
  EXPECT_EQ(result.error().sqlstate, "42S02");
  EXPECT_EQ(result.error().message, "no table");
}

TEST(TextResult, RefusesWhatIsCutShort) {
  const std::string bytes = make_text_result({integer_column("id")}, {{{"42"}}}, 2, 0);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(parse_text_result(bytes.substr(0, size))) << size;
  }
}

TEST(TextResult, RefusesARowOfAnotherWidth) {
  const std::string head =
      framed(1, hex("01")) + framed(2, encode_column(integer_column("id"))) + eof_packet({}, 3);
  EXPECT_FALSE(parse_text_result(head + framed(4, hex("0131 0132")) + eof_packet({}, 5)));
  EXPECT_TRUE(parse_text_result(head + framed(4, hex("0131")) + eof_packet({}, 5)));
}

TEST(Column, RefusesWhatIsCutShort) {
  const std::string whole = encode_column(string_column("a"));
  for (std::size_t size = 0; size + 2 < whole.size(); ++size) {
    EXPECT_FALSE(parse_column(whole.substr(0, size))) << size;
  }
}

TEST(TextResult, RefusesWhatIsNoResult) {
  const std::string one = framed(1, hex("01"));
  const std::string column = framed(2, encode_column(integer_column("id")));
  const std::string head = one + column + eof_packet({}, 3);
  const std::pair<const char*, std::string> all[] = {
      {"an empty head", framed(1, "")},
      {"a column count and more", framed(1, hex("01 02"))},
      {"a column count cut short", framed(1, hex("fc 01"))},
      {"an ERR cut short", framed(1, hex("ff 01"))},
      {"an OK cut short", framed(1, hex("00"))},
      {"a column that is none", one + framed(2, "x")},
      {"an empty column", one + framed(2, "")},
      {"no EOF after the columns", one + column + framed(3, "rows")},
      {"an empty packet after the columns", one + column + framed(3, "")},
      {"an EOF that is too long", one + column + framed(3, hex("fe") + std::string(8, '\0'))},
      {"an EOF cut short after the rows", head + framed(4, hex("fe 00"))},
      {"a row longer than its packet", head + framed(4, hex("05 31")) + eof_packet({}, 5)},
      {"an empty row", head + framed(4, "") + eof_packet({}, 5)},
  };
  for (const auto& [what, bytes] : all) {
    const auto result = parse_text_result(bytes);
    ASSERT_FALSE(result) << what;
    EXPECT_EQ(result.error().code, Code::kProtocol) << what;
  }
}

TEST(TextResult, TurnsAnErrAtAnyPlaceIntoAnError) {
  const std::string one = framed(1, hex("01"));
  const std::string column = framed(2, encode_column(integer_column("id")));
  const std::string row = framed(4, hex("0131"));
  for (const std::string& before : {one, one + column, one + column + eof_packet({}, 3),
                                    one + column + eof_packet({}, 3) + row}) {
    const auto result = parse_text_result(before + err_packet({1317, "70100", "interrupted"}, 9));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Code::kBackend);
    EXPECT_EQ(result.error().mysql_errno, 1317);
  }
}

}  // namespace
}  // namespace tidepool::protocol

#include "tidepool/tracking/warnings.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tidepool::tracking {
namespace {

protocol::TextResult answer(const std::vector<protocol::Row>& rows, std::uint32_t message_width) {
  protocol::Column level = protocol::string_column("Level");
  level.length = 256;
  protocol::Column code = protocol::integer_column("Code");
  code.length = 19;
  protocol::Column message = protocol::string_column("Message");
  message.length = message_width;
  return {.columns = {level, code, message}, .rows = rows, .status = 2, .warnings = 0};
}

const protocol::Row kShortError{"Error", "1064", "short"};
const protocol::Row kLongError{"Error", "1064", std::string(161, 'x')};
const protocol::Row kMiddleError{"Error", "1064", std::string(148, 'y')};
const protocol::Row kLongWarning{"Warning", "1365", std::string(90, 'z')};

TEST(WarningsTest, AddsTheLastRowToThoseBeforeIt) {
  const auto result = with_last_of(answer({kLongWarning, kShortError}, 360),
                                   answer({kLongError, kMiddleError}, 644), 1);

  EXPECT_EQ(result.rows, (std::vector<protocol::Row>{kLongWarning, kShortError, kMiddleError}));
}

TEST(WarningsTest, AddsSeveralRows) {
  const auto result = with_last_of(answer({kLongWarning}, 360),
                                   answer({kShortError, kLongError, kMiddleError}, 644), 2);

  EXPECT_EQ(result.rows, (std::vector<protocol::Row>{kLongWarning, kLongError, kMiddleError}));
}

TEST(WarningsTest, HiddenErrorsComeLast) {
  const auto result = with_hidden(answer({kLongWarning, kShortError}, 360),
                                  answer({kShortError, kMiddleError}, 644), 4);
  ASSERT_EQ(result.rows.size(), 4U);
  EXPECT_EQ(result.rows[1], kShortError);
  EXPECT_EQ(result.rows[2][0], "Warning");
  EXPECT_EQ(result.rows[3], kMiddleError);
}

TEST(WarningsTest, NothingIsHiddenWhereAllIsShown) {
  const auto result =
      with_hidden(answer({kLongWarning, kShortError}, 360), answer({kShortError}, 360), 2);
  EXPECT_EQ(result.rows, (std::vector<protocol::Row>{kLongWarning, kShortError}));
}

TEST(WarningsTest, AColumnIsAsWideAsItsWidestRow) {
  const auto result =
      with_last_of(answer({kLongError, kShortError}, 644), answer({kMiddleError}, 592), 1);

  EXPECT_EQ(result.columns[0].length, 256U);
  EXPECT_EQ(result.columns[1].length, 19U);
  EXPECT_EQ(result.columns[2].length, 644U);
}

TEST(WarningsTest, ARowThatGoesTakesItsWidthAlong) {
  const auto result = only_errors(answer({kLongWarning, kShortError}, 360));

  EXPECT_EQ(result.rows, (std::vector<protocol::Row>{kShortError}));
  EXPECT_EQ(result.columns[2].length, 256U);
}

// A prepared SHOW WARNINGS adds none where no plan is cached.
TEST(WarningsTest, WhatWasThereStaysWhereABackendHasAddedNothing) {
  const auto result = with_last_of(answer({kShortError}, 256), answer({}, 256), 1);

  EXPECT_EQ(result.rows, (std::vector<protocol::Row>{kShortError}));
}

TEST(WarningsTest, AnErrorOfTheProxyIsShownAsTidbShowsItsOwn) {
  const auto shown =
      protocol::parse_text_result(warnings_of({Code::kBackend, "Unknown table", 1146, "42S02"}, 2));
  ASSERT_TRUE(shown);
  EXPECT_EQ(shown->rows, (std::vector<protocol::Row>{{"Error", "1146", "Unknown table"}}));
  EXPECT_EQ(shown->status, 2);
  EXPECT_EQ(shown->warnings, 0);
  ASSERT_EQ(shown->columns.size(), 3U);
  EXPECT_EQ(shown->columns[0].name, "Level");
  EXPECT_EQ(shown->columns[0].length, 256U);
  EXPECT_EQ(shown->columns[0].charset, 46);
  EXPECT_EQ(shown->columns[1].name, "Code");
  EXPECT_EQ(shown->columns[1].length, 19U);
  EXPECT_EQ(shown->columns[1].charset, 63);
  EXPECT_EQ(shown->columns[1].type, static_cast<std::uint8_t>(protocol::ColumnType::kLong));
  EXPECT_EQ(shown->columns[1].flags, 0x20);
  EXPECT_EQ(shown->columns[2].name, "Message");
  EXPECT_EQ(shown->columns[2].charset, 46);
  for (const protocol::Column& column : shown->columns) {
    EXPECT_EQ(column.schema, "INFORMATION_SCHEMA");
    EXPECT_EQ(column.table, "WARNINGS");
  }
}

TEST(WarningsTest, ALongErrorMakesItsColumnWide) {
  EXPECT_EQ(error_warning(1105, std::string(100, 'x')).columns[2].length, 400U);
}

// TiDB may answer with less than a whole row, or a NULL; nothing is made of it.
TEST(WarningsTest, RowsWithoutAMessageAreNoErrorsAndHaveNoWidth) {
  auto result = answer({{}, {"Warning", std::nullopt, std::nullopt}, kShortError}, 9999);
  fit_widths(result);
  EXPECT_EQ(result.columns[2].length, 256U);
  EXPECT_EQ(only_errors(result).rows, (std::vector<protocol::Row>{kShortError}));
}

}  // namespace
}  // namespace tidepool::tracking

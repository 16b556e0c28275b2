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

}  // namespace
}  // namespace tidepool::tracking

#include "tidepool/tracking/shown_warnings.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tidepool/protocol/reply_messages.h"

namespace tidepool::tracking {
namespace {

using protocol::Row;
using protocol::TextResult;
using Rows = std::vector<Row>;

const Row kError{"Error", "1054", "Unknown column"};
const Row kWarning{"Warning", "1365", "Division by 0"};
const Row kOther{"Warning", "1064", "Optimizer hint syntax error"};

TextResult warnings(Rows rows) {
  return {.columns = {protocol::string_column("Level"), protocol::string_column("Code"),
                      protocol::string_column("Message")},
          .rows = std::move(rows),
          .status = 10};
}

std::string bytes(const Rows& rows) {
  return protocol::make_text_result(warnings({}).columns, rows, 10, 0);
}

sql::Script script(std::string_view text) {
  return sql::classify(text, {});
}

// The first result of the answer, after it went through in pieces of that size.
TextResult shown(ShownWarnings& shows, const std::string& answer, std::size_t piece) {
  std::string out;
  for (std::size_t at = 0; at < answer.size(); at += piece)
    out += shows.feed(std::string_view(answer).substr(at, piece));
  auto result = protocol::parse_text_result(out);
  return result ? *std::move(result) : TextResult{};
}

TEST(TextsThatWarn, LeaveNothingWhereThereWasNothing) {
  EXPECT_EQ(texts_that_warn(warnings({})), (std::vector<std::string>{"DO 0"}));
}

TEST(TextsThatWarn, LeaveAsManyWarningsAndErrors) {
  EXPECT_EQ(texts_that_warn(warnings({kError, kWarning, kWarning, kError})),
            (std::vector<std::string>{"SELECT CAST('x0' AS SIGNED),CAST('x1' AS SIGNED)",
                                      "an error, as there was one", "an error, as there was one"}));
}

TEST(TextsThatWarn, AreNoneForVeryMany) {
  EXPECT_EQ(texts_that_warn(warnings(Rows(1001, kWarning))), std::nullopt);
}

TEST(ShownBy, KnowsTheFourForms) {
  const TextResult all = warnings({kError, kWarning});
  EXPECT_EQ(shown_by(script("show warnings").front(), all)->rows, (Rows{kError, kWarning}));
  EXPECT_EQ(shown_by(script("SHOW ERRORS").front(), all)->rows, (Rows{kError}));
  EXPECT_EQ(shown_by(script("SHOW COUNT(*) WARNINGS").front(), all)->rows, (Rows{{"2"}}));
  EXPECT_EQ(shown_by(script("SHOW COUNT(*) ERRORS").front(), all)->rows, (Rows{{"1"}}));
  EXPECT_EQ(shown_by(script("SHOW WARNINGS LIKE 'x'").front(), all), std::nullopt);
}

TEST(ShownBy, ALimitHidesWarningsAndNoErrors) {
  const TextResult all = warnings({kWarning, kWarning, kError});
  EXPECT_EQ(shown_by(script("SHOW WARNINGS").front(), all, 2)->rows, (Rows{kWarning, kWarning}));
  EXPECT_EQ(shown_by(script("SHOW ERRORS").front(), all, 0)->rows, (Rows{kError}));
  EXPECT_EQ(shown_by(script("SHOW COUNT(*) WARNINGS").front(), all, 1)->rows, (Rows{{"3"}}));
  EXPECT_TRUE(shown_by(script("SHOW COUNT(*) WARNINGS").front(), all, 0)->rows.empty());
  EXPECT_EQ(shown_by(script("SHOW COUNT(*) ERRORS").front(), all, 0)->rows, (Rows{{"1"}}));
}

TEST(ShownWarnings, StandInThePlaceOfTheBackends) {
  for (const std::size_t piece : {1000U, 7U, 1U}) {
    ShownWarnings shows(script("SHOW WARNINGS; SELECT 1"), warnings({kError, kWarning}));
    const TextResult first = shown(shows, bytes({kWarning, kWarning}), piece);
    EXPECT_EQ(first.rows, (Rows{kError, kWarning}));
    EXPECT_EQ(first.status, 10);
    EXPECT_TRUE(shows.is_over());
    EXPECT_EQ(shows.feed("the rest"), "the rest");
  }
}

TEST(ShownWarnings, StandInBinaryRowsToo) {
  const TextResult before = warnings({kError, kWarning});
  const Row own{"Warning", "1105", "skip plan cache"};
  for (const std::size_t piece : {1000U, 7U, 1U}) {
    ShownWarnings shows(script("SHOW WARNINGS"), before, kAllWarnings,
                        protocol::RowFormat::kBinary);
    const std::string answer = protocol::make_text_result(before.columns, {kOther, kOther, own}, 10,
                                                          0, protocol::RowFormat::kBinary);
    std::string out;
    for (std::size_t at = 0; at < answer.size(); at += piece)
      out += shows.feed(std::string_view(answer).substr(at, piece));
    const auto result = protocol::parse_text_result(out, protocol::RowFormat::kBinary);
    ASSERT_TRUE(result);
    EXPECT_EQ(result->rows, (Rows{kError, kWarning, own}));
  }
}

TEST(ShownWarnings, GoOnWithTheNumbersOfTheirPackets) {
  ShownWarnings shows(script("SHOW WARNINGS; SHOW ERRORS; DO 0"), warnings({kError}));
  std::string second = bytes({kWarning});
  for (std::size_t at = 0, number = 8; at < second.size(); ++number) {
    second[at + 3] = static_cast<char>(number);
    at += 4 + static_cast<unsigned char>(second[at]);
  }
  shows.feed(bytes({kWarning}));
  const std::string out = shows.feed(second);

  EXPECT_EQ(out[3], 8);
  EXPECT_EQ(out[out.size() - 6], 14);  // of the last EOF
}

TEST(ShownWarnings, AreNotThereInAnError) {
  ShownWarnings shows(script("SHOW WARNINGS; SELEC"), warnings({kError}));
  const std::string error =
      protocol::err_packet({.number = 1064, .sqlstate = "42000", .message = "near"}, 1);
  EXPECT_EQ(shows.feed(error), error);
  EXPECT_TRUE(shows.is_over());
}

TEST(ShownWarnings, LeaveAnAnswerWithFewerRowsAlone) {
  ShownWarnings shows(script("SHOW WARNINGS; DO 0"), warnings({kError, kError}));
  EXPECT_EQ(shows.feed(bytes({kWarning})), bytes({kWarning}));
}

TEST(ShownWarnings, ComeBeforeWhatTheParserWarnsOf) {
  ShownWarnings shows(script("SHOW WARNINGS; SELECT /*+ nonsense */ 1"), warnings({kError}));
  EXPECT_EQ(shown(shows, bytes({kWarning, kOther}), 1000).rows, (Rows{kError, kOther}));
}

TEST(ShownWarnings, AreCountedByTheBackend) {
  ShownWarnings shows(script("SHOW COUNT(*) WARNINGS; DO 0"), warnings({kError}));
  const std::string two =
      protocol::make_text_result({protocol::integer_column("Count")}, {{"2"}}, 0, 0);
  EXPECT_EQ(shows.feed(two), two);
}

TEST(ShownWarnings, AreThoseOfTheFirstStatementsOnly) {
  EXPECT_TRUE(ShownWarnings(script("SELECT 1; SHOW WARNINGS"), warnings({kError})).is_over());
  EXPECT_TRUE(ShownWarnings(script("SHOW WARNINGS LIKE 'x'; DO 0"), warnings({kError})).is_over());
}

TEST(ShownWarnings, LeaveAnAnswerThatBreaksOff) {
  ShownWarnings shows(script("SHOW WARNINGS; SELECT 1"), warnings({kWarning}));
  const std::string whole = bytes({kOther});
  const std::string broken = whole.substr(0, whole.size() - 9) +
                             protocol::err_packet({.number = 1317, .message = "killed"}, 7);
  EXPECT_EQ(shows.feed(broken), broken);
  EXPECT_TRUE(shows.is_over());
}

}  // namespace
}  // namespace tidepool::tracking

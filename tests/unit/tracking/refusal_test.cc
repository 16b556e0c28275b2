#include "tidepool/tracking/refusal.h"

#include <gtest/gtest.h>

namespace tidepool::tracking {
namespace {

using protocol::Command;

Refusal refused(Command command, const char* text, std::uint16_t error, const char* message = "",
                std::uint32_t results = 1) {
  protocol::ResponseSummary answer;
  answer.outcome = protocol::ResponseSummary::Outcome::kError;
  answer.error_number = error;
  answer.message = message;
  answer.results = results;
  return refusal_of(command, sql::classify(text, {}), answer);
}

TEST(Refusal, IsNoneOfWhatHasBegun) {
  EXPECT_EQ(refused(Command::kQuery, "SELECT a", 1054), Refusal::kNone);
  EXPECT_EQ(refused(Command::kStmtPrepare, "SELECT a", 1054), Refusal::kNone);
  EXPECT_EQ(refused(Command::kQuery, "SELECT 1; SELECT a", 1064, "", 2), Refusal::kNone);
  EXPECT_EQ(refusal_of(Command::kQuery, sql::classify("SELECT 1", {}), {}), Refusal::kNone);
}

TEST(Refusal, AddsAWarningToThoseBefore) {
  EXPECT_EQ(refused(Command::kQuery, "SELEC", 1064), Refusal::kAddsWarning);
  EXPECT_EQ(refused(Command::kQuery, "EXECUTE nobody", 8111), Refusal::kAddsWarning);
  EXPECT_EQ(refused(Command::kQuery, "DEALLOCATE PREPARE nobody", 8111), Refusal::kNone);
}

TEST(Refusal, IsThatOfBytesWhichAreNoCharactersUnlessAFunctionFoundThem) {
  protocol::ResponseSummary answer;
  answer.outcome = protocol::ResponseSummary::Outcome::kError;
  answer.error_number = 1300;
  answer.results = 1;
  const auto refused_in = [&](sql::TextEncoding encoding) {
    return refusal_of(Command::kQuery, sql::classify("SELECT HEX('x')", {}), answer, encoding);
  };
  EXPECT_EQ(refused_in(sql::TextEncoding::kGbk), Refusal::kAddsWarning);
  EXPECT_EQ(refused_in(sql::TextEncoding::kSingleByte), Refusal::kAddsWarning);
  EXPECT_EQ(refused_in(sql::TextEncoding::kUtf8), Refusal::kNone);
  EXPECT_EQ(refused_in(sql::TextEncoding::kGb18030), Refusal::kNone);
}

TEST(Refusal, ComesFromTheParserForUnknownCharacterSets) {
  EXPECT_EQ(refused(Command::kQuery, "SET NAMES nonsense", 1115), Refusal::kAddsWarning);
  EXPECT_EQ(refused(Command::kQuery, "SET @a = 1, NAMES nonsense", 1115), Refusal::kAddsWarning);
  EXPECT_EQ(refused(Command::kQuery, "SELECT 'x' COLLATE nonsense", 1273), Refusal::kAddsWarning);
  EXPECT_EQ(refused(Command::kQuery, "SET character_set_client = nonsense", 1115), Refusal::kNone);
  EXPECT_EQ(refused(Command::kQuery, "SET @a = 'x' COLLATE nonsense", 1273), Refusal::kAddsWarning);
  EXPECT_EQ(refused(Command::kQuery, "SET NAMES gbk COLLATE nonsense", 1273), Refusal::kNone);
  EXPECT_EQ(refused(Command::kQuery, "SET collation_connection = nonsense", 1273), Refusal::kNone);
}

TEST(Refusal, LeavesNoTraceOfManyStatementsAndForbiddenFiles) {
  EXPECT_EQ(refused(Command::kQuery, "SELECT 1; SELECT 2", 8130), Refusal::kWithoutTrace);
  EXPECT_EQ(refused(Command::kQuery, "LOAD DATA LOCAL INFILE 'x' INTO TABLE t", 1148),
            Refusal::kWithoutTrace);
  EXPECT_EQ(refused(Command::kQuery, "INSERT INTO t VALUES (1)", 1148), Refusal::kNone);
}

TEST(Refusal, LeavesNoTraceOfWhatCannotBePrepared) {
  EXPECT_EQ(refused(Command::kStmtPrepare, "SELEC", 1064), Refusal::kWithoutTrace);
  EXPECT_EQ(refused(Command::kStmtPrepare, "SELECT 1; SELECT 2", 8115), Refusal::kWithoutTrace);
}

TEST(Refusal, LeavesNoTraceOfAnExecuteWithoutTypes) {
  EXPECT_EQ(refused(Command::kStmtExecute, "SELECT ?", 1105, "malform packet error"),
            Refusal::kWithoutTrace);
  EXPECT_EQ(refused(Command::kStmtExecute, "SELECT ?", 1105, "anything else"), Refusal::kNone);
}

TEST(Refusal, OfTheTextOfAPrepareIsOneOfTheStatement) {
  EXPECT_EQ(refused(Command::kQuery, "PREPARE p FROM 'SELEC'", 1064), Refusal::kNone);
}

TEST(Refusal, OfATextWithoutStatementsIsTheParsers) {
  EXPECT_EQ(refused(Command::kQuery, "", 1115), Refusal::kAddsWarning);
}

TEST(Refusal, OfAnExecuteAmongOthersIsThatOfTheOthers) {
  EXPECT_EQ(refused(Command::kQuery, "EXECUTE nobody; SELECT 1", 8111), Refusal::kNone);
  EXPECT_EQ(refused(Command::kQuery, "LOAD DATA LOCAL INFILE 'x' INTO TABLE t; SELECT 1", 1148),
            Refusal::kNone);
}

TEST(Refusal, OfANameThatTakesACollationComesFromTheParserForAnotherError) {
  EXPECT_EQ(refused(Command::kQuery, "SET NAMES gbk COLLATE nonsense", 1115),
            Refusal::kAddsWarning);
  EXPECT_EQ(refused(Command::kQuery, "SET NAMES nonsense", 1273), Refusal::kAddsWarning)
      << "it has no collation to look up";
}

TEST(Refusal, MayComeWithWarningsOfTheParser) {
  const auto may_warn = [](const char* text) {
    return may_warn_when_parsed(sql::classify(text, {}));
  };
  EXPECT_TRUE(may_warn("SELECT /*+ x */ 1"));
  EXPECT_TRUE(may_warn("SELECT 1; SELECT /*+ x */ 1"));
  EXPECT_TRUE(may_warn("SELECT 1; CREATE TABLE t (a INT) ENGINE = x"));
  EXPECT_FALSE(may_warn("SELECT 1; SELECT 2"));
  EXPECT_FALSE(may_warn(""));
}

}  // namespace
}  // namespace tidepool::tracking

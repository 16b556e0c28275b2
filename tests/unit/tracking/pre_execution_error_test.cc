#include "tidepool/tracking/pre_execution_error.h"

#include <gtest/gtest.h>

namespace tidepool::tracking {
namespace {

using protocol::Command;

PreExecutionError refused(Command command, const char* text, std::uint16_t error,
                          const char* message = "", std::uint32_t results = 1) {
  protocol::ResponseSummary answer;
  answer.outcome = protocol::ResponseSummary::Outcome::kError;
  answer.error_number = error;
  answer.message = message;
  answer.results = results;
  return pre_execution_error_of(command, sql::classify(text, {}), answer);
}

TEST(PreExecutionError, IsNoneOfWhatHasBegun) {
  EXPECT_EQ(refused(Command::kQuery, "SELECT a", 1054), PreExecutionError::kNone);
  EXPECT_EQ(refused(Command::kStmtPrepare, "SELECT a", 1054), PreExecutionError::kNone);
  EXPECT_EQ(refused(Command::kQuery, "SELECT 1; SELECT a", 1064, "", 2), PreExecutionError::kNone);
  EXPECT_EQ(pre_execution_error_of(Command::kQuery, sql::classify("SELECT 1", {}), {}),
            PreExecutionError::kNone);
}

TEST(PreExecutionError, AddsAWarningToThoseBefore) {
  EXPECT_EQ(refused(Command::kQuery, "SELEC", 1064), PreExecutionError::kAppendsWarning);
  EXPECT_EQ(refused(Command::kQuery, "EXECUTE nobody", 8111), PreExecutionError::kAppendsWarning);
  EXPECT_EQ(refused(Command::kQuery, "DEALLOCATE PREPARE nobody", 8111), PreExecutionError::kNone);
}

TEST(PreExecutionError, IsThatOfBytesWhichAreNoCharactersUnlessAFunctionFoundThem) {
  protocol::ResponseSummary answer;
  answer.outcome = protocol::ResponseSummary::Outcome::kError;
  answer.error_number = 1300;
  answer.results = 1;
  const auto refused_in = [&](sql::TextEncoding encoding) {
    return pre_execution_error_of(Command::kQuery, sql::classify("SELECT HEX('x')", {}), answer,
                                  encoding);
  };
  EXPECT_EQ(refused_in(sql::TextEncoding::kGbk), PreExecutionError::kAppendsWarning);
  EXPECT_EQ(refused_in(sql::TextEncoding::kSingleByte), PreExecutionError::kAppendsWarning);
  EXPECT_EQ(refused_in(sql::TextEncoding::kUtf8), PreExecutionError::kNone);
  EXPECT_EQ(refused_in(sql::TextEncoding::kGb18030), PreExecutionError::kNone);
}

TEST(PreExecutionError, ComesFromTheParserForUnknownCharacterSets) {
  EXPECT_EQ(refused(Command::kQuery, "SET NAMES nonsense", 1115),
            PreExecutionError::kAppendsWarning);
  EXPECT_EQ(refused(Command::kQuery, "SET @a = 1, NAMES nonsense", 1115),
            PreExecutionError::kAppendsWarning);
  EXPECT_EQ(refused(Command::kQuery, "SELECT 'x' COLLATE nonsense", 1273),
            PreExecutionError::kAppendsWarning);
  EXPECT_EQ(refused(Command::kQuery, "SET character_set_client = nonsense", 1115),
            PreExecutionError::kNone);
  EXPECT_EQ(refused(Command::kQuery, "SET @a = 'x' COLLATE nonsense", 1273),
            PreExecutionError::kAppendsWarning);
  EXPECT_EQ(refused(Command::kQuery, "SET NAMES gbk COLLATE nonsense", 1273),
            PreExecutionError::kNone);
  EXPECT_EQ(refused(Command::kQuery, "SET collation_connection = nonsense", 1273),
            PreExecutionError::kNone);
}

TEST(PreExecutionError, LeavesNoTraceOfManyStatementsAndForbiddenFiles) {
  EXPECT_EQ(refused(Command::kQuery, "SELECT 1; SELECT 2", 8130),
            PreExecutionError::kKeepsDiagnostics);
  EXPECT_EQ(refused(Command::kQuery, "LOAD DATA LOCAL INFILE 'x' INTO TABLE t", 1148),
            PreExecutionError::kKeepsDiagnostics);
  EXPECT_EQ(refused(Command::kQuery, "INSERT INTO t VALUES (1)", 1148), PreExecutionError::kNone);
}

TEST(PreExecutionError, LeavesNoTraceOfWhatCannotBePrepared) {
  EXPECT_EQ(refused(Command::kStmtPrepare, "SELEC", 1064), PreExecutionError::kKeepsDiagnostics);
  EXPECT_EQ(refused(Command::kStmtPrepare, "SELECT 1; SELECT 2", 8115),
            PreExecutionError::kKeepsDiagnostics);
}

TEST(PreExecutionError, LeavesNoTraceOfAnExecuteWithoutTypes) {
  EXPECT_EQ(refused(Command::kStmtExecute, "SELECT ?", 1105, "malform packet error"),
            PreExecutionError::kKeepsDiagnostics);
  EXPECT_EQ(refused(Command::kStmtExecute, "SELECT ?", 1105, "anything else"),
            PreExecutionError::kNone);
}

TEST(PreExecutionError, OfTheTextOfAPrepareIsOneOfTheStatement) {
  EXPECT_EQ(refused(Command::kQuery, "PREPARE p FROM 'SELEC'", 1064), PreExecutionError::kNone);
}

TEST(PreExecutionError, OfATextWithoutStatementsIsTheParsers) {
  EXPECT_EQ(refused(Command::kQuery, "", 1115), PreExecutionError::kAppendsWarning);
}

TEST(PreExecutionError, OfAnExecuteAmongOthersIsThatOfTheOthers) {
  EXPECT_EQ(refused(Command::kQuery, "EXECUTE nobody; SELECT 1", 8111), PreExecutionError::kNone);
  EXPECT_EQ(refused(Command::kQuery, "LOAD DATA LOCAL INFILE 'x' INTO TABLE t; SELECT 1", 1148),
            PreExecutionError::kNone);
}

TEST(PreExecutionError, OfANameThatTakesACollationComesFromTheParserForAnotherError) {
  EXPECT_EQ(refused(Command::kQuery, "SET NAMES gbk COLLATE nonsense", 1115),
            PreExecutionError::kAppendsWarning);
  EXPECT_EQ(refused(Command::kQuery, "SET NAMES nonsense", 1273),
            PreExecutionError::kAppendsWarning)
      << "it has no collation to look up";
}

TEST(PreExecutionError, MayComeWithWarningsOfTheParser) {
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

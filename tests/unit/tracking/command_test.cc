#include "tidepool/tracking/command.h"

#include <gtest/gtest.h>

namespace tidepool::tracking {
namespace {

using Type = protocol::Command;

std::unique_ptr<Command> command(Type type, std::string_view argument) {
  auto made =
      std::make_unique<Command>(type, static_cast<char>(type) + std::string(argument), TimePoint{});
  if (type == Type::kQuery || type == Type::kInitDb || type == Type::kStmtPrepare)
    made->script = sql::classify(made->argument(), {});
  return made;
}

// TiDB takes one zero byte at the end of a text for its terminator.
TEST(CommandTest, ATextLosesOneZeroByteAtItsEnd) {
  const std::string query("\3SELECT 1\0", 10);
  EXPECT_EQ(without_terminator(Type::kQuery, query), "\3SELECT 1");
  EXPECT_EQ(without_terminator(Type::kStmtPrepare, query), "\3SELECT 1");
  EXPECT_EQ(without_terminator(Type::kInitDb, query), query) << "a name is no text";
  EXPECT_EQ(without_terminator(Type::kQuery, "\3SELECT 1"), "\3SELECT 1");
}

TEST(CommandTest, ATextWithTwoZeroBytesIsLeftToTidb) {
  const std::string query("\3SELECT 1\0\0", 11);
  EXPECT_EQ(without_terminator(Type::kQuery, query), query);
}

TEST(CommandTest, ALargeTextLosesItsZeroByteToo) {
  Command large(Type::kQuery, Command::Large{std::string("\3SELECT 1\0", 10)}, {});
  EXPECT_EQ(large.argument(), "SELECT 1");
}

TEST(CommandTest, ADatabaseIsQuoted) {
  EXPECT_EQ(use_text("app"), "USE `app`");
  EXPECT_EQ(use_text("a`b"), "USE `a``b`");
}

struct Case {
  const char* name;
  Type type;
  std::string_view argument;
  bool executes;
  bool chooses_database;
  bool repeats_last_ok;
  bool repeats_last_warnings;
  bool holds_answer;
};

class CommandCases : public ::testing::TestWithParam<Case> {};

// What a command is decides how its answer is treated: whether it runs statements, whether TiDB
// repeats in it figures of the statement before, whether it is needed whole.
TEST_P(CommandCases, SayHowTheirAnswersAreTreated) {
  const auto made = command(GetParam().type, GetParam().argument);
  EXPECT_EQ(made->executes(), GetParam().executes);
  EXPECT_EQ(made->chooses_database(), GetParam().chooses_database);
  EXPECT_EQ(made->repeats_last_ok(), GetParam().repeats_last_ok);
  EXPECT_EQ(made->repeats_last_warnings(), GetParam().repeats_last_warnings);
  EXPECT_EQ(made->holds_answer(), GetParam().holds_answer);
}

INSTANTIATE_TEST_SUITE_P(
    All, CommandCases,
    ::testing::Values(
        Case{"Query", Type::kQuery, "SELECT 1", true, false, false, false, false},
        Case{"Use", Type::kQuery, "USE app", true, true, false, false, false},
        Case{"UseAmongOthers", Type::kQuery, "USE app; SELECT 1", true, false, false, false, false},
        Case{"Lock", Type::kQuery, "SELECT GET_LOCK('a', 1)", true, false, false, false, true},
        Case{"InitDb", Type::kInitDb, "USE `app`", true, true, false, false, false},
        Case{"Execute", Type::kStmtExecute, "\1\0\0\0", true, false, false, false, false},
        Case{"Prepare", Type::kStmtPrepare, "SELECT GET_LOCK('a', 1)", false, false, false, false,
             true},
        Case{"PrepareOfAUse", Type::kStmtPrepare, "USE app", false, false, false, false, true},
        Case{"Ping", Type::kPing, "", false, false, true, false, true},
        Case{"ResetOfAStatement", Type::kStmtReset, "\1\0\0\0", false, false, true, false, true},
        Case{"FlushPrivileges", Type::kRefresh, "\1", true, false, false, false, false},
        Case{"FlushTables", Type::kRefresh, "\4", false, false, true, false, true},
        Case{"FieldList", Type::kFieldList, "t", false, false, false, true, true},
        Case{"SetOption", Type::kSetOption, "\1\0", false, false, false, true, true},
        Case{"Statistics", Type::kStatistics, "", false, false, false, false, false}),
    [](const auto& tested) { return tested.param.name; });

TEST(CommandTest, AnExecuteDoesWhatItsStatementDoes) {
  PreparedStatements statements;
  const auto execute = command(Type::kStmtExecute, "\1");
  execute->statement = &statements.add("BEGIN", sql::SessionState(), 0);
  EXPECT_EQ(execute->executed_script().front().kind, sql::StatementKind::kBegin);
}

TEST(CommandTest, AnExecuteByNameDoesWhatItsTextDoes) {
  const auto query = command(Type::kQuery, "EXECUTE s");
  EXPECT_EQ(query->executed_script().front().verb, sql::Verb::kExecute);
  query->named.refs.push_back({0, sql::ChangeKind::kExecuteNamed, "s"});
  query->named.executed = sql::classify("BEGIN", {});
  EXPECT_EQ(query->executed_script().front().kind, sql::StatementKind::kBegin);
}

TEST(CommandTest, ThePurposeTellsWhoAsked) {
  const auto query = command(Type::kQuery, "SELECT 1");
  EXPECT_FALSE(query->is_login_check());
  EXPECT_FALSE(query->is_capture());
  query->purpose = CommandPurpose::kLoginCheck;
  EXPECT_TRUE(query->is_login_check());
  query->purpose = CommandPurpose::kCapture;
  EXPECT_TRUE(query->is_capture());
  EXPECT_FALSE(query->is_login_check());
}

}  // namespace
}  // namespace tidepool::tracking

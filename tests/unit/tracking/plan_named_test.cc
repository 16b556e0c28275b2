#include "plan_named.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "turns.h"

namespace tidepool::tracking {
namespace {

using Steps = Turns::Steps;

class PlanTextsTest : public ::testing::Test {
 protected:
  Turns session_;
  Turns other_{8};
  BackendModel one_ = Turns::fresh_backend();
  BackendModel two_ = Turns::fresh_backend();
};

// ---- Names of other sessions ----

TEST_F(PlanTextsTest, APrepareNeedsNoNameFirstButWhatOthersLeftUnderItGoes) {
  other_.query(one_, "PREPARE s FROM 'SELECT 2'");
  EXPECT_EQ(session_.query(one_, "PREPARE s FROM 'SELECT 1'"),
            (Steps{"DEALLOCATE PREPARE `s`", "PREPARE s FROM 'SELECT 1'"}))
      << "should it fail, TiDB must not have the other session's";
  EXPECT_EQ(session_.query(one_, "PREPARE s FROM 'SELECT 3'"),
            (Steps{"DEALLOCATE PREPARE `s`", "PREPARE s FROM 'SELECT 3'"}))
      << "nor its own, which is made again when it is needed";
}

TEST_F(PlanTextsTest, ANameThatTheSessionDoesNotHaveIsRefusedByTidb) {
  other_.query(one_, "PREPARE s FROM 'SELECT 2'");
  EXPECT_EQ(session_.query(one_, "EXECUTE s"), (Steps{"DEALLOCATE PREPARE `s`", "EXECUTE s"}));
}

TEST_F(PlanTextsTest, AStatementThatTidbAloneKnowsIsLeftOnItsBackend) {
  session_.query(one_, "PREPARE s FROM @x");  // @x has a value that the session does not know
  one_.named["s"] = {session_.model.id, 0};
  EXPECT_EQ(session_.query(one_, "EXECUTE s").back(), "EXECUTE s");
  EXPECT_EQ(one_.named.at("s"), (NameOwner{session_.model.id, 0})) << "nothing was deallocated";
}

// The text of the client's DEALLOCATE must find something; any text will do.
TEST_F(PlanTextsTest, ADeallocateFindsAStatementWhereItsBackendLacksIt) {
  session_.query(one_, "PREPARE s FROM 'SELECT a FROM dropped'");
  EXPECT_EQ(session_.query(two_, "DEALLOCATE PREPARE s"),
            (Steps{"PREPARE `s` FROM 'DO 0'", "DEALLOCATE PREPARE s"}));
  EXPECT_EQ(session_.query(two_, "DEALLOCATE PREPARE s"), Steps{"DEALLOCATE PREPARE s"});
}

TEST_F(PlanTextsTest, ANameThatATextUsesTwiceIsBroughtThereOnce) {
  session_.query(one_, "PREPARE s FROM 'SELECT 1'");
  EXPECT_EQ(session_.query(two_, "EXECUTE s; EXECUTE s"),
            (Steps{"PREPARE `s` FROM 'SELECT 1'", "EXECUTE s; EXECUTE s"}));
}

TEST_F(PlanTextsTest, AmongSeveralAStatementThatCannotBeMadeKeepsNothingFromRunning) {
  session_.query(one_, "PREPARE s FROM 'SELECT a FROM dropped'");
  session_.answer("PREPARE `s` FROM 'SELECT a FROM dropped'", error_packets(1146));
  session_.query(two_, "SELECT 1; EXECUTE s");
  EXPECT_EQ(session_.told().outcome, protocol::ResponseSummary::Outcome::kOk);
  EXPECT_EQ(session_.query(two_, "SELECT 1; EXECUTE s").front(), "DEALLOCATE PREPARE `s`")
      << "nobody knows whether it could be made";
}

TEST_F(PlanTextsTest, AStatementThatCannotBeMadeIsAnErrorOfItsExecute) {
  session_.query(one_, "PREPARE s FROM 'SELECT a FROM dropped'");
  session_.answer("PREPARE `s` FROM 'SELECT a FROM dropped'", error_packets(1146));
  session_.query(two_, "EXECUTE s");
  EXPECT_EQ(session_.told().error_number, 1146);
  EXPECT_EQ(session_.model.diagnostics.warning_count(), 1U) << "TiDB makes a warning of an error";
  EXPECT_EQ(session_.model.diagnostics.row_count(), -1) << "of the SELECT that it would have been";
  EXPECT_EQ(two_.named.at("s"), NameOwner()) << "an earlier one may be there or not";
}

TEST_F(PlanTextsTest, NamesOfOthersAreDeallocatedWhereTooManyHaveGathered) {
  for (int i = 0; i < 65; ++i)
    other_.query(one_, "PREPARE n" + std::to_string(i) + " FROM 'SELECT 1'");
  const Steps steps = session_.query(one_, "PREPARE s FROM 'SELECT 1'");
  EXPECT_EQ(steps.size(), 66U);
  EXPECT_EQ(one_.named.size(), 1U);
  EXPECT_EQ(session_.query(one_, "SELECT 1").size(), 1U);
}

TEST_F(PlanTextsTest, TheSessionsOwnNamesStayWhereTooManyHaveGathered) {
  for (int i = 0; i < 65; ++i)
    session_.query(one_, "PREPARE n" + std::to_string(i) + " FROM 'SELECT 1'");
  one_.named["unknown"] = {session_.model.id, 0};
  EXPECT_EQ(session_.query(one_, "PREPARE s FROM 'SELECT 1'").size(), 1U);
}

TEST_F(PlanTextsTest, AStatementThatNobodyUnderstandsFindsNoNamesOfOthers) {
  other_.query(one_, "PREPARE s FROM 'SELECT 2'");
  EXPECT_EQ(session_.query(one_, "FROBNICATE"), (Steps{"DEALLOCATE PREPARE `s`", "FROBNICATE"}));
}

// ---- The state of the PREPARE ----

TEST_F(PlanTextsTest, AnExecuteWaitsUntilItsBackendIsBackInTheStateOfTheSession) {
  session_.query(one_, "USE app");
  session_.query(one_, "PREPARE s FROM 'UPDATE t SET a = 1'");
  session_.query(one_, "USE shop");
  session_.answer("USE `shop`", error_packets(1044));
  const Steps steps = session_.query(two_, "EXECUTE s");
  EXPECT_EQ(steps.back(), "USE `shop`");
  EXPECT_EQ(session_.told().error_number, 1044);
}

TEST_F(PlanTextsTest, ATextWithoutADatabaseMeansTheSameInAny) {
  session_.query(one_, "PREPARE s FROM 'SELECT 1'");
  session_.query(one_, "USE shop");
  EXPECT_EQ(session_.query(two_, "EXECUTE s"),
            (Steps{"USE `shop`", "PREPARE `s` FROM 'SELECT 1'", "EXECUTE s"}));
}

TEST_F(PlanTextsTest, ADefinitionThatWasExecutedIsPreparedAsTidbHasItThen) {
  session_.query(one_, "PREPARE s FROM 'CREATE TABLE t (a INT)'");
  session_.query(one_, "EXECUTE s");
  ASSERT_NE(session_.model.named.find("s"), nullptr);
  const std::string rewritten = session_.model.named.find("s")->text_after_execution;
  EXPECT_NE(rewritten, "");
  EXPECT_EQ(session_.query(two_, "EXECUTE s").front(), "PREPARE `s` FROM '" + rewritten + "'");
}

TEST_F(PlanTextsTest, APrepareComputesTheInsertIdAlready) {
  session_.query(one_, "PREPARE s FROM 'SELECT LAST_INSERT_ID(4)'");
  EXPECT_EQ(session_.query(two_, "EXECUTE s"),
            (Steps{"PREPARE `s` FROM 'SELECT LAST_INSERT_ID(4)'",
                   "SELECT LAST_INSERT_ID(18446744073709551614)", "EXECUTE s"}))
      << "so that what EXECUTE sets can be told from it";
}

TEST_F(PlanTextsTest, ATextTakesANumberOfTheBinaryStatements) {
  std::uint32_t id = 0;
  session_.query(one_, "PREPARE s FROM 'SELECT 1'");
  session_.prepare(two_, "SELECT 1", id);
  ASSERT_TRUE(two_.prepared.next_id());
  session_.query(two_, "EXECUTE s");
  EXPECT_FALSE(two_.prepared.next_id());
}

// ---- Plans ----

TEST_F(PlanTextsTest, AStateThatTidbsKeyDoesNotTellStandsBeforeTheText) {
  session_.query(one_, "PREPARE s FROM 'SELECT a/3 FROM t'");
  session_.query(one_, "SET div_precision_increment = 9");
  const Steps steps = session_.query(one_, "EXECUTE s");
  ASSERT_EQ(steps.size(), 3U);
  EXPECT_EQ(steps[0], "DEALLOCATE PREPARE `s`");
  EXPECT_TRUE(steps[1].ends_with("SELECT a/3 FROM t'"));
  EXPECT_EQ(steps[1].size(), std::string("PREPARE `s` FROM 'SELECT a/3 FROM t'").size() + 64);
  EXPECT_EQ(session_.query(one_, "EXECUTE s"), Steps{"EXECUTE s"}) << "that one";
}

TEST_F(PlanTextsTest, AmongSeveralAPlanOfAnotherStateIsNotKept) {
  session_.query(one_, "PREPARE s FROM 'SELECT a/3 FROM t'");
  session_.query(one_, "SET div_precision_increment = 9");
  EXPECT_EQ(session_.query(one_, "SELECT 1; EXECUTE s"),
            (Steps{"SET tidb_enable_prepared_plan_cache=OFF", "SELECT 1; EXECUTE s"}));
}

TEST_F(PlanTextsTest, AmongSeveralAStateThatOneOfThemChangesMayNotBeTheKeys) {
  session_.query(one_, "PREPARE s FROM 'SELECT a/3 FROM t'");
  EXPECT_EQ(session_.query(one_, "SELECT 1; EXECUTE s"), Steps{"SELECT 1; EXECUTE s"});
  EXPECT_EQ(session_.query(one_, "SET div_precision_increment = 9; EXECUTE s").front(),
            "SET tidb_enable_prepared_plan_cache=OFF");
}

TEST_F(PlanTextsTest, APlanOfATextThatTidbAloneKnowsIsNotKept) {
  session_.model.pins.insert(sql::Pin::kPreparedText);
  one_.named["s"] = {session_.model.id, 0};
  EXPECT_EQ(session_.query(one_, "SELECT 1; EXECUTE s").front(),
            "SET tidb_enable_prepared_plan_cache=OFF");
}

TEST_F(PlanTextsTest, ThePlanCacheStaysWhereRolesThatOnlyTheBackendKnowsKeepItFromBeingSetBack) {
  session_.answer("BEGIN", ok_packets(0, 0, 3));
  session_.query(one_, "BEGIN");
  session_.answer("SET ROLE ALL", ok_packets(0, 0, 3));
  session_.query(one_, "SET ROLE ALL");
  EXPECT_EQ(session_.query(one_, "SELECT 1; EXECUTE s"), Steps{"SELECT 1; EXECUTE s"});
  EXPECT_EQ(session_.query(one_, "SELECT 1"), Steps{"SELECT 1"});
  EXPECT_FALSE(session_.found_no_way());
}

TEST_F(PlanTextsTest, WhatIsPreparedInTheTextItselfHasThePlanCacheOfTheSession) {
  session_.query(one_, "SET div_precision_increment = 9");
  EXPECT_EQ(session_.query(one_, "PREPARE s FROM 'SELECT a/3 FROM t'; EXECUTE s"),
            Steps{"PREPARE s FROM 'SELECT a/3 FROM t'; EXECUTE s"});
}

// ---- The text of @x ----

TEST_F(PlanTextsTest, TheNameOfAVariableIsQuoted) {
  session_.query(one_, "SET @`a``b` = CONCAT('SELECT ', '1')");
  EXPECT_EQ(session_.query(one_, "PREPARE s FROM @`a``b`").front(), "SELECT @`a``b`");
}

TEST_F(PlanTextsTest, NothingIsAskedWhereSetTransactionWaitsForItsStatement) {
  session_.query(one_, "SET @x = CONCAT('SELECT ', '1')");
  session_.model.pins.insert(sql::Pin::kOneShotTransaction);
  EXPECT_EQ(session_.query(one_, "PREPARE s FROM @x"), Steps{"PREPARE s FROM @x"});
}

TEST_F(PlanTextsTest, ANullOfAVariableIsNoText) {
  session_.query(one_, "SET @x = CONCAT('SELECT ', NULL)");
  session_.answer("SELECT @`x`", protocol::make_text_result({protocol::string_column("x")},
                                                            {{std::nullopt}}, 2, 0));
  session_.query(one_, "PREPARE s FROM @x");
  EXPECT_EQ(session_.model.named.find("s"), nullptr);
  EXPECT_EQ(one_.named.at("s"), (NameOwner{session_.model.id, 0}));
  EXPECT_TRUE(session_.model.pins.contains(sql::Pin::kPreparedText));
}

TEST_F(PlanTextsTest, ATextThatTheCharacterSetOfResultsMayHaveChangedIsNotBelieved) {
  session_.query(one_, "SET character_set_results = latin1, @x = CONCAT('SELECT ', '1')");
  session_.answer("SELECT @`x`", text_packets("SELECT '\xe4'"));
  session_.query(one_, "PREPARE s FROM @x");
  EXPECT_EQ(session_.model.named.find("s"), nullptr);
  session_.answer("SELECT @`x`", text_packets("SELECT 'a'"));
  session_.query(one_, "PREPARE s FROM @x");
  EXPECT_NE(session_.model.named.find("s"), nullptr) << "it has only what all of them have";
}

TEST_F(PlanTextsTest, ATextOfMoreThanAsciiIsBelievedWhereResultsAreNotChanged) {
  for (const char* set : {"SET NAMES utf8mb4", "SET character_set_results = NULL"}) {
    session_.query(one_, set);
    session_.query(one_, "SET @x = CONCAT('SELECT ', '1')");
    session_.answer("SELECT @`x`", text_packets("SELECT '\xc3\xa4'"));
    session_.query(one_, "PREPARE s FROM @x");
    ASSERT_NE(session_.model.named.find("s"), nullptr) << set;
    EXPECT_EQ(session_.model.named.find("s")->text, "SELECT '\xc3\xa4'");
    session_.query(one_, "DEALLOCATE PREPARE s");
  }
}

// ---- What an EXECUTE asks about the statement before ----

TEST_F(PlanTextsTest, AnExecuteThatTheBackendCanAnswerStaysAsItIs) {
  session_.query(one_, "PREPARE s FROM 'SELECT ROW_COUNT() + 1'");
  session_.query(one_, "DO 0");
  EXPECT_EQ(session_.query(one_, "EXECUTE s"), Steps{"EXECUTE s"});
}

TEST_F(PlanTextsTest, ATextThatWasReplacedIsReplacedByTheNextOne) {
  session_.query(one_, "PREPARE s FROM 'SELECT ROW_COUNT() + 1'");
  session_.query(one_, "DO 0");
  session_.query(two_, "EXECUTE s");
  session_.query(two_, "DO 0");
  const Steps steps = session_.query(two_, "EXECUTE s");
  ASSERT_EQ(steps.size(), 3U);
  EXPECT_EQ(steps.front(), "DEALLOCATE PREPARE `s`");
  EXPECT_EQ(steps.back(), "EXECUTE s");
}

TEST_F(PlanTextsTest, AKillThatTheProxyCarriesOutIsNotSent) {
  Command command(protocol::Command::kQuery, "\3SELECT 1; KILL 5; SELECT 2", {});
  command.script = sql::classify(command.argument(), {});
  command.attempt.kills.push_back({.index = 1, .target = {.id = 5}});
  const Steps steps = session_.run(one_, command);
  ASSERT_EQ(steps.size(), 1U);
  EXPECT_EQ(steps.front().find("KILL"), std::string::npos) << steps.front();
  EXPECT_EQ(steps.front().find("SELECT 1"), 0U);
}

TEST_F(PlanTextsTest, TheConnectionThatAClientAsksForIsItsSession) {
  EXPECT_EQ(session_.query(one_, "SELECT CONNECTION_ID() + 1").front().find("SELECT CONNECTION"),
            std::string::npos);
}

}  // namespace
}  // namespace tidepool::tracking

#include "plan_restore.h"

#include <gtest/gtest.h>

#include "turns.h"

namespace tidepool::tracking {
namespace {

using Steps = Turns::Steps;

class PlanRestoreTest : public ::testing::Test {
 protected:
  // The command's attempt after USE of the session's database has failed on a backend.
  Steps query_in_lost_database(BackendModel& backend, std::string_view text) {
    Command command(protocol::Command::kQuery, "\3" + std::string(text), {});
    command.script = sql::classify(command.argument(), session_.model.desired.lex_mode());
    NameOwner last{session_.model.id, session_.model.last_named + 1};
    command.named = refs_of(command.script, session_.model.named, session_.model.desired, last);
    command.inaccessible_database = Error{Code::kBackend, "Unknown database 'app'", 1049, "42000"};
    return session_.run(backend, command);
  }

  Turns session_;
  Turns other_{8};
  BackendModel one_ = Turns::fresh_backend();
  BackendModel two_ = Turns::fresh_backend();
};

TEST_F(PlanRestoreTest, TheOptionForSeveralStatementsGoesAlong) {
  session_.set_multi_statements(one_, true);
  session_.query(two_, "SELECT 1");
  ASSERT_EQ(session_.payloads().size(), 2U);
  EXPECT_EQ(session_.payloads().front(), std::string("\x1b\0\0", 3)) << "MYSQL_OPTION_..._ON";
  other_.answer("SET_OPTION", protocol::eof_packet({}, 1));
  other_.query(two_, "SELECT 1");
  EXPECT_EQ(other_.payloads().front(), std::string("\x1b\1\0", 3)) << "and is switched off again";
  EXPECT_FALSE(two_.actual.multi_statements());
}

TEST_F(PlanRestoreTest, AResetTakesThePreparedStatementsAndTheInsertIdAlong) {
  std::uint32_t id = 0;
  session_.query(one_, "USE app");
  session_.prepare(one_, "SELECT 1", id);
  session_.query(one_, "PREPARE s FROM 'SELECT 1'");
  one_.insert_id = 9;
  EXPECT_EQ(other_.query(one_, "SELECT 1"), (Steps{"RESET", "SELECT 1"}));
  EXPECT_EQ(one_.prepared.size(), 0U);
  EXPECT_TRUE(one_.named.empty());
  EXPECT_EQ(one_.insert_id, 0U);
}

TEST_F(PlanRestoreTest, WhatIsRestoredWithoutAResetStays) {
  std::uint32_t id = 0;
  session_.prepare(one_, "SELECT 1", id);
  one_.insert_id = 9;
  other_.query(two_, "USE app");
  other_.query(one_, "SELECT 1");
  EXPECT_EQ(one_.prepared.size(), 1U);
  EXPECT_EQ(one_.insert_id, 9U);
}

TEST_F(PlanRestoreTest, AStateThatOnlyItsBackendKnowsIsThere) {
  session_.query(one_, "SET @a = 1 + 1");
  session_.query(one_, "SET @b = 1");
  one_.actual.apply({.kind = sql::ChangeKind::kSetUserVariable, .name = "c", .value = "1"});
  ASSERT_FALSE(one_.actual == session_.model.desired);
  EXPECT_EQ(session_.query(one_, "SELECT 1"), Steps{"SELECT 1"}) << "nothing restores it";
}

TEST_F(PlanRestoreTest, RolesThatOnlyItsBackendKnowsAreThereWhateverElseIs) {
  session_.query(one_, "SET ROLE ALL");
  one_.actual.apply({.kind = sql::ChangeKind::kSetUserVariable, .name = "c", .value = "1"});
  EXPECT_EQ(session_.query(one_, "SELECT 1"), Steps{"SELECT 1"});
  EXPECT_FALSE(session_.found_no_way());
}

TEST_F(PlanRestoreTest, ABackendThatAResetWouldTakeToItsOwnDatabaseIsNoneForNoDatabase) {
  two_.actual.apply(sql::init_database("app"));
  EXPECT_EQ(session_.query(two_, "SELECT 1"), Steps{});
  EXPECT_TRUE(session_.found_no_way());
}

TEST_F(PlanRestoreTest, AWriteWaitsForTheRestoreAReadDoesNot) {
  session_.query(one_, "USE app");
  session_.answer("USE `app`", error_packets(1044));
  EXPECT_EQ(session_.query(two_, "UPDATE t SET a = 1"), Steps{"USE `app`"});
  EXPECT_EQ(session_.told().error_number, 1044);
  BackendModel three = Turns::fresh_backend();
  EXPECT_EQ(session_.query(three, "SELECT 1"), (Steps{"USE `app`", "SELECT 1"}))
      << "its answer is thrown away";
  EXPECT_EQ(session_.told().error_number, 1044);
}

TEST_F(PlanRestoreTest, StatementsOfARestoreAreCounted) {
  session_.query(one_, "USE app; SET @a = 1");
  Command command(protocol::Command::kQuery, "\3SELECT 1", {});
  CommandContext plan{.model = session_.model, .backend = two_, .command = command};
  ASSERT_TRUE(add_restore(plan, session_.model.desired));
  EXPECT_EQ(plan.restore_statements, 2U);
}

// ---- A database that is gone ----

TEST_F(PlanRestoreTest, ALostDatabaseIsEnteredAfterAReset) {
  session_.query(one_, "USE app");
  const Steps steps = query_in_lost_database(two_, "SELECT 1");
  ASSERT_EQ(steps.size(), 3U);
  EXPECT_EQ(steps[0], "RESET");
  EXPECT_EQ(steps[1].find("SET SESSION_STATES"), 0U) << steps[1];
  EXPECT_EQ(steps[2], "SELECT 1");
}

TEST_F(PlanRestoreTest, AStatementOfALostDatabaseIsPreparedInIt) {
  session_.query(one_, "USE app");
  session_.query(one_, "PREPARE s FROM 'SELECT a FROM shop.t'");
  session_.query(one_, "USE shop");
  const Steps steps = query_in_lost_database(two_, "EXECUTE s");
  ASSERT_EQ(steps.size(), 6U);
  EXPECT_EQ(steps[0], "RESET");
  EXPECT_NE(steps[1].find("shop"), std::string::npos);
  EXPECT_NE(steps[2].find("SET SESSION_STATES"), std::string::npos) << steps[2];
  EXPECT_NE(steps[2].find("app"), std::string::npos);
  EXPECT_EQ(steps[3], "PREPARE `s` FROM 'SELECT a FROM shop.t'");
  EXPECT_NE(steps[4].find("SET SESSION_STATES"), std::string::npos) << steps[4];
  EXPECT_NE(steps[4].find("shop"), std::string::npos);
  EXPECT_EQ(steps[5], "EXECUTE s");
  EXPECT_EQ(two_.actual.database(), "shop");
}

TEST_F(PlanRestoreTest, TheAutocommitOfTheSessionStaysInALostDatabase) {
  session_.query(one_, "USE app");
  session_.query(one_, "PREPARE s FROM 'SELECT a FROM shop.t'");
  session_.query(one_, "USE shop");
  session_.query(one_, "SET autocommit = 0");
  const Steps off = query_in_lost_database(two_, "EXECUTE s");
  session_.query(two_, "SET autocommit = 1");
  BackendModel three = Turns::fresh_backend();
  const Steps on = query_in_lost_database(three, "EXECUTE s");
  const auto entering = [](const Steps& steps) {
    for (const std::string& step : steps)
      if (step.find("SESSION_STATES") != std::string::npos && step.find("app") != std::string::npos)
        return step;
    return std::string();
  };
  EXPECT_NE(entering(off), "");
  EXPECT_NE(entering(off), entering(on)) << "it is a part of what TiDB decodes";
}

TEST_F(PlanRestoreTest, ADatabaseOfANameThatCannotBeWrittenDownIsEnteredByUse) {
  session_.query(one_, "USE `\xc3\xa4`");
  session_.query(one_, "PREPARE s FROM 'SELECT a FROM shop.t'");
  session_.query(one_, "USE shop");
  const Steps steps = query_in_lost_database(two_, "EXECUTE s");
  ASSERT_EQ(steps.size(), 6U);
  EXPECT_EQ(steps[2], "USE `\xc3\xa4`");
}

// ---- SET TRANSACTION ----

constexpr const char* kReadCommitted = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED";

// TiDB gives the level to the next statement that it answers with OK, whoever sends it.
TEST_F(PlanRestoreTest, ALevelThatTheBackendHasIsSetAgainBehindAStepOfTheProxy) {
  session_.query(one_, "PREPARE s FROM 'UPDATE t SET a = 1'");
  session_.query(two_, "CREATE TEMPORARY TABLE app.n (id INT)");
  session_.query(two_, kReadCommitted);
  EXPECT_EQ(session_.query(two_, "EXECUTE s"),
            (Steps{"PREPARE `s` FROM 'UPDATE t SET a = 1'", kReadCommitted, "EXECUTE s"}));
  EXPECT_FALSE(session_.model.is_one_shot_pending());
  EXPECT_EQ(session_.query(two_, "DEALLOCATE PREPARE s"), Steps{"DEALLOCATE PREPARE s"});
}

TEST_F(PlanRestoreTest, ALevelThatARefusedStatementHasLeftIsSetAgainBehindAQuestion) {
  std::uint32_t id = 0;
  session_.prepare(one_, "SELECT 1", id);
  session_.query(one_, "DO 0");
  session_.model.next_isolation = "READ-COMMITTED";
  session_.answer("EXECUTE nobody", error_packets(8111));
  session_.query(two_, "EXECUTE nobody");
  ASSERT_TRUE(session_.model.pins.contains(sql::Pin::kOneShotTransaction));
  EXPECT_EQ(session_.execute(two_, id),
            (Steps{"SHOW WARNINGS", "PREPARE SELECT 1", kReadCommitted, "EXECUTE 2"}));
}

TEST_F(PlanRestoreTest, ALevelThatTheBackendHasStaysThereWhereNothingGoesAhead) {
  session_.query(one_, kReadCommitted);
  ASSERT_TRUE(session_.model.pins.contains(sql::Pin::kOneShotTransaction));
  EXPECT_EQ(session_.query(one_, "UPDATE t SET a = 1"), Steps{"UPDATE t SET a = 1"});
  EXPECT_EQ(session_.model.one_shot_isolation, "") << "it was taken";
}

TEST_F(PlanRestoreTest, ALevelIsTheSessionsUntilItBeginsAnew) {
  session_.query(one_, kReadCommitted);
  EXPECT_EQ(session_.model.one_shot_isolation, "READ-COMMITTED");
  session_.model.begin_anew();
  EXPECT_EQ(session_.model.one_shot_isolation, "");
}

// ---- Resource groups ----

TEST_F(PlanRestoreTest, TheLoginsGroupIsAskedForOnceABackend) {
  session_.answer("SELECT CURRENT_RESOURCE_GROUP()", text_packets("default"));
  session_.query(one_, "SET RESOURCE GROUP rg");
  EXPECT_EQ(session_.query(one_, "SET RESOURCE GROUP rg2"), Steps{"SET RESOURCE GROUP rg2"});
  EXPECT_EQ(other_.query(one_, "SELECT 1"), (Steps{"SET RESOURCE GROUP `default`", "SELECT 1"}));
}

TEST_F(PlanRestoreTest, TheLoginsGroupIsAskedForBeforeARestoreSetsAnother) {
  session_.query(one_, "SET RESOURCE GROUP rg");
  const Steps steps = session_.query(two_, "SELECT 1");
  ASSERT_GT(steps.size(), 2U);
  EXPECT_EQ(steps.front(), "SELECT CURRENT_RESOURCE_GROUP()");
  EXPECT_EQ(steps[steps.size() - 2], "SET RESOURCE GROUP `rg`");
}

TEST_F(PlanRestoreTest, ABackendInAnotherGroupWhoseLoginGroupIsNotKnownIsNotAsked) {
  session_.answer("SELECT CURRENT_RESOURCE_GROUP()", error_packets(1105));
  session_.query(one_, "SET RESOURCE GROUP rg");
  EXPECT_EQ(one_.actual.login_group(), "");
  EXPECT_EQ(session_.query(one_, "SET RESOURCE GROUP rg2"), Steps{"SET RESOURCE GROUP rg2"})
      << "it is not the login's any more";
}

TEST_F(PlanRestoreTest, TheLoginsGroupIsNotAskedForWhereSetTransactionWaits) {
  session_.model.pins.insert(sql::Pin::kOneShotTransaction);
  EXPECT_EQ(session_.query(one_, "SET RESOURCE GROUP rg"), Steps{"SET RESOURCE GROUP rg"});
}

// ---- Logins ----

TEST_F(PlanRestoreTest, ABoundSessionsRolesStayWhenADatabaseIsChecked) {
  session_.query(one_, "SET ROLE NONE");
  session_.model.pins.insert(sql::Pin::kTemporaryTable);
  EXPECT_EQ(session_.check_login(one_, "app"), Steps{"USE `app`"})
      << "the backend is the session's until the new login is through";
}

TEST_F(PlanRestoreTest, ABackendHasTheRolesOfALoginOnceADatabaseWasChecked) {
  other_.query(one_, "SET ROLE NONE");
  session_.check_login(one_, "app");
  EXPECT_TRUE(one_.actual.role().is_fresh());
}

}  // namespace
}  // namespace tidepool::tracking

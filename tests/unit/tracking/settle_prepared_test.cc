#include "tidepool/tracking/settle_prepared.h"

#include <gtest/gtest.h>

#include "tidepool/protocol/status.h"
#include "turns.h"

namespace tidepool::tracking {
namespace {

using Steps = Turns::Steps;
using sql::Pin;

const std::string kLong("\x08\0", 2);

class SettlePreparedTest : public ::testing::Test {
 protected:
  PreparedStatement& statement() { return *session_.model.prepared.find(id_); }

  Turns session_;
  BackendModel one_ = Turns::fresh_backend();
  std::uint32_t id_ = 0;
};

TEST_F(SettlePreparedTest, APrepareGivesAVariableTheTypeOfItsAssignment) {
  session_.query(one_, "SET @a = 1");
  session_.prepare(one_, "SELECT @a := 'x'", id_);
  EXPECT_FALSE(session_.model.desired.is_exact());
  EXPECT_TRUE(session_.model.pins.contains(Pin::kUserVariable)) << "no SET makes it the same";
  EXPECT_FALSE(one_.actual.is_exact());
}

TEST_F(SettlePreparedTest, APrepareThatWasRefusedHasPlannedNothing) {
  session_.answer("PREPARE SELECT @a := 'x' FROM", error_packets(1064));
  session_.prepare(one_, "SELECT @a := 'x' FROM", id_);
  EXPECT_TRUE(session_.model.desired.is_exact());
  EXPECT_TRUE(session_.model.pins.empty());
}

TEST_F(SettlePreparedTest, ALockIsTakenByThePrepareOfItsQuestion) {
  session_.prepare(one_, "SELECT GET_LOCK('a', 1)", id_);
  EXPECT_TRUE(session_.model.pins.contains(Pin::kLock));
}

TEST_F(SettlePreparedTest, LongDataIsThereUntilItsExecuteOrReset) {
  session_.prepare(one_, "SELECT ?", id_, 1);
  session_.send_long_data(one_, id_);
  EXPECT_TRUE(statement().has_long_data);
  EXPECT_TRUE(session_.model.pins.contains(Pin::kLongData));
  session_.reset_statement(one_, id_);
  EXPECT_FALSE(statement().has_long_data);
  EXPECT_FALSE(session_.model.pins.contains(Pin::kLongData));
  session_.send_long_data(one_, id_);
  session_.execute(one_, id_, kLong);
  EXPECT_FALSE(statement().has_long_data);
  EXPECT_TRUE(one_.prepared.find(*statement().key)) << "nothing is bound to it any more";
}

TEST_F(SettlePreparedTest, AStatementWithACursorOrDataIsNotPushedOut) {
  session_.prepare(one_, "SELECT ?", id_, 1);
  session_.send_long_data(one_, id_);
  EXPECT_TRUE(one_.prepared.make_way(0).empty());
  session_.reset_statement(one_, id_);
  EXPECT_EQ(one_.prepared.make_way(0), std::vector<std::uint32_t>{1});
}

TEST_F(SettlePreparedTest, ACursorIsOpenUntilItsLastRow) {
  session_.prepare(one_, "SELECT a FROM t", id_);
  session_.answer("EXECUTE 1", cursor_packets(0));
  session_.execute(one_, id_, {}, 1);
  ASSERT_TRUE(statement().has_cursor);
  session_.answer("FETCH 1", protocol::eof_packet({.status = protocol::status::kCursorExists}, 1));
  session_.fetch(one_, id_);
  EXPECT_TRUE(statement().has_cursor);
  session_.answer("FETCH 1", protocol::eof_packet({.status = protocol::status::kLastRowSent}, 1));
  session_.fetch(one_, id_);
  EXPECT_FALSE(statement().has_cursor);
}

TEST_F(SettlePreparedTest, AnExecuteThatFailedLeavesNoCursor) {
  session_.prepare(one_, "SELECT a FROM t", id_);
  session_.answer("EXECUTE 1", cursor_packets(0));
  session_.execute(one_, id_, {}, 1);
  session_.answer("EXECUTE 1", error_packets(1146));
  session_.execute(one_, id_, {}, 1);
  EXPECT_FALSE(statement().has_cursor);
  EXPECT_TRUE(session_.closed().empty()) << "and nothing that must be closed";
}

TEST_F(SettlePreparedTest, AStatementRemembersThatItsPlanHasWarned) {
  session_.prepare(one_, "SELECT a FROM t", id_);
  session_.answer("EXECUTE 1", rows_packets(1));
  session_.execute(one_, id_);
  EXPECT_TRUE(statement().has_plan);
  EXPECT_TRUE(statement().has_warned);
  EXPECT_TRUE(one_.prepared.warns_when_planned(*statement().key));
  session_.answer("EXECUTE 1", rows_packets(0));
  session_.execute(one_, id_);
  EXPECT_TRUE(statement().has_warned) << "its plan was found";
}

TEST_F(SettlePreparedTest, WarningsOfALaterExecuteAreNotThoseOfThePlan) {
  session_.prepare(one_, "SELECT a FROM t", id_);
  session_.answer("EXECUTE 1", rows_packets(0));
  session_.execute(one_, id_);
  session_.answer("EXECUTE 1", rows_packets(1));
  session_.execute(one_, id_);
  EXPECT_FALSE(one_.prepared.warns_when_planned(*statement().key));
}

TEST_F(SettlePreparedTest, AFailedExecuteHasNoPlan) {
  session_.prepare(one_, "SELECT a FROM t", id_);
  session_.answer("EXECUTE 1", error_packets(1146));
  session_.execute(one_, id_);
  EXPECT_FALSE(statement().has_plan);
}

TEST_F(SettlePreparedTest, ADefinitionThatExistedAlreadyWasExecutedAllTheSame) {
  session_.prepare(one_, "CREATE TABLE t (a INT)", id_);
  session_.answer("EXECUTE 1", error_packets(1050));
  session_.execute(one_, id_);
  EXPECT_NE(statement().text_after_execution, "");
}

TEST_F(SettlePreparedTest, ADefinitionThatFailedOtherwiseIsAsItWas) {
  session_.prepare(one_, "CREATE TABLE t (a INT)", id_);
  session_.answer("EXECUTE 1", error_packets(1142));
  session_.execute(one_, id_);
  EXPECT_EQ(statement().text_after_execution, "");
}

TEST_F(SettlePreparedTest, AStatementThatTheBackendDoesNotHaveIsNotClosed) {
  session_.prepare(one_, "SELECT 1", id_);
  Command execute(protocol::Command::kStmtExecute, std::string(10, '\x17'), {});
  execute.statement = &statement();
  CommandContext context{.model = session_.model, .backend = one_, .command = execute};
  EXPECT_EQ(drop_on_backend(context), std::vector<std::uint32_t>{1});
  EXPECT_TRUE(drop_on_backend(context).empty());
}

TEST_F(SettlePreparedTest, WarningsOfASessionThatHasThePlanTellNothingOfOneThatWasMadeForOthers) {
  BackendModel two = Turns::fresh_backend();
  Turns other(8);
  session_.prepare(one_, "SELECT a FROM t", id_);
  session_.execute(one_, id_);
  std::uint32_t others = 0;
  other.prepare(two, "SELECT a FROM t", others);
  session_.answer("EXECUTE 1", rows_packets(1));
  session_.execute(two, id_);
  EXPECT_FALSE(two.prepared.warns_when_planned(*statement().key));
}

}  // namespace
}  // namespace tidepool::tracking

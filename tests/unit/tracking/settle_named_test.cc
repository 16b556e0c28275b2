#include "tidepool/tracking/settle_named.h"

#include <gtest/gtest.h>

#include "turns.h"

namespace tidepool::tracking {
namespace {

using Steps = Turns::Steps;

class SettleTextsTest : public ::testing::Test {
 protected:
  std::string text_of(const char* name) const {
    const NamedStatementPtr found = session_.model.named.find(name);
    return found == nullptr ? "none" : found->text;
  }

  Turns session_;
  BackendModel one_ = Turns::fresh_backend();
  BackendModel two_ = Turns::fresh_backend();
};

TEST_F(SettleTextsTest, StatementsBeforeTheOneThatFailedHaveRun) {
  session_.answer("PREPARE a FROM 'SELECT 1'; PREPARE b FROM 'x'; PREPARE c FROM 'SELECT 3'",
                  protocol::ok_packet({.status = 2 | 8}, 1) +
                      protocol::err_packet({.number = 1064, .message = "no"}, 2));
  session_.query(one_, "PREPARE a FROM 'SELECT 1'; PREPARE b FROM 'x'; PREPARE c FROM 'SELECT 3'");
  EXPECT_EQ(text_of("a"), "SELECT 1");
  EXPECT_EQ(text_of("b"), "none");
  EXPECT_EQ(text_of("c"), "none");
  EXPECT_TRUE(one_.named.contains("a"));
  EXPECT_FALSE(one_.named.contains("c"));
}

TEST_F(SettleTextsTest, ADefinitionThatExistedAlreadyWasExecutedAllTheSame) {
  session_.query(one_, "PREPARE s FROM 'CREATE TABLE t (a INT)'");
  session_.answer("EXECUTE s", error_packets(1050));
  session_.query(one_, "EXECUTE s");
  EXPECT_NE(session_.model.named.find("s")->text_after_execution, "")
      << "TiDB had completed its columns";
}

TEST_F(SettleTextsTest, ADefinitionThatFailedOtherwiseIsAsItWas) {
  session_.query(one_, "PREPARE s FROM 'CREATE TABLE t (a INT)'");
  session_.answer("EXECUTE s", error_packets(1142));
  session_.query(one_, "EXECUTE s");
  EXPECT_EQ(session_.model.named.find("s")->text_after_execution, "");
}

TEST_F(SettleTextsTest, ADefinitionThatWasExecutedBeforeTheOneThatFailedIsWorn) {
  session_.query(one_, "PREPARE s FROM 'CREATE TABLE t (a INT)'");
  session_.answer("EXECUTE s; SELECT 1 FROM nowhere",
                  protocol::ok_packet({.status = 2 | 8}, 1) +
                      protocol::err_packet({.number = 1146, .message = "no"}, 2));
  session_.query(one_, "EXECUTE s; SELECT 1 FROM nowhere");
  EXPECT_NE(session_.model.named.find("s")->text_after_execution, "");
}

TEST_F(SettleTextsTest, AQueryIsNotWorn) {
  session_.query(one_, "PREPARE s FROM 'SELECT 1'");
  session_.query(one_, "EXECUTE s");
  EXPECT_EQ(session_.model.named.find("s")->text_after_execution, "");
}

TEST_F(SettleTextsTest, AStatementOfWhichTidbAloneKnowsTheTextPins) {
  session_.query(one_, "SET @x = CONCAT('SELECT ', '1')");
  session_.query(one_, "PREPARE s FROM @x");
  EXPECT_EQ(text_of("s"), "none");
  EXPECT_EQ(one_.named.at("s"), (NameOwner{session_.model.id, 0}));
  EXPECT_TRUE(session_.model.pins.contains(sql::Pin::kPreparedText));
}

TEST_F(SettleTextsTest, AStatementThatNobodyUnderstandsMayHavePreparedSomething) {
  std::uint32_t id = 0;
  session_.prepare(one_, "SELECT 1", id);
  ASSERT_TRUE(one_.prepared.next_id());
  session_.query(one_, "FROBNICATE");
  EXPECT_FALSE(one_.prepared.next_id());
}

TEST_F(SettleTextsTest, APrepareTakesANumberOfTheBinaryStatements) {
  std::uint32_t id = 0;
  session_.prepare(one_, "SELECT 1", id);
  session_.query(one_, "PREPARE s FROM 'SELECT 1'");
  EXPECT_FALSE(one_.prepared.next_id());
}

TEST_F(SettleTextsTest, ADeallocateTakesNone) {
  std::uint32_t id = 0;
  session_.query(one_, "PREPARE s FROM 'SELECT 1'");
  session_.prepare(one_, "SELECT 1", id);
  session_.query(one_, "DEALLOCATE PREPARE s");
  EXPECT_TRUE(one_.prepared.next_id());
}

TEST_F(SettleTextsTest, AnErrorOfACommandWithoutSuchStatementsForgetsNothing) {
  session_.query(one_, "PREPARE s FROM 'SELECT 1'");
  Command command(protocol::Command::kQuery, "\3SELECT 1", {});
  CommandContext context{.model = session_.model, .backend = one_, .command = command};
  forget_failed_named(context, {Code::kBackend, "no", 1146, "42S02"});
  EXPECT_NE(one_.named.at("s"), NameOwner());
  EXPECT_EQ(session_.model.diagnostics.warning_count(), 0U);
}

TEST_F(SettleTextsTest, TheErrorOfAStatementThatCouldNotBeMadeIsItsWarning) {
  session_.query(one_, "PREPARE s FROM 'UPDATE dropped SET a = 1'");
  session_.answer("PREPARE `s` FROM 'UPDATE dropped SET a = 1'",
                  error_packets(1146, "Table 'dropped' doesn't exist"));
  session_.query(two_, "EXECUTE s");
  const auto shown = session_.model.diagnostics.warnings();
  ASSERT_EQ(shown.rows.size(), 1U);
  EXPECT_EQ(shown.rows[0], (protocol::Row{"Error", "1146", "Table 'dropped' doesn't exist"}));
  EXPECT_EQ(session_.model.diagnostics.row_count(), 0) << "of the UPDATE that it would have been";
}

}  // namespace
}  // namespace tidepool::tracking

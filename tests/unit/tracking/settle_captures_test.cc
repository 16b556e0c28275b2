#include "tidepool/tracking/settle_captures.h"

#include <gtest/gtest.h>

#include "tidepool/sql/restore/capture.h"
#include "turns.h"

namespace tidepool::tracking {
namespace {

using Steps = Turns::Steps;
using sql::Pin;

protocol::Row row_of(std::string text) {
  return {std::move(text)};
}

std::string several(const std::vector<protocol::Row>& rows) {
  return protocol::make_text_result({protocol::string_column("x")}, rows, 2, 0);
}

std::string two_columns() {
  return protocol::make_text_result({protocol::string_column("x"), protocol::string_column("y")},
                                    {{"a", "b"}}, 2, 0);
}

class SettleCapturesTest : public ::testing::Test {
 protected:
  // Of a user variable: its value, column and collation as capture.h has them.
  void answer_variable(const std::string& name, const std::string& value) {
    const std::string query = sql::user_variables_query(session_.model.desired);
    protocol::Column text = protocol::string_column("@" + name);
    text.charset = 46;
    text.length = 4 * static_cast<std::uint32_t>(value.size());
    const protocol::Column number = protocol::integer_column("x");
    session_.answer(query, protocol::make_text_result(
                               {protocol::string_column("@never"), text,
                                protocol::string_column("c"), number, protocol::string_column("h")},
                               {{std::nullopt, value, "utf8mb4_bin", "1", ""}}, 2, 0));
  }

  Turns session_;
  BackendModel one_ = Turns::fresh_backend();
  BackendModel two_ = Turns::fresh_backend();
};

TEST_F(SettleCapturesTest, AVariableOfTwoRowsIsNotReadBack) {
  session_.query(one_, "SET time_zone = CONCAT('+05', ':00')");
  session_.answer("SELECT @@time_zone", several({row_of("+05:00"), row_of("+06:00")}));
  session_.capture(one_);
  EXPECT_TRUE(session_.model.pins.contains(Pin::kSessionVariable));
}

TEST_F(SettleCapturesTest, AVariableThatCannotBeAskedForPins) {
  session_.query(one_, "SET time_zone = CONCAT('+05', ':00')");
  session_.answer("SELECT @@time_zone", error_packets(1105));
  session_.capture(one_);
  EXPECT_TRUE(session_.model.pins.contains(Pin::kSessionVariable));
}

TEST_F(SettleCapturesTest, AQuestionIsAStatementOfItsOwnOnItsBackend) {
  session_.query(one_, "SET time_zone = CONCAT('+05', ':00')");
  EXPECT_EQ(one_.last_session, session_.model.id);
  session_.answer("SELECT @@time_zone", text_packets("+05:00"));
  session_.capture(one_);
  EXPECT_EQ(one_.last_session, 0U);
  EXPECT_FALSE(session_.model.diagnostics.is_on_backend());
}

TEST_F(SettleCapturesTest, ARoleIsNotReadBackFromAnAnswerOfAnotherForm) {
  for (const std::string& answer :
       {several({row_of("`a`@`%`"), row_of("`b`@`%`")}), two_columns(), error_packets(1105)}) {
    Turns session;
    BackendModel backend = Turns::fresh_backend();
    session.query(backend, "SET ROLE ALL");
    session.answer("SELECT CURRENT_ROLE()", answer);
    session.capture(backend);
    EXPECT_TRUE(session.model.pins.contains(Pin::kRole));
    EXPECT_TRUE(session.model.is_bound());
  }
}

TEST_F(SettleCapturesTest, AGroupIsNotReadBackFromAnAnswerOfAnotherForm) {
  for (const std::string& answer : {several({row_of("default"), row_of("rg")}), two_columns(),
                                    error_packets(1105), several({row_of("no `group`\xc3\xa4")})}) {
    BackendModel backend = Turns::fresh_backend();
    session_.answer("SELECT CURRENT_RESOURCE_GROUP()", answer);
    session_.query(backend, "SET RESOURCE GROUP rg");
    EXPECT_EQ(backend.actual.login_group(), "");
  }
}

TEST_F(SettleCapturesTest, ATextIsNotReadBackFromAnAnswerOfAnotherForm) {
  for (const std::string& answer : {several({row_of("SELECT 1"), row_of("SELECT 2")}),
                                    two_columns(), error_packets(1105), several({})}) {
    Turns session;
    BackendModel backend = Turns::fresh_backend();
    session.query(backend, "SET @x = CONCAT('SELECT ', '1')");
    session.answer("SELECT @`x`", answer);
    session.query(backend, "PREPARE s FROM @x");
    EXPECT_EQ(session.model.named.find("s"), nullptr);
  }
}

TEST_F(SettleCapturesTest, AStringThatWasReadBackIsNotTrustedToStayOnItsBackend) {
  session_.query(one_, "SET @a = CONCAT('a', 'b')");
  answer_variable("a", "ab");
  session_.capture(one_);
  ASSERT_TRUE(session_.model.desired.is_exact());
  EXPECT_FALSE(session_.model.desired == one_.actual) << "TiDB may use its memory again";
  EXPECT_NE(session_.query(one_, "SELECT 1").front().find("SET @`a`="), std::string::npos);
}

TEST_F(SettleCapturesTest, TheRowsFoundStayWhatTheyWereWhereTheAnswerHasNone) {
  std::uint32_t id = 0;
  session_.query(one_, "SELECT a FROM t");
  session_.answer("SELECT a FROM t", rows_packets(0));
  session_.query(one_, "SELECT a FROM t");
  session_.prepare(one_, "SELECT b FROM t", id);
  session_.answer("EXECUTE 1", cursor_packets(0));
  session_.execute(one_, id, {}, 1);
  session_.answer("SELECT FOUND_ROWS()", error_packets(1105));
  session_.capture(one_);
  EXPECT_EQ(session_.model.diagnostics.found_rows(), 1U);
}

}  // namespace
}  // namespace tidepool::tracking

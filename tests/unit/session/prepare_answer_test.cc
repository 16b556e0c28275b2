#include "tidepool/session/prepare_answer.h"

#include <gtest/gtest.h>

#include "tidepool/protocol/packet.h"

namespace tidepool::session {
namespace {

const sql::SessionState kFresh;

bool is_memorable(const char* text, const sql::SessionState& state = kFresh,
                  sql::PinReasons pins = {}) {
  return session::is_memorable(sql::classify(text, {}), state, pins);
}

// An answer with two parameters and a column, as a connection without DEPRECATE_EOF has it.
std::string answer(std::uint32_t id, std::uint16_t status) {
  const auto low = static_cast<char>(status & 0xFFU);
  const auto high = static_cast<char>(status >> 8U);
  const std::string eof = {'\xfe', '\1', '\0', low, high};
  const std::string head = {
      '\0', static_cast<char>(id), '\0', '\0', '\0', '\1', '\0', '\2', '\0', '\0', '\0', '\0'};
  std::string packets;
  std::uint8_t sequence = 1;
  for (const std::string& payload :
       {head, std::string("p"), std::string("q"), eof, std::string("column"), eof})
    protocol::append_packet(packets, sequence, payload);
  return packets;
}

TEST(PrepareAnswer, IsGivenAgainWithAnotherIdAndStatus) {
  const auto prepare = parse_prepare_answer(answer(7, 2));
  ASSERT_TRUE(prepare);
  EXPECT_EQ(prepare->params, 2);
  EXPECT_EQ(prepare->columns, 1);
  EXPECT_EQ(prepare->warnings, 1);
  EXPECT_EQ(prepare_answer(*prepare, 9, 0x0203), answer(9, 0x0203));
}

TEST(PrepareAnswer, IsNothingElse) {
  EXPECT_FALSE(parse_prepare_answer(""));
  EXPECT_FALSE(parse_prepare_answer(answer(7, 2).substr(0, 40)));
  EXPECT_FALSE(parse_prepare_answer(answer(7, 2) + "x"));
  std::string error;
  std::uint8_t sequence = 1;
  protocol::append_packet(error, sequence, "\xff\x48\x04#42000no such thing");
  EXPECT_FALSE(parse_prepare_answer(error));
}

TEST(IsMemorable, WhatDependsOnTextStateAndSchema) {
  for (const char* text : {"SELECT 1", "INSERT INTO t VALUES (?)", "BEGIN", "SET time_zone = ?"})
    EXPECT_TRUE(is_memorable(text)) << text;
  for (const char* text : {"", "SELECT @x", "SELECT @x := 1", "SELECT 1; SELECT 2", "DROP TABLE t",
                           "USE d", "nonsense"})
    EXPECT_FALSE(is_memorable(text)) << text;
}

TEST(IsMemorable, NotWhileASessionHasWhatNobodyElseHas) {
  EXPECT_TRUE(is_memorable("SELECT 1", kFresh, sql::PinReasons{sql::Pin::kTransaction}));
  EXPECT_FALSE(is_memorable("SELECT 1", kFresh, sql::PinReasons{sql::Pin::kTemporaryTable}));
  sql::SessionState state;
  state.apply({.kind = sql::ChangeKind::kComputedVariable, .name = "time_zone"});
  EXPECT_FALSE(is_memorable("SELECT 1", state));
}

TEST(PrepareContext, IsTheStateWithoutUserVariables) {
  sql::SessionState state;
  state.apply({.kind = sql::ChangeKind::kSetUserVariable, .name = "x", .value = "1"});
  EXPECT_EQ(prepare_context(state), prepare_context(kFresh));
  state.apply({.kind = sql::ChangeKind::kUseDatabase, .name = "d"});
  EXPECT_NE(prepare_context(state), prepare_context(kFresh));
}

TEST(ExecuteError, IsThatOfAStatementWhoseTableIsGone) {
  const Error gone{Code::kBackend, "Table 'd.t' doesn't exist", 1146, "42S02"};
  EXPECT_EQ(execute_error(gone).mysql_errno, 8113);
  EXPECT_EQ(execute_error(gone).sqlstate, "HY000");
  EXPECT_EQ(execute_error(gone).message,
            "Schema change caused error: [schema:1146]Table 'd.t' doesn't exist");
  const Error column{Code::kBackend, "Unknown column 'a' in 'field list'", 1054, "42S22"};
  EXPECT_EQ(execute_error(column).mysql_errno, 1054);
}

}  // namespace
}  // namespace tidepool::session

#include "tidepool/tracking/exchange.h"

#include <gtest/gtest.h>

#include "tidepool/protocol/packet.h"
#include "tidepool/protocol/reply_messages.h"
#include "tidepool/protocol/text_result.h"

namespace tidepool::tracking {
namespace {

using protocol::Command;

std::string ok() {
  return protocol::ok_packet({}, 1);
}
std::string err(std::uint16_t number) {
  return protocol::err_packet({number, "HY000", "no"}, 1);
}
std::string rows() {
  return protocol::make_text_result({protocol::integer_column("1")}, {{"1"}}, 2, 0);
}

Step restore(const char* text) {
  return {.kind = StepKind::kRestore, .bytes = framed(Command::kQuery, text)};
}
Step relay(const char* text, bool after_success = false) {
  return {.kind = StepKind::kRelay,
          .bytes = framed(Command::kQuery, text),
          .after_success = after_success};
}

// Feeds all of `bytes`; answers what was to be relayed.
std::string feed(Exchange& exchange, std::string_view bytes, std::size_t piece) {
  std::string relayed;
  while (!bytes.empty()) {
    const auto progress = exchange.feed(bytes.substr(0, piece));
    EXPECT_TRUE(progress.has_value());
    if (!progress) break;
    if (progress->relay) relayed += exchange.take_held();
    if (progress->relay) relayed += bytes.substr(0, progress->consumed);
    bytes.remove_prefix(progress->consumed);
  }
  return relayed;
}

TEST(Exchange, WritesALargeCommandByItself) {
  Exchange exchange;
  const std::string text(100'000, 'x');
  exchange.add(restore("SET x = 1"));
  exchange.add(relay(text.c_str()));
  exchange.add(
      {.kind = StepKind::kFence, .command = Command::kPing, .bytes = framed(Command::kPing)});
  EXPECT_EQ(exchange.take_writable(), framed(Command::kQuery, "SET x = 1"));
  EXPECT_TRUE(exchange.has_cut());
  EXPECT_FALSE(exchange.relay_written());
  EXPECT_TRUE(exchange.take_writable() == framed(Command::kQuery, text));
  EXPECT_TRUE(exchange.has_cut());
  EXPECT_EQ(exchange.take_writable(), framed(Command::kPing));
  EXPECT_FALSE(exchange.has_cut());
  EXPECT_EQ(exchange.take_writable(), "");
}

// Every test runs with the answer in one piece and byte by byte.
class ExchangeInPieces : public ::testing::TestWithParam<std::size_t> {};

TEST_P(ExchangeInPieces, HoldsAnErrorAndNothingElse) {
  for (const std::string& answer : {ok(), rows(), err(1243)}) {
    Exchange exchange;
    Step step = relay("SELECT 1");
    step.hold_error = true;
    exchange.add(step);
    exchange.take_writable();

    const std::string relayed = feed(exchange, answer, GetParam());
    EXPECT_EQ(relayed, answer == err(1243) ? "" : answer);
    EXPECT_EQ(exchange.take_held(), answer == err(1243) ? answer : "");
    EXPECT_EQ(exchange.relay_answered(), answer != err(1243));
    EXPECT_TRUE(exchange.is_over());
  }
}

TEST_P(ExchangeInPieces, SwallowsTheExecuteBehindAPrepareThatFailed) {
  Exchange exchange;
  exchange.add({.kind = StepKind::kPrepare,
                .command = Command::kStmtPrepare,
                .bytes = framed(Command::kStmtPrepare, "SELECT 1")});
  Step execute = relay("execute");
  execute.hold_error = true;
  exchange.add(execute);
  EXPECT_EQ(exchange.take_writable(),
            framed(Command::kStmtPrepare, "SELECT 1") + framed(Command::kQuery, "execute"));

  EXPECT_EQ(feed(exchange, err(1146) + err(1243), GetParam()), "");
  EXPECT_TRUE(exchange.is_over());
  EXPECT_FALSE(exchange.failure());
  ASSERT_TRUE(exchange.prepare_error());
  EXPECT_EQ(exchange.prepare_error()->mysql_errno, 1146);
}

TEST_P(ExchangeInPieces, TakesWhatComesBeforeTheFencesAnswerForTheCommands) {
  const std::string second = protocol::ok_packet({}, 2) + protocol::ok_packet({}, 3);
  const std::string fence = framed(Command::kPing);
  for (const std::string& surplus : {std::string(), second}) {
    for (const std::string& end : {ok(), err(1053)}) {
      Exchange exchange;
      exchange.add({.command = Command::kRefresh, .bytes = framed(Command::kRefresh, "\x01")});
      exchange.add({.kind = StepKind::kFence, .command = Command::kPing, .bytes = fence});
      EXPECT_EQ(exchange.take_writable(), framed(Command::kRefresh, "\x01") + fence);

      EXPECT_EQ(feed(exchange, ok(), GetParam()), ok());
      EXPECT_FALSE(exchange.is_over());
      EXPECT_EQ(feed(exchange, surplus + end, GetParam()), surplus);

      EXPECT_TRUE(exchange.is_over());
      EXPECT_FALSE(exchange.failure());
      EXPECT_EQ(exchange.summary().error_number, end == ok() ? 0 : 1053);
      EXPECT_FALSE(exchange.feed(ok())) << "nothing was asked";
    }
  }
}

TEST_P(ExchangeInPieces, SwallowsWhatComesBeforeTheFencesAnswerWhereARestoreFailed) {
  Exchange exchange;
  exchange.add(restore("SET a = 1"));
  exchange.add({.command = Command::kRefresh, .bytes = framed(Command::kRefresh, "\x01")});
  exchange.add(
      {.kind = StepKind::kFence, .command = Command::kPing, .bytes = framed(Command::kPing)});
  (void)exchange.take_writable();

  EXPECT_EQ(feed(exchange, err(1231) + ok() + protocol::ok_packet({}, 2) + ok(), GetParam()), "");

  EXPECT_TRUE(exchange.is_over());
  ASSERT_TRUE(exchange.failure());
  EXPECT_EQ(exchange.failure()->mysql_errno, 1231);
}

TEST_P(ExchangeInPieces, PipelinesARestoreAndSwallowsItsAnswer) {
  Exchange exchange;
  exchange.add(restore("SET a = 1"));
  exchange.add(relay("SELECT 1"));

  EXPECT_EQ(exchange.take_writable(),
            framed(Command::kQuery, "SET a = 1") + framed(Command::kQuery, "SELECT 1"));
  EXPECT_EQ(feed(exchange, ok() + rows(), GetParam()), rows());
  EXPECT_TRUE(exchange.is_over());
  EXPECT_FALSE(exchange.failure());
  EXPECT_EQ(exchange.summary().rows, 1U);
}

TEST_P(ExchangeInPieces, GoesOnAfterAnErrorThatChangesNothing) {
  Exchange exchange;
  Step role = restore("SET ROLE a");
  role.may_fail = true;
  exchange.add(std::move(role));
  exchange.add(relay("DELETE FROM t", true));
  (void)exchange.take_writable();

  EXPECT_EQ(feed(exchange, err(3530), GetParam()), "");
  EXPECT_FALSE(exchange.failure());
  EXPECT_EQ(exchange.take_writable(), framed(Command::kQuery, "DELETE FROM t"));
}

TEST_P(ExchangeInPieces, AwaitsTheRestoreBeforeAWrite) {
  Exchange exchange;
  exchange.add(restore("SET a = 1"));
  exchange.add(relay("DELETE FROM t", true));

  EXPECT_EQ(exchange.take_writable(), framed(Command::kQuery, "SET a = 1"));
  EXPECT_FALSE(exchange.relay_written());
  EXPECT_EQ(exchange.take_writable(), "");
  EXPECT_EQ(feed(exchange, ok(), GetParam()), "");
  EXPECT_EQ(exchange.take_writable(), framed(Command::kQuery, "DELETE FROM t"));
  EXPECT_TRUE(exchange.relay_written());
  EXPECT_EQ(feed(exchange, ok(), GetParam()), ok());
  EXPECT_TRUE(exchange.is_over());
}

TEST_P(ExchangeInPieces, DropsTheWriteWhenTheRestoreFails) {
  Exchange exchange;
  exchange.add(restore("USE gone"));
  exchange.add(relay("DELETE FROM t", true));
  exchange.take_writable();

  EXPECT_EQ(feed(exchange, err(1049), GetParam()), "");

  ASSERT_TRUE(exchange.failure());
  EXPECT_EQ(exchange.failure()->mysql_errno, 1049);
  EXPECT_EQ(exchange.take_writable(), "");
  EXPECT_TRUE(exchange.is_over());
  EXPECT_FALSE(exchange.relay_written());
}

TEST_P(ExchangeInPieces, ThrowsAwayAReadThatFollowedAFailedRestore) {
  Exchange exchange;
  exchange.add(restore("USE gone"));
  exchange.add(relay("SELECT 1"));
  exchange.take_writable();

  EXPECT_EQ(feed(exchange, err(1049) + rows(), GetParam()), "");

  EXPECT_TRUE(exchange.is_over());
  EXPECT_FALSE(exchange.relay_answered());
  EXPECT_EQ(exchange.failure()->mysql_errno, 1049);
}

TEST_P(ExchangeInPieces, HoldsAnAnswerThatIsToBeChanged) {
  Exchange exchange;
  Step step = relay("SELECT 1");
  step.hold_answer = true;
  exchange.add(std::move(step));
  exchange.take_writable();

  EXPECT_EQ(feed(exchange, rows(), GetParam()), "");

  EXPECT_EQ(exchange.take_held(), rows());
}

INSTANTIATE_TEST_SUITE_P(Pieces, ExchangeInPieces, ::testing::Values(1, 3, 100'000));

TEST(Exchange, IsOverAtOnceWhenNothingIsAnswered) {
  Exchange exchange;
  exchange.add({.kind = StepKind::kRelay,
                .command = Command::kStmtSendLongData,
                .bytes = framed(Command::kStmtSendLongData, "data")});
  EXPECT_FALSE(exchange.is_over());

  EXPECT_FALSE(exchange.take_writable().empty());

  EXPECT_TRUE(exchange.is_over());
}

TEST(Exchange, FillsInTheRelayOnceItsStatementIsPrepared) {
  Exchange exchange;
  exchange.add({.kind = StepKind::kPrepare,
                .command = Command::kStmtPrepare,
                .bytes = framed(Command::kStmtPrepare, "SELECT 1")});
  exchange.add({.kind = StepKind::kRelay,
                .command = Command::kStmtExecute,
                .bytes = {},
                .after_success = true});
  exchange.take_writable();
  // Statement 7, no parameters, no columns.
  std::string answer;
  std::uint8_t sequence = 1;
  protocol::append_packet(answer, sequence, std::string("\0\7\0\0\0\0\0\0\0\0\0\0", 12));
  feed(exchange, answer, 100);
  EXPECT_EQ(exchange.summary().statement_id, 7U);

  exchange.set_relay_bytes("execute 7");

  EXPECT_EQ(exchange.take_writable(), "execute 7");
}

TEST(Exchange, HoldsAnAnswerThatIsToBeHeldIfItIsAnError) {
  Exchange exchange;
  Step refused = relay("a");
  refused.hold_error = true;
  exchange.add(std::move(refused));
  exchange.take_writable();

  EXPECT_EQ(feed(exchange, err(1064), 100), "");
  EXPECT_EQ(exchange.take_held(), err(1064));
  EXPECT_FALSE(exchange.relay_answered());

  Step answered = relay("b");
  answered.hold_error = true;
  exchange.add(std::move(answered));
  exchange.take_writable();
  EXPECT_EQ(feed(exchange, rows(), 7), rows());
}

TEST(Exchange, GoesOnAfterARestoreThatMayFail) {
  Exchange exchange;
  Step step = restore("a");
  step.may_fail = true;
  exchange.add(std::move(step));
  exchange.add(relay("b"));
  exchange.take_writable();

  EXPECT_EQ(feed(exchange, err(1105) + ok(), 100), ok());
  EXPECT_FALSE(exchange.failure().has_value());
}

TEST(Exchange, RefusesBytesThatNobodyAskedFor) {
  Exchange exchange;
  EXPECT_FALSE(exchange.feed("x").has_value());
}

}  // namespace
}  // namespace tidepool::tracking

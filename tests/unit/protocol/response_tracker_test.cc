#include "tidepool/protocol/response_tracker.h"

#include <functional>
#include <vector>

#include <gtest/gtest.h>

#include "bytes.h"
#include "tidepool/protocol/reply_messages.h"
#include "tidepool/protocol/statement_messages.h"
#include "tidepool/protocol/text_result.h"

namespace tidepool::protocol {
namespace {

using Outcome = ResponseSummary::Outcome;

// An answer, packet by packet, from sequence number 1 on.
class Answer {
 public:
  Answer& add(std::string_view payload) {
    append_packet(bytes_, sequence_, payload);
    return *this;
  }
  Answer& ok(const OkMessage& message = {}) { return add(encode_ok(message)); }
  Answer& eof(std::uint16_t status = 2) { return add(encode_eof({.status = status})); }
  Answer& err(std::uint16_t number = 1064) { return add(encode_err({number, "42000", "bad"})); }
  Answer& definitions(int count) {
    for (int i = 0; i < count; ++i)
      add(encode_column(integer_column("c")));
    return *this;
  }
  Answer& result(int columns, int rows, std::uint16_t status = 2) {
    add(std::string(1, static_cast<char>(columns))).definitions(columns).eof(status);
    for (int i = 0; i < rows; ++i)
      add(hex("0131"));
    return eof(status);
  }
  const std::string& bytes() const { return bytes_; }
  std::uint8_t sequence() const { return sequence_; }

 private:
  std::string bytes_;
  std::uint8_t sequence_ = 1;
};

constexpr std::string_view kNext = "the next answer";

// Checks that the tracker takes exactly `answer`, in any pieces, and always comes to the same
// summary, which it returns.
ResponseSummary follow(Command command, const Answer& answer,
                       ResponseTracker::Context context = {}) {
  const std::string stream = answer.bytes() + std::string(kNext);
  ResponseSummary whole;
  for (const std::size_t piece : {stream.size(), std::size_t{1}, std::size_t{3}, std::size_t{64}}) {
    ResponseTracker tracker;
    tracker.begin(command, context);
    std::size_t used = 0;
    while (!tracker.complete() && used < stream.size()) {
      const auto taken = tracker.feed(std::string_view(stream).substr(used, piece));
      EXPECT_TRUE(taken) << (taken ? "" : taken.error().message);
      if (!taken) return {};
      used += *taken;
      EXPECT_EQ(tracker.complete(), used == answer.bytes().size()) << used;
    }
    EXPECT_TRUE(tracker.complete());
    EXPECT_EQ(used, answer.bytes().size()) << piece;
    EXPECT_EQ(tracker.next_sequence(), answer.sequence());
    EXPECT_EQ(*tracker.feed(kNext), 0U);
    if (piece == stream.size()) whole = tracker.summary();
    EXPECT_EQ(tracker.summary().rows, whole.rows);
    EXPECT_EQ(tracker.summary().status, whole.status);
    EXPECT_EQ(tracker.summary().message, whole.message);
    EXPECT_EQ(tracker.summary().info, whole.info);
    EXPECT_EQ(tracker.summary().outcome, whole.outcome);
  }
  return whole;
}

// Whether `bytes` are refused as an answer to `command`, whole and byte by byte.
bool refuses(Command command, std::string_view bytes) {
  ResponseTracker whole;
  whole.begin(command);
  ResponseTracker bitwise;
  bitwise.begin(command);
  bool failed = false;
  for (const char& byte : bytes) {
    if (!bitwise.feed({&byte, 1})) failed = true;
  }
  return !whole.feed(bytes) && failed && !whole.feed(bytes) && !whole.complete();
}

TEST(ResponseTracker, EndsAfterTheOk) {
  const OkMessage ok{5, 300, 3, 1, "Rows matched: 5"};
  const auto summary = follow(Command::kQuery, Answer().ok(ok));
  EXPECT_EQ(summary.outcome, Outcome::kOk);
  EXPECT_EQ(summary.affected_rows, 5U);
  EXPECT_EQ(summary.last_insert_id, 300U);
  EXPECT_TRUE(summary.has_status);
  EXPECT_EQ(summary.status, 3);
  EXPECT_EQ(summary.warnings, 1);
  EXPECT_EQ(summary.info, "Rows matched: 5");
  EXPECT_EQ(summary.results, 1U);
  EXPECT_EQ(summary.result_sets, 0U);
}

TEST(ResponseTracker, EndsAfterTheErr) {
  const auto summary = follow(Command::kQuery, Answer().err(1146));
  EXPECT_TRUE(summary.has_error());
  EXPECT_EQ(summary.error_number, 1146);
  EXPECT_EQ(summary.sqlstate, "42000");
  EXPECT_EQ(summary.message, "bad");
  EXPECT_FALSE(summary.has_status);
}

TEST(ResponseTracker, KeepsALongMessageOnlyInPart) {
  const auto summary =
      follow(Command::kQuery, Answer().add(encode_err({1105, "HY000", std::string(9000, 'm')})));
  EXPECT_GT(summary.message.size(), 900U);
  EXPECT_LE(summary.message.size(), ResponseTracker::kMaxGatheredBytes);
}

TEST(ResponseTracker, EndsAfterTheSecondEof) {
  const auto summary = follow(Command::kQuery, Answer().result(2, 7, 0x22));
  EXPECT_EQ(summary.outcome, Outcome::kResultSet);
  EXPECT_EQ(summary.columns, 2U);
  EXPECT_EQ(summary.rows, 7U);
  EXPECT_EQ(summary.result_sets, 1U);
  EXPECT_EQ(summary.status, 0x22);
}

TEST(ResponseTracker, CountsMoreColumnsThanFitInAByte) {
  const auto summary = follow(
      Command::kQuery, Answer().add(hex("fc 2c01")).definitions(300).eof().add(hex("fb")).eof());
  EXPECT_EQ(summary.columns, 300U);
  EXPECT_EQ(summary.rows, 1U);
}

TEST(ResponseTracker, EndsWithAnErrInPlaceOfTheLastEof) {
  Answer answer;
  answer.add(hex("01")).definitions(1).eof().add(hex("0131")).err(9005);
  const auto summary = follow(Command::kQuery, answer);
  EXPECT_TRUE(summary.has_error());
  EXPECT_EQ(summary.rows, 1U);
  EXPECT_EQ(summary.error_number, 9005);
}

TEST(ResponseTracker, FollowsEveryResultOfAMultiStatement) {
  Answer answer;
  answer.ok({.affected_rows = 1, .last_insert_id = 8, .status = 0x0a});
  answer.result(1, 2, 0x0a).result(3, 4, 0x0a).ok({.affected_rows = 6, .status = 2});
  const auto summary = follow(Command::kQuery, answer);
  EXPECT_EQ(summary.results, 4U);
  EXPECT_EQ(summary.result_sets, 2U);
  EXPECT_EQ(summary.rows, 6U);
  EXPECT_EQ(summary.affected_rows, 6U);
  EXPECT_EQ(summary.last_insert_id, 8U);
  EXPECT_EQ(summary.status, 2);
  EXPECT_EQ(summary.outcome, Outcome::kOk);
}

TEST(ResponseTracker, EndsWithTheFirstErrOfAMultiStatement) {
  const auto summary = follow(Command::kQuery, Answer().result(1, 1, 0x0a).err());
  EXPECT_TRUE(summary.has_error());
  EXPECT_EQ(summary.results, 2U);
}

TEST(ResponseTracker, CountsRowsOf16MiBAndMoreOnce) {
  for (const std::size_t more : {std::size_t{0}, std::size_t{10}}) {
    std::string row = hex("fe 0000000100000000");  // begins like an EOF
    row.resize(kMaxPayloadBytes + more, '\xff');
    Answer answer;
    answer.add(hex("01")).definitions(1).eof().add(row).add(hex("0131")).eof();
    const std::string stream = answer.bytes() + std::string(kNext);
    for (const std::size_t piece : {stream.size(), std::size_t{65536}, std::size_t{65521}}) {
      ResponseTracker tracker;
      tracker.begin(Command::kQuery);
      std::size_t used = 0;
      while (!tracker.complete() && used < stream.size()) {
        used += tracker.feed(std::string_view(stream).substr(used, piece)).value();
      }
      EXPECT_EQ(used, answer.bytes().size());
      EXPECT_EQ(tracker.summary().rows, 2U);
    }
  }
}

TEST(ResponseTracker, StopsForALocalInfileAndGoesOnAfterIt) {
  const std::string request = Answer().add(hex("fb") + "/tmp/file").bytes();
  for (const std::size_t piece : {std::size_t{1}, request.size()}) {
    ResponseTracker tracker;
    tracker.begin(Command::kQuery, {.may_request_file = true});
    std::size_t used = 0;
    while (used < request.size()) {
      used += tracker.feed(std::string_view(request).substr(used, piece)).value();
    }
    EXPECT_TRUE(tracker.wants_local_infile());
    EXPECT_FALSE(tracker.complete());
    EXPECT_EQ(tracker.next_sequence(), 2);

    tracker.on_local_infile_sent(4);
    EXPECT_FALSE(tracker.wants_local_infile());
    const std::string ok = ok_packet({.affected_rows = 9}, 4);
    EXPECT_EQ(tracker.feed(ok).value(), ok.size());
    EXPECT_TRUE(tracker.complete());
    EXPECT_EQ(tracker.summary().affected_rows, 9U);
  }
}

TEST(ResponseTracker, FollowsAPrepare) {
  struct Case {
    std::uint16_t columns;
    std::uint16_t params;
  };
  for (const auto& [columns, params] : {Case{0, 0}, Case{2, 0}, Case{0, 3}, Case{2, 3}}) {
    for (const bool deprecate_eof : {false, true}) {
      Answer answer;
      answer.add(encode_stmt_prepare_ok({7, columns, params, 0}));
      if (params > 0) answer.definitions(params);
      if (params > 0 && !deprecate_eof) answer.eof();
      if (columns > 0) answer.definitions(columns);
      if (columns > 0 && !deprecate_eof) answer.eof();
      const auto summary = follow(Command::kStmtPrepare, answer, {deprecate_eof, 1});
      EXPECT_EQ(summary.outcome, Outcome::kOk);
      EXPECT_EQ(summary.statement_id, 7U);
      EXPECT_EQ(summary.columns, columns);
      EXPECT_EQ(summary.params, params);
      EXPECT_EQ(summary.rows, 0U);
    }
  }
  EXPECT_TRUE(follow(Command::kStmtPrepare, Answer().err()).has_error());
}

TEST(ResponseTracker, FollowsAnExecute) {
  Answer answer;
  answer.add(hex("01")).definitions(1).eof().add(hex("0000 31")).add(hex("0004")).eof();
  const auto summary = follow(Command::kStmtExecute, answer);
  EXPECT_EQ(summary.rows, 2U);
  EXPECT_EQ(follow(Command::kStmtExecute, Answer().ok()).outcome, Outcome::kOk);
}

TEST(ResponseTracker, EndsAnExecuteThatOpensACursorAfterTheDefinitions) {
  Answer answer;
  answer.add(hex("01")).definitions(1).eof(0x42);
  auto summary = follow(Command::kStmtExecute, answer);
  EXPECT_EQ(summary.outcome, Outcome::kResultSet);
  EXPECT_EQ(summary.status, 0x42);

  Answer modern;
  modern.add(hex("01")).definitions(1).ok({.status = 0x42, .header = kEofHeader});
  summary = follow(Command::kStmtExecute, modern, {true, 1});
  EXPECT_EQ(summary.status, 0x42);
  EXPECT_EQ(summary.rows, 0U);
}

TEST(ResponseTracker, FollowsAFetch) {
  const auto some =
      follow(Command::kStmtFetch, Answer().add(hex("0000 31")).add(hex("0004")).eof(0x42));
  EXPECT_EQ(some.rows, 2U);
  EXPECT_EQ(some.status, 0x42);
  EXPECT_EQ(some.outcome, Outcome::kResultSet);
  EXPECT_EQ(follow(Command::kStmtFetch, Answer().eof(0x82)).rows, 0U);
  EXPECT_TRUE(follow(Command::kStmtFetch, Answer().err()).has_error());
}

TEST(ResponseTracker, FollowsAResultWithoutEofs) {
  Answer answer;
  answer.add(hex("02")).definitions(2).add(hex("0131 0132"));
  answer.ok({.status = 0x22, .warnings = 4, .header = kEofHeader});
  const auto summary = follow(Command::kQuery, answer, {true, 1});
  EXPECT_EQ(summary.outcome, Outcome::kResultSet);
  EXPECT_EQ(summary.rows, 1U);
  EXPECT_EQ(summary.status, 0x22);
  EXPECT_EQ(summary.warnings, 4);
}

TEST(ResponseTracker, FollowsAFieldList) {
  const auto summary = follow(Command::kFieldList, Answer().definitions(3).eof());
  EXPECT_EQ(summary.rows, 0U);
  EXPECT_EQ(follow(Command::kFieldList, Answer().eof()).outcome, Outcome::kResultSet);
  EXPECT_TRUE(follow(Command::kFieldList, Answer().err()).has_error());
}

TEST(ResponseTracker, FollowsStatistics) {
  EXPECT_EQ(follow(Command::kStatistics, Answer().add("Uptime: 7  Threads: 0")).outcome,
            Outcome::kOk);
  EXPECT_TRUE(follow(Command::kStatistics, Answer().err()).has_error());
}

TEST(ResponseTracker, FollowsEveryCommandThatIsAnsweredWithOkOrErr) {
  for (const Command command :
       {Command::kInitDb, Command::kPing, Command::kResetConnection, Command::kStmtReset,
        Command::kSetOption, Command::kRefresh, Command::kChangeUser, Command::kProcessKill,
        Command::kDebug, static_cast<Command>(99)}) {
    EXPECT_EQ(follow(command, Answer().ok()).outcome, Outcome::kOk);
    EXPECT_EQ(follow(command, Answer().eof()).outcome, Outcome::kOk);
    EXPECT_TRUE(follow(command, Answer().err(1105)).has_error());
    // A status of MORE_RESULTS left over from before promises nothing here.
    EXPECT_EQ(follow(command, Answer().ok({.status = 0x0a})).results, 1U);
  }
}

TEST(ResponseTracker, IsDoneAtOnceWithACommandThatHasNoReply) {
  for (const Command command : {Command::kStmtClose, Command::kStmtSendLongData, Command::kQuit}) {
    ResponseTracker tracker;
    tracker.begin(command);
    EXPECT_TRUE(tracker.complete());
    EXPECT_EQ(tracker.feed("x").value(), 0U);
  }
}

TEST(ResponseTracker, StartsAnewWithEachCommand) {
  ResponseTracker tracker;
  tracker.begin(Command::kQuery);
  EXPECT_TRUE(tracker.feed(Answer().result(1, 3).bytes()));
  tracker.begin(Command::kPing);
  EXPECT_EQ(tracker.summary().rows, 0U);
  EXPECT_EQ(tracker.summary().outcome, Outcome::kNone);
  EXPECT_FALSE(tracker.complete());
  EXPECT_TRUE(tracker.feed(Answer().ok().bytes()));
  EXPECT_TRUE(tracker.complete());
}

TEST(ResponseTracker, RefusesPacketsOutOfOrder) {
  EXPECT_TRUE(refuses(Command::kPing, ok_packet({}, 2)));
  EXPECT_TRUE(refuses(Command::kQuery, framed(1, hex("01")) + framed(3, "x")));
}

TEST(ResponseTracker, RefusesWhatCannotBeAnAnswer) {
  const Answer count = Answer().add(hex("01"));
  EXPECT_TRUE(refuses(Command::kQuery, framed(1, "")));
  EXPECT_TRUE(refuses(Command::kPing, framed(1, "")));
  EXPECT_TRUE(refuses(Command::kPing, framed(1, hex("05"))));
  EXPECT_TRUE(refuses(Command::kPing, framed(1, hex("00"))));
  EXPECT_TRUE(refuses(Command::kQuery, framed(1, hex("fd ffffff"))));
  EXPECT_TRUE(refuses(Command::kQuery, framed(1, hex("01 02"))));
  EXPECT_TRUE(refuses(Command::kStmtExecute, framed(1, hex("fb 61"))));
  EXPECT_TRUE(refuses(Command::kStmtPrepare, framed(1, hex("00 01"))));
  EXPECT_TRUE(refuses(Command::kQuery, framed(1, hex("ff"))));
  EXPECT_TRUE(refuses(Command::kQuery, Answer().add(hex("01")).definitions(2).bytes()));
  EXPECT_TRUE(refuses(Command::kQuery, Answer().add(hex("01")).definitions(1).add("").bytes()));
}

TEST(ResponseTracker, EndsWithAnErrAmongTheDefinitionsOrInPlaceOfTheirEof) {
  for (const Command command : {Command::kQuery, Command::kStmtExecute}) {
    const Answer among = Answer().add(hex("02")).definitions(1).err(1105);
    const Answer after = Answer().add(hex("01")).definitions(1).err(1105);
    for (const Answer& answer : {among, after}) {
      const ResponseSummary summary = follow(command, answer);
      EXPECT_TRUE(summary.has_error());
      EXPECT_EQ(summary.error_number, 1105);
    }
  }
}

TEST(ResponseTracker, TakesAnEofInPlaceOfTheOkThatDeprecatedItAndAnErrToo) {
  const ResponseTracker::Context context{.deprecate_eof = true};
  const Answer with_eof = Answer().add(hex("01")).definitions(1).add(hex("0131")).eof(0x22);
  EXPECT_EQ(follow(Command::kQuery, with_eof, context).status, 0x22);
  EXPECT_EQ(follow(Command::kQuery, with_eof, context).rows, 1U);
  const Answer with_err = Answer().add(hex("01")).definitions(1).add(hex("0131")).err(1317);
  EXPECT_EQ(follow(Command::kQuery, with_err, context).error_number, 1317);
}

TEST(ResponseTracker, LearnsNothingFromAnEofOfOneByte) {
  const ResponseSummary summary = follow(Command::kSetOption, Answer().add("\xfe"));
  EXPECT_EQ(summary.outcome, Outcome::kOk);
  EXPECT_FALSE(summary.has_status);
}

TEST(ResponseTracker, RefusesARequestForAFileThatNoStatementOffers) {
  const std::string request = Answer().add(hex("fb") + "/etc/passwd").bytes();

  EXPECT_TRUE(refuses(Command::kQuery, request));

  ResponseTracker tracker;
  tracker.begin(Command::kStmtExecute, {.may_request_file = true});
  EXPECT_FALSE(tracker.feed(request)) << "only a query can be answered so";
}

TEST(ResponseTracker, RefusesWhatComesWhileTheServerAwaitsAFile) {
  const std::string request = Answer().add(hex("fb") + "/tmp/file").bytes();
  for (const std::size_t piece : {std::size_t{1}, request.size() + 1}) {
    ResponseTracker tracker;
    tracker.begin(Command::kQuery, {.may_request_file = true});
    std::size_t used = 0;
    while (used < request.size()) {
      used += tracker.feed((request + "x").substr(used, piece)).value();
    }
    ASSERT_TRUE(tracker.wants_local_infile());

    EXPECT_FALSE(tracker.feed("x"));
  }
}

TEST(ResponseTracker, IsNotMovedByAFileThatNobodyAskedFor) {
  ResponseTracker tracker;
  tracker.begin(Command::kPing);
  tracker.on_local_infile_sent(9);
  EXPECT_EQ(tracker.next_sequence(), 1);
  EXPECT_TRUE(tracker.feed(Answer().ok().bytes()));
  EXPECT_TRUE(tracker.complete());
}

TEST(ResponseTracker, RefusesAHeadOf16MiBAndWhatIsCutInsideItsPackets) {
  EXPECT_TRUE(refuses(Command::kQuery, framed(1, std::string(kMaxPayloadBytes, '\x01'))));
  EXPECT_TRUE(refuses(Command::kQuery, framed(1, hex("fc 01"))));
  const Answer head = Answer().add(hex("01")).definitions(1);
  Answer long_eof = head;
  long_eof.add(hex("fe") + std::string(8, '\0'));
  EXPECT_TRUE(refuses(Command::kQuery, long_eof.bytes())) << "too long for an EOF";
  Answer bad_err = Answer().add(hex("02")).definitions(1);
  bad_err.add(hex("ff"));
  EXPECT_TRUE(refuses(Command::kQuery, bad_err.bytes()));

  ResponseTracker tracker;
  tracker.begin(Command::kQuery, {.deprecate_eof = true});
  Answer bad_ok = head;
  bad_ok.add(hex("fe fe 0000 0000 0000"));  // affected rows of eight bytes, of which six are there
  EXPECT_FALSE(tracker.feed(bad_ok.bytes()));
  EXPECT_FALSE(tracker.feed("more")) << "once out of step, always out of step";
}

TEST(ResponseTracker, FindsTheRowsOfTheLastResultThatEnded) {
  constexpr std::uint16_t kMore = 2 | 8;

  EXPECT_EQ(follow(Command::kQuery, Answer().result(1, 2)).found_rows, 2U);
  EXPECT_EQ(follow(Command::kQuery, Answer().result(1, 2, kMore).ok()).found_rows, 2U);
  EXPECT_EQ(follow(Command::kQuery, Answer().result(1, 2, kMore).err()).found_rows, 2U);
  EXPECT_EQ(follow(Command::kQuery, Answer().result(1, 2, kMore).result(1, 0)).found_rows, 0U);
  EXPECT_EQ(follow(Command::kQuery, Answer().ok()).found_rows, std::nullopt);
}

}  // namespace
}  // namespace tidepool::protocol

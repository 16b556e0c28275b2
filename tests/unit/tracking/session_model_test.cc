#include "tidepool/tracking/session_model.h"

#include <functional>

#include <gtest/gtest.h>

#include "tidepool/protocol/status.h"
#include "turns.h"

namespace tidepool::tracking {
namespace {

using sql::Pin;

void apply(SessionModel& model, std::string_view text) {
  const sql::Script script = sql::classify(text, model.desired.lex_mode());
  for (std::size_t i = 0; i < script.size(); ++i)
    model.desired.apply(script[i].changes);
}

struct Case {
  const char* name;
  std::function<void(SessionModel&)> change;
  bool is_bound;
  bool is_replayable;
  bool must_capture;
};

// What of a session only its backend has decides whether it keeps the backend, whether another one
// can repeat its transaction, and whether it must be read back between two commands.
class SessionModelCases : public ::testing::TestWithParam<Case> {};

TEST_P(SessionModelCases, SayWhatTheBackendIsNeededFor) {
  SessionModel model(7);
  const sql::SessionState actual;
  GetParam().change(model);
  EXPECT_EQ(model.is_bound(), GetParam().is_bound);
  EXPECT_EQ(model.is_replayable(), GetParam().is_replayable);
  EXPECT_EQ(model.must_capture(actual), GetParam().must_capture);
}

const sql::Script kSelect = sql::classify("SELECT a FROM t", {});
const sql::Script kInsert = sql::classify("INSERT INTO t VALUES ()", {});

protocol::ResponseSummary ok(std::uint64_t insert_id, std::uint16_t warnings) {
  protocol::ResponseSummary answer;
  answer.outcome = protocol::ResponseSummary::Outcome::kOk;
  answer.last_insert_id = insert_id;
  answer.warnings = warnings;
  return answer;
}

INSTANTIATE_TEST_SUITE_P(
    All, SessionModelCases,
    ::testing::Values(
        Case{"Fresh", [](SessionModel&) {}, false, true, false},
        Case{"InATransaction", [](SessionModel& model) { model.pins.insert(Pin::kTransaction); },
             true, true, false},
        Case{"WithATemporaryTable",
             [](SessionModel& model) { model.pins.insert(Pin::kTemporaryTable); }, true, false,
             false},
        Case{"WithALevelForTheNextTransaction",
             [](SessionModel& model) { model.next_isolation = "READ-COMMITTED"; }, false, false,
             false},
        Case{"WithAVariableThatOnlyTheBackendKnows",
             [](SessionModel& model) { apply(model, "SET @a = 1 + 1"); }, true, false, false},
        Case{"WithARoleThatOnlyTheBackendKnows",
             [](SessionModel& model) { apply(model, "SET ROLE ALL"); }, true, false, true},
        Case{"WithAnInsertId",
             [](SessionModel& model) {
               model.diagnostics.note_answer({protocol::Command::kQuery, kInsert, ok(5, 0)}, false);
             },
             false, true, true},
        Case{"WithWarnings",
             [](SessionModel& model) {
               model.diagnostics.note_answer({protocol::Command::kQuery, kInsert, ok(0, 1)}, false);
             },
             false, true, false},
        Case{"WithWarningsOnABackendThatNeedsARestore",
             [](SessionModel& model) {
               apply(model, "SET @a = 1");
               model.diagnostics.note_answer({protocol::Command::kQuery, kInsert, ok(0, 1)}, false);
             },
             false, true, true},
        Case{"WithAddedWarnings",
             [](SessionModel& model) {
               model.diagnostics.note_pre_execution_error(PreExecutionError::kAppendsWarning,
                                                          false);
             },
             false, true, true},
        Case{"WithRowsThatACursorFinds",
             [](SessionModel& model) {
               protocol::ResponseSummary rows;
               rows.outcome = protocol::ResponseSummary::Outcome::kResultSet;
               rows.status = protocol::status::kCursorExists;
               model.diagnostics.note_answer({protocol::Command::kStmtExecute, kSelect, rows},
                                             false);
             },
             false, true, true},
        Case{"WithAModeThatOnlyTheBackendKnows",
             [](SessionModel& model) { apply(model, "SET sql_mode = CONCAT('A', 'NSI')"); }, true,
             false, true},
        Case{"WithACollationThatOnlyTheBackendKnows",
             [](SessionModel& model) {
               apply(model, "SET collation_connection = CONCAT('utf8mb4', '_bin')");
             },
             true, false, true}),
    [](const auto& tested) { return tested.param.name; });

TEST(SessionModel, JoinsWarningsThatARefusedStatementHasAdded) {
  SessionModel model(7);
  EXPECT_FALSE(model.joins_warnings()) << "there are none";
  model.diagnostics.note_pre_execution_error(PreExecutionError::kAppendsWarning, false);
  EXPECT_TRUE(model.joins_warnings());
  model.in_transaction = true;
  EXPECT_FALSE(model.joins_warnings()) << "a question has no place in a transaction";
  model.in_transaction = false;
  model.pins.insert(Pin::kOneShotTransaction);
  EXPECT_FALSE(model.joins_warnings()) << "it would use up SET TRANSACTION";
}

TEST(SessionModel, HasTheStatusFlagsOfItsState) {
  SessionModel model(7);
  EXPECT_EQ(model.status_flags(), protocol::status::kAutocommit);
  apply(model, "SET autocommit = 0");
  EXPECT_EQ(model.status_flags(), 0);
  apply(model, "SET sql_mode = 'NO_BACKSLASH_ESCAPES'");
  EXPECT_EQ(model.status_flags(), protocol::status::kNoBackslashEscapes);
  model.in_transaction = true;
  EXPECT_EQ(model.status_flags(),
            protocol::status::kNoBackslashEscapes | protocol::status::kInTransaction);
}

TEST(SessionModel, HoldsWhatSetTransactionHasSetHereOrOnItsBackend) {
  SessionModel model(7);
  EXPECT_FALSE(model.is_one_shot_pending());
  model.next_isolation = "READ-COMMITTED";
  EXPECT_TRUE(model.is_one_shot_pending());
  model.next_isolation.clear();
  model.pins.insert(Pin::kOneShotTransaction);
  EXPECT_TRUE(model.is_one_shot_pending());
}

TEST(SessionModel, IsPinnedByCursorsAndDataWhileThereAreAny) {
  SessionModel model(7);
  PreparedStatement& statement = model.prepared.add("SELECT ?", model.desired, 1, 7);
  statement.has_long_data = true;
  model.note_cursors();
  EXPECT_TRUE(model.pins == sql::PinReasons{Pin::kLongData});
  statement.has_long_data = false;
  statement.has_cursor = true;
  model.note_cursors();
  EXPECT_TRUE(model.pins == sql::PinReasons{Pin::kCursor});
  statement.has_cursor = false;
  model.note_cursors();
  EXPECT_FALSE(model.keeps_lease());
}

TEST(SessionModel, KeepsNothingOfItsStatementsWhenItBeginsAnew) {
  SessionModel model(7);
  model.in_transaction = true;
  model.next_isolation = "READ-COMMITTED";
  model.prepared.add("SELECT 1", model.desired, 0, 7);
  model.named.set(make_named_statement("s", "SELECT 1", model.desired, model.next_named()));
  model.diagnostics.note_answer({protocol::Command::kQuery, kInsert, ok(5, 1)}, false);
  model.begin_anew();
  EXPECT_FALSE(model.in_transaction);
  EXPECT_FALSE(model.is_one_shot_pending());
  EXPECT_EQ(model.prepared.find(1), nullptr);
  EXPECT_EQ(model.named.find("s"), nullptr);
  EXPECT_FALSE(model.diagnostics.warnings_on_backend());
  EXPECT_FALSE(model.diagnostics.insert_id_on_backend());
  EXPECT_EQ(model.next_named().number, 2U) << "no two statements ever have the same owner";
}

TEST(SessionModel, ForgetsTheTableThatItHeldWhenItBeginsAnew) {
  Turns session;
  BackendModel backend = Turns::fresh_backend();
  session.query(backend, "CREATE TEMPORARY TABLE app.t (id INT)");
  session.model.begin_anew();
  session.model.pins = {};
  session.query(backend, "DROP TABLE app.other");
  EXPECT_FALSE(session.model.is_bound());
}

}  // namespace
}  // namespace tidepool::tracking

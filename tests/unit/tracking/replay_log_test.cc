#include "tidepool/tracking/replay_log.h"

#include <string>

#include <gtest/gtest.h>

namespace tidepool::tracking {
namespace {

using protocol::Command;
using State = ReplayLog::State;

constexpr std::size_t kPlenty = 1U << 20U;

ReplayUse use_of(const std::string& text, Command command = Command::kQuery,
                 sql::LexMode mode = {}) {
  return replay_use(command, sql::classify(text, mode));
}

ReplayStatement statement(std::string payload, std::uint8_t hash = 1) {
  return {.payload = std::move(payload), .answer = {.bytes = 7, .hash = {hash}}};
}

struct UseRow {
  const char* text;
  ReplayUse wanted;
};

TEST(ReplayUse, IsThatOfTheStatement) {
  const UseRow rows[] = {
      {"", ReplayUse::kRecord},
      {"BEGIN", ReplayUse::kBegin},
      {"START TRANSACTION", ReplayUse::kBegin},
      {"SELECT a FROM t", ReplayUse::kRecord},
      {"SELECT a FROM t FOR UPDATE", ReplayUse::kRecord},
      {"SELECT NOW(), CONNECTION_ID(), @x", ReplayUse::kRecord},
      {"INSERT INTO t VALUES (1)", ReplayUse::kRecord},
      {"REPLACE INTO t VALUES (1)", ReplayUse::kRecord},
      {"UPDATE t SET a = 1", ReplayUse::kRecord},
      {"DELETE FROM t", ReplayUse::kRecord},
      {"SAVEPOINT s", ReplayUse::kRecord},
      {"RELEASE SAVEPOINT s", ReplayUse::kRecord},
      {"ROLLBACK TO s", ReplayUse::kRecord},
      {"ROLLBACK TO SAVEPOINT s", ReplayUse::kRecord},
      {"SHOW TABLES", ReplayUse::kRecord},
      {"SELECT outfile, `setval` FROM release_lock FOR UPDATE", ReplayUse::kRecord},
  };
  for (const UseRow& row : rows)
    EXPECT_EQ(use_of(row.text), row.wanted) << row.text;
}

TEST(ReplayUse, EndsWithWhatHasEffectsBeyondTheTransaction) {
  const char* const texts[] = {
      "COMMIT",
      "ROLLBACK",
      "CREATE TABLE t (a INT)",
      "CREATE TEMPORARY TABLE t (a INT)",
      "TRUNCATE t",
      "SET time_zone = '+02:00'",
      "SET @x = 1",
      "SELECT @x := 1",
      "USE d",
      "SELECT GET_LOCK('a', 1)",
      "SELECT RELEASE_LOCK('a')",
      "DO RELEASE_ALL_LOCKS()",
      "SELECT NEXTVAL(s)",
      "SELECT SETVAL(s, 5)",
      "INSERT INTO t VALUES (`setval`(s, 5))",
      "SELECT a FROM t INTO OUTFILE '/tmp/x'",
      "LOAD DATA LOCAL INFILE 'f' INTO TABLE t",
      "LOAD DATA INFILE 'f' INTO TABLE t",
      "IMPORT INTO t FROM '/tmp/x'",
      "PREPARE p FROM 'SELECT 1'",
      "EXECUTE p",
      "KILL 5",
      "KILL QUERY 5",
      "LOCK TABLES t READ",
      "ANALYZE TABLE t",
      "FLUSH PRIVILEGES",
      "SELECT 1; COMMIT",
      "SELECT 1; SELECT 2",
      "NONSENSE",
  };
  for (const char* text : texts)
    EXPECT_EQ(use_of(text), ReplayUse::kGiveUp) << text;
}

TEST(ReplayUse, IsReadInTheSessionsMode) {
  const auto read_in = [](sql::LexMode mode, const char* text) {
    return use_of(text, Command::kQuery, mode);
  };
  const sql::LexMode plain{.no_backslash_escapes = true};
  const sql::LexMode gbk{.encoding = sql::TextEncoding::kGbk};
  const sql::LexMode ansi{.ansi_quotes = true};
  EXPECT_EQ(read_in(plain, R"(SELECT '\' INTO OUTFILE '/tmp/x')"), ReplayUse::kGiveUp);
  EXPECT_EQ(read_in(plain, R"(INSERT INTO t VALUES ('\', SETVAL(s, 5)))"), ReplayUse::kGiveUp);
  EXPECT_EQ(read_in(gbk, "SELECT '\xbf\\', RELEASE_LOCK('a')"), ReplayUse::kGiveUp);
  EXPECT_EQ(read_in(ansi, R"(SELECT "setval"(s, 5))"), ReplayUse::kGiveUp);
  EXPECT_EQ(read_in(plain, R"(INSERT INTO t VALUES ('a\', ' OUTFILE'))"), ReplayUse::kRecord);
  EXPECT_EQ(read_in({}, R"(INSERT INTO t VALUES ("OUTFILE"))"), ReplayUse::kRecord);
}

TEST(ReplayUse, EndsWithWhatAsksAboutTheStatementBefore) {
  for (const char* text :
       {"INSERT INTO t VALUES (ROW_COUNT())", "SELECT FOUND_ROWS()", "SHOW WARNINGS",
        "INSERT INTO t VALUES (LAST_INSERT_ID())", "SELECT @@last_plan_from_cache"}) {
    EXPECT_EQ(use_of(text), ReplayUse::kGiveUp) << text;
  }
}

TEST(ReplayUse, EndsWithWhatForbidsIt) {
  EXPECT_EQ(use_of("/* tidepool: retry=off */ SELECT 1"), ReplayUse::kGiveUp);
}

TEST(ReplayUse, OfOtherCommands) {
  for (const Command command : {Command::kPing, Command::kStatistics, Command::kFieldList,
                                Command::kStmtPrepare, Command::kStmtReset, Command::kStmtClose}) {
    EXPECT_EQ(replay_use(command, {}), ReplayUse::kSkip);
  }
  for (const Command command :
       {Command::kInitDb, Command::kSetOption, Command::kStmtFetch, Command::kStmtSendLongData}) {
    EXPECT_EQ(replay_use(command, {}), ReplayUse::kGiveUp);
  }
  EXPECT_EQ(use_of("UPDATE t SET a = ?", Command::kStmtExecute), ReplayUse::kRecord);
  EXPECT_EQ(use_of("COMMIT", Command::kStmtExecute), ReplayUse::kGiveUp);
}

TEST(ReplayedError, IsAConflict) {
  for (const int number : {1213, 8002, 8022, 8028, 9007})
    EXPECT_TRUE(is_replayed_error(static_cast<std::uint16_t>(number))) << number;
  for (const int number : {1062, 1205, 1317, 8005, 9005})
    EXPECT_FALSE(is_replayed_error(static_cast<std::uint16_t>(number))) << number;
}

TEST(ReplayLog, KeepsAStatementOnlyOfATransaction) {
  ReplayLog log(kPlenty);
  EXPECT_EQ(log.state(), State::kEmpty);
  log.add(statement("\3SELECT 1"));
  EXPECT_TRUE(log.statements().empty());

  log.begin();
  log.add(statement("\3BEGIN"));
  log.add(statement("\3SELECT 1"));
  ASSERT_EQ(log.statements().size(), 2U);
  EXPECT_EQ(log.statements()[1].payload, "\3SELECT 1");

  log.begin();
  EXPECT_TRUE(log.statements().empty()) << "the one before is over";
  log.end();
  EXPECT_EQ(log.state(), State::kEmpty);
}

TEST(ReplayLog, GivesUpUntilTheNextTransaction) {
  ReplayLog log(kPlenty);
  log.give_up();
  EXPECT_EQ(log.state(), State::kEmpty) << "there is nothing to give up";
  log.begin();
  log.add(statement("\3BEGIN"));
  log.give_up();
  log.add(statement("\3SELECT 1"));
  EXPECT_EQ(log.state(), State::kNotReplayable);
  EXPECT_TRUE(log.statements().empty());
  EXPECT_EQ(log.bytes(), 0U);
  log.begin();
  EXPECT_EQ(log.state(), State::kOpen);
}

TEST(ReplayLog, ForgetsATransactionThatIsTooLarge) {
  ReplayLog log(kPlenty);
  log.begin();
  log.add(statement("\3BEGIN"));
  const std::size_t first = log.bytes();
  ReplayLog small(first);
  small.begin();
  small.add(statement("\3BEGIN"));
  EXPECT_EQ(small.state(), State::kOpen) << "the bound itself is within it";
  small.add(statement("\3SELECT 1"));
  EXPECT_EQ(small.state(), State::kTooLarge);
  EXPECT_TRUE(small.statements().empty());
  small.give_up();
  EXPECT_EQ(small.state(), State::kTooLarge) << "the first reason stays";
}

TEST(ReplayLog, CountsThePayloadsAndThePreparedTexts) {
  ReplayLog log(kPlenty);
  log.begin();
  log.add(statement(std::string(1000, 'x')));
  const std::size_t text_only = log.bytes();
  EXPECT_GT(text_only, 1000U);
  auto prepared = std::make_shared<PreparedStatement>();
  prepared->shared_text = std::make_shared<const std::string>(500, 'y');
  ReplayStatement execute = statement(std::string(1000, 'x'));
  execute.prepared = prepared;
  log.add(std::move(execute));
  EXPECT_EQ(log.bytes(), 2 * text_only + 500);
}

class ReplayPlayerTest : public ::testing::Test {
 protected:
  ReplayPlayerTest() : log_(kPlenty) {
    log_.begin();
    log_.add(statement("\3BEGIN", 1));
    log_.add(statement("\3SELECT 1", 2));
  }

  ReplayLog log_;
};

TEST_F(ReplayPlayerTest, GoesOnWhileTheAnswersAreTheSame) {
  ReplayPlayer player(log_);
  ASSERT_NE(player.next(), nullptr);
  EXPECT_EQ(player.next()->payload, "\3BEGIN");
  EXPECT_TRUE(player.compare({.bytes = 7, .hash = {1}}, true));
  ASSERT_NE(player.next(), nullptr);
  EXPECT_EQ(player.next()->payload, "\3SELECT 1");
  EXPECT_TRUE(player.compare({.bytes = 7, .hash = {2}}, true));
  EXPECT_EQ(player.next(), nullptr);
  EXPECT_FALSE(player.compare({.bytes = 7, .hash = {2}}, true)) << "nobody asked";
}

TEST_F(ReplayPlayerTest, EndsWithAnAnswerThatDiffers) {
  EXPECT_FALSE(ReplayPlayer(log_).compare({.bytes = 7, .hash = {9}}, true));
  EXPECT_FALSE(ReplayPlayer(log_).compare({.bytes = 8, .hash = {1}}, true));
}

TEST_F(ReplayPlayerTest, EndsWithTheTransaction) {
  EXPECT_FALSE(ReplayPlayer(log_).compare({.bytes = 7, .hash = {1}}, false))
      << "the next statement would commit itself";
}

}  // namespace
}  // namespace tidepool::tracking

// Restore plans on a real TiDB, which somebody else has started: TIDEPOOL_TIDB_PORT, root without a
// password; with TiDB's `session-token-signing-cert` the whole of SHOW SESSION_STATES is
// compared. Skipped without it.
//
// Random statements make a session and, apart from it, the backend that it is then given. After the
// plan both must answer alike. TIDEPOOL_SEED and TIDEPOOL_ROUNDS choose another run.
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <mysql.h>
#include <nlohmann/json.hpp>

#include "tidepool/sql/parse/statement.h"
#include "tidepool/sql/restore/restore.h"
#include "tidepool/sql/state/session_state.h"

namespace tidepool::sql {
namespace {

constexpr int kNames = 6;

unsigned from_environment(const char* name, unsigned otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : static_cast<unsigned>(std::atoi(value));
}

// A connection and what the proxy thinks of it.
class Peer {
 public:
  Peer() : mysql_(mysql_init(nullptr)) {
    mysql_options(mysql_, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    const unsigned protocol = MYSQL_PROTOCOL_TCP;
    mysql_options(mysql_, MYSQL_OPT_PROTOCOL, &protocol);
    const bool is_connected =
        mysql_real_connect(mysql_, "127.0.0.1", "root", "", nullptr,
                           from_environment("TIDEPOOL_TIDB_PORT", 4000), nullptr, 0) != nullptr;
    EXPECT_TRUE(is_connected) << mysql_error(mysql_);
    MY_CHARSET_INFO charset;
    mysql_get_character_set_info(mysql_, &charset);
    state = SessionState({.collation_id = static_cast<std::uint16_t>(charset.number)});
    state.set_login_group("default");
  }
  ~Peer() { mysql_close(mysql_); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // TiDB's error number. After 1064 (an open string, in some sql_mode) and 1300 (bytes that the
  // character set does not have) nothing is changed.
  unsigned run(const std::string& text) {
    const Script script = classify(text, state.lex_mode());
    if (!send(text)) return mysql_errno(mysql_);
    for (std::size_t at = 0; at < script.size(); ++at)
      state.apply(script[at].changes);
    return 0;
  }

  // False with a test failure.
  bool follow(const RestorePlan& plan) {
    for (const RestoreStep& step : plan.steps) {
      const bool is_done = step.kind == RestoreStep::Kind::kResetConnection
                               ? mysql_reset_connection(mysql_) == 0
                               : send(step.text);
      EXPECT_TRUE(is_done) << step.text << ": " << mysql_error(mysql_);
      if (!is_done) return false;
    }
    return true;
  }

  // The answer with its metadata.
  std::string ask(const std::string& text) {
    if (mysql_real_query(mysql_, text.data(), text.size()) != 0) return mysql_error(mysql_);
    const std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)> result(
        mysql_store_result(mysql_), mysql_free_result);
    if (!result) return "";
    std::string all;
    for (unsigned at = 0; at < mysql_num_fields(result.get()); ++at) {
      const MYSQL_FIELD& field = *mysql_fetch_field_direct(result.get(), at);
      all += std::to_string(field.type) + "/" + std::to_string(field.charsetnr) + "/" +
             std::to_string(field.length) + "/" + std::to_string(field.decimals) + "/" +
             std::to_string(field.flags) + " ";
    }
    while (MYSQL_ROW row = mysql_fetch_row(result.get())) {
      const unsigned long* lengths = mysql_fetch_lengths(result.get());
      for (unsigned at = 0; at < mysql_num_fields(result.get()); ++at) {
        all += "|" + (row[at] == nullptr ? "NULL" : std::string(row[at], lengths[at]));
      }
    }
    return all;
  }

  SessionState state;

 private:
  bool send(const std::string& text) {
    if (mysql_real_query(mysql_, text.data(), text.size()) != 0) return false;
    mysql_free_result(mysql_store_result(mysql_));
    return true;
  }

  MYSQL* mysql_;
};

class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  std::string statement(bool may_compute) {
    if (may_compute && roll(12) == 0) {
      return pick({"SET @v1 = CONCAT('a', 'b')", "SELECT @v2 := 1.5",
                   "SET time_zone = UPPER('system')", "SET @v3 = 'a' 'b', @v4 = @v1"});
    }
    if (roll(3) == 0) return pick(kSystem);
    std::string list;
    for (unsigned left = 1 + roll(3); left > 0; --left) {
      list += (list.empty() ? "SET @" : ", @") + name() + (roll(4) == 0 ? " := " : " = ") + value();
    }
    return list;
  }
  unsigned roll(unsigned sides) { return static_cast<unsigned>(random_() % sides); }

 private:
  using Choices = std::vector<std::string>;

  std::string pick(const Choices& choices) {
    return choices[roll(static_cast<unsigned>(choices.size()))];
  }
  std::string name() {
    const std::string plain = "v" + std::to_string(roll(kNames));
    switch (roll(5)) {
      case 0: return "`" + plain + "`";
      case 1: return "'" + plain + "'";
      case 2: return "V" + plain.substr(1);
      default: return plain;
    }
  }
  std::string value() {
    if (roll(2) == 0) return pick(kValues);
    std::string text = "'";
    for (unsigned left = roll(8); left > 0; --left)
      text += pick(kPieces);
    return text + "'";
  }

  const Choices kValues = {"NULL",
                           "1",
                           "-1",
                           "007",
                           "+5",
                           "1.50",
                           "-1.5",
                           ".5",
                           "1.",
                           "00.250",
                           "1e3",
                           "-1E-3",
                           "18446744073709551615",
                           "-9223372036854775808",
                           "-9223372036854775809",
                           "99999999999999999999.99999",
                           "TRUE",
                           "false",
                           "0x41",
                           "x'4142'",
                           "X''",
                           "b'101'",
                           "0b1",
                           "''",
                           "\"x\"",
                           "'1'",
                           "0"};
  const Choices kPieces = {
      "a",  "b", "''", "\"", "`",  "\\n", "\\\\", "\\'",      "\\%", "é",        "中",  "😀", "\xff",
      "\n", "%", "?",  ";",  "/*", "--",  "\x01", "\xc3\x28", "\\0", "\x81\x5c", "@v1", " ", "0"};
  const Choices kSystem = {"SET NAMES utf8mb4",
                           "SET NAMES utf8mb4 COLLATE utf8mb4_unicode_ci",
                           "SET NAMES utf8",
                           "SET NAMES latin1",
                           "SET NAMES gbk",
                           "SET NAMES ascii",
                           "SET NAMES binary",
                           "SET CHARACTER SET utf8",
                           "SET collation_connection = utf8mb4_general_ci",
                           "SET collation_connection = gbk_bin",
                           "SET character_set_connection = latin1",
                           "SET character_set_client = utf8mb4",
                           "SET character_set_client = gbk",
                           "SET character_set_results = NULL",
                           "SET sql_mode = ''",
                           "SET sql_mode = 'NO_BACKSLASH_ESCAPES'",
                           "SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT'",
                           "SET sql_mode = 'ANSI,NO_BACKSLASH_ESCAPES,HIGH_NOT_PRECEDENCE'",
                           "SET sql_mode = DEFAULT",
                           "SET time_zone = '+08:00', @v0 = 'z'",
                           "SET autocommit = 0",
                           "SET autocommit = 1, NAMES utf8mb4, @v5 = 'é'",
                           "SET default_collation_for_utf8mb4 = utf8mb4_general_ci",
                           "SET tidb_txn_mode = 'optimistic'",
                           "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
                           "SET wait_timeout = 77",
                           "SET RESOURCE GROUP Restored",
                           "SET RESOURCE GROUP DEFAULT",
                           "SET max_execution_time = 5000",
                           "USE mysql",
                           "USE information_schema",
                           "USE test"};
  std::mt19937 random_;
};

// One fact a line; without what is never the same.
std::string session_states(Peer& peer) {
  peer.ask("DO 0");  // no warnings, which may be no UTF-8
  const std::string answer = peer.ask("SHOW SESSION_STATES");
  const std::size_t begin = std::min(answer.find('{'), answer.size());
  const std::size_t end = std::min(answer.find("|{", begin), answer.size());
  nlohmann::json states = nlohmann::json::parse(answer.substr(begin, end - begin), nullptr, false);
  if (states.is_discarded()) return "";
  states["sys-vars"].erase("rand_seed1");
  states["sys-vars"].erase("rand_seed2");
  for (const char* of_last_statement : {"found-rows", "affected-rows", "warnings", "last-insert-id",
                                        "last-affected-rows", "last-found-rows"}) {
    states.erase(of_last_statement);
  }
  return states.dump(1);
}

std::string observe(Peer& peer) {
  std::string all = session_states(peer);
  for (int name = 0; name < kNames; ++name) {
    const std::string variable = "@v" + std::to_string(name);
    all += "\n" + peer.ask("SELECT " + variable) + " " +
           peer.ask("SELECT HEX(" + variable + "), COLLATION(" + variable + "), CHARSET(" +
                    variable + "), COERCIBILITY(" + variable + "), CONCAT(" + variable +
                    ", 'a'), " + variable + " + 1, " + variable + " IS NULL");
  }
  all +=
      "\n" + peer.ask(
                 "SELECT DATABASE(), @@character_set_client, @@character_set_results, "
                 "@@collation_connection, @@sql_mode, @@autocommit, @@time_zone, @@wait_timeout, "
                 "@@transaction_isolation, @@tidb_txn_mode, @@max_execution_time, "
                 "CURRENT_RESOURCE_GROUP()");
  return all;
}

void wander(Peer& peer, Generator& generator, bool may_compute) {
  for (unsigned left = generator.roll(10); left > 0; --left) {
    const std::string text = generator.statement(may_compute);
    const unsigned error = peer.run(text);
    EXPECT_TRUE(error == 0 || error == 1064 || error == 1300) << text << ": " << error;
  }
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

std::vector<std::string> compare(const std::string& got, const std::string& wanted) {
  std::vector<std::string> left = lines_of(got);
  std::vector<std::string> right = lines_of(wanted);
  left.resize(std::max(left.size(), right.size()));
  right.resize(left.size());
  std::vector<std::string> differences;
  for (std::size_t at = 0; at < left.size(); ++at) {
    if (left[at] != right[at]) differences.push_back(left[at] + " instead of " + right[at]);
  }
  return differences;
}

TEST(RestoreTidb, MakesABackendAnswerLikeTheSession) {
  if (std::getenv("TIDEPOOL_TIDB_PORT") == nullptr) {
    GTEST_SKIP() << "TIDEPOOL_TIDB_PORT names no TiDB";
  }
  const unsigned seed = from_environment("TIDEPOOL_SEED", 1);
  const unsigned rounds = from_environment("TIDEPOOL_ROUNDS", 300);
  Generator generator(seed);
  auto backend = std::make_unique<Peer>();
  backend->run("CREATE RESOURCE GROUP IF NOT EXISTS restored RU_PER_SEC = 1000000");
  for (unsigned round = 0; round < rounds; ++round) {
    Peer session;
    wander(session, generator, false);
    wander(*backend, generator, true);
    if (!session.state.is_exact()) continue;
    const RestorePlan plan = plan_restore(backend->state, session.state);
    ASSERT_TRUE(plan.is_possible);
    const std::string trace = "seed " + std::to_string(seed) + ", round " + std::to_string(round);
    ASSERT_TRUE(backend->follow(plan)) << trace;
    backend->state = state_after_restore(backend->state, session.state);
    std::string steps;
    for (const RestoreStep& step : plan.steps)
      steps += (step.text.empty() ? "RESET" : step.text) + "\n";
    const std::vector<std::string> differences = compare(observe(*backend), observe(session));
    ASSERT_TRUE(differences.empty()) << trace << "\n"
                                     << steps << ::testing::PrintToString(differences);
  }
}

}  // namespace
}  // namespace tidepool::sql

// Plans that TiDB keeps: no session meets one that was made for a session in another state, and
// each client sees what TiDB warns of when it makes one.
#include <algorithm>
#include <map>
#include <random>

#include "session_fixture.h"
#include "tidepool/sql/parse/statement.h"
#include "tidepool/sql/state/session_state.h"

namespace tidepool::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using Received = FakeTidb::Received;

// What TiDB's plan cache would hold after these commands: what its key has, and all that the plan
// depends on.
class PlanCache {
 public:
  explicit PlanCache(sql::SessionState fresh) : state_(std::move(fresh)) {}

  void run(const std::string& command) {
    if (command.starts_with("PREPARE s ") || command.starts_with("PREPARE `s` ")) {
      const std::size_t begin = command.find('\'') + 1;
      named_ = {command.substr(begin, command.size() - 1 - begin), meaning(true)};
    } else if (command == "EXECUTE s") {
      execute(named_);
    } else if (command.starts_with("PREPARE ")) {
      prepared_[++last_] = {command.substr(8), meaning(true)};
    } else if (command.starts_with("EXECUTE ")) {
      execute(prepared_.at(std::stoi(command.substr(8))));
    } else {
      const sql::Script script = sql::classify(command, state_.lex_mode());
      for (std::size_t i = 0; i < script.size(); ++i)
        state_.apply(script[i].changes);
    }
  }
  std::size_t hits() const { return hits_; }

 private:
  struct Prepared {
    std::string text;
    std::string meaning;
  };

  // Of the state now, as far as it counts at a prepare or at an execute; sql_mode and collation are
  // in the key too.
  std::string meaning(bool prepares) const {
    std::string all = std::to_string(state_.charset().connection);
    for (const auto& item : state_.items()) {
      const std::string name(sql::variable(item.variable).name);
      const bool at_prepare = name == "sql_mode" || name == "tidb_enable_window_function";
      const bool at_execute = name == "div_precision_increment" || name == "time_zone";
      if (prepares ? at_prepare : at_execute) all += ' ' + name + '=' + item.value;
    }
    return all;
  }
  std::string key() const {
    std::string all = std::to_string(state_.charset().connection);
    for (const auto& item : state_.items()) {
      if (sql::variable(item.variable).name == "sql_mode") all += ' ' + item.value;
    }
    return all;
  }
  bool is_on() const {
    return std::none_of(state_.items().begin(), state_.items().end(), [](const auto& item) {
      return sql::variable(item.variable).name == "tidb_enable_prepared_plan_cache" &&
             item.value == "OFF";
    });
  }
  void execute(const Prepared& one) {
    if (!is_on()) return;
    const std::string wanted = one.meaning + " | " + meaning(false);
    const auto [place, is_new] = plans_.emplace(one.text + '#' + key(), wanted);
    if (!is_new) ++hits_;
    EXPECT_EQ(place->second, wanted) << one.text;
  }

  sql::SessionState state_;
  int last_ = 0;
  std::map<int, Prepared> prepared_;
  Prepared named_;
  std::map<std::string, std::string> plans_;
  std::size_t hits_ = 0;
};

class PlanTest : public SessionTest {
 protected:
  static std::string with_warning(std::string answer) {
    answer[answer.size() - 4] = 1;  // in the EOF at its end
    return answer;
  }
  // The commands without the white space in front of what is prepared.
  Words meanings() const {
    Words words = tidb_.commands();
    for (std::string& word : words) {
      if (!word.starts_with("PREPARE ")) continue;
      word = "PREPARE " + word.substr(word.find_first_not_of(" \t\r\f", 8));
    }
    return words;
  }
  // TiDB has as many statements as it may, all kept on backend 0, where this client has begun a
  // transaction.
  RawClient start_full() {
    pool().size = 2;
    pool().prepare_cache_ttl = std::chrono::seconds(0);
    start();
    tidb_.set_most_statements(4);
    RawClient one = client();
    for (int i = 0; i < 4; ++i)
      EXPECT_EQ(one.prepare("SELECT " + std::to_string(i)).kind, Reply::Kind::kOk);
    EXPECT_TRUE(one.query("BEGIN").is_ok());
    return one;
  }
};

TEST_F(PlanTest, ArePreparedApartForAStateThatIsNotThatOfThePrepare) {
  start();
  RawClient one = client();
  RawClient two = client();
  ASSERT_TRUE(one.query("SET sql_mode='ANSI_QUOTES'").is_ok());
  const std::uint32_t first = one.prepare("SELECT \"v\"").statement;
  ASSERT_TRUE(one.query("SET sql_mode='ALLOW_INVALID_DATES'").is_ok());
  ASSERT_TRUE(two.query("SET sql_mode='ALLOW_INVALID_DATES'").is_ok());
  const std::uint32_t second = two.prepare("SELECT \"v\"").statement;
  tidb_.forget();

  EXPECT_EQ(one.execute(first).kind, Reply::Kind::kRows);
  EXPECT_EQ(two.execute(second).kind, Reply::Kind::kRows);
  EXPECT_EQ(one.execute(first).kind, Reply::Kind::kRows);

  EXPECT_THAT(meanings(), ElementsAre("SET sql_mode='ANSI_QUOTES'", "PREPARE SELECT \"v\"",
                                      "SET sql_mode='ALLOW_INVALID_DATES'", "EXECUTE 3",
                                      "EXECUTE 2", "EXECUTE 3"));
  EXPECT_EQ(tidb_.commands()[1].size(), std::string("PREPARE SELECT \"v\"").size() + 64);
}

TEST_F(PlanTest, OfRandomStatesAreNeverTakenForOneAnother) {
  start();
  const std::vector<std::string> sets = {"SET sql_mode='ANSI_QUOTES'",
                                         "SET sql_mode='PIPES_AS_CONCAT'",
                                         "SET sql_mode=DEFAULT",
                                         "SET NAMES latin1",
                                         "SET NAMES utf8mb4",
                                         "SET NAMES utf8mb4 COLLATE utf8mb4_unicode_ci",
                                         "SET tidb_enable_window_function=0",
                                         "SET tidb_enable_window_function=DEFAULT",
                                         "SET div_precision_increment=9",
                                         "SET div_precision_increment=DEFAULT",
                                         "SET time_zone='+03:00'",
                                         "SET time_zone=DEFAULT"};
  const std::vector<std::string> texts = {"SELECT 'a' || \"b\"", "SELECT 1/3"};
  std::minstd_rand random(7);
  std::vector<RawClient> clients;
  for (int i = 0; i < 3; ++i)
    clients.push_back(client());
  for (int i = 0; i < 150; ++i) {
    RawClient& client = clients[random() % clients.size()];
    const std::string& text = texts[random() % texts.size()];
    ASSERT_TRUE(client.query(sets[random() % sets.size()]).is_ok());
    if (i % 5 == 0) {
      ASSERT_TRUE(client.query("PREPARE s FROM 'SELECT 1/3'").is_ok());
    }
    const std::uint32_t id = client.prepare(text).statement;
    ASSERT_EQ(client.execute(id).kind, Reply::Kind::kRows);
    ASSERT_TRUE(client.query(sets[random() % sets.size()]).is_ok());
    ASSERT_EQ(client.execute(id).kind, Reply::Kind::kRows);
    if (i % 5 == 0) {
      ASSERT_TRUE(client.query("EXECUTE s").is_ok());
    }
  }
  PlanCache cache{sql::SessionState({.collation_id = RawClient::Options().collation})};
  for (const std::string& command : tidb_.commands()) {
    if (!command.starts_with("CLOSE ")) cache.run(command);
  }
  EXPECT_GT(cache.hits(), 20U);
}

TEST_F(PlanTest, OfATextAreToldApartToo) {
  start();
  RawClient one = client();
  ASSERT_TRUE(one.query("PREPARE s FROM 'SELECT \"v\"'").is_ok());
  ASSERT_TRUE(one.query("SET sql_mode='ANSI_QUOTES'").is_ok());
  ASSERT_EQ(one.query("SELECT 1").kind, Reply::Kind::kRows);
  tidb_.forget();

  EXPECT_TRUE(one.query("EXECUTE s").is_ok());
  EXPECT_TRUE(one.query("EXECUTE s").is_ok());

  Words words = tidb_.commands();
  ASSERT_EQ(words.size(), 6U);
  std::erase_if(words[2], [](char byte) { return byte == '\t' || byte == '\r' || byte == '\f'; });
  words[2].erase(std::unique(words[2].begin(), words[2].end(),
                             [](char left, char right) { return left == ' ' && right == ' '; }),
                 words[2].end());
  EXPECT_THAT(words, ElementsAre("DEALLOCATE PREPARE `s`", "SET sql_mode=DEFAULT",
                                 "PREPARE `s` FROM ' SELECT \"v\"'", "SET sql_mode='ANSI_QUOTES'",
                                 "EXECUTE s", "EXECUTE s"));
}

TEST_F(PlanTest, AreMadeAnewForEachClientIfTidbWarnsWhenItMakesThem) {
  start();
  tidb_.answer("SELECT 1/0", with_warning(text_result({"1/0"}, {{"0"}})));
  for (int i = 1; i <= 3; ++i) {
    RawClient one = client();
    const std::uint32_t id = one.prepare("SELECT 1/0").statement;
    ASSERT_EQ(one.execute(id).kind, Reply::Kind::kRows);
    ASSERT_EQ(one.execute(id).kind, Reply::Kind::kRows);
  }
  Words words;
  for (const std::string& word : meanings()) {
    if (!word.starts_with("SHOW ") && !word.starts_with("CLOSE ")) words.push_back(word);
  }
  EXPECT_THAT(
      words, ElementsAre("PREPARE SELECT 1/0", "EXECUTE 1", "EXECUTE 1", "PREPARE SELECT 1/0",
                         "EXECUTE 2", "EXECUTE 2", "PREPARE SELECT 1/0", "EXECUTE 3", "EXECUTE 3"));
}

TEST_F(PlanTest, ThatWarnOfNothingAreShared) {
  start();
  for (int i = 1; i <= 2; ++i) {
    RawClient one = client();
    const std::uint32_t id = one.prepare("SELECT 1").statement;
    ASSERT_EQ(one.execute(id).kind, Reply::Kind::kRows);
  }
  EXPECT_THAT(tidb_.commands(), ElementsAre("PREPARE SELECT 1", "EXECUTE 1", "EXECUTE 1"));
}

TEST_F(PlanTest, MakeWayWhenTidbHasTooManyStatements) {
  pool().size = 1;
  start();
  tidb_.set_most_statements(4);
  RawClient one = client();
  for (int i = 0; i < 40; ++i) {
    const Reply reply = one.prepare("SELECT " + std::to_string(i));
    ASSERT_EQ(reply.kind, Reply::Kind::kOk) << describe(reply);
    ASSERT_EQ(one.execute(reply.statement).kind, Reply::Kind::kRows);
  }
  EXPECT_EQ(one.execute(1).kind, Reply::Kind::kRows) << "prepared anew";
  EXPECT_EQ(one.query("PREPARE s FROM 'SELECT 1'").kind, Reply::Kind::kOk);
}

TEST_F(PlanTest, MakeWayOnOtherBackendsToo) {
  RawClient one = start_full();
  RawClient two = client();
  ASSERT_EQ(two.query("SELECT 1").kind, Reply::Kind::kRows);
  two.send("\x16SELECT 5");
  ASSERT_TRUE(one.query("COMMIT").is_ok());

  EXPECT_EQ(two.read_reply('\x16').kind, Reply::Kind::kOk);
}

TEST_F(PlanTest, MakeWayForATransactionWhoseBackendKeepsNone) {
  RawClient one = start_full();
  RawClient two = client();
  ASSERT_TRUE(two.query("BEGIN").is_ok());  // takes backend 1, which keeps none
  ASSERT_EQ(two.query("SELECT 1").kind, Reply::Kind::kRows);
  two.send("\x16SELECT 5");
  ASSERT_TRUE(one.query("COMMIT").is_ok());

  const Reply prepared = two.read_reply('\x16');
  EXPECT_EQ(prepared.kind, Reply::Kind::kOk);
  EXPECT_EQ(two.execute(prepared.statement).kind, Reply::Kind::kRows);
  EXPECT_TRUE(two.query("COMMIT").is_ok());
  EXPECT_THAT(tidb_.commands(), Contains("BEGIN").Times(2)) << "it is the same transaction";
}

TEST_F(PlanTest, OfATransactionAreRefusedWhereNobodyMakesWay) {
  pool().size = 2;
  pool().prepare_cache_ttl = std::chrono::seconds(0);
  start();
  RawClient one = client();
  ASSERT_TRUE(one.query("BEGIN").is_ok());
  tidb_.set_most_statements(0);

  EXPECT_TRUE(one.prepare("SELECT 5").is_error(1461));
  ASSERT_EQ(one.query("SELECT 1").kind, Reply::Kind::kRows);
  one.send("\x16SELECT 6");
  one.close();
  EXPECT_TRUE(has_sessions(0) && is_idle());
  tidb_.set_most_statements(4);
  expect_service();
}

TEST_F(PlanTest, SeeTheNameOfAnExecuteThatIsPreparedWhereverItIs) {
  pool().size = 2;
  start();
  RawClient one = client();
  RawClient two = client();
  ASSERT_TRUE(one.query("PREPARE s FROM 'SELECT 1'").is_ok());
  ASSERT_TRUE(two.query("BEGIN").is_ok());  // takes backend 0
  tidb_.forget();

  one.prepare("EXECUTE s");

  EXPECT_THAT(tidb_.received(), ElementsAre(Received{1, "PREPARE `s` FROM 'SELECT 1'"},
                                            Received{1, "PREPARE EXECUTE s"}));
}

}  // namespace
}  // namespace tidepool::testing

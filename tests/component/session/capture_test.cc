// Variables whose values only the backend knows: left there, read back when somebody else needs the
// backend, and then followed like any others.
#include "session_fixture.h"
#include "tidepool/protocol/text_result.h"

namespace tidepool::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::StartsWith;

constexpr const char* kSetZone = "SET time_zone = CONCAT('+0', '2:00')";
constexpr const char* kAskZone = "SELECT @@time_zone";
constexpr const char* kSetUser = "SET @a = 6 * 7";
constexpr const char* kAskUser =
    "SELECT @`tidepool: never set`,@`a`,COLLATION(@`a`),@`a`=CAST(CONCAT(@`a`) AS DECIMAL(65,30)),"
    "LEFT(HEX(@`a`),0)";

// As TiDB answers kAskUser when the value is that of an integer expression.
std::string integer(const char* value, std::uint32_t length = 20) {
  using protocol::Column;
  const Column text{.charset = 46, .length = 80};
  const Column number{.length = length, .type = 8, .flags = 129};
  return protocol::make_text_result({text, number, text, number, text},
                                    {{{}, value, "binary", "1", ""}}, 2, 0);
}

// As TiDB answers it when the value is a text of at most 20 characters.
std::string text(const char* value) {
  using protocol::Column;
  const Column text{.charset = 46, .length = 80};
  const Column number{.length = 20, .type = 8, .flags = 129};
  return protocol::make_text_result({text, text, text, number, text},
                                    {{{}, value, "utf8mb4_general_ci", "0", ""}}, 2, 0);
}

class CaptureTest : public SessionTest {
 protected:
  CaptureTest() {
    tidb_.answer(kAskZone, text_result({"@@time_zone"}, {{"+02:00"}}));
    tidb_.answer(kAskUser, integer("42"));
  }

  bool is_parked() const {
    return eventually([&] { return proxy_->counts().parked == 1; });
  }
  bool received(const Words& commands) const {
    return eventually([&] { return tidb_.commands() == commands; });
  }
};

TEST_F(CaptureTest, AComputedVariableIsReadBackAndThenFollowed) {
  start();
  RawClient one = client();
  RawClient two = client();
  ASSERT_TRUE(one.query(kSetZone).is_ok());
  ASSERT_TRUE(is_parked());
  EXPECT_EQ(proxy_->pinned(sql::Pin::kSessionVariable), 0);

  EXPECT_EQ(two.query("SELECT 2").rows, Words{"0"});
  EXPECT_EQ(one.query("SELECT 1").rows, Words{"0"});

  EXPECT_THAT(tidb_.commands(), ElementsAre(kSetZone, kAskZone, "SET time_zone=DEFAULT", "SELECT 2",
                                            "SET time_zone='+02:00'", "SELECT 1"));
}

// A backend began with another value than DEFAULT is now.
TEST_F(CaptureTest, DefaultIsReadBackOnceASetGlobalHasNamedTheVariable) {
  start();
  RawClient one = client();
  RawClient two = client();
  ASSERT_TRUE(two.query("SET GLOBAL time_zone = '+02:00'").is_ok());
  ASSERT_TRUE(one.query("SET time_zone = DEFAULT").is_ok());

  EXPECT_EQ(two.query("SELECT 2").rows, Words{"0"});
  EXPECT_EQ(one.query("SELECT 1").rows, Words{"0"});

  EXPECT_THAT(
      tidb_.commands(),
      ElementsAre("SET GLOBAL time_zone = '+02:00'", "SET time_zone = DEFAULT", kAskZone,
                  "SET time_zone=DEFAULT", "SELECT 2", "SET time_zone='+02:00'", "SELECT 1"));
}

TEST_F(CaptureTest, AComputedUserVariableIsReadBackWithItsType) {
  start();
  RawClient one = client();
  RawClient two = client();
  ASSERT_TRUE(one.query(kSetUser).is_ok());
  ASSERT_TRUE(is_parked());

  EXPECT_EQ(two.query("SELECT 2").rows, Words{"0"});
  EXPECT_EQ(one.query("SELECT 1").rows, Words{"0"});

  EXPECT_THAT(tidb_.commands(), ElementsAre(kSetUser, kAskUser, "SET @`a`=NULL", "SELECT 2",
                                            "SET @`a`=0+42", "SELECT 1"));
}

// TiDB may overwrite it there.
TEST_F(CaptureTest, AStringThatWasReadBackIsSetAgainOnItsOwnBackendToo) {
  start();
  const std::string set = "SET @a = (SELECT s FROM t)";
  tidb_.answer(kAskUser, text("abc"));
  proxy_->set_parking({.limit = std::chrono::milliseconds(1), .busy = {}});
  RawClient client = this->client();
  ASSERT_TRUE(client.query(set).is_ok());
  ASSERT_TRUE(received({set, kAskUser}));
  ASSERT_TRUE(eventually([&] { return proxy_->counts().idle == 1; }));

  EXPECT_EQ(client.query("SELECT 1").rows, Words{"0"});

  EXPECT_THAT(tidb_.commands(),
              ElementsAre(set, kAskUser, "SET @`a`=CAST('abc' AS CHAR(20))", "SELECT 1"));
}

TEST_F(CaptureTest, NothingIsReadBackWhileTheSessionGoesOn) {
  start();
  RawClient client = this->client();
  ASSERT_TRUE(client.query(kSetZone).is_ok());
  ASSERT_TRUE(is_parked());

  EXPECT_EQ(client.query("SELECT 1").rows, Words{"0"});
  ASSERT_TRUE(is_parked());
  EXPECT_TRUE(client.query("SET time_zone = DEFAULT").is_ok());

  EXPECT_TRUE(eventually([&] { return proxy_->counts().idle == 1; }));
  EXPECT_THAT(tidb_.commands(), ElementsAre(kSetZone, "SELECT 1", "SET time_zone = DEFAULT"));
}

TEST_F(CaptureTest, AVariableThatSaysHowTextIsReadIsReadBackAtOnce) {
  start();
  const std::string set = "SET sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES')";
  tidb_.answer("SELECT @@sql_mode", text_result({"@@sql_mode"}, {{"ANSI_QUOTES"}}));
  RawClient client = this->client();

  ASSERT_TRUE(client.query(set).is_ok());
  EXPECT_EQ(client.query("SELECT \"a\"").rows, Words{"0"});

  EXPECT_TRUE(is_idle());
  EXPECT_THAT(tidb_.commands(), ElementsAre(set, "SELECT @@sql_mode", "SELECT \"a\""));
}

TEST_F(CaptureTest, ASetOfSeveralThatFailedIsReadBack) {
  start();
  const std::string set = "SET time_zone = '+02:00', wait_timeout = 'broken'";
  tidb_.answer("SELECT @@time_zone,@@wait_timeout", text_result({"a", "b"}, {{"+02:00", "28800"}}));
  RawClient one = client();
  RawClient two = client();
  ASSERT_TRUE(one.query(set).is_error(1105));
  ASSERT_TRUE(is_parked());

  EXPECT_EQ(two.query("SELECT 2").rows, Words{"0"});
  EXPECT_EQ(one.query("SHOW WARNINGS").rows, Words{"Warning"});

  EXPECT_THAT(tidb_.commands(),
              ElementsAre(set, "PING", "SHOW WARNINGS", "SELECT @@time_zone,@@wait_timeout",
                          "SET time_zone=DEFAULT, wait_timeout=DEFAULT", "SELECT 2"));
}

TEST_F(CaptureTest, AComputedVariableIsReadBackBeforeLongDataFixesAStatement) {
  start();
  RawClient one = client();
  ASSERT_TRUE(one.query(kSetZone).is_ok());
  const std::uint32_t id = one.prepare("INSERT INTO t VALUES (?)").statement;

  one.send(std::string("\x18\1\0\0\0\0\0data", 11));
  EXPECT_TRUE(one.execute(id, std::string("\0\1\xfc\0", 4)).is_ok());

  EXPECT_THAT(tidb_.commands(),
              ElementsAre(kSetZone, "PREPARE INSERT INTO t VALUES (?)", kAskZone,
                          EndsWith("INSERT INTO t VALUES (?)"), "LONG_DATA 2", "EXECUTE 2"));
}

TEST_F(CaptureTest, AStatementFromBeforeItIsPreparedAnewInItsOwnSqlMode) {
  start();
  const std::string text = "INSERT INTO t VALUES ('a' || 1)";
  const std::string mode = "SET sql_mode='PIPES_AS_CONCAT'";
  RawClient one = client();
  RawClient two = client();
  ASSERT_TRUE(one.query(kSetUser).is_ok());
  const std::uint32_t id = one.prepare(text).statement;
  ASSERT_TRUE(one.query(mode).is_ok());
  ASSERT_EQ(two.query("SELECT 2").rows, Words{"0"});

  EXPECT_TRUE(one.execute(id).is_ok());

  EXPECT_THAT(
      tidb_.commands(),
      ElementsAre(kSetUser, "PREPARE " + text, mode, kAskUser, "SET sql_mode=DEFAULT, @`a`=NULL",
                  "SELECT 2", StartsWith("SET sql_mode='PIPES_AS_CONCAT', @`a`="),
                  "SET sql_mode=DEFAULT", EndsWith(text), mode, "EXECUTE 2"));
}

// Planning it gives the variable the expression's type, and leaves it its value.
TEST_F(CaptureTest, AVariableThatAPrepareGivesAnotherTypePinsUntilItIsAssigned) {
  start();
  const std::string text = "SELECT @a := 6 * 7";
  RawClient one = client();
  RawClient two = client();
  const Reply prepared = one.prepare(text);
  ASSERT_TRUE(prepared.is_ok());
  EXPECT_TRUE(eventually([&] { return proxy_->pinned(sql::Pin::kUserVariable) == 1; }));

  EXPECT_EQ(one.execute(prepared.statement).kind, Reply::Kind::kRows);
  ASSERT_TRUE(is_parked());
  EXPECT_EQ(two.query("SELECT 2").rows, Words{"0"});

  EXPECT_THAT(tidb_.commands(),
              ElementsAre("PREPARE " + text, "EXECUTE 1", kAskUser, "SET @`a`=NULL", "SELECT 2"));
}

TEST_F(CaptureTest, AVariableThatIsOnlyPlannedPinsUntilItIsSet) {
  start();
  RawClient client = this->client();
  for (const char* text : {"PREPARE p FROM 'SELECT @a := 1'", "EXPLAIN SELECT @a := 1"}) {
    client.query(text);
    EXPECT_TRUE(eventually([&] { return proxy_->pinned(sql::Pin::kUserVariable) == 1; })) << text;
    EXPECT_TRUE(client.query("SET @a = 1").is_ok());
    EXPECT_TRUE(is_idle()) << text;
  }
}

TEST_F(CaptureTest, WhatCannotBeReadBackPinsUntilItIsSetAnew) {
  start();
  tidb_.answer(kAskUser, integer("42", 13));  // of a type that no known expression has
  RawClient one = client();
  RawClient two = client();
  ASSERT_TRUE(one.query(kSetUser).is_ok());
  ASSERT_TRUE(is_parked());
  two.send("\x03SELECT 2");
  ASSERT_TRUE(eventually([&] { return proxy_->pinned(sql::Pin::kUserVariable) == 1; }));
  EXPECT_EQ(proxy_->counts().leased, 1U);
  EXPECT_EQ(proxy_->counts().waiting, 1U);

  EXPECT_TRUE(one.query("SET @a = 5").is_ok());

  EXPECT_EQ(two.read_reply().rows, Words{"0"});
  EXPECT_EQ(proxy_->pinned(sql::Pin::kUserVariable), 0);
}

TEST_F(CaptureTest, ARefusedStatementAddsToTheWarningsOfABackendThatIsKept) {
  start();
  tidb_.answer(kSetUser, packet(1, std::string("\0\0\0\2\0\1\0", 7)));  // an OK, one warning
  tidb_.answer(kAskUser, integer("42", 13));
  tidb_.answer("BROKEN", err_packet(1064, "42000", "You have an error in your SQL syntax"));
  tidb_.answer("SHOW WARNINGS", text_result({"Level"}, {{"Error"}}));
  tidb_.answer_once("SHOW WARNINGS", text_result({"Level"}, {{"Warning"}}));
  RawClient one = client();
  RawClient two = client();
  ASSERT_TRUE(one.query(kSetUser).is_ok());
  ASSERT_TRUE(is_parked());
  two.send("\x03SELECT 2");
  ASSERT_TRUE(eventually([&] { return proxy_->pinned(sql::Pin::kUserVariable) == 1; }));

  EXPECT_TRUE(one.query("BROKEN").is_error(1064));

  EXPECT_EQ(one.query("SHOW WARNINGS").rows, (Words{"Warning", "Error"}));
}

TEST_F(CaptureTest, AnErrorInsteadOfTheValuePins) {
  start();
  tidb_.answer(kAskZone, err_packet(1105, "HY000", "no"));
  RawClient one = client();
  ASSERT_TRUE(one.query(kSetZone).is_ok());
  ASSERT_TRUE(is_parked());
  RawClient two = client();
  two.send("\x03SELECT 2");

  ASSERT_TRUE(eventually([&] { return proxy_->pinned(sql::Pin::kSessionVariable) == 1; }));

  EXPECT_EQ(one.query("SELECT 1").rows, Words{"0"});
  one.close();
  EXPECT_EQ(two.read_reply().rows, Words{"0"});
  EXPECT_THAT(tidb_.commands(), ElementsAre(kSetZone, kAskZone, "SELECT 1", "RESET", "SELECT 2"));
}

TEST_F(CaptureTest, AnOwnerThatLeavesLeavesNothingForTheNext) {
  start();
  RawClient one = client();
  ASSERT_TRUE(one.query(kSetZone).is_ok());
  ASSERT_TRUE(is_parked());

  one.close();
  RawClient two = client();

  EXPECT_EQ(two.query("SELECT 2").rows, Words{"0"});
  EXPECT_THAT(tidb_.commands(), ElementsAre(kSetZone, "RESET", "SELECT 2"));
}

TEST_F(CaptureTest, ABackendThatDiesTakesTheSessionWithIt) {
  start();
  RawClient client = this->client();
  ASSERT_TRUE(client.query(kSetZone).is_ok());
  ASSERT_TRUE(is_parked());

  tidb_.server().hang_up();

  EXPECT_TRUE(client.is_closed()) << "its variable is lost";
  EXPECT_TRUE(has_sessions(0));
}

TEST_F(CaptureTest, ABackendThatDiesWhileItIsReadBackTakesTheSessionWithIt) {
  start();
  RawClient one = client();
  ASSERT_TRUE(one.query(kSetZone).is_ok());
  ASSERT_TRUE(is_parked());
  tidb_.break_at(0, Fault::kClose);
  RawClient two = client();

  EXPECT_EQ(two.query("SELECT 2").rows, Words{"1"});

  EXPECT_TRUE(one.is_closed());
}

TEST_F(CaptureTest, IsReadBackAfterAWhile) {
  start();
  proxy_->set_parking({.limit = std::chrono::milliseconds(1), .busy = {}});
  RawClient client = this->client();
  ASSERT_TRUE(client.query(kSetZone).is_ok());

  EXPECT_TRUE(received({kSetZone, kAskZone}));
  EXPECT_TRUE(eventually([&] { return proxy_->counts().idle == 1; }));
}

}  // namespace
}  // namespace tidepool::testing

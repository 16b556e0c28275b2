#include "tidepool/sql/restore/capture.h"

#include <gtest/gtest.h>

#include "tidepool/sql/parse/statement.h"
#include "tidepool/sql/restore/restore.h"

namespace tidepool::sql {
namespace {

SessionState after(const char* text, SessionState state = SessionState{}) {
  const Script script = classify(text, state.lex_mode());
  for (std::size_t i = 0; i < script.size(); ++i)
    state.apply(script[i].changes);
  return state;
}

CapturedValue value(const char* text) {
  return {.text = text};
}
const CapturedValue kNull{};

// How TiDB shows a user variable: type, length, flags, decimals; its collation; whether the text
// has all its digits; whether its type has a length.
struct Shown {
  const char* text;
  std::uint8_t type;
  std::uint32_t length;
  std::uint16_t flags;
  std::uint8_t decimals = 0;
  const char* collation = "binary";
  bool is_whole = true;
  bool has_length = true;
};

std::vector<CapturedValue> row_of(const Shown& shown) {
  const bool is_text = std::string(shown.collation) != "binary";
  CapturedValue never{{}, 46, 262140, 253, 0, 31};
  CapturedValue self{shown.text,   static_cast<std::uint16_t>(is_text ? 46 : 63),
                     shown.length, shown.type,
                     shown.flags,  shown.decimals};
  CapturedValue hexadecimal{.text = "", .length = shown.has_length ? 80U : 5U};
  return {never, self, value(shown.collation), value(shown.is_whole ? "1" : "0"), hexadecimal};
}

// What sets @x to the same on a fresh backend; "unrestorable" if nothing does.
std::string restored(const Shown& shown) {
  SessionState state = after("SET @x = @y");
  state.apply(captured_user_variables(state, row_of(shown)));
  if (!state.is_exact()) return state.pins().contains(Pin::kUserVariable) ? "unrestorable" : "lost";
  const RestorePlan plan = plan_restore(SessionState{}, state);
  EXPECT_TRUE(plan.is_possible);
  std::string text;
  for (const RestoreStep& step : plan.steps)
    text += (text.empty() ? "" : "; ") + step.text;
  return text;
}

TEST(Capture, AsksForNothingWhenNothingIsComputed) {
  const SessionState state = after("SET @a = 1, time_zone = '+01:00'");
  EXPECT_EQ(system_variables_query(state), "");
  EXPECT_EQ(user_variables_query(state), "");
}

TEST(Capture, AsksForWhatIsComputed) {
  const SessionState state = after("SET time_zone = @x, wait_timeout = 1 + 1, @`a``b` = @c");
  EXPECT_EQ(system_variables_query(state), "SELECT @@time_zone,@@wait_timeout");
  EXPECT_EQ(user_variables_query(state),
            "SELECT @`tidepool: never set`,@`a``b`,COLLATION(@`a``b`),"
            "@`a``b`=CAST(CONCAT(@`a``b`) AS DECIMAL(65,30)),LEFT(HEX(@`a``b`),0)");
}

TEST(Capture, AReadValueIsAsGoodAsALiteral) {
  SessionState state = after("SET time_zone = @x, wait_timeout = 1 + 1");
  state.apply(captured_system_variables(state, {value("+02:00"), value("2")}));
  EXPECT_EQ(state, after("SET time_zone = '+02:00', wait_timeout = 2"));
}

TEST(Capture, TheCharacterSetsAreReadTogether) {
  SessionState state = after("SET collation_connection = DEFAULT");
  EXPECT_EQ(system_variables_query(state),
            "SELECT @@character_set_client,@@character_set_results,@@collation_connection");
  state.apply(captured_system_variables(state, {value("latin1"), kNull, value("utf8_bin")}));
  EXPECT_EQ(state, after("SET character_set_client = latin1, character_set_results = NULL, "
                         "collation_connection = utf8_bin"));
}

TEST(Capture, WhatCannotBeSetAgainIsUnrestorable) {
  SessionState state = after("SET tidb_session_alias = @x");
  state.apply(captured_system_variables(state, {value("\xc3\xa4")}));
  EXPECT_EQ(state.pins(), PinReasons{Pin::kSessionVariable});
}

TEST(Capture, AFailedQueryLeavesAllUnrestorableUntilItIsSetAnew) {
  SessionState state = after("SET time_zone = @x, @a = @b");
  state.apply(captured_system_variables(state, {}));
  state.apply(captured_user_variables(state, {}));
  EXPECT_EQ(state.pins(), (PinReasons{Pin::kSessionVariable, Pin::kUserVariable}));
  EXPECT_EQ(user_variables_query(state), "") << "not asked twice";

  EXPECT_EQ(after("SET time_zone = @x", state).pins(), PinReasons{Pin::kUserVariable});
  EXPECT_TRUE(after("SET time_zone = DEFAULT, @a = NULL", state).is_exact());
}

TEST(Capture, AVariableThatIsNullWasNeverSet) {
  SessionState state = after("SET @a = @b");
  std::vector<CapturedValue> row(5);
  state.apply(captured_user_variables(state, row));
  EXPECT_EQ(state, SessionState{});

  state = after("SET @a = @b");
  row[1].type = 8;  // has a type of its own nevertheless
  state.apply(captured_user_variables(state, row));
  EXPECT_EQ(state.pins(), PinReasons{Pin::kUserVariable});
}

TEST(Capture, Integers) {
  EXPECT_EQ(restored({"7", 8, 20, 129}), "SET @`x`=0+7");
  EXPECT_EQ(restored({"-7", 8, 20, 129}), "SET @`x`=0+-7");
  EXPECT_EQ(restored({"7", 8, 22, 129}), "SET @`x`=CAST('7' AS SIGNED)");
  EXPECT_EQ(restored({"42", 8, 2, 129}), "SET @`x`=42");
  EXPECT_EQ(restored({"1", 8, 1, 129}), "unrestorable") << "TRUE looks the same";
  EXPECT_EQ(restored({"7", 8, 20, 128}), "SET @`x`=(SELECT c FROM (SELECT 0+7 c) t)");
  EXPECT_EQ(restored({"7", 8, 21, 128}),
            "SET @`x`=(SELECT IF(COUNT(*),7,COUNT(*)) FROM (SELECT 1 c) t)");
  EXPECT_EQ(restored({"-7", 8, 5, 128}), "SET @`x`=IF(ANY_VALUE(1),-7,10000)");
  EXPECT_EQ(restored({"7", 8, 20, 161}), "SET @`x`=7|0");
  EXPECT_EQ(restored({"7", 8, 22, 161}), "SET @`x`=CAST('7' AS UNSIGNED)");
  EXPECT_EQ(restored({"7", 8, 20, 160}), "SET @`x`=(SELECT c FROM (SELECT 7|0 c) t)");
  EXPECT_EQ(restored({"-9223372036854775808", 8, 20, 129}), "unrestorable");
  EXPECT_EQ(restored({"7", 8, 11, 514}), "unrestorable") << "a column's flags";
  EXPECT_EQ(restored({"7", 8, 11, 129}), "unrestorable");
}

// HEX(@x) tells its client that there is none, and 0+5 has one.
TEST(Capture, AnIntegerWithoutLengthStays) {
  constexpr std::uint16_t kNotNullBinary = 129;
  EXPECT_EQ(restored({"5", 8, 20, kNotNullBinary}), "SET @`x`=0+5");
  EXPECT_EQ(
      restored(
          {.text = "5", .type = 8, .length = 20, .flags = kNotNullBinary, .has_length = false}),
      "unrestorable");
}

TEST(Capture, OtherNumbers) {
  EXPECT_EQ(restored({"2.50", 246, 6, 128}), "SET @`x`=CAST(2.50 AS DECIMAL(5,2))");
  EXPECT_EQ(restored({"0.3333", 246, 7, 128, 0, "binary", false}), "unrestorable")
      << "1/3 has more digits";
  EXPECT_EQ(restored({"1.5", 5, 22, 128, 31}), "SET @`x`=CAST('1.5' AS DOUBLE)");
  EXPECT_EQ(restored({"1.5", 5, 22, 128, 31, "binary", true, false}),
            "SET @`x`=1e0*CAST('1.5' AS DOUBLE)");
  EXPECT_EQ(restored({"1.5", 5, 23, 128, 31}), "SET @`x`=CAST('1.5' AS DOUBLE)/1e0");
  EXPECT_EQ(restored({"1.5", 5, 3, 128, 31}), "SET @`x`=1.5e0");
  EXPECT_EQ(restored({"1.5", 5, 12, 128, 31}), "unrestorable") << "a FLOAT";
}

TEST(Capture, Times) {
  EXPECT_EQ(restored({"2020-01-02 03:04:05", 12, 19, 128}),
            "SET @`x`=CAST('2020-01-02 03:04:05' AS DATETIME(0))");
  EXPECT_EQ(restored({"2020-01-02 03:04:05.678", 12, 23, 128, 3}),
            "SET @`x`=CAST('2020-01-02 03:04:05.678' AS DATETIME(3))");
  EXPECT_EQ(restored({"2020-01-02", 10, 10, 128}), "SET @`x`=CAST('2020-01-02' AS DATE)");
  EXPECT_EQ(restored({"0000-00-00", 10, 10, 128}), "unrestorable") << "refused by most sql_modes";
}

TEST(Capture, Strings) {
  EXPECT_EQ(restored({"abc", 253, 144, 0, 31, "utf8mb4_bin"}), "SET @`x`=CAST('abc' AS CHAR(36))");
  EXPECT_EQ(restored({"it's \\", 253, 40, 0, 31, "utf8mb4_bin"}),
            "SET @`x`=CAST('it''s \\\\' AS CHAR(10))");
  EXPECT_EQ(restored({"abc", 253, 5, 0, 31, "utf8mb4_bin"}),
            "SET @`x`=IF(ANY_VALUE(1),'abc',@@version)");
  EXPECT_EQ(restored({"abc", 253, 3, 0, 31, "latin1_bin"}),
            "SET collation_connection='latin1_bin'; "
            "SET collation_connection='utf8mb4_bin', @`x`=CAST('abc' AS CHAR(3))");
  EXPECT_EQ(restored({"\xc3\xa4", 253, 2, 0, 31, "latin1_bin"}), "unrestorable");
  EXPECT_EQ(restored({"", 253, 0, 0, 31, "utf8mb4_bin"}), "SET @`x`=''");
  EXPECT_EQ(restored({"ab", 253, 2, 0, 31}), "SET @`x`=CAST(x'6162' AS BINARY(2))");
  EXPECT_EQ(restored({"ab", 253, 9, 0, 31}),
            "SET @`x`=IF(ANY_VALUE(1),CAST(x'6162' AS BINARY(2)),CAST('' AS BINARY(9)))");
  EXPECT_EQ(restored({"{}", 252, 4294967295, 0, 31}), "unrestorable") << "a JSON column's";
}

TEST(Capture, ResultsInAnotherCharacterSetDoNotTellAllCharacters) {
  SessionState state = after("SET character_set_results = latin1, @x = @y");
  state.apply(captured_user_variables(state, row_of({"a?", 253, 8, 0, 31, "utf8mb4_bin"})));
  EXPECT_EQ(state.pins(), PinReasons{Pin::kUserVariable});

  SessionState ascii = after("SET character_set_results = latin1, @x = @y");
  ascii.apply(captured_user_variables(ascii, row_of({"a", 253, 8, 0, 31, "utf8mb4_bin"})));
  EXPECT_TRUE(ascii.is_exact());
}

}  // namespace
}  // namespace tidepool::sql

#include "tidepool/sql/state/state_encoding.h"

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "tidepool/sql/state/collation.h"
#include "tidepool/sql/state/variable.h"

namespace tidepool::sql {
namespace {

// Reads an encoding back.
class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : rest_(bytes) {}

  std::uint64_t number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.at(0));
      rest_.remove_prefix(1);
      value |= std::uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80) return value;
    }
  }
  std::string text() {
    const std::size_t size = number();
    std::string value(rest_.substr(0, size));
    EXPECT_EQ(value.size(), size);
    rest_.remove_prefix(value.size());
    return value;
  }
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

SessionState decoded(std::string_view bytes) {
  Decoder in(bytes);
  const std::string database = in.text();
  const auto client = static_cast<std::uint16_t>(in.number());
  const auto results = static_cast<std::uint16_t>(in.number());
  const auto connection = static_cast<std::uint16_t>(in.number());
  SessionState state({.collation_id = client, .database = database});
  const auto set = [&](std::string_view name, std::string_view value) {
    state.apply({ChangeKind::kSetVariable, std::string(name), std::string(value)});
  };
  if (results == 0) set("character_set_results", "");
  if (results != client) set("character_set_results", charset_of_any_collation(results));
  set("collation_connection", collation_by_id(connection)->name);
  state.apply(multi_statements(in.number() == 1));
  const std::string role = in.text();
  state.apply(
      {.kind = in.number() == 1 ? ChangeKind::kComputedRole : ChangeKind::kSetRole, .value = role});
  state.apply({.kind = ChangeKind::kSetResourceGroup, .value = in.text()});
  for (std::uint64_t left = in.number(); left > 0; --left) {
    const auto id = static_cast<VariableId>(in.number());
    set(variable(id).name, in.text());
  }
  for (std::uint64_t left = in.number(); left > 0; --left) {
    const auto id = static_cast<VariableId>(in.number());
    state.apply({.kind = ChangeKind::kComputedVariable,
                 .name = std::string(id == kNoVariable ? "unheard_of" : variable(id).name)});
  }
  EXPECT_TRUE(in.at_end());
  return state;
}

// Few values of each kind, so that equal states and those that nearly are come often.
class RandomStates {
 public:
  SessionState next() {
    SessionState state({.collation_id = pick<std::uint16_t>({0, 8, 9, 28, 33, 45, 46, 63, 255}),
                        .database = pick<std::string_view>({"", "d", "e"})});
    for (int left = pick<int>({0, 1, 2, 5, 9}); left > 0; --left)
      state.apply(change());
    return state;
  }

 private:
  template <class Value>
  Value pick(const std::vector<Value>& values) {
    return values[random_() % values.size()];
  }
  // Also what would look like the parts around it.
  std::string text() {
    static const std::string kNul(1, '\0');
    std::string made;
    for (int left = pick<int>({0, 1, 1, 2, 3}); left > 0; --left)
      made += pick<std::string>({"a", "b", kNul, "\x01", "\x80", "'", std::string(130, 'x')});
    return made;
  }
  std::string name() {
    return pick<std::string>({"autocommit", "sql_mode", "time_zone", "wait_timeout",
                              "max_execution_time", "group_concat_max_len", "transaction_isolation",
                              "sql_select_limit"});
  }
  StateChange change() {
    switch (random_() % 12) {
      case 0: return {.kind = ChangeKind::kUseDatabase, .name = text()};
      case 1: return {.kind = ChangeKind::kSetDefault, .name = name()};
      case 2: return {ChangeKind::kSetNames, {}, pick<std::string>({"", "latin1", "gbk", "utf8"})};
      case 3:
        return {ChangeKind::kSetVariable, "character_set_results",
                pick<std::string>({"", "latin1", "gbk"})};
      case 4: return multi_statements(pick<int>({0, 1}) == 1);
      case 5: return {.kind = ChangeKind::kSetRole, .value = text()};
      case 6: return {.kind = ChangeKind::kSetResourceGroup, .value = text()};
      case 7:
        return {.kind = ChangeKind::kComputedVariable,
                .name = pick<std::string>({"unheard_of", "timestamp", name()})};
      case 8: return {ChangeKind::kSetUserVariable, pick<std::string>({"a", "b"}), "1"};
      case 9: return {.kind = ChangeKind::kComputedRole};
      default: return {ChangeKind::kSetVariable, name(), text()};
    }
  }

  std::mt19937 random_{20'261'127};
};

SessionState without_user_variables(SessionState state) {
  for (const char* name : {"a", "b"})
    state.apply({ChangeKind::kSetUserVariable, name, "NULL"});
  return state;
}

TEST(StateEncoding, DecodesBackToAnEqualState) {
  RandomStates random;
  for (int round = 0; round < 3000; ++round) {
    const SessionState state = random.next();
    EXPECT_EQ(decoded(encode_system_state(state)), without_user_variables(state));
  }
}

TEST(StateEncoding, IsTheSameIfAndOnlyIfTheStatesAreEqual) {
  RandomStates random;
  std::vector<SessionState> states;
  for (int count = 0; count < 250; ++count)
    states.push_back(without_user_variables(random.next()));
  int equal = 0;
  for (std::size_t left = 0; left < states.size(); ++left) {
    for (std::size_t right = 0; right < left; ++right) {
      const bool is_equal = states[left] == states[right];
      equal += is_equal ? 1 : 0;
      EXPECT_EQ(encode_system_state(states[left]) == encode_system_state(states[right]), is_equal);
    }
  }
  EXPECT_GT(equal, 50) << "both cases were seen";
}

}  // namespace
}  // namespace tidepool::sql

#include "tidepool/sql/restore/capture.h"

#include <algorithm>
#include <array>
#include <initializer_list>

#include "restore/captured_value.h"

namespace tidepool::sql {
namespace {

// The character set family is read as a whole: its members set each other.
constexpr std::array kFamily{"character_set_client", "character_set_results",
                             "collation_connection"};

bool is_charset(VariableId id) {
  return id != kNoVariable && variable(id).group == VariableClass::kCharset;
}

// What is asked for, in this order.
std::vector<std::string> names_of(const SessionState& state) {
  std::vector<std::string> names;
  bool has_charset = false;
  for (const VariableId id : state.computed()) {
    if (id == kNoVariable) continue;
    if (is_charset(id)) {
      has_charset = true;
    } else {
      names.emplace_back(variable(id).name);
    }
  }
  if (has_charset) names.insert(names.end(), std::begin(kFamily), std::end(kFamily));
  return names;
}

std::vector<std::string> user_names_of(const SessionState& state) {
  std::vector<std::string> names;
  for (const UserVariable& one : state.user_variables().all()) {
    if (one.is_computed && !one.is_unrestorable) names.push_back(one.name);
  }
  return names;
}

std::string quoted_name(std::string_view name) {
  std::string text = "@`";
  for (const char byte : name) {
    if (byte == '`') text.push_back(byte);
    text.push_back(byte);
  }
  return text + '`';
}

// A name that no client has: tells how a variable looks that was never set.
constexpr const char* kNeverSet = "@`tidepool: never set`";
// What TiDB says of a type without a length.
constexpr std::uint32_t kNoLengthShown = 5;
constexpr std::size_t kColumnsEach = 4;

bool same_definition(const CapturedValue& one, const CapturedValue& other) {
  return one.charset == other.charset && one.length == other.length && one.type == other.type &&
         one.flags == other.flags && one.decimals == other.decimals;
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char byte) { return static_cast<unsigned char>(byte) < 0x80; });
}

StateChange captured(const std::string& name, const CapturedValue& value) {
  StateChange unrestorable{ChangeKind::kUnrestorableVariable, name};
  const bool may_be_null = name == "character_set_results";
  if (!value.text) return may_be_null ? StateChange{ChangeKind::kSetVariable, name} : unrestorable;
  const bool is_known = name.starts_with("character_set_")
                            ? default_collation(*value.text) != nullptr
                        : name == "collation_connection" ? collation_by_name(*value.text) != nullptr
                                                         : is_ascii(*value.text);
  if (!is_known) return unrestorable;
  return StateChange{ChangeKind::kSetVariable, name, *value.text};
}

// Results in another character set than that show a question mark for each character that it lacks.
bool shows_all_characters(const SessionState& state, std::string_view text) {
  const std::uint16_t results = state.charset().results;
  if (results == 0 || charset_of_any_collation(results) == "utf8mb4") return true;
  return is_ascii(text) && text.find('?') == std::string_view::npos;
}

}  // namespace

std::string system_variables_query(const SessionState& state) {
  std::string text;
  for (const std::string& name : names_of(state))
    text += (text.empty() ? "SELECT @@" : ",@@") + name;
  return text;
}

StateChanges captured_system_variables(const SessionState& state,
                                       const std::vector<CapturedValue>& row) {
  const std::vector<std::string> names = names_of(state);
  StateChanges changes;
  for (std::size_t i = 0; i < names.size(); ++i) {
    changes.push_back(row.size() == names.size()
                          ? captured(names[i], row[i])
                          : StateChange{ChangeKind::kUnrestorableVariable, names[i]});
  }
  // Told by collation_connection.
  const bool has_charset = !names.empty() && names.back() == kFamily[2];
  if (has_charset && changes.back().kind == ChangeKind::kSetVariable) {
    changes.insert(changes.end() - 1,
                   StateChange{ChangeKind::kSetVariable, "character_set_connection",
                               std::string(collation_by_name(changes.back().value)->charset)});
  }
  return changes;
}

std::string user_variables_query(const SessionState& state) {
  const std::vector<std::string> names = user_names_of(state);
  if (names.empty()) return {};
  std::string text = std::string("SELECT ") + kNeverSet;
  for (const std::string& name : names) {
    const std::string variable = quoted_name(name);
    for (const char* before : {",", ",COLLATION(", "),", "=CAST(CONCAT("})
      text.append(before).append(variable);
    text.append(") AS DECIMAL(65,30)),LEFT(HEX(").append(variable).append("),0)");
  }
  return text;
}

StateChanges captured_user_variables(const SessionState& state,
                                     const std::vector<CapturedValue>& row) {
  const std::vector<std::string> names = user_names_of(state);
  const bool is_answered = row.size() == 1 + names.size() * kColumnsEach;
  StateChanges changes;
  for (std::size_t i = 0; i < names.size(); ++i) {
    StateChange unrestorable{ChangeKind::kUnrestorableUserVariable, names[i]};
    if (!is_answered) {
      changes.push_back(unrestorable);
      continue;
    }
    const CapturedValue* columns = &row[1 + i * kColumnsEach];
    const CapturedValue& value = columns[0];
    const CapturedDetails details{
        .collation = columns[1].text ? std::string_view(*columns[1].text) : std::string_view(),
        .is_whole = columns[2].text == "1",
        .has_length = columns[3].length != kNoLengthShown};
    if (!value.text) {
      const bool is_unset = same_definition(value, row[0]);
      changes.push_back(is_unset ? StateChange{ChangeKind::kSetUserVariable, names[i], "NULL"}
                                 : unrestorable);
      continue;
    }
    std::optional<StateChange> found = assignment_of(names[i], value, details);
    const bool is_text = found && found->kind == ChangeKind::kSetUserString;
    if (is_text && !shows_all_characters(state, *value.text)) found.reset();
    changes.push_back(found ? *found : unrestorable);
  }
  return changes;
}

StateChange not_trusted(const StateChange& captured) {
  constexpr const char* kNoLiteral = "?";  // equals no value that a session has
  return StateChange{ChangeKind::kSetUserVariable, captured.name, kNoLiteral};
}

}  // namespace tidepool::sql

#include "tidepool/sql/restore/restore.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "restore/restore_database.h"
#include "restore/restore_resource_group.h"

namespace tidepool::sql {
namespace {

using Item = SessionState::Item;

// Set before the others, because what others may be set to depends on them.
bool goes_first(VariableId id) {
  static constexpr std::array<std::string_view, 2> kNames = {"tidb_enable_noop_functions",
                                                             "tidb_skip_isolation_level_check"};
  return std::find(kNames.begin(), kNames.end(), variable(id).name) != kNames.end();
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char byte) { return static_cast<unsigned char>(byte) < 0x80; });
}

bool is_integer(std::string_view text) {
  if (!text.empty() && text.front() == '-') text.remove_prefix(1);
  return !text.empty() && text.size() <= 18 && std::all_of(text.begin(), text.end(), [](char byte) {
    return byte >= '0' && byte <= '9';
  });
}

// As the backend reads it that is in `mode` while it parses the statement.
std::string quoted(std::string_view value, LexMode mode) {
  std::string text = "'";
  for (const char byte : value) {
    if (byte == '\'' || (byte == '\\' && !mode.no_backslash_escapes)) text.push_back(byte);
    text.push_back(byte);
  }
  text.push_back('\'');
  return text;
}

std::string written(std::string_view value, LexMode mode) {
  const bool is_plain = is_integer(value) || value == "ON" || value == "OFF";
  return is_plain ? std::string(value) : quoted(value, mode);
}

// The elements of one SET statement.
class SetList {
 public:
  explicit SetList(LexMode mode) : mode_(mode) {}

  void add(std::string_view element) {
    text_ += text_.empty() ? "SET " : ", ";
    text_ += element;
  }
  void append(SetList& other) {
    if (other.text_.empty()) return;
    add(std::string_view(other.text_).substr(4));  // without its SET
  }
  void set(std::string_view name, std::string_view value) {
    add(std::string(name) + "=" + written(value, mode_));
  }
  std::string take() { return std::move(text_); }

 private:
  LexMode mode_;
  std::string text_;
};

void add_charset(SetList& list, const CharsetState& from, const CharsetState& to) {
  if (from == to) return;
  const std::string client(charset_of_any_collation(to.client));
  const Collation* connection = collation_by_id(to.connection);
  const bool by_names = to.client == to.results && to.client != from.client &&
                        to.connection != from.connection && connection->charset == client;
  if (by_names) {
    // The quotes because TiDB does not take the bare word "binary" for a collation.
    list.add("NAMES " + client + " COLLATE '" + std::string(connection->name) + "'");
    return;
  }
  if (from.client != to.client) list.set("character_set_client", client);
  if (from.results != to.results) {
    if (to.results == 0) {
      list.add("character_set_results=NULL");
    } else {
      list.set("character_set_results", charset_of_any_collation(to.results));
    }
  }
  if (from.connection != to.connection) list.set("collation_connection", connection->name);
}

// A character set of the handshake only: no statement sets it.
bool is_settable(std::uint16_t charset) {
  return charset == 0 || collation_by_id(charset) != nullptr;
}

bool is_reachable(const CharsetState& from, const CharsetState& to) {
  return (from.client == to.client || is_settable(to.client)) &&
         (from.results == to.results || is_settable(to.results));
}

const Item* find(const std::vector<Item>& items, VariableId id) {
  const auto found = std::find_if(items.begin(), items.end(),
                                  [id](const Item& item) { return item.variable == id; });
  return found == items.end() ? nullptr : &*found;
}

// TiDB accepts other levels only while tidb_skip_isolation_level_check is on (sysvar.go,
// checkIsolationLevel).
bool is_checked_isolation(const Item& item) {
  return variable(item.variable).name == "transaction_isolation" &&
         item.value != "REPEATABLE-READ" && item.value != "READ-COMMITTED";
}

void set_checked_isolation(SetList& list, const Item& item, const SessionState& to) {
  static constexpr const char* kSkipCheck = "tidb_skip_isolation_level_check";
  list.set(kSkipCheck, "ON");
  list.set(variable(item.variable).name, item.value);
  if (const Item* wanted = find(to.items(), find_variable(kSkipCheck))) {
    list.set(kSkipCheck, wanted->value);
  } else {
    list.add(std::string(kSkipCheck) + "=DEFAULT");
  }
}

void add_items(SetList& list, const SessionState& from, const SessionState& to) {
  for (const bool first : {true, false}) {
    for (const Item& item : to.items()) {
      if (goes_first(item.variable) != first) continue;
      const Item* had = find(from.items(), item.variable);
      if (had != nullptr && *had == item) continue;
      if (is_checked_isolation(item)) {
        set_checked_isolation(list, item, to);
      } else {
        list.set(variable(item.variable).name, item.value);
      }
    }
  }
  for (const Item& item : from.items()) {
    if (find(to.items(), item.variable) == nullptr) {
      list.add(std::string(variable(item.variable).name) + "=DEFAULT");
    }
  }
}

bool reset_is_needed(const SessionState& actual, const SessionState& desired) {
  if (!actual.is_exact() || actual.role().is_computed) return true;
  if (is_resource_group_lost(actual, desired)) return true;
  if (!actual.database().empty() && desired.database().empty()) return true;
  if (!is_reachable(actual.charset(), desired.charset())) return true;
  return std::any_of(actual.items().begin(), actual.items().end(), [&desired](const Item& item) {
    return variable(item.variable).undo == Undo::kReset &&
           find(desired.items(), item.variable) == nullptr;
  });
}

RestoreStep query(std::string text) {
  return RestoreStep{RestoreStep::Kind::kQuery, std::move(text)};
}

bool reads_utf8(const SessionState& state) {
  return state.lex_mode().encoding == TextEncoding::kUtf8;
}

// A string gets the collation of the connection, and is read as the client's text: only then is its
// type the same in all respects (an introducer and COLLATE leave traces, and gbk has no
// introducer).
bool makes(const SessionState& state, const UserVariable& variable) {
  return state.charset().connection == variable.collation &&
         (is_ascii(variable.value) || reads_utf8(state));
}

// What there is still to set.
using PendingVariables = std::vector<const UserVariable*>;

void assign(SetList& list, const UserVariable& variable, LexMode mode) {
  std::string value = variable.is_string() ? quoted(variable.value, mode) : variable.value;
  if (variable.length == UserVariable::kNoLength) {
    value = "IF(ANY_VALUE(1)," + value + ",@@version)";
  } else if (variable.length > 0) {
    value = "CAST(" + value + " AS CHAR(" + std::to_string(variable.length) + "))";
  }
  list.add("@" + quoted_name(variable.name) + "=" + value);
}

// What takes its value in any state goes into the list, the strings into the result.
PendingVariables add_user_variables(SetList& list, const SessionState& from,
                                    const SessionState& desired) {
  PendingVariables strings;
  for (const UserVariable& variable : desired.user_variables().all()) {
    const UserVariable* had = from.user_variables().find(variable.name);
    if (had != nullptr && *had == variable) continue;
    if (variable.is_string()) {
      strings.push_back(&variable);
    } else {
      assign(list, variable, from.lex_mode());
    }
  }
  for (const UserVariable& variable : from.user_variables().all()) {
    if (desired.user_variables().find(variable.name) == nullptr) {
      list.add("@" + quoted_name(variable.name) + "=NULL");
    }
  }
  return strings;
}

// Moves what a statement that is parsed in `state` makes into the list.
void assign_strings(SetList& list, PendingVariables& strings, const SessionState& state) {
  const LexMode mode = state.lex_mode();
  std::erase_if(strings, [&](const UserVariable* one) {
    if (!makes(state, *one)) return false;
    assign(list, *one, mode);
    return true;
  });
}

// Takes out what `state` cannot make.
PendingVariables take_unmakeable(PendingVariables& strings, const SessionState& state) {
  PendingVariables taken;
  std::erase_if(strings, [&](const UserVariable* one) {
    if (makes(state, *one)) return false;
    taken.push_back(one);
    return true;
  });
  return taken;
}

// Leads `from` through the states that make the strings, until it is one that makes all the rest. A
// statement's literals are read in the state before it, so that each can switch to the next state.
void add_detours(std::vector<RestoreStep>& steps, PendingVariables& strings, SessionState& from) {
  for (;;) {
    const auto next = std::find_if(strings.begin(), strings.end(),
                                   [&](const UserVariable* one) { return !makes(from, *one); });
    if (next == strings.end()) return;
    const std::string collation(collation_by_id((*next)->collation)->name);
    SetList list(from.lex_mode());
    assign_strings(list, strings, from);
    StateChanges changes;
    // No statement leads back to a client's character set that TiDB does not have.
    if (!is_ascii((*next)->value))
      changes.push_back({ChangeKind::kSetVariable, "character_set_client", "utf8mb4"});
    changes.push_back({ChangeKind::kSetVariable, "collation_connection", collation});
    for (const StateChange& change : changes)
      list.set(change.name, change.value);
    steps.push_back(query(list.take()));
    from.apply(changes);
  }
}

void add_query(std::vector<RestoreStep>& steps, SetList& list) {
  if (std::string text = list.take(); !text.empty()) steps.push_back(query(std::move(text)));
}

// The SET statements: one, unless strings need a collation that the connection does not have yet.
void add_sets(std::vector<RestoreStep>& steps, SessionState from, const SessionState& desired) {
  SetList values(from.lex_mode());
  PendingVariables strings = add_user_variables(values, from, desired);
  PendingVariables early = take_unmakeable(strings, desired);
  add_detours(steps, early, from);
  SetList list(from.lex_mode());
  add_charset(list, from.charset(), desired.charset());
  add_items(list, from, desired);
  list.append(values);
  assign_strings(list, early, from);
  assign_strings(list, strings, from);
  add_query(steps, list);
  SetList late(desired.lex_mode());
  assign_strings(late, strings, desired);
  add_query(steps, late);
}

// SET, USE and SET ROLE. A database name with bytes above 0x7f is UTF-8 and must be sent while the
// backend reads UTF-8.
void add_statements(std::vector<RestoreStep>& steps, SessionState from,
                    const SessionState& desired) {
  const bool changes_database = from.database() != desired.database();
  const bool use_first = changes_database && !is_ascii(desired.database()) && !reads_utf8(desired);
  if (use_first && !reads_utf8(from)) {
    steps.push_back(query("SET NAMES utf8mb4"));
    from.apply(StateChange{ChangeKind::kSetNames, {}, "utf8mb4"});
  }
  if (use_first) add_database(steps, from, desired);
  add_sets(steps, from, desired);
  if (!use_first) add_database(steps, from, desired);
}

}  // namespace

RestorePlan plan_restore(const SessionState& actual, const SessionState& desired) {
  RestorePlan plan;
  if (!desired.is_exact()) return RestorePlan{false, {}};
  if (actual == desired) return plan;
  if (desired.role().is_computed) return RestorePlan{false, {}};
  SessionState from = actual;
  if (reset_is_needed(actual, desired)) {
    plan.steps.push_back(RestoreStep{RestoreStep::Kind::kResetConnection});
    from.reset();
    const bool keeps_database = !from.database().empty() && desired.database().empty();
    if (keeps_database || !is_reachable(from.charset(), desired.charset())) {
      return RestorePlan{false, {}};
    }
  }
  if (from.multi_statements() != desired.multi_statements()) {
    plan.steps.push_back(
        RestoreStep{RestoreStep::Kind::kSetOption, {}, desired.multi_statements()});
  }
  add_resource_group(plan.steps, from, desired);
  add_statements(plan.steps, std::move(from), desired);
  return plan;
}

SessionState state_after_restore(const SessionState& actual, const SessionState& desired) {
  SessionState result = actual;
  result.adopt(desired);
  return result;
}

}  // namespace tidepool::sql

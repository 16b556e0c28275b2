#include "tidepool/sql/state/session_state.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <string>
#include <utility>

#include "state/letters.h"
#include "state/sql_mode.h"
#include "state/state_hash.h"

namespace tidepool::sql {
namespace {

// One spelling for values that TiDB certainly takes for the same.
std::string normal_value(const Variable& known, std::string value) {
  if (known.is_switch) {
    if (value == "1" || is_keyword(value, "ON")) return "ON";
    if (value == "0" || is_keyword(value, "OFF")) return "OFF";
  }
  if (known.name == "sql_mode" || known.name == "transaction_isolation") return upper(value);
  return value;
}

// Whether SELECT @@x tells what SET x makes the same again. (@@timestamp does not tell that it goes
// with the clock.)
bool is_readable(VariableId id) {
  if (id == kNoVariable || variable(id).name == "timestamp") return false;
  const VariableClass group = variable(id).group;
  return group == VariableClass::kFollowed || group == VariableClass::kCharset;
}

// Which name it is, does not depend on Unicode's small letters nor on sql_mode.
bool is_plain(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char byte) {
    return byte != '\\' && byte != '\0' && static_cast<unsigned char>(byte) < 0x80;
  });
}

// LOAD DATA gives a variable a string, which is read through the type that the variable has.
bool hides_strings(const UserVariable* variable) {
  return variable != nullptr && !variable->is_string();
}

// The account's own is not taken again.
std::shared_ptr<const ResourceGroups> groups_after_reset() {
  static const auto groups = std::make_shared<const ResourceGroups>(
      ResourceGroups{std::string(), std::string(kDefaultResourceGroup)});
  return groups;
}

const VariableId kAutocommit = find_variable("autocommit");
const VariableId kSqlMode = find_variable("sql_mode");
const VariableId kSelectLimit = find_variable("sql_select_limit");
const VariableId kWaitTimeout = find_variable("wait_timeout");
const VariableId kCharacterSetClient = find_variable("character_set_client");
const VariableId kCharacterSetConnection = find_variable("character_set_connection");
const VariableId kCollationConnection = find_variable("collation_connection");

}  // namespace

Baseline make_baseline(bool autocommit, std::string_view sql_mode,
                       std::string_view utf8mb4_collation, std::string_view database_collation) {
  Baseline baseline;
  baseline.autocommit = autocommit;
  baseline.ansi_quotes = has_ansi_quotes(sql_mode);
  baseline.no_backslash_escapes = has_no_backslash_escapes(sql_mode);
  if (const Collation* found = collation_by_name(utf8mb4_collation)) {
    baseline.utf8mb4_collation = found->id;
  }
  if (const Collation* found = collation_by_name(database_collation)) {
    baseline.database_collation = found->id;
  }
  return baseline;
}

SessionState::SessionState(const Handshake& handshake, const Baseline& baseline)
    : database_(handshake.database),
      reset_database_(handshake.database),
      charset_(charset_of_handshake(handshake.collation_id)),
      handshake_charset_(charset_),
      baseline_(baseline),
      multi_statements_(handshake.multi_statements),
      hash_(whole_hash()) {}

std::uint64_t SessionState::whole_hash() const {
  std::uint64_t hash =
      hash_of(database_, kDatabaseSeed) ^ hash_of(charset_) ^ hash_of(multi_statements_);
  for (const Item& item : items_)
    hash ^= hash_of(item);
  for (const Computed& one : computed_)
    hash ^= hash_of_computed(one.variable);
  return hash ^ user_variables_.hash() ^ hash_of(role_) ^ hash_of_group(resource_group());
}

bool operator==(const SessionState& left, const SessionState& right) {
  return left.hash_ == right.hash_ && left.database_ == right.database_ &&
         left.charset_ == right.charset_ && left.multi_statements_ == right.multi_statements_ &&
         left.items_ == right.items_ && left.computed_ == right.computed_ &&
         left.user_variables_ == right.user_variables_ && left.role_ == right.role_ &&
         left.resource_group() == right.resource_group();
}

void SessionState::apply(const StateChanges& changes) {
  for (const StateChange& change : changes)
    apply(change);
}

void SessionState::apply(const StateChange& change) {
  switch (change.kind) {
    case ChangeKind::kUseDatabase: return set_database(change.name);
    case ChangeKind::kDropDatabase:
      if (upper(database_) == upper(change.name)) set_database({});
      return;
    case ChangeKind::kInitDatabase: reset_database_ = change.name; return set_database(change.name);
    case ChangeKind::kSetVariable:
    case ChangeKind::kSetDefault: return set_variable(change);
    case ChangeKind::kSetNames: return set_names(change);
    case ChangeKind::kSetCharacterSet: return set_character_set(change);
    case ChangeKind::kComputedVariable:
    case ChangeKind::kUnrestorableVariable: {
      const VariableId id = find_variable(change.name);
      return mark_computed(id,
                           change.kind == ChangeKind::kUnrestorableVariable || !is_readable(id));
    }
    case ChangeKind::kMultiStatements: return set_multi_statements(change.value == "1");
    case ChangeKind::kSetUserVariable:
    case ChangeKind::kSetUserString:
    case ChangeKind::kUnrestorableUserVariable:
    case ChangeKind::kComputedUserVariable:
    case ChangeKind::kFileUserVariable: return set_user_variable(change);
    case ChangeKind::kSetRole: return set_role({change.value});
    case ChangeKind::kComputedRole: return set_role({{}, true});
    case ChangeKind::kSetResourceGroup: return set_resource_group(change.value);
    case ChangeKind::kNextIsolation:
    case ChangeKind::kPrepareNamed:
    case ChangeKind::kExecuteNamed:
    case ChangeKind::kDeallocateNamed:
    case ChangeKind::kCreateTemporaryTable:
    case ChangeKind::kDropTable:
    case ChangeKind::kGetLock:
    case ChangeKind::kReleaseLock: return;
  }
}

void SessionState::reset() {
  database_ = reset_database_;
  charset_ = handshake_charset_;
  items_.clear();
  computed_.clear();
  user_variables_.clear();
  role_ = {};
  groups_ = groups_after_reset();
  hash_ = whole_hash();
}

void SessionState::adopt(const SessionState& desired) {
  database_ = desired.database_;
  charset_ = desired.charset_;
  items_ = desired.items_;
  computed_ = desired.computed_;
  user_variables_ = desired.user_variables_;
  role_ = desired.role_;
  set_resource_group(desired.resource_group());
  multi_statements_ = desired.multi_statements_;
  hash_ = desired.hash_;
}

bool SessionState::autocommit() const {
  const Item* item = find(kAutocommit);
  return item == nullptr ? baseline_.autocommit : item->value == "ON";
}

std::optional<std::uint64_t> SessionState::number(VariableId id) const {
  const Item* item = find(id);
  if (item == nullptr) return std::nullopt;
  std::uint64_t value = 0;
  const char* end = item->value.data() + item->value.size();
  const auto [stopped, error] = std::from_chars(item->value.data(), end, value);
  if (error != std::errc{} || stopped != end) return std::nullopt;
  return value;
}

std::optional<std::chrono::seconds> SessionState::wait_timeout() const {
  constexpr std::uint64_t kLongest = 31'536'000;  // sysvar.go: what is more is set to that
  const auto seconds = number(kWaitTimeout);
  if (!seconds) return std::nullopt;
  return std::chrono::seconds(std::min(*seconds, kLongest));
}

std::uint64_t SessionState::select_limit() const {
  const Item* item = find(kSelectLimit);
  if (item != nullptr && item->value.starts_with('-')) return 0;  // TiDB makes it that
  return number(kSelectLimit).value_or(std::numeric_limits<std::uint64_t>::max());
}

LexMode SessionState::lex_mode() const {
  LexMode mode{baseline_.ansi_quotes, baseline_.no_backslash_escapes};
  if (const Item* item = find(kSqlMode)) {
    mode.ansi_quotes = has_ansi_quotes(item->value);
    mode.no_backslash_escapes = has_no_backslash_escapes(item->value);
  }
  mode.encoding = encoding_of(charset_of_any_collation(charset_.client));
  mode.uncertain = std::any_of(computed_.begin(), computed_.end(), [](const Computed& one) {
    const VariableId id = one.variable;
    return id == kSqlMode || id == kCharacterSetClient || id == kNoVariable;
  });
  const bool is_collation_computed =
      std::any_of(computed_.begin(), computed_.end(), [](const Computed& one) {
        return one.variable == kCollationConnection || one.variable == kCharacterSetConnection;
      });
  mode.collation = is_collation_computed ? 0 : charset_.connection;
  return mode;
}

PinReasons SessionState::pins() const {
  PinReasons pins;
  const bool is_unrestorable = std::any_of(computed_.begin(), computed_.end(),
                                           [](const Computed& one) { return one.is_unrestorable; });
  if (is_unrestorable) pins.insert(Pin::kSessionVariable);
  if (user_variables_.is_unrestorable()) pins.insert(Pin::kUserVariable);
  return pins;
}

std::vector<VariableId> SessionState::computed() const {
  std::vector<VariableId> ids;
  for (const Computed& one : computed_)
    ids.push_back(one.variable);
  return ids;
}

void SessionState::set_database(std::string_view name) {
  hash_ ^= hash_of(database_, kDatabaseSeed);
  database_ = name;
  hash_ ^= hash_of(database_, kDatabaseSeed);
}

void SessionState::set_role(Role role) {
  hash_ ^= hash_of(role_) ^ hash_of(role);
  role_ = std::move(role);
}

const ResourceGroups& SessionState::groups() const {
  static const ResourceGroups none;
  return groups_ == nullptr ? none : *groups_;
}

void SessionState::set_resource_group(std::string_view name) {
  if (name == resource_group()) return;
  hash_ ^= hash_of_group(resource_group()) ^ hash_of_group(name);
  groups_ =
      std::make_shared<const ResourceGroups>(ResourceGroups{std::string(name), login_group()});
}

void SessionState::set_login_group(std::string_view name) {
  groups_ =
      std::make_shared<const ResourceGroups>(ResourceGroups{resource_group(), std::string(name)});
}

void SessionState::set_multi_statements(bool enabled) {
  hash_ ^= hash_of(multi_statements_) ^ hash_of(enabled);
  multi_statements_ = enabled;
}

void SessionState::set_variable(const StateChange& change) {
  const VariableId id = find_variable(change.name);
  if (id == kNoVariable) return;
  const Variable& known = variable(id);
  forget_computed(id);
  if (known.group == VariableClass::kCharset) {
    if (change.kind == ChangeKind::kSetDefault)
      return mark_computed(id, false);  // the GLOBAL value
    set_charset_variable(known.name, change);
  } else if (change.kind == ChangeKind::kSetDefault) {
    erase(id);
  } else {
    put(id, normal_value(known, change.value));
  }
}

const SessionState::Item* SessionState::find(VariableId id) const {
  const auto found =
      std::lower_bound(items_.begin(), items_.end(), id,
                       [](const Item& item, VariableId wanted) { return item.variable < wanted; });
  return found == items_.end() || found->variable != id ? nullptr : &*found;
}

void SessionState::put(VariableId id, std::string value) {
  erase(id);
  const auto place =
      std::lower_bound(items_.begin(), items_.end(), id,
                       [](const Item& item, VariableId wanted) { return item.variable < wanted; });
  const auto placed = items_.insert(place, Item{id, std::move(value)});
  hash_ ^= hash_of(*placed);
}

void SessionState::erase(VariableId id) {
  const Item* found = find(id);
  if (found == nullptr) return;
  hash_ ^= hash_of(*found);
  items_.erase(items_.begin() + (found - items_.data()));
}

void SessionState::set_user_variable(const StateChange& change) {
  hash_ ^= user_variables_.hash();
  UserVariable variable{change.name, change.value};
  const Collation* collation = collation_by_name(change.collation);
  if (collation != nullptr) variable.collation = collation->id;
  variable.length = change.length;
  const bool is_from_file = change.kind == ChangeKind::kFileUserVariable;
  const bool is_computed = is_from_file || change.kind == ChangeKind::kComputedUserVariable;
  variable.is_unrestorable = change.kind == ChangeKind::kUnrestorableUserVariable ||
                             (is_computed && !is_plain(change.name)) ||
                             (is_from_file && hides_strings(user_variables_.find(change.name)));
  variable.is_computed = variable.is_unrestorable || is_computed;
  if (change.kind == ChangeKind::kSetUserVariable && change.value == "NULL") {
    user_variables_.erase(change.name);
  } else {
    user_variables_.set(std::move(variable));
  }
  hash_ ^= user_variables_.hash();
}

void SessionState::mark_computed(VariableId id, bool is_unrestorable) {
  if (id != kNoVariable) erase(id);
  forget_computed(id);
  const auto place = std::find_if(computed_.begin(), computed_.end(),
                                  [id](const Computed& one) { return one.variable > id; });
  computed_.insert(place, Computed{id, is_unrestorable});
  hash_ ^= hash_of_computed(id);
}

void SessionState::forget_computed(VariableId id) {
  const auto found = std::find_if(computed_.begin(), computed_.end(),
                                  [id](const Computed& one) { return one.variable == id; });
  if (found == computed_.end()) return;
  computed_.erase(found);
  hash_ ^= hash_of_computed(id);
}

}  // namespace tidepool::sql

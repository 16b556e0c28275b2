#include "tidepool/tracking/held_resources.h"

#include <algorithm>

#include "tidepool/protocol/text_result.h"

namespace tidepool::tracking {
namespace {

using sql::ChangeKind;
using sql::Pin;

// Not begun, or the name of the lock is none.
bool is_refused(const protocol::ResponseSummary& answer) {
  constexpr std::uint16_t kSyntax = 1064;
  constexpr std::uint16_t kWrongLockName = 3057;
  return answer.has_error() &&
         (answer.error_number == kSyntax || answer.error_number == kWrongLockName);
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char byte) { return static_cast<unsigned char>(byte) < 0x80; });
}

std::string folded(std::string_view name) {
  std::string text;
  for (const char byte : name)
    text += byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
  return text;
}

std::string table_key(const sql::StateChange& change, std::string_view database) {
  const std::string_view qualifier = change.value.empty() ? database : change.value;
  return folded(qualifier) + '\0' + folded(change.name);
}

bool has_change(const sql::Statement& statement, ChangeKind kind) {
  return std::any_of(statement.changes.begin(), statement.changes.end(),
                     [kind](const sql::StateChange& change) { return change.kind == kind; });
}

bool concerns(const sql::Statement& statement) {
  static constexpr sql::PinReasons kHeld = {Pin::kTemporaryTable, Pin::kLock, Pin::kTableLock};
  sql::PinReasons others = statement.pins;
  others.erase(kHeld);
  return others != statement.pins || statement.releases.contains(Pin::kLock) ||
         has_change(statement, ChangeKind::kDropTable) ||
         has_change(statement, ChangeKind::kReleaseLock);
}

// The one value of the one row; empty if the answer is anything else.
std::string only_value(std::string_view rows) {
  const auto result = protocol::parse_text_result(rows);
  const bool is_single = result && result->rows.size() == 1 && result->rows[0].size() == 1;
  return is_single ? result->rows[0][0].value_or("") : std::string();
}

}  // namespace

bool concerns_held_resources(const sql::Script& script) {
  for (std::size_t i = 0; i < script.size(); ++i) {
    if (concerns(script[i])) return true;
  }
  return false;
}

bool asks_for_lock(const sql::Script& script) {
  return script.size() == 1 && has_change(script.front(), ChangeKind::kGetLock);
}

void HeldResources::note_tables(const sql::Statement& statement, const Settlement& done,
                                std::string& database) {
  const bool has_warnings = done.script.size() > 1 || done.answer.warnings > 0;
  const bool is_certain = statement.changes.size() == 1 || !has_warnings;
  for (const sql::StateChange& change : statement.changes) {
    if (change.kind == ChangeKind::kUseDatabase) database = change.name;
    const bool creates = change.kind == ChangeKind::kCreateTemporaryTable;
    if (!creates && change.kind != ChangeKind::kDropTable) continue;
    const std::string key = table_key(change, database);
    // TiDB compares names by Unicode's letter case; a prepared statement has the database of its
    // prepare.
    if (!is_ascii(key) || (done.is_prepared && change.value.empty())) {
      has_unknown_table_ = has_unknown_table_ || creates;
    } else if (creates) {
      tables_.insert(key);
    } else if (is_certain) {
      tables_.erase(key);
    }
  }
}

void HeldResources::note_locks(const sql::Statement& statement, const Settlement& done) {
  if (statement.releases.contains(Pin::kLock)) {
    locks_.clear();
    has_unknown_lock_ = false;
    return;
  }
  for (const sql::StateChange& change : statement.changes) {
    if (change.kind != ChangeKind::kReleaseLock) continue;
    const auto held = locks_.find(change.name);
    if (held != locks_.end() && --held->second == 0) locks_.erase(held);
  }
  if (!statement.pins.contains(Pin::kLock)) return;
  const std::string got = asks_for_lock(done.script) ? only_value(done.rows) : std::string();
  const std::string name = asks_for_lock(done.script) ? statement.changes.front().name : "";
  if (got == "0") return;
  if (got == "1" && !name.empty()) {
    ++locks_[name];
  } else {
    has_unknown_lock_ = true;
  }
}

sql::PinReasons HeldResources::settle(sql::PinReasons pins, const Settlement& done) {
  std::string database(done.database);
  for (std::size_t i = 0; i < done.executed; ++i) {
    note_tables(done.script[i], done, database);
    note_locks(done.script[i], done);
    // With the feature it takes them without a warning.
    const bool is_idle = done.script.size() == 1 && done.answer.warnings > 0;
    if (done.script[i].pins.contains(Pin::kTableLock) && is_idle) pins.erase(Pin::kTableLock);
  }
  // A failed statement may have got locks before its error.
  if (done.executed < done.script.size()) {
    const sql::Statement& failed = done.script[done.executed];
    const bool may_lock = failed.pins.contains(Pin::kLock) && !is_refused(done.answer);
    has_unknown_lock_ = has_unknown_lock_ || may_lock;
  }
  if (tables_.empty() && !has_unknown_table_) pins.erase(Pin::kTemporaryTable);
  if (locks_.empty() && !has_unknown_lock_) pins.erase(Pin::kLock);
  return pins;
}

sql::PinReasons HeldResources::settle_prepare(sql::PinReasons pins, const sql::Script& script,
                                              const protocol::ResponseSummary& answer) {
  if (!script.pins().contains(Pin::kLock) || is_refused(answer)) return pins;
  // SELECT GET_LOCK(?, 1): not constant.
  if (asks_for_lock(script) && script.front().text.find('?') != std::string_view::npos) return pins;
  has_unknown_lock_ = true;
  pins.insert(Pin::kLock);
  return pins;
}

}  // namespace tidepool::tracking

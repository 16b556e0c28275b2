#include "tidepool/sql/parse/statement.h"

#include <algorithm>
#include <array>
#include <utility>

#include "parse/statement_rules.h"

namespace tidepool::sql {
namespace {

Statement unknown(std::string_view text, Verb verb = Verb::kNone) {
  Statement statement;
  statement.verb = verb;
  statement.transaction = TransactionEffect::kUnknown;
  statement.pins.insert(Pin::kUnknownStatement);
  statement.text = text;
  return statement;
}

// With sql_mode or character_set_client unknown, only text in which they do not matter is
// understood.
bool is_ambiguous(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char byte) {
    return byte == '\\' || byte == '"' || static_cast<unsigned char>(byte) > 0x7f;
  });
}

std::size_t changes_of(const Statement& statement) {
  return statement.changes.size() + statement.global_names.size();
}

std::size_t bytes_of(const std::string& text) {
  const bool is_inside = text.capacity() <= std::string().capacity();
  return is_inside ? 0 : text.capacity() + 1;
}

std::size_t bytes_of(const Statement& statement) {
  std::size_t bytes = statement.changes.capacity() * sizeof(StateChange) +
                      statement.global_names.capacity() * sizeof(std::string);
  for (const StateChange& change : statement.changes)
    bytes += bytes_of(change.name) + bytes_of(change.value) + bytes_of(change.collation);
  for (const std::string& name : statement.global_names)
    bytes += bytes_of(name);
  return bytes;
}

Script beyond(Excess excess, std::string_view text) {
  Script script;
  script.append(unknown(text));
  script.set_excess(excess);
  return script;
}

}  // namespace

const char* to_string(StatementKind kind) {
  static constexpr std::array<const char*, 10> kWords = {
      "read", "write", "begin", "end", "set", "use", "ddl", "prepared", "other", "unknown"};
  return kWords[static_cast<std::size_t>(kind)];
}

void Script::append(Statement statement) {
  if (count_ == 0) {
    first_ = std::move(statement);
  } else {
    rest_.push_back(std::move(statement));
  }
  ++count_;
}

bool Script::is_read() const {
  return count_ > 0 && first_.is_read &&
         std::all_of(rest_.begin(), rest_.end(), [](const Statement& one) { return one.is_read; });
}

PinReasons Script::pins() const {
  PinReasons all = first_.pins;
  for (const Statement& one : rest_)
    all.insert(one.pins);
  return all;
}

InfoFunctions Script::info_functions() const {
  InfoFunctions all = first_.info_functions;
  for (const Statement& one : rest_)
    all.insert(one.info_functions);
  return all;
}

bool Script::requests_local_file() const {
  return first_.requests_local_file ||
         std::any_of(rest_.begin(), rest_.end(),
                     [](const Statement& one) { return one.requests_local_file; });
}

std::size_t Script::bytes() const {
  std::size_t bytes = bytes_of(first_) + rest_.capacity() * sizeof(Statement);
  for (const Statement& one : rest_)
    bytes += bytes_of(one);
  return bytes;
}

Script classify(std::string_view text, LexMode mode) {
  Script script;
  if (mode.uncertain && is_ambiguous(text)) {
    script.append(unknown(text));
    return script;
  }
  Cursor cursor(text, mode);
  if (cursor.at_end() && !cursor.next_statement()) return script;
  std::size_t changes = 0;
  do {
    if (script.size() == kMostStatements) return beyond(Excess::kStatements, text);
    const std::size_t begin = cursor.statement_offset();
    Statement statement = read_statement(cursor);
    changes += changes_of(statement);
    if (changes > kMostChanges) return beyond(Excess::kChanges, text);
    if (statement.kind == StatementKind::kUnknown) statement = unknown({}, statement.verb);
    statement.text = text.substr(begin, cursor.offset() - begin);
    script.append(std::move(statement));
  } while (cursor.next_statement());
  return script;
}

}  // namespace tidepool::sql

#include "tidepool/sql/statement.h"

#include <algorithm>
#include <array>
#include <utility>

#include "grammar.h"

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

Facts Script::facts() const {
  Facts all = first_.facts;
  for (const Statement& one : rest_)
    all.insert(one.facts);
  return all;
}

bool Script::requests_local_file() const {
  return first_.requests_local_file ||
         std::any_of(rest_.begin(), rest_.end(),
                     [](const Statement& one) { return one.requests_local_file; });
}

Script classify(std::string_view text, LexMode mode) {
  Script script;
  if (mode.uncertain && is_ambiguous(text)) {
    script.append(unknown(text));
    return script;
  }
  Cursor cursor(text, mode);
  if (cursor.at_end() && !cursor.next_statement()) return script;
  do {
    const std::size_t begin = cursor.statement_offset();
    Statement statement = read_statement(cursor);
    if (statement.kind == StatementKind::kUnknown) statement = unknown({}, statement.verb);
    statement.text = text.substr(begin, cursor.offset() - begin);
    script.append(std::move(statement));
  } while (cursor.next_statement());
  return script;
}

}  // namespace tidepool::sql

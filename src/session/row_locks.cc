#include "tidepool/session/row_locks.h"

#include <algorithm>
#include <string_view>

namespace tidepool::session {
namespace {

const sql::VariableId kTransactionMode = sql::find_variable("tidb_txn_mode");

char lower(char byte) {
  return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
}

// `word` is in small letters.
bool contains_word(std::string_view text, std::string_view word) {
  const auto found = std::search(text.begin(), text.end(), word.begin(), word.end(),
                                 [](char a, char b) { return lower(a) == b; });
  return found != text.end();
}

}  // namespace

bool locks_rows(const sql::Statement& statement) {
  if (statement.kind != sql::StatementKind::kRead || !contains_word(statement.text, "update"))
    return false;
  sql::Lexer lexer(statement.text, {});
  sql::Token token = lexer.next();
  for (const char* word : {"EXPLAIN", "DESC", "DESCRIBE", "TRACE"})
    if (sql::is_keyword(token.text, word)) return false;
  while (token.kind != sql::TokenKind::kEnd) {
    const bool is_for = token.kind == sql::TokenKind::kWord && sql::is_keyword(token.text, "FOR");
    token = lexer.next();
    if (is_for && sql::is_keyword(token.text, "UPDATE")) return true;
  }
  return false;
}

bool begins_pessimistic(const sql::Statement* begin, const sql::SessionState& state) {
  if (begin != nullptr) {
    sql::Lexer lexer(begin->text, {});
    lexer.next();
    const sql::Token mode = lexer.next();
    if (sql::is_keyword(mode.text, "OPTIMISTIC")) return false;
    if (sql::is_keyword(mode.text, "PESSIMISTIC")) return true;
  }
  const auto& items = state.items();
  const auto set = std::find_if(items.begin(), items.end(),
                                [](const auto& item) { return item.variable == kTransactionMode; });
  return set == items.end() || contains_word(set->value, "pessimistic");
}

}  // namespace tidepool::session

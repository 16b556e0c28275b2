#include "tidepool/sql/parse/account_change.h"

#include <array>

#include "parse/lexer.h"

namespace tidepool::sql {
namespace {

// CREATE USER, DROP ROLE, GRANT, FLUSH LOCAL PRIVILEGES: known by one of the first words, which no
// dialect of a session reads otherwise. A word too many only has an account tried again.
bool names_account(std::string_view text) {
  constexpr auto kFirst = std::to_array<std::string_view>({"GRANT", "REVOKE"});
  constexpr auto kSecond = std::to_array<std::string_view>({"USER", "ROLE"});
  constexpr int kWords = 3;
  Lexer lexer(text, LexMode{});
  for (int i = 0; i < kWords; ++i) {
    const Token token = lexer.next();
    if (token.kind != TokenKind::kWord) return false;
    for (const std::string_view word : kFirst)
      if (i == 0 && is_keyword(token.text, word)) return true;
    for (const std::string_view word : kSecond)
      if (i == 1 && is_keyword(token.text, word)) return true;
    if (i > 0 && is_keyword(token.text, "PRIVILEGES")) return true;
  }
  return false;
}

bool changes_accounts(const Statement& statement) {
  switch (statement.kind) {
    case StatementKind::kDdl: return names_account(statement.text);
    // SET PASSWORD and SET DEFAULT ROLE: no other SET commits.
    case StatementKind::kSet: return statement.transaction == TransactionEffect::kImplicitCommit;
    default: return statement.changes_server && names_account(statement.text);
  }
}

}  // namespace

bool changes_accounts(const Script& script) {
  for (std::size_t i = 0; i < script.size(); ++i)
    if (changes_accounts(script[i])) return true;
  return false;
}

}  // namespace tidepool::sql

// Calls of the lock functions that are a whole statement: only then does the answer tell what they
// did.
#include <optional>
#include <string>
#include <utility>

#include "parse/names.h"
#include "parse/statement_rules.h"

namespace tidepool::sql {
namespace {

// A string or a parameter, which is "". Nothing for any other expression, and for what is not
// ASCII: TiDB compares the names by Unicode's letter case.
std::optional<std::string> read_lock_name(Cursor& cursor) {
  const Token token = cursor.token();
  cursor.advance();
  if (token.kind == TokenKind::kParameter) return "";
  if (token.kind != TokenKind::kString || !token.is_ascii) return std::nullopt;
  return lower(unquote(token.text, !cursor.mode().no_backslash_escapes));
}

bool skip_timeout(Cursor& cursor) {
  if (!cursor.skip_symbol(',')) return false;
  cursor.skip_symbol('-');
  const TokenKind kind = cursor.token().kind;
  cursor.advance();
  return kind == TokenKind::kInteger || kind == TokenKind::kParameter;
}

bool skip_alias(Cursor& cursor) {
  cursor.skip("AS");
  if (cursor.at_end()) return true;
  if (!name_of(cursor.token()) && cursor.token().kind != TokenKind::kString) return false;
  cursor.advance();
  return cursor.at_end();
}

}  // namespace

void read_lock_call(Cursor& cursor, Statement& statement) {
  const bool gets = cursor.at("GET_LOCK");
  const bool releases_all = cursor.at("RELEASE_ALL_LOCKS");
  if (!gets && !releases_all && !cursor.at("RELEASE_LOCK")) return;
  cursor.advance();
  if (!cursor.skip_symbol('(')) return;
  std::optional<std::string> name = "";
  if (!releases_all) name = read_lock_name(cursor);
  if (!name || (gets && !skip_timeout(cursor))) return;
  if (!cursor.skip_symbol(')') || !skip_alias(cursor)) return;
  if (releases_all) {
    statement.releases.insert(Pin::kLock);
  } else {
    const ChangeKind kind = gets ? ChangeKind::kGetLock : ChangeKind::kReleaseLock;
    statement.changes.push_back({kind, std::move(*name)});
  }
}

}  // namespace tidepool::sql

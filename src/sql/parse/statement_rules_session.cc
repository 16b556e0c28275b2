// Transactions, databases, prepared texts, locks, KILL.
#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include "parse/names.h"
#include "parse/statement_rules.h"

namespace tidepool::sql {
namespace {

std::optional<std::uint64_t> integer(const Token& token) {
  if (token.kind != TokenKind::kInteger) return std::nullopt;
  std::uint64_t value = 0;
  const char* end = token.text.data() + token.text.size();
  const auto [stop, error] = std::from_chars(token.text.data(), end, value);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

// It takes the time that SET TRANSACTION READ ONLY AS OF has set (planbuilder.go, buildSimple).
Statement begin(TransactionMode mode = TransactionMode::kDefault) {
  Statement statement = make(StatementKind::kBegin, TransactionEffect::kBegin);
  statement.begin_mode = mode;
  statement.releases.insert(Pin::kStaleRead);
  return statement;
}

// [AND [NO] CHAIN] [[NO] RELEASE] up to the end, but not AND CHAIN RELEASE. TiDB heeds none of it.
// It does not have MySQL's WORK.
bool skip_completion(Cursor& cursor) {
  bool chains = false;
  if (cursor.skip("AND")) {
    chains = !cursor.skip("NO");
    if (!cursor.skip("CHAIN")) return false;
  }
  const bool is_negated = cursor.skip("NO");
  const bool releases = cursor.skip("RELEASE");
  if (releases ? chains && !is_negated : is_negated) return false;
  return cursor.at_end();
}

bool at_connection_id(const Cursor& cursor) {
  const std::optional<std::string> name = name_of(cursor.token());
  return name && is_keyword(*name, "CONNECTION_ID");
}

// CONNECTION_ID(), with any number of parentheses around it.
bool read_own_connection(Cursor& cursor, KillTarget& target) {
  int depth = 0;
  for (; cursor.skip_symbol('('); ++depth) {
  }
  if (!at_connection_id(cursor)) return false;
  cursor.advance();
  if (!cursor.skip_symbol('(') || !cursor.skip_symbol(')')) return false;
  for (; depth > 0; --depth) {
    if (!cursor.skip_symbol(')')) return false;
  }
  target.own_connection = true;
  return true;
}

bool read_other_connection(Cursor& cursor, KillTarget& target) {
  target.query_only = cursor.skip("QUERY");
  if (!target.query_only) cursor.skip("CONNECTION");
  const std::optional<std::uint64_t> id = integer(cursor.token());
  if (!id) return false;
  cursor.advance();
  target.id = *id;
  return true;
}

}  // namespace

Statement read_use(Cursor& cursor) {
  Statement statement = make(StatementKind::kUse);
  std::optional<std::string> name = name_of(cursor.token());
  if (!name) return make(StatementKind::kUnknown);
  // Bytes above 0x7f can be repeated elsewhere only if they are UTF-8 (SessionState keeps names as
  // such).
  if (!cursor.token().is_ascii && cursor.mode().encoding != TextEncoding::kUtf8) {
    statement.pins.insert(Pin::kUnknownStatement);
  }
  cursor.advance();
  if (!cursor.at_end()) return make(StatementKind::kUnknown);
  statement.changes.push_back({ChangeKind::kUseDatabase, std::move(*name)});
  return statement;
}

Statement read_begin(Cursor& cursor) {
  TransactionMode mode = TransactionMode::kDefault;
  if (cursor.skip("PESSIMISTIC")) {
    mode = TransactionMode::kPessimistic;
  } else if (cursor.skip("OPTIMISTIC")) {
    mode = TransactionMode::kOptimistic;
  }
  if (!cursor.at_end()) return make(StatementKind::kUnknown);
  return begin(mode);
}

Statement read_start(Cursor& cursor) {
  if (!cursor.skip("TRANSACTION")) return make(StatementKind::kUnknown);
  return begin();
}

Statement read_commit(Cursor& cursor) {
  if (!skip_completion(cursor)) return make(StatementKind::kUnknown);
  return make(StatementKind::kEnd, TransactionEffect::kCommit);
}

Statement read_rollback(Cursor& cursor) {
  if (cursor.at("TO")) return make(StatementKind::kOther);
  if (!skip_completion(cursor)) return make(StatementKind::kUnknown);
  return make(StatementKind::kEnd, TransactionEffect::kRollback);
}

// The names are case-sensitive.
Statement read_prepare(Cursor& cursor) {
  Statement statement = make(StatementKind::kPrepared);
  std::optional<std::string> name = name_of(cursor.token());
  if (!name) return make(StatementKind::kUnknown);
  cursor.advance();
  if (!cursor.skip("FROM")) return make(StatementKind::kUnknown);
  const Token& source = cursor.token();
  StateChange change{ChangeKind::kPrepareNamed, std::move(*name)};
  if (source.kind == TokenKind::kString) {
    change.value = unquote(source.text, !cursor.mode().no_backslash_escapes);
  } else if (source.kind == TokenKind::kUserVariable) {
    change.value = "@" + user_variable_name(source);
  } else {
    return make(StatementKind::kUnknown);
  }
  cursor.advance();
  if (!cursor.at_end()) return make(StatementKind::kUnknown);
  statement.pins.insert(Pin::kPreparedText);
  statement.changes.push_back(std::move(change));
  return statement;
}

// What the text does is not known here: the session knows it, or it pins.
Statement read_execute(Cursor& cursor) {
  Statement statement = make(StatementKind::kPrepared, TransactionEffect::kUnknown);
  std::optional<std::string> name = name_of(cursor.token());
  if (!name) return make(StatementKind::kUnknown);
  statement.pins.insert(Pin::kPreparedText);
  statement.may_set_last_insert_id = true;
  statement.changes.push_back({ChangeKind::kExecuteNamed, std::move(*name)});
  return statement;
}

// Behind DEALLOCATE or DROP.
Statement read_deallocate(Cursor& cursor) {
  if (!cursor.skip("PREPARE")) return make(StatementKind::kUnknown);
  Statement statement = make(StatementKind::kPrepared);
  std::optional<std::string> name = name_of(cursor.token());
  if (!name) return make(StatementKind::kUnknown);
  statement.changes.push_back({ChangeKind::kDeallocateNamed, std::move(*name)});
  return statement;
}

Statement read_lock(Cursor& cursor) {
  if (cursor.at("STATS")) return make(StatementKind::kOther);
  if (!cursor.at("TABLE") && !cursor.at("TABLES")) return make(StatementKind::kUnknown);
  Statement statement = make(StatementKind::kOther, TransactionEffect::kImplicitCommit);
  statement.pins.insert(Pin::kTableLock);
  return statement;
}

Statement read_unlock(Cursor& cursor) {
  if (cursor.at("STATS")) return make(StatementKind::kOther);
  if (!cursor.at("TABLE") && !cursor.at("TABLES")) return make(StatementKind::kUnknown);
  Statement statement = make(StatementKind::kOther, TransactionEffect::kUnknown);
  statement.releases.insert(Pin::kTableLock);
  return statement;
}

// KILL [TIDB] [CONNECTION | QUERY] id, KILL [TIDB] CONNECTION_ID()
Statement read_kill(Cursor& cursor) {
  Statement statement = make(StatementKind::kOther);
  KillTarget target;
  cursor.skip("TIDB");
  const bool names_itself = cursor.at_symbol('(') || at_connection_id(cursor);
  const bool is_known =
      names_itself ? read_own_connection(cursor, target) : read_other_connection(cursor, target);
  if (!is_known || !cursor.at_end()) return make(StatementKind::kUnknown);
  statement.kill = target;
  return statement;
}

}  // namespace tidepool::sql

#include "parse/cursor.h"

namespace tidepool::sql {

void Cursor::load() {
  token_ = lexer_.next();
  begin_ = lexer_.offset() - token_.text.size();
}

void Cursor::advance() {
  if (at_end()) return;
  watch_.pass(token_);
  load();
}

void Cursor::advance_quietly() {
  if (!at_end()) load();
}

bool Cursor::skip(std::string_view keyword) {
  if (!at(keyword)) return false;
  advance();
  return true;
}

bool Cursor::skip_symbol(char symbol) {
  if (!at_symbol(symbol)) return false;
  advance();
  return true;
}

void Cursor::finish() {
  while (!at_end())
    advance();
}

void Cursor::finish_unexecuted() {
  finish();
  const bool is_invalid = side_effects().is_invalid;
  side_effects() = SideEffects{};
  side_effects().is_invalid = is_invalid;
}

void Cursor::skip_expression() {
  int depth = 0;
  while (!at_end() && !(depth == 0 && at_symbol(','))) {
    if (at_symbol('(')) ++depth;
    if (at_symbol(')') && depth > 0) --depth;
    advance();
  }
}

bool Cursor::next_statement() {
  finish();
  while (token_.kind == TokenKind::kSemicolon) {
    statement_begin_ = begin_ + 1;
    load();
  }
  watch_ = SideEffectWatch{};
  return !at_end_of_text();
}

Cursor Cursor::ahead() const {
  Cursor copy = *this;
  copy.advance();
  return copy;
}

}  // namespace tidepool::sql

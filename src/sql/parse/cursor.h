// Walks the tokens of one statement. Every token passes through the effect watch exactly once, so
// that a statement rule may stop anywhere: finish() carries the watch to the end of the statement.
#pragma once

#include <string_view>

#include "parse/lexer.h"
#include "parse/side_effects.h"

namespace tidepool::sql {

class Cursor {
 public:
  Cursor(std::string_view text, LexMode mode) : lexer_(text, mode), mode_(mode), text_(text) {
    load();
  }

  const Token& token() const { return token_; }
  const LexMode& mode() const { return mode_; }
  SideEffectWatch& watch() { return watch_; }
  SideEffects& side_effects() { return watch_.side_effects(); }

  bool at_end() const {
    return token_.kind == TokenKind::kEnd || token_.kind == TokenKind::kSemicolon;
  }
  // In a row: the next statement of the text, if there is one.
  bool at_end_of_text() const { return token_.kind == TokenKind::kEnd; }

  // An unquoted word that is not part of a qualified name.
  bool at(std::string_view keyword) const {
    return token_.kind == TokenKind::kWord && is_keyword(token_.text, keyword);
  }
  bool at_symbol(char symbol) const { return token_.symbol == symbol; }
  bool at_assignment() const { return token_.symbol == '=' || token_.text == ":="; }

  void advance();          // does nothing at the end of the statement
  void advance_quietly();  // past the watch: the token is a target or a name, no expression
  bool skip(std::string_view keyword);  // if it is there
  bool skip_symbol(char symbol);
  void finish();           // to the end of the statement
  void skip_expression();  // to a comma outside parentheses, or to the end

  // To the end of the statement, whose expressions are only stored or explained, not executed.
  void finish_unexecuted();

  // Over semicolons to the next statement, with a fresh watch. False at the end of the text.
  bool next_statement();

  std::size_t offset() const { return begin_; }  // of the current token in the text
  // From that offset to the current token.
  std::string_view text_since(std::size_t begin) const {
    return text_.substr(begin, begin_ - begin);
  }
  std::size_t statement_offset() const {
    return statement_begin_;
  }                      // behind the semicolon before it
  Cursor ahead() const;  // a copy one token further, to look at it

 private:
  void load();

  Lexer lexer_;
  LexMode mode_;
  std::string_view text_;
  Token token_{};
  std::size_t begin_ = 0;
  std::size_t statement_begin_ = 0;
  SideEffectWatch watch_{};
};

}  // namespace tidepool::sql

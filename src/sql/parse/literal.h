// The right side of an assignment in SET: is it a literal, and which string does TiDB make of it?
// (set.go, getVarValue: whatever the type, a system variable is set to the value's text.)
#pragma once

#include <optional>
#include <string>

#include "parse/cursor.h"

namespace tidepool::sql {

struct Literal {
  bool is_default = false;  // the word DEFAULT
  bool is_null = false;
  std::string value{};     // as the string that a system variable gets
  std::string written{};   // as it may be written again for a user variable; empty: not possible
  bool is_string = false;  // `value` is the string's content
};

// Reads an expression up to a comma or the statement's end. Nothing if it is not a literal that
// means the same everywhere.
std::optional<Literal> read_assigned_literal(Cursor& cursor);

// As above for a user variable, which keeps the type of what it is set to: any number, a string in
// UTF-8 or ASCII, TRUE, FALSE, NULL.
std::optional<Literal> read_user_literal(Cursor& cursor);

// A name as SET NAMES and SET CHARACTER SET take it: a word or a string.
std::optional<std::string> read_word_or_string(Cursor& cursor);

}  // namespace tidepool::sql

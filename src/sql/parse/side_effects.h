// Watches the tokens of one statement go by, whatever its grammar, for what an expression or clause
// can do anywhere in it: call a function with side effects, assign or read a user variable, read a
// value of an information function, lock rows.
#pragma once

#include <string>
#include <vector>

#include "parse/lexer.h"
#include "tidepool/sql/parse/statement.h"

namespace tidepool::sql {

struct SideEffects {
  InfoFunctions info_functions{};
  PinReasons pins{};
  bool acts = false;  // a function with a side effect is called, or a user variable assigned
  bool acts_for_good = false;  // one of these functions leaves something in the server
  bool locks_rows = false;     // FOR UPDATE, FOR SHARE, LOCK IN SHARE MODE
  bool is_for_update = false;
  bool writes_file = false;             // INTO OUTFILE
  bool sets_insert_id = false;          // LAST_INSERT_ID(x)
  bool has_with = false;                // the word WITH: a name may be a common table expression's
  bool reads_table = false;             // FROM and a name, outside parentheses
  bool is_only_planned = false;         // EXPLAIN: the variables get types, and no values
  bool is_invalid = false;              // a token that TiDB refuses
  std::vector<std::string> assigned{};  // user variables assigned with :=, in lower case without @
};

class SideEffectWatch {
 public:
  void pass(const Token& token);
  SideEffects& side_effects() { return side_effects_; }

 private:
  void pass_word(const Token& token);
  void pass_symbol(const Token& token);
  void call(std::string_view function);

  SideEffects side_effects_{};
  Token previous_{};
  bool in_last_insert_id_ = false;  // LAST_INSERT_ID( has passed, its argument not
  bool next_value_ = false;         // NEXT VALUE has passed
  int depth_ = 0;                   // of parentheses
};

}  // namespace tidepool::sql

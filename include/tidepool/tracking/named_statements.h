// SQL-level prepared statements (PREPARE … FROM, EXECUTE, DEALLOCATE PREPARE): the statements that
// a session has by name, the references to them in a client's text, and how a statement is made
// again on another backend. Pure.
//
// Verified (TiDB executor/prepared.go, each tried on release-8.5): a statement means what its text
// means in the database, character set and sql_mode of its PREPARE; a PREPARE that fails leaves
// what the name stood for; names differ by case; a variable that is NULL is the text NULL; nothing
// of them is left after COM_RESET_CONNECTION. PREPARE computes constant expressions, and so takes
// the lock of SELECT GET_LOCK('a', 1). EXECUTE of SHOW WARNINGS adds a warning to those it shows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tidepool/sql/parse/statement.h"
#include "tidepool/sql/state/session_state.h"
#include "tidepool/tracking/backend_model.h"

namespace tidepool::tracking {

struct NamedStatement {
  std::string name;  // case counts
  std::string text;
  sql::Script script;         // views into `text`
  sql::SessionState context;  // named_context() of its PREPARE
  NameOwner owner;            // no other statement has the same
  // What makes it again, if not `text`: see sql/restore/definition_after_execution.h.
  std::string text_after_execution{};

  const std::string& text_anew() const {
    return text_after_execution.empty() ? text : text_after_execution;
  }
};
using NamedStatementPtr = std::shared_ptr<const NamedStatement>;

// Returns about how many bytes it takes while it is kept.
std::size_t bytes_of(const NamedStatement& statement);

class NamedStatements {
 public:
  static constexpr std::size_t kMostBytes = std::size_t{256} << 10U;

  // Returns null if the session has no statement of that name, or TiDB alone knows its text.
  NamedStatementPtr find(std::string_view name) const;
  // Whether there is room for it.
  bool fits(const NamedStatement& statement) const;
  void set(NamedStatementPtr statement);
  void erase(std::string_view name);
  void note_rewritten(std::string_view name);  // it was executed, see rewrites_itself()
  void clear();
  std::size_t bytes() const { return bytes_; }  // of all of them, about

 private:
  std::map<std::string, NamedStatementPtr, std::less<>> statements_;
  std::size_t bytes_ = 0;
};

// One PREPARE, EXECUTE or DEALLOCATE of a client's text.
struct StatementRef {
  std::size_t index = 0;  // of the statement in the text
  sql::ChangeKind kind;
  std::string name;
  NamedStatementPtr statement{};  // that it makes or executes; null: not known, or none
};

// The references of a client's text to such statements.
struct StatementRefs {
  std::vector<StatementRef> refs;  // in the order of execution
  // The statements that the text executes: an EXECUTE stands as the statement of its name, if that
  // is known. Views into the text and into statements of `refs`. Empty if there is no reference.
  sql::Script executed;

  // EXECUTE of a text that is known, and nothing else.
  bool is_lone_execute() const;
};

// What it takes, about; without the statements that are there anyhow.
std::size_t bytes_of(const StatementRefs& plan);

// Returns the references of a text. If all have more than sql::kMostChanges changes, `executed`
// says only that. `state`: of the session before the text. The statements that the text makes get
// the numbers after `last`.
StatementRefs refs_of(const sql::Script& script, const NamedStatements& statements,
                      const sql::SessionState& state, NameOwner& last);

// The variable (lower case, without @) that must be read to know what the text, a PREPARE and
// nothing else, makes; empty: none.
std::string unknown_source(const sql::Script& script, const sql::SessionState& state);

// Completes the references of a PREPARE … FROM @x, whose text was read from the backend.
void set_source(StatementRefs& plan, std::string_view text, const NamedStatements& statements,
                const sql::SessionState& state, NameOwner owner);

// Returns the statement that a PREPARE of `name` makes from that text in that state. Null if it
// could not be made again elsewhere, or does more than the session would know.
NamedStatementPtr make_named_statement(std::string_view name, std::string_view text,
                                       const sql::SessionState& state, NameOwner owner);

// The part of a state that decides what a statement means. Not exact if that is not known.
sql::SessionState named_context(const sql::SessionState& state);

// The text that makes `statement` from that text, in the state of its context.
std::string prepare_text(const NamedStatement& statement, std::string_view text);
std::string deallocate_text(std::string_view name);

}  // namespace tidepool::tracking

#include "tidepool/tracking/named_statements.h"

#include <algorithm>
#include <utility>

#include "tidepool/sql/restore/definition_after_execution.h"
#include "tidepool/sql/state/collation.h"
#include "tidepool/tracking/prepared.h"
#include "tidepool/tracking/script_outcome.h"

namespace tidepool::tracking {
namespace {

using sql::ChangeKind;

// About what a statement costs besides its name and text.
constexpr std::size_t kOverhead = 512;

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char byte) { return static_cast<unsigned char>(byte) < 0x80; });
}

// Null: the statement is about something else.
const sql::StateChange* text_change(const sql::Statement& statement) {
  if (statement.kind != sql::StatementKind::kPrepared || statement.changes.empty()) return nullptr;
  const sql::StateChange& change = statement.changes.front();
  const bool is_about_text = change.kind == ChangeKind::kPrepareNamed ||
                             change.kind == ChangeKind::kExecuteNamed ||
                             change.kind == ChangeKind::kDeallocateNamed;
  return is_about_text ? &change : nullptr;
}

// FROM '…' or FROM @x.
std::optional<std::string> source_text(const sql::StateChange& change,
                                       const sql::SessionState& state) {
  if (!change.value.starts_with('@')) return change.value;
  const auto* variable = state.user_variables().find(std::string_view(change.value).substr(1));
  if (variable == nullptr || variable->is_computed || !variable->is_string()) return std::nullopt;
  return variable->value;
}

void append_quoted(std::string& out, std::string_view text, char quote, bool escapes) {
  out += quote;
  for (const char byte : text) {
    if (byte == quote) out += quote;
    if (byte == '\\' && escapes) out += '\\';
    out += byte;
  }
  out += quote;
}

// What the names stand for while the statements of a text are executed.
class Names {
 public:
  explicit Names(const NamedStatements& before) : before_(before) {}

  NamedStatementPtr find(const std::string& name) const {
    const auto changed = changed_.find(name);
    return changed == changed_.end() ? before_.find(name) : changed->second;
  }
  void set(const std::string& name, NamedStatementPtr statement) {
    changed_[name] = std::move(statement);
  }

 private:
  const NamedStatements& before_;
  std::map<std::string, NamedStatementPtr> changed_;
};

bool has_text_use(const sql::Script& script) {
  for (std::size_t i = 0; i < script.size(); ++i)
    if (text_change(script[i]) != nullptr) return true;
  return false;
}

// What PREPARE of it does beyond making it.
void count_as_planned(const NamedStatement& made, sql::Statement& prepares) {
  prepares.pins.erase(sql::Pin::kPreparedText);
  for (sql::StateChange& change : planned_changes(made.script, {}))
    prepares.changes.push_back(std::move(change));
}

// What is known on the way through the statements of a text.
struct Planner {
  Names names;
  const NamedStatements& statements;
  sql::SessionState then;  // the state before the next of them
  NameOwner& last;         // the number of the next statement that is made
  std::size_t made = 0;    // bytes of all that are made

  // Completes `use`, and makes `statement` what it counts as.
  void follow(StatementRef& ref, const sql::StateChange& change, sql::Statement& statement) {
    if (ref.kind == ChangeKind::kPrepareNamed) return prepare(ref, change, statement);
    ref.statement = names.find(ref.name);
    if (ref.kind == ChangeKind::kDeallocateNamed) {
      names.set(ref.name, nullptr);
    } else if (ref.statement != nullptr) {
      statement = ref.statement->script.front();
    }
  }

  void prepare(StatementRef& ref, const sql::StateChange& change, sql::Statement& statement) {
    if (const auto text = source_text(change, then))
      ref.statement = make_named_statement(ref.name, *text, then, last);
    if (ref.statement != nullptr && !fits(*ref.statement)) ref.statement = nullptr;
    names.set(ref.name, ref.statement);
    if (ref.statement == nullptr) return;
    ++last.number;
    made += bytes_of(*ref.statement);
    count_as_planned(*ref.statement, statement);
  }

  // One text could make a statement again and again, and each lives until its command ends.
  bool fits(const NamedStatement& statement) const {
    return statements.fits(statement) && made + bytes_of(statement) <= NamedStatements::kMostBytes;
  }
};

}  // namespace

std::size_t bytes_of(const NamedStatement& statement) {
  return statement.name.size() + statement.text.size() + statement.text_after_execution.size() +
         statement.script.bytes() + kOverhead;
}

NamedStatementPtr NamedStatements::find(std::string_view name) const {
  const auto found = statements_.find(name);
  return found == statements_.end() ? nullptr : found->second;
}

bool NamedStatements::fits(const NamedStatement& statement) const {
  return bytes_ + bytes_of(statement) <= kMostBytes;
}

void NamedStatements::set(NamedStatementPtr statement) {
  erase(statement->name);
  bytes_ += bytes_of(*statement);
  const std::string& name = statement->name;
  statements_[name] = std::move(statement);
}

void NamedStatements::erase(std::string_view name) {
  const auto found = statements_.find(name);
  if (found == statements_.end()) return;
  bytes_ -= bytes_of(*found->second);
  statements_.erase(found);
}

void NamedStatements::note_rewritten(std::string_view name) {
  const auto found = statements_.find(name);
  if (found == statements_.end() || !found->second->text_after_execution.empty()) return;
  const NamedStatement& before = *found->second;
  auto rewritten = std::make_shared<NamedStatement>();
  rewritten->name = before.name;
  rewritten->text = before.text;
  rewritten->script = sql::classify(rewritten->text, before.context.lex_mode());
  rewritten->context = before.context;
  rewritten->owner = before.owner;
  rewritten->text_after_execution =
      sql::definition_after_execution(before.text, before.context.lex_mode());
  bytes_ += bytes_of(*rewritten) - bytes_of(before);
  found->second = std::move(rewritten);
}

void NamedStatements::clear() {
  statements_.clear();
  bytes_ = 0;
}

bool StatementRefs::is_lone_execute() const {
  return refs.size() == 1 && executed.size() == 1 && refs.front().statement != nullptr &&
         refs.front().kind == ChangeKind::kExecuteNamed;
}

std::size_t bytes_of(const StatementRefs& plan) {
  std::size_t bytes = plan.executed.empty() ? 0 : plan.executed.bytes();
  bytes += plan.refs.capacity() * sizeof(StatementRef);
  for (const StatementRef& ref : plan.refs)
    if (ref.kind == ChangeKind::kPrepareNamed && ref.statement) bytes += bytes_of(*ref.statement);
  return bytes;
}

StatementRefs refs_of(const sql::Script& script, const NamedStatements& statements,
                      const sql::SessionState& state, NameOwner& last) {
  StatementRefs plan;
  if (!has_text_use(script)) return plan;
  Planner planner{Names(statements), statements, state, last};
  std::size_t changes = 0;
  for (std::size_t i = 0; i < script.size(); ++i) {
    sql::Statement statement = script[i];
    if (const sql::StateChange* change = text_change(script[i])) {
      plan.refs.push_back({i, change->kind, change->name});
      planner.follow(plan.refs.back(), *change, statement);
    }
    changes += statement.changes.size();
    if (changes > sql::kMostChanges) {  // by EXECUTE of the same many again and again
      plan = {};
      plan.executed.set_excess(sql::Excess::kChanges);
      return plan;
    }
    planner.then.apply(statement.changes);
    plan.executed.append(std::move(statement));
  }
  return plan;
}

std::string unknown_source(const sql::Script& script, const sql::SessionState& state) {
  const sql::StateChange* change = script.size() == 1 ? text_change(script.front()) : nullptr;
  if (change == nullptr || change->kind != ChangeKind::kPrepareNamed) return {};
  if (!change->value.starts_with('@') || source_text(*change, state)) return {};
  std::string name = change->value.substr(1);
  const auto* variable = state.user_variables().find(name);
  const bool is_null = variable == nullptr && state.user_variables().is_exact();
  const bool is_number = variable != nullptr && !variable->is_computed;
  const bool is_plain = is_ascii(name) && name.find('\\') == std::string::npos;
  return is_null || is_number || !is_plain ? std::string() : name;
}

void set_source(StatementRefs& plan, std::string_view text, const NamedStatements& statements,
                const sql::SessionState& state, NameOwner owner) {
  StatementRef& ref = plan.refs.front();
  NamedStatementPtr made = make_named_statement(ref.name, text, state, owner);
  if (made == nullptr || !statements.fits(*made)) return;
  ref.statement = std::move(made);
  sql::Statement statement = plan.executed.front();
  count_as_planned(*ref.statement, statement);
  plan.executed = {};
  plan.executed.append(std::move(statement));
}

NamedStatementPtr make_named_statement(std::string_view name, std::string_view text,
                                       const sql::SessionState& state, NameOwner owner) {
  auto made = std::make_shared<NamedStatement>();
  made->context = named_context(state);
  if (!made->context.is_exact()) return nullptr;
  const bool is_utf8 = state.lex_mode().encoding == sql::TextEncoding::kUtf8;
  if (!is_utf8 && !(is_ascii(text) && is_ascii(name))) return nullptr;
  made->name = name;
  made->text = text;
  made->script = sql::classify(made->text, state.lex_mode());
  if (made->script.size() != 1 || made->script.front().keeps_diagnostics ||
      made->script.pins().contains(sql::Pin::kLock))
    return nullptr;
  made->owner = owner;
  return made;
}

sql::SessionState named_context(const sql::SessionState& state) {
  sql::SessionState context = preparing_state(state);
  for (const sql::UserVariable& variable : state.user_variables().all()) {
    context.apply({.kind = ChangeKind::kSetUserVariable, .name = variable.name, .value = "NULL"});
  }
  for (const sql::VariableId id : state.computed()) {
    if (id == sql::kNoVariable) continue;
    const std::string name(sql::variable(id).name);
    const bool matters =
        name == "sql_mode" || sql::variable(id).group == sql::VariableClass::kCharset;
    if (!matters) context.apply({.kind = ChangeKind::kSetDefault, .name = name});
  }
  return context;
}

std::string prepare_text(const NamedStatement& statement, std::string_view text) {
  std::string whole = "PREPARE ";
  append_quoted(whole, statement.name, '`', false);
  whole += " FROM ";
  append_quoted(whole, text, '\'', !statement.context.lex_mode().no_backslash_escapes);
  return whole;
}

std::string deallocate_text(std::string_view name) {
  std::string text = "DEALLOCATE PREPARE ";
  append_quoted(text, name, '`', false);
  return text;
}

}  // namespace tidepool::tracking

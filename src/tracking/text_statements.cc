#include "tidepool/tracking/text_statements.h"

#include <algorithm>
#include <utility>

#include "tidepool/sql/collation.h"
#include "tidepool/sql/worn_definition.h"
#include "tidepool/tracking/effects.h"
#include "tidepool/tracking/prepared.h"

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
  const bool is_about_text = change.kind == ChangeKind::kPrepareText ||
                             change.kind == ChangeKind::kExecuteText ||
                             change.kind == ChangeKind::kDeallocateText;
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
  explicit Names(const TextStatements& before) : before_(before) {}

  TextStatementPtr find(const std::string& name) const {
    const auto changed = changed_.find(name);
    return changed == changed_.end() ? before_.find(name) : changed->second;
  }
  void set(const std::string& name, TextStatementPtr statement) {
    changed_[name] = std::move(statement);
  }

 private:
  const TextStatements& before_;
  std::map<std::string, TextStatementPtr> changed_;
};

bool has_text_use(const sql::Script& script) {
  for (std::size_t i = 0; i < script.size(); ++i)
    if (text_change(script[i]) != nullptr) return true;
  return false;
}

// What PREPARE of it does beyond making it.
void count_as_planned(const TextStatement& made, sql::Statement& prepares) {
  prepares.pins.erase(sql::Pin::kPreparedText);
  for (sql::StateChange& change : planned_changes(made.script, {}))
    prepares.changes.push_back(std::move(change));
}

// What is known on the way through the statements of a text.
struct Planner {
  Names names;
  const TextStatements& statements;
  sql::SessionState then;  // the state before the next of them
  TextOwner& last;         // the number of the next statement that is made
  std::size_t made = 0;    // bytes of all that are made

  // Completes `use`, and makes `statement` what it counts as.
  void follow(TextUse& use, const sql::StateChange& change, sql::Statement& statement) {
    if (use.kind == ChangeKind::kPrepareText) return prepare(use, change, statement);
    use.statement = names.find(use.name);
    if (use.kind == ChangeKind::kDeallocateText) {
      names.set(use.name, nullptr);
    } else if (use.statement != nullptr) {
      statement = use.statement->script.front();
    }
  }

  void prepare(TextUse& use, const sql::StateChange& change, sql::Statement& statement) {
    if (const auto text = source_text(change, then))
      use.statement = make_text_statement(use.name, *text, then, last);
    if (use.statement != nullptr && !fits(*use.statement)) use.statement = nullptr;
    names.set(use.name, use.statement);
    if (use.statement == nullptr) return;
    ++last.number;
    made += bytes_of(*use.statement);
    count_as_planned(*use.statement, statement);
  }

  // One text could make a statement again and again, each of which lives until its command ends.
  bool fits(const TextStatement& statement) const {
    return statements.fits(statement) && made + bytes_of(statement) <= TextStatements::kMostBytes;
  }
};

}  // namespace

std::size_t bytes_of(const TextStatement& statement) {
  return statement.name.size() + statement.text.size() + statement.worn_text.size() +
         statement.script.bytes() + kOverhead;
}

TextStatementPtr TextStatements::find(std::string_view name) const {
  const auto found = statements_.find(name);
  return found == statements_.end() ? nullptr : found->second;
}

bool TextStatements::fits(const TextStatement& statement) const {
  return bytes_ + bytes_of(statement) <= kMostBytes;
}

void TextStatements::set(TextStatementPtr statement) {
  erase(statement->name);
  bytes_ += bytes_of(*statement);
  const std::string& name = statement->name;
  statements_[name] = std::move(statement);
}

void TextStatements::erase(std::string_view name) {
  const auto found = statements_.find(name);
  if (found == statements_.end()) return;
  bytes_ -= bytes_of(*found->second);
  statements_.erase(found);
}

void TextStatements::wear(std::string_view name) {
  const auto found = statements_.find(name);
  if (found == statements_.end() || !found->second->worn_text.empty()) return;
  const TextStatement& before = *found->second;
  auto worn = std::make_shared<TextStatement>();
  worn->name = before.name;
  worn->text = before.text;
  worn->script = sql::classify(worn->text, before.context.lex_mode());
  worn->context = before.context;
  worn->owner = before.owner;
  worn->worn_text = sql::worn_definition(before.text, before.context.lex_mode());
  bytes_ += bytes_of(*worn) - bytes_of(before);
  found->second = std::move(worn);
}

void TextStatements::clear() {
  statements_.clear();
  bytes_ = 0;
}

bool TextPlan::is_lone_execute() const {
  return uses.size() == 1 && effects.size() == 1 && uses.front().statement != nullptr &&
         uses.front().kind == ChangeKind::kExecuteText;
}

std::size_t bytes_of(const TextPlan& plan) {
  std::size_t bytes = plan.effects.empty() ? 0 : plan.effects.bytes();
  bytes += plan.uses.capacity() * sizeof(TextUse);
  for (const TextUse& use : plan.uses)
    if (use.kind == ChangeKind::kPrepareText && use.statement) bytes += bytes_of(*use.statement);
  return bytes;
}

TextPlan plan_texts(const sql::Script& script, const TextStatements& statements,
                    const sql::SessionState& state, TextOwner& last) {
  TextPlan plan;
  if (!has_text_use(script)) return plan;
  Planner planner{Names(statements), statements, state, last};
  std::size_t changes = 0;
  for (std::size_t i = 0; i < script.size(); ++i) {
    sql::Statement statement = script[i];
    if (const sql::StateChange* change = text_change(script[i])) {
      plan.uses.push_back({i, change->kind, change->name});
      planner.follow(plan.uses.back(), *change, statement);
    }
    changes += statement.changes.size();
    if (changes > sql::kMostChanges) {  // by EXECUTE of the same many again and again
      plan = {};
      plan.effects.set_excess(sql::Excess::kChanges);
      return plan;
    }
    planner.then.apply(statement.changes);
    plan.effects.append(std::move(statement));
  }
  return plan;
}

std::string unknown_source(const sql::Script& script, const sql::SessionState& state) {
  const sql::StateChange* change = script.size() == 1 ? text_change(script.front()) : nullptr;
  if (change == nullptr || change->kind != ChangeKind::kPrepareText) return {};
  if (!change->value.starts_with('@') || source_text(*change, state)) return {};
  std::string name = change->value.substr(1);
  const auto* variable = state.user_variables().find(name);
  const bool is_null = variable == nullptr && state.user_variables().is_exact();
  const bool is_number = variable != nullptr && !variable->is_computed;
  const bool is_plain = is_ascii(name) && name.find('\\') == std::string::npos;
  return is_null || is_number || !is_plain ? std::string() : name;
}

void set_source(TextPlan& plan, std::string_view text, const TextStatements& statements,
                const sql::SessionState& state, TextOwner owner) {
  TextUse& use = plan.uses.front();
  TextStatementPtr made = make_text_statement(use.name, text, state, owner);
  if (made == nullptr || !statements.fits(*made)) return;
  use.statement = std::move(made);
  sql::Statement statement = plan.effects.front();
  count_as_planned(*use.statement, statement);
  plan.effects = {};
  plan.effects.append(std::move(statement));
}

TextStatementPtr make_text_statement(std::string_view name, std::string_view text,
                                     const sql::SessionState& state, TextOwner owner) {
  auto made = std::make_shared<TextStatement>();
  made->context = text_context(state);
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

sql::SessionState text_context(const sql::SessionState& state) {
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

std::string prepare_text(const TextStatement& statement, std::string_view text) {
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

// PREPARE, EXECUTE and DEALLOCATE PREPARE as text: an EXECUTE counts as the text that it executes,
// what a session has by name is made again where it is missing, and what another session left
// behind under that name is gone before.
#include <set>
#include <utility>

#include "own_errors.h"
#include "tidepool/base/stream_hash.h"
#include "tidepool/protocol/text_result.h"
#include "tidepool/session/effects.h"
#include "tidepool/session/session.h"
#include "tidepool/sql/collation.h"
#include "tidepool/sql/lost_database.h"
#include "tidepool/sql/restore.h"

namespace tidepool::session {
namespace {

// With more names than this on one backend, those that others left behind go.
constexpr std::size_t kMostTexts = 64;

bool is_about_unknown(const sql::Script& script) {
  for (std::size_t i = 0; i < script.size(); ++i)
    if (script[i].kind == sql::StatementKind::kUnknown) return true;
  return false;
}

// Of the statement with that mark before its text: no other one of the session has the same.
pool::TextOwner owner_of(const TextStatement& statement, const std::string& mark) {
  if (mark.empty()) return statement.owner;
  constexpr std::uint64_t kMarked = std::uint64_t{1} << 63U;
  const std::string marked = mark + std::to_string(statement.owner.number);
  return {statement.owner.session, kMarked | keyed_number(marked)};
}

Step query_step(StepKind kind, const std::string& text, bool may_fail = false) {
  return {.kind = kind,
          .command = protocol::Command::kQuery,
          .bytes = framed(protocol::Command::kQuery, text),
          .may_fail = may_fail};
}

}  // namespace

void Session::plan_texts(ClientCommand& command) {
  pool::TextOwner last{id_, model_.last_text + 1};
  command.texts = session::plan_texts(command.script, model_.texts, model_.desired, last);
  model_.last_text = last.number;
  const bool executes = command.type == protocol::Command::kQuery;
  if (!executes) command.texts.effects = command.script;
}

// Brings the names that the command uses to what they are for this session. True: what was added
// must succeed before the command is sent.
bool Session::add_text_steps() {
  const TextPlan& plan = command_->texts;
  const bool substitutes = plan.is_lone_execute() && command_->type == protocol::Command::kQuery;
  const std::string sent_text = substitutes ? substituted_text() : std::string();
  bool must_succeed = false;
  std::set<std::string_view> seen;
  for (const TextUse& use : plan.uses) {
    if (seen.insert(use.name).second) must_succeed = add_text_step(use, sent_text) || must_succeed;
  }
  const bool is_full = !plan.uses.empty() && lease_.memory().texts.size() > kMostTexts;
  if (is_full || is_about_unknown(command_->effects())) deallocate_others();
  add_source_capture();
  if (!plan.is_lone_execute()) substitute_text();
  return must_succeed;
}

bool Session::add_text_step(const TextUse& use, const std::string& sent_text) {
  pool::Memory& memory = lease_.memory();
  const TextStatementPtr wanted = model_.texts.find(use.name);
  const bool prepares = use.kind == sql::ChangeKind::kPrepareText;
  const std::string mark = wanted == nullptr ? std::string() : text_mark(*wanted);
  const pool::TextOwner owner = wanted == nullptr ? pool::TextOwner() : owner_of(*wanted, mark);
  if (const auto there = memory.texts.find(use.name); there != memory.texts.end()) {
    if (there->second == pool::TextOwner{id_, 0}) return false;  // TiDB alone knows its text
    const bool is_right = wanted != nullptr && there->second == owner && sent_text.empty();
    if (is_right && !prepares) return false;
    deallocate(use.name);
  }
  // Should the client's PREPARE fail, TiDB has what was there before; here it is made when it is
  // needed.
  if (wanted == nullptr || prepares) return false;
  if (use.kind == sql::ChangeKind::kDeallocateText) {
    // Any text will do; the tables of its own may be gone.
    memory.texts[use.name] = model_.next_text();
    memory.prepared.forget_next_id();
    keep_warnings();
    command_->attempt.exchange.add(query_step(StepKind::kRestore, prepare_text(*wanted, "DO 0")));
    ++command_->attempt.prepares;
    return false;
  }
  const bool detours =
      add_text_prepare(*wanted, mark + (sent_text.empty() ? wanted->text_anew() : sent_text));
  if (!mark.empty()) memory.texts[use.name] = owner;
  if (!sent_text.empty()) memory.texts[use.name] = model_.next_text();
  return detours;
}

// True if it takes a detour through the state of its PREPARE.
bool Session::add_text_prepare(const TextStatement& statement, const std::string& text) {
  pool::Memory& memory = lease_.memory();
  const sql::SessionState here = text_context(model_.desired);
  sql::SessionState there = statement.context;
  there.apply(sql::multi_statements(here.multi_statements()));
  // A text that was prepared without a database names none, and means the same in any.
  if (here.database().empty() || there.database().empty())
    there.apply({.kind = sql::ChangeKind::kUseDatabase, .name = here.database()});
  const bool detours = here.is_exact() && here != there;
  keep_warnings();
  if (detours) add_way(here, there);
  // Among several statements, those before it are to be executed all the same.
  const bool is_alone = command_->script.size() == 1;
  command_->attempt.exchange.add(query_step(is_alone ? StepKind::kPrepare : StepKind::kRestore,
                                            prepare_text(statement, text), !is_alone));
  ++command_->attempt.prepares;
  if (detours) add_way(there, here);
  memory.texts[statement.name] = statement.owner;
  // Whether it could be made, only the answer of one that is alone tells.
  if (!is_alone) memory.texts[statement.name] = model_.next_text();
  memory.prepared.forget_next_id();
  // PREPARE computes LAST_INSERT_ID(n) already.
  if (statement.script.front().may_set_last_insert_id) memory.insert_id.reset();
  return detours;
}

// To the state of a prepare, or back. Never resets: a transaction may be open.
void Session::add_way(const sql::SessionState& from, const sql::SessionState& to) {
  sql::SessionState target = to;
  std::optional<std::string> entering;
  if (command_->lost_database && from.database() != to.database()) {
    sql::SessionState entered = to;
    entered.apply({.kind = sql::ChangeKind::kSetVariable,
                   .name = "autocommit",
                   .value = model_.desired.autocommit() ? "ON" : "OFF"});
    entering = sql::enter_lost_database(to.database(), entered, command_->attempt.prepares);
    if (entering) target.apply({.kind = sql::ChangeKind::kUseDatabase, .name = from.database()});
  }
  for (const sql::RestoreStep& step : sql::plan_restore(from, target).steps)
    command_->attempt.exchange.add(query_step(StepKind::kRestore, step.text));
  if (entering) command_->attempt.exchange.add(query_step(StepKind::kRestore, *entering));
}

// PREPARE … FROM @x, whose value the backend alone knows.
void Session::add_source_capture() {
  if (command_->texts.uses.empty()) return;  // a COM_STMT_PREPARE of it, which TiDB refuses
  const std::string name = unknown_source(command_->script, model_.desired);
  // It would take what SET TRANSACTION has set.
  if (name.empty() || model_.pins.contains(sql::Pin::kOneShotTransaction)) return;
  command_->attempt.captures.push_back(CaptureKind::kTextSource);
  std::string quoted;
  for (const char byte : name)
    quoted.append(byte == '`' ? 2 : 1, byte);
  Step step = query_step(StepKind::kCapture, "SELECT @`" + quoted + "`");
  step.hold_answer = true;
  command_->attempt.exchange.add(std::move(step));
  model_.facts.disturb_found_rows();
}

// Ahead of a statement of the proxy's own: should the client's not be executed at all, those of the
// statement before it are still there.
void Session::keep_warnings() {
  if (!model_.facts.warnings_on_backend() || !command_->attempt.exchange.is_over()) return;
  add_warning_captures();
  model_.facts.disturb_found_rows();
}

void Session::deallocate(std::string_view name) {
  keep_warnings();
  command_->attempt.exchange.add(query_step(StepKind::kRestore, deallocate_text(name), true));
  auto& texts = lease_.memory().texts;
  texts.erase(texts.find(name));
}

// Whatever this session did not prepare.
void Session::deallocate_others() {
  std::vector<std::string> names;
  for (const auto& [name, owner] : lease_.memory().texts) {
    const TextStatementPtr own = model_.texts.find(name);
    const bool is_own = (own != nullptr && own->owner == owner) || owner == pool::TextOwner{id_, 0};
    if (!is_own) names.push_back(name);
  }
  for (const std::string& name : names)
    deallocate(name);
}

// What is executed in the place of a text that asks about the statement before; empty: the text.
std::string Session::substituted_text() {
  const TextStatement& statement = *command_->texts.uses.front().statement;
  if (statement.script.facts().empty()) return {};
  const auto& texts = lease_.memory().texts;
  const auto there = texts.find(statement.name);
  const bool is_there = there != texts.end() && there->second == statement.owner;
  const bool known_here = is_there && knows_facts_here() && !restores_insert_id();
  if (!known_here && model_.facts.warnings_on_backend())
    model_.facts.disturb_found_rows();  // see keep_warnings()
  std::string text = sql::substitute(statement.script, statement.text, statement.context.lex_mode(),
                                     fact_values(known_here));
  return text == statement.text ? std::string() : text;
}

void Session::note_source(const std::string& answer) {
  const auto result = protocol::parse_text_result(answer);
  const bool is_single = result && result->rows.size() == 1 && result->rows[0].size() == 1;
  if (!is_single || !result->rows[0][0]) return;
  const std::string& text = *result->rows[0][0];
  const std::uint16_t charset = model_.desired.charset().results;
  const bool shows_all = charset == 0 || sql::charset_of_any_collation(charset) == "utf8mb4";
  for (const char byte : text) {
    if (static_cast<unsigned char>(byte) >= 0x80 && !shows_all) return;
  }
  set_source(command_->texts, text, model_.texts, model_.desired, model_.next_text());
}

// After the answer: what the names are now, for the session and on the backend.
void Session::note_texts() {
  const ClientCommand& command = *command_;
  if (is_about_unknown(command.effects())) lease_.memory().prepared.forget_next_id();
  const std::size_t done = executed_of(command.script, command.attempt.summary);
  for (const TextUse& use : command.texts.uses) {
    if (use.index <= done) note_wear(use, use.index < done);
    if (use.index < done) note_text(use);
  }
  if (!command.texts.uses.empty()) count_text_bytes();
}

void Session::note_wear(const TextUse& use, bool is_done) {
  if (use.kind != sql::ChangeKind::kExecuteText || use.statement == nullptr) return;
  const protocol::ResponseSummary answer =
      is_done ? protocol::ResponseSummary() : command_->attempt.summary;
  if (wears(use.statement->script, answer)) model_.texts.wear(use.name);
}

void Session::note_text(const TextUse& use) {
  pool::Memory& memory = lease_.memory();
  if (use.kind == sql::ChangeKind::kExecuteText) return;
  model_.texts.erase(use.name);
  memory.texts.erase(use.name);
  if (use.kind == sql::ChangeKind::kDeallocateText) return;
  memory.prepared.forget_next_id();
  if (use.statement == nullptr) {
    memory.texts[use.name] = {id_, 0};
    return;
  }
  memory.texts[use.name] = use.statement->owner;
  model_.texts.set(use.statement);
}

// One that was to be made again could not be; an earlier one of its name may be there or not. The
// client gets the error from the proxy, and so the warning that TiDB makes of it.
void Session::forget_failed_texts(const Error& error) {
  if (command_->texts.uses.empty()) return;
  for (const TextUse& use : command_->texts.uses)
    lease_.memory().texts[use.name] = {};
  model_.facts.note_own_error(warnings_of(error, model_.status_flags()));
  model_.facts.note_lost_text(command_->effects().front());
}

}  // namespace tidepool::session

// What later statements may ask about the last one, between the session and its backend: noted from
// answers, answered here, put back on another backend.
#include "tidepool/protocol/statement_messages.h"
#include "tidepool/protocol/text_result.h"
#include "tidepool/session/refusal.h"
#include "tidepool/session/row_locks.h"
#include "tidepool/session/session.h"
#include "tidepool/session/shown_warnings.h"

namespace tidepool::session {

namespace {

protocol::RowFormat row_format(const ClientCommand& command) {
  const bool is_binary = command.type == protocol::Command::kStmtExecute;
  return is_binary ? protocol::RowFormat::kBinary : protocol::RowFormat::kText;
}

// A lone SHOW WARNINGS is answered here; one among other statements, or one that is prepared, TiDB
// answers. Rows that a cursor fetches come one by one, later.
bool replaces_warnings(const ClientCommand& command) {
  if (command.statement == nullptr) return command.effects().size() > 1;
  if (command.type != protocol::Command::kStmtExecute) return false;
  const auto execute = protocol::parse_stmt_execute(command.payload, command.statement->params);
  return execute && execute->cursor_flags == protocol::kCursorNone;
}

}  // namespace

bool Session::send_fact(const std::optional<protocol::TextResult>& fact) {
  if (!fact) return false;
  send(
      protocol::make_text_result(fact->columns, fact->rows, model_.status_flags(), fact->warnings));
  return true;
}

void Session::note_prepare(const PreparedStatement& statement, std::uint16_t warnings) {
  const bool knew_facts = command_ != nullptr && command_->attempt.knows_facts;
  model_.facts.note_prepare(statement.shared_text, statement.script, warnings, knew_facts);
}

// As in a session that has just begun.
void Session::forget_statements() {
  model_.begin_anew();
  count_text_bytes();
  replay_.reset();
}

// Where no expression can stand for @@warning_count, the backend is brought to have as many: in a
// connection of collation `binary` none of its type has its flags; and what the parser warns of the
// text is added to those that its first statement sees.
bool Session::counts_on_backend() const {
  constexpr std::uint16_t kBinary = 63;
  const bool must =
      may_warn_when_parsed(command_->script) || model_.desired.lex_mode().collation == kBinary;
  return must && texts_that_warn(model_.facts.warnings());
}

// What the statement, or a later one of its transaction, asks about the one before it, on a backend
// that did not run that one.
void Session::add_fact_restores() {
  prepare_for_parser_warnings();
  if (restores_insert_id()) {
    keep_warnings();
    model_.facts.disturb_found_rows();
    lease_.memory().insert_id = insert_id_target();
    add_restore_query("SELECT LAST_INSERT_ID(" + std::to_string(insert_id_target()) + ")");
  }
  const sql::Script& script = command_->effects();
  const bool asks = !script.empty() && (script.front().facts.contains(sql::Fact::kWarnings) ||
                                        script.front().facts.contains(sql::Fact::kErrors));
  if (!asks || model_.facts.warnings_on_backend() || knows_facts_here()) return;
  const bool shows = script.front().keeps_diagnostics;
  if (!shows && !counts_on_backend()) return;
  const std::string_view text = model_.facts.last_prepare();
  if (!text.empty()) {
    command_->attempt.exchange.add({.kind = StepKind::kRestore,
                                    .command = protocol::Command::kStmtPrepare,
                                    .bytes = framed(protocol::Command::kStmtPrepare, text),
                                    .may_fail = true});
    return;
  }
  model_.facts.disturb_found_rows();
  const auto texts = texts_that_warn(model_.facts.warnings());
  if (shows && texts && replaces_warnings(*command_)) {
    command_->attempt.shown.emplace(script, model_.facts.warnings(), model_.facts.most_shown(),
                                    row_format(*command_));
  }
  const bool has_counts =
      !shows || (command_->attempt.shown && !command_->attempt.shown->is_over());
  if (!has_counts) return add_restore_query("DO 0");
  for (const std::string& one : *texts)
    add_restore_query(one);
}

void Session::add_restore_query(const std::string& text) {
  command_->attempt.exchange.add({.kind = StepKind::kRestore,
                                  .command = protocol::Command::kQuery,
                                  .bytes = framed(protocol::Command::kQuery, text),
                                  .may_fail = true});
}

// What later statements may ask about this one.
void Session::note_facts() {
  const Answered done{command_->type, command_->effects(), command_->attempt.summary};
  const sql::TextEncoding encoding = model_.desired.lex_mode().encoding;
  const Refusal refusal = refusal_of(done.command, done.script, done.answer, encoding);
  if (refusal != Refusal::kNone)
    return model_.facts.note_refusal(refusal, command_->attempt.knows_facts);
  const bool is_in_transaction = model_.in_transaction || !model_.desired.autocommit();
  const bool is_pessimistic =
      model_.in_transaction ? model_.is_pessimistic : begins_pessimistic(nullptr, model_.desired);
  if (model_.facts.note_answer(done, is_in_transaction && is_pessimistic)) {
    lease_.memory().insert_id.reset();
  }
}

// After an error: what a ping's OK repeats.
void Session::note_failure_facts() {
  const Answered done{command_->type, command_->effects(), command_->attempt.summary};
  const protocol::ResponseSummary& ping = command_->attempt.exchange.summary();
  const sql::TextEncoding encoding = model_.desired.lex_mode().encoding;
  const Refusal refusal = refusal_of(done.command, done.script, done.answer, encoding);
  if (refusal == Refusal::kNone) return model_.facts.note_failure(done, ping, command_->argument());
  if (!command_->attempt.may_have_parser_warnings) return;
  model_.facts.note_parser_warnings(ping.warnings, command_->attempt.knows_facts);
}

}  // namespace tidepool::session

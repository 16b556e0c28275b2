// What later statements may ask about the last one, between the session and its backend: noted from
// answers, answered here, put back on another backend.
#include "tidepool/protocol/statement_messages.h"
#include "tidepool/protocol/text_result.h"
#include "tidepool/session/refusal.h"
#include "tidepool/session/session.h"
#include "tidepool/session/shown_warnings.h"
#include "tidepool/sql/transaction_mode.h"

namespace tidepool::session {

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

// What later statements may ask about this one.
void Session::note_facts() {
  const Answered done{command_->type, command_->effects(), command_->attempt.summary};
  const sql::TextEncoding encoding = model_.desired.lex_mode().encoding;
  const Refusal refusal = refusal_of(done.command, done.script, done.answer, encoding);
  if (refusal != Refusal::kNone)
    return model_.facts.note_refusal(refusal, command_->attempt.knows_facts);
  const bool is_in_transaction = model_.in_transaction || !model_.desired.autocommit();
  const bool is_pessimistic =
      model_.in_transaction ? model_.is_pessimistic : sql::begins_pessimistic(nullptr, model_.desired);
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

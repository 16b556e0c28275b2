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
void Session::plan_texts(ClientCommand& command) {
  pool::TextOwner last{id_, model_.last_text + 1};
  command.texts = session::plan_texts(command.script, model_.texts, model_.desired, last);
  model_.last_text = last.number;
  const bool executes = command.type == protocol::Command::kQuery;
  if (!executes) command.texts.effects = command.script;
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

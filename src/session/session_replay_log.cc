// What of a transaction is kept, so that it can be replayed.
#include <utility>

#include "tidepool/protocol/statement_messages.h"
#include "tidepool/session/session.h"

namespace tidepool::session {
namespace {

// The types that an execute leaves out are those of the one before.
std::string with_types(const ClientCommand& command) {
  const tracking::PreparedStatement& statement = *command.statement;
  if (statement.params == 0 || statement.param_types.empty()) return command.payload;
  auto execute = protocol::parse_stmt_execute(command.payload, statement.params);
  if (!execute || execute->has_types) return command.payload;
  execute->has_types = true;
  execute->types = statement.param_types;
  return protocol::encode_stmt_execute(*execute);
}

std::string sent_payload(const ClientCommand& command) {
  if (command.statement != nullptr) return with_types(command);
  if (command.attempt.substituted.empty()) return command.payload;
  return static_cast<char>(command.type) + command.attempt.substituted;
}

}  // namespace

// Before a command meets its backend.
void Session::prepare_recording() {
  if (command_->is_login_check() || account_->replay_bytes == 0) return;
  command_->attempt.answer = std::make_unique<StreamHash>();
  command_->was_in_transaction = model_.in_transaction;
  command_->was_replayable = model_.is_replayable();
  command_->may_open_log = command_->was_replayable && !model_.facts.insert_id_on_backend();
}

void Session::note_answer(const tracking::Exchange::Progress& progress, std::string_view bytes) {
  if (progress.step != tracking::StepKind::kRelay || command_->attempt.answer == nullptr) return;
  command_->attempt.answer->add(bytes.substr(0, progress.consumed));
}

// A command is over.
void Session::record() {
  ClientCommand& command = *command_;
  // A reload has turned it off: what is in the log is not the whole transaction any more.
  if (command.attempt.answer == nullptr) return replay_.reset();
  if (!model_.in_transaction) {
    if (replay_ != nullptr) replay_->log.end();
    return;
  }
  if (replay_ == nullptr) replay_ = std::make_unique<Replay>(account_->replay_bytes);
  tracking::ReplayLog& log = replay_->log;
  const tracking::ReplayUse use = replay_use(command);
  const bool begins = use == tracking::ReplayUse::kBegin && !command.attempt.summary.has_error();
  if (!command.was_in_transaction || begins) {
    log.begin();
    if (!command.may_open_log) log.give_up();
  }
  replay_->attempts = replay_->conflicts = 0;
  if (use == tracking::ReplayUse::kSkip && command.was_in_transaction) return;
  const tracking::AnswerDigest answer{command.attempt.answer->bytes(),
                                      command.attempt.answer->value()};
  const bool stays = command.was_replayable && model_.is_replayable();
  const bool can = use == tracking::ReplayUse::kRecord || begins;
  if (!stays || !can || answer.bytes == 0) return log.give_up();
  log.add({.command = command.type,
           .payload = sent_payload(command),
           .prepared =
               command.statement == nullptr ? nullptr : model_.prepared.share(*command.statement),
           .answer = answer});
}

}  // namespace tidepool::session

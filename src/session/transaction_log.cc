// What of a transaction is kept, so that it can be replayed.
#include <utility>

#include "tidepool/protocol/statement_messages.h"
#include "tidepool/session/transaction_replay.h"

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

void TransactionReplay::prepare_recording(ClientCommand& command) const {
  if (context_.account->replay_bytes == 0) return;
  const tracking::SessionModel& model = context_.model;
  command.attempt.answer = std::make_unique<StreamHash>();
  command.was_in_transaction = model.in_transaction;
  command.was_replayable = model.is_replayable();
  command.may_open_log = command.was_replayable && !model.diagnostics.insert_id_on_backend();
}

void TransactionReplay::record(const ClientCommand& command) {
  // A reload has turned it off: what is in the log is not the whole transaction any more.
  if (command.attempt.answer == nullptr) return run_.reset();
  const tracking::SessionModel& model = context_.model;
  if (!model.in_transaction) {
    if (run_ != nullptr) run_->log.end();
    return;
  }
  if (run_ == nullptr) run_ = std::make_unique<Run>(context_.account->replay_bytes);
  tracking::ReplayLog& log = run_->log;
  const tracking::ReplayUse use = tracking::replay_use(command);
  const bool begins = use == tracking::ReplayUse::kBegin && !command.attempt.summary.has_error();
  if (!command.was_in_transaction || begins) {
    log.begin();
    if (!command.may_open_log) log.give_up();
  }
  run_->attempts = run_->conflicts = 0;
  if (use == tracking::ReplayUse::kSkip && command.was_in_transaction) return;
  const tracking::AnswerDigest answer{command.attempt.answer->bytes(),
                                      command.attempt.answer->value()};
  const bool stays = command.was_replayable && model.is_replayable();
  const bool can = use == tracking::ReplayUse::kRecord || begins;
  if (!stays || !can || answer.bytes == 0) return log.give_up();
  log.add({.command = command.type,
           .payload = sent_payload(command),
           .prepared =
               command.statement == nullptr ? nullptr : model.prepared.share(*command.statement),
           .answer = answer});
}

}  // namespace tidepool::session

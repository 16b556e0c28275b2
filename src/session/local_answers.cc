#include "tidepool/session/local_answers.h"

#include "tidepool/protocol/reply_messages.h"
#include "tidepool/sql/parse/own_answer.h"

namespace tidepool::session {

bool LocalAnswers::answer(ClientCommand& command) {
  const bool has_lease = context_.has_lease();
  switch (command.type) {
    case protocol::Command::kPing:
      if (has_lease && context_.status.state() != State::kParked) return false;
      context_.send_last_ok();
      return true;
    case protocol::Command::kSetOption: return !has_lease && answer_set_option(command);
    case protocol::Command::kStmtPrepare: return statements_.answer_prepare(command);
    case protocol::Command::kQuery:
      if (command.script.empty()) {
        context_.send_last_ok();
        return true;
      }
      return has_lease ? answer_captured(command) : answer_query(command);
    case protocol::Command::kStmtReset: {
      const bool holds = command.statement->has_cursor || command.statement->has_long_data;
      if (holds || has_lease) return false;
      context_.send_last_ok();
      return true;
    }
    default: return false;
  }
}

bool LocalAnswers::answer_query(const ClientCommand& command) {
  tracking::SessionModel& model = context_.model;
  switch (sql::own_answer(command.script, command.argument())) {
    case sql::OwnAnswer::kEnd: break;  // no transaction is open: there is nothing to end
    case sql::OwnAnswer::kSetting: model.desired.apply(command.script.front().changes); break;
    case sql::OwnAnswer::kInfoFunction:
      // SELECTs have no row then, and what the session knows stands for it at TiDB.
      if (model.desired.select_limit() == 0) return false;
      return context_.send_result(model.diagnostics.answer(command.script.front()));
    case sql::OwnAnswer::kShown:
      return context_.send_result(model.diagnostics.answer(command.script.front()));
    case sql::OwnAnswer::kKill:
    case sql::OwnAnswer::kNone: return false;
  }
  model.diagnostics.note_local_answer();
  context_.send_ok();
  return true;
}

bool LocalAnswers::answer_captured(const ClientCommand& command) {
  tracking::SessionModel& model = context_.model;
  if (model.diagnostics.warnings_on_backend()) return false;
  const bool asks = sql::own_answer(command.script, command.argument()) == sql::OwnAnswer::kShown;
  return asks &&
         context_.send_result(model.diagnostics.answer_about_warnings(command.script.front()));
}

bool LocalAnswers::answer_set_option(const ClientCommand& command) {
  tracking::SessionModel& model = context_.model;
  const std::string_view option = command.argument();
  const bool known = option.size() == 2 && (option[0] == 0 || option[0] == 1) && option[1] == 0;
  if (!known) return false;
  model.desired.apply(sql::multi_statements(option[0] == 0));
  context_.client.send(protocol::eof_packet(
      {.warnings = model.diagnostics.last_ok().warnings, .status = model.status_flags()},
      context_.client.answer_sequence()));
  return true;
}

}  // namespace tidepool::session

// LocalAnswers: the commands that need no backend, because the session's model has the answer.
//
// Owned by the session; on its loop's thread.
#pragma once

#include "tidepool/session/client_command.h"
#include "tidepool/session/kill_commands.h"
#include "tidepool/session/session_context.h"
#include "tidepool/session/session_statements.h"

namespace tidepool::session {

class LocalAnswers {
 public:
  LocalAnswers(SessionContext& context, SessionStatements& statements)
      : context_(context), statements_(statements) {}

  // Returns false if the command needs a backend, or the one that the session has.
  [[nodiscard]] bool answer(ClientCommand& command);
  // A backend that was asked about its warnings, and is kept for something else, has none any more.
  [[nodiscard]] bool answer_captured(const ClientCommand& command);

 private:
  bool answer_query(const ClientCommand& command);
  bool answer_set_option(const ClientCommand& command);

  SessionContext& context_;
  SessionStatements& statements_;
};

}  // namespace tidepool::session

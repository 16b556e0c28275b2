// What a session keeps to replay its transaction: the log while it goes on, and the run when its
// backend is lost. Owned by the session; session_replay_log.cc writes the log, session_replay.cc
// runs it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "tidepool/base/error.h"
#include "tidepool/session/client_command.h"
#include "tidepool/tracking/replay_log.h"
#include "tidepool/tracking/statement_facts.h"

namespace tidepool::session {

// That of the text as it was sent: an EXECUTE is none of what it executes.
inline tracking::ReplayUse replay_use(const ClientCommand& command) {
  return tracking::replay_use(
      command.type, command.statement != nullptr ? command.statement->script : command.script);
}

struct Replay {
  enum class Phase : std::uint8_t {
    kRecording,
    kDue,      // the transaction is gone; a backend is awaited, or the client's next command
    kRunning,  // the session's command is one of the log's
  };

  explicit Replay(std::size_t max_bytes) : log(max_bytes) {}

  tracking::ReplayLog log;
  Phase phase = Phase::kRecording;
  std::optional<tracking::ReplayPlayer> player;  // while it runs
  std::unique_ptr<ClientCommand> interrupted;    // likewise: the client's, which comes after it
  Error cause;                                   // why the backend is gone
  unsigned attempts = 0;                         // for this command of the client
  unsigned conflicts = 0;                        // of these, after an error of TiDB
  tracking::StatementFacts before{};             // of the statements in the log
  bool knew_insert_id = true;  // of the backend that is gone, see tracking::BackendModel
  // TiDB's error that ended the transaction, as the client gets it unless the replay mends that;
  // empty: the connection was lost. And what is known of the statement that it answers.
  std::string error_answer{};
  tracking::StatementFacts after{};
  bool ends_session = false;  // with that error: its client cannot know that no transaction is open
};

}  // namespace tidepool::session

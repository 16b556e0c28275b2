// CommandContext: a command on a backend, as planning and settling see it: the client's session,
// what is known of the backend, and the command, whose attempt gets the steps. Planning writes down
// in the models what the steps will have done by the time that the next command is planned. Pure.
//
// Made for one call on one lease; refers to what it is made of.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tidepool/tracking/backend_model.h"
#include "tidepool/tracking/command.h"
#include "tidepool/tracking/session_model.h"

namespace tidepool::tracking {

struct CommandContext {
  SessionModel& model;
  BackendModel& backend;
  Command& command;
  std::uint64_t tidb_connection = 0;      // TiDB's number of the backend; 0: not known
  std::uint32_t client_capabilities = 0;  // see protocol/capabilities.h
  // How many statements bring the backend to the session's state; see add_restore().
  std::size_t restore_statements = 0;

  Diagnostics& diagnostics() const { return model.diagnostics; }
  Exchange& exchange() const { return command.attempt.exchange; }
  // A step of the proxy's own ahead of the client's command.
  void add(StepKind kind, std::string_view text, bool may_fail = false) const {
    exchange().add({.kind = kind,
                    .command = protocol::Command::kQuery,
                    .bytes = framed(protocol::Command::kQuery, text),
                    .may_fail = may_fail});
  }
};

}  // namespace tidepool::tracking

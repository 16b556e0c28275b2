// Which commands bring a backend from the state it has to the state that a session needs.
//
// Verified on release-8.5 (handleResetConnection() in pkg/server/conn.go): SET x = DEFAULT is the
// GLOBAL value, which is what a fresh session has, except for the variables with Undo::kReset; the
// character set family is written out; a database is chosen by the text USE, because
// COM_RESET_CONNECTION would go back to one chosen by COM_INIT_DB; "no database" exists only after
// a reset.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tidepool/sql/state/session_state.h"

namespace tidepool::sql {

struct RestoreStep {
  enum class Kind : std::uint8_t {
    kResetConnection,  // COM_RESET_CONNECTION; wipes the backend's prepared statements
    kSetOption,        // COM_SET_OPTION; `multi_statements`
    kQuery,            // COM_QUERY; `text`
  };
  Kind kind;
  std::string text{};
  bool multi_statements = false;
  bool may_fail = false;  // without it the state is as near as it can be

  friend bool operator==(const RestoreStep&, const RestoreStep&) = default;
};

struct RestorePlan {
  // False if no commands can do it: lend another backend. Happens when no database is wanted and a
  // reset would go back to one, and when `desired` is not exact.
  bool is_possible = true;
  std::vector<RestoreStep> steps{};  // in this order; all may be pipelined

  bool empty() const { return is_possible && steps.empty(); }
  bool needs_reset() const {
    return !steps.empty() && steps.front().kind == RestoreStep::Kind::kResetConnection;
  }
};

// Returns the shortest list. An inexact `actual` needs a reset first. For the state after the steps
// see state_after_restore().
RestorePlan plan_restore(const SessionState& actual, const SessionState& desired);

// Returns the state once all steps of the plan are answered with OK: `desired`, with the handshake
// and reset database of `actual`.
SessionState state_after_restore(const SessionState& actual, const SessionState& desired);

}  // namespace tidepool::sql

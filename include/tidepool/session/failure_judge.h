// What becomes of a command whose backend failed: the question that retry.h answers, asked of a
// session and its command.
#pragma once

#include "tidepool/session/retry.h"
#include "tidepool/session/session_context.h"

namespace tidepool::session {

struct FailedCommand {
  const tracking::Command& command;
  const Account& account;  // whose configuration counts
  bool is_pinned = false;  // to the backend that failed
  bool is_to_end = false;  // it is being killed, or its client has left
};

Decision judge_failure(const SessionContext& context, FailureKind kind,
                       const FailedCommand& failed);
// The same for what may be run again as long as the budget lasts.
Decision judge_harmless(const SessionContext& context, FailureKind kind, unsigned attempt,
                        TimePoint received);

RetryReason reason_of(FailureKind kind);

}  // namespace tidepool::session

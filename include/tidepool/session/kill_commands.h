// KillCommands: what a client's KILL does, which may name a session of this process or TiDB's
// number of a backend. Whom an id means, kill_reach.h knows. Verified in: executor/simple.go
// executeKillStmt, planbuilder.go KillStmt, and seen on release-8.5.
#pragma once

#include <cstdint>

#include "tidepool/session/session_context.h"
#include "tidepool/tracking/command.h"

namespace tidepool::session {

class KillCommands {
 public:
  enum class [[nodiscard]] Answer : std::uint8_t{
      kNone,  // not a local session id: TiDB is to answer
      kSent,
      kEndsSession  // the client kills its own connection
  };

  explicit KillCommands(SessionContext& context) : context_(context) {}

  // Of several statements, one that the client may not do has none of them executed.
  Answer answer(const tracking::Command& command);
  // TiDB does not know the ids of sessions here, and is not to be told its own of backends here:
  // those among several statements are carried out here.
  void plan(tracking::Command& command) const;
  // Those that TiDB's answer so far has come past.
  void carry_out(tracking::CommandAttempt& attempt) const;

 private:
  bool denies(const sql::Script& script) const;
  Answer deny();

  SessionContext& context_;
};

}  // namespace tidepool::session

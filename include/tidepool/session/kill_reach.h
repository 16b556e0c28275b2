// Whom a KILL means, and whether the client may: its number is that of a greeting here, or TiDB's
// number of a backend of this process, as PROCESSLIST shows it.
//
// No KILL of a backend of this process goes to TiDB: by the time it were executed there, the
// backend might be lent to somebody else. It ends the session that has the backend, which keeps its
// lease until that is done (see StatementKiller), or closes the backend that nobody has. Made for
// one KILL; on the worker's thread.
#pragma once

#include <cstdint>
#include <string>

#include "tidepool/pool/broker_types.h"
#include "tidepool/session/environment.h"
#include "tidepool/sql/parse/statement.h"

namespace tidepool::session {

class KillReach {
 public:
  enum class Kind : std::uint8_t {
    kUnknown,  // TiDB is to answer: it is no number of this process
    kSession,  // a session that the client may end
    kNobody,   // a backend of the client's pool that nobody has
    kDenied,   // somebody else's
  };
  struct Meaning {
    Kind kind = Kind::kUnknown;
    std::uint64_t session = 0;             // of kSession
    pool::SharedBroker* broker = nullptr;  // of kNobody
  };

  KillReach(Environment& environment, const Account& killer, const std::string& user)
      : environment_(environment), killer_(killer), user_(user) {}

  Meaning of(std::uint64_t number) const;
  // Does it, if that may be done now.
  void carry_out(const sql::KillTarget& target) const;
  void carry_out(const sql::KillTarget& target, const Meaning& meaning) const;

 private:
  bool may_end_those_of(const std::string& user) const;
  Meaning of_session(std::uint64_t session) const;
  Meaning of_backend(PoolAccess& access, std::uint64_t number) const;

  Environment& environment_;
  const Account& killer_;
  const std::string& user_;
};

}  // namespace tidepool::session

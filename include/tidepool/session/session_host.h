// SessionHost: what the parts of a session ask it for.
#pragma once

namespace tidepool::session {

class SessionHost {
 public:
  SessionHost() = default;
  SessionHost(const SessionHost&) = delete;
  SessionHost& operator=(const SessionHost&) = delete;
  virtual ~SessionHost() = default;

  // Gives back what it has; what is queued for the client is still written, for as long as the
  // client takes it.
  virtual void close() = 0;
  // A command on its backend is over, and it is the client's turn: the lease is kept, parked or
  // given back.
  virtual void rest() = 0;
  // A command is over that has left no lease, or not used the one that is there.
  virtual void end_turn() = 0;
  // It is the client's turn, whose bytes may be here already.
  virtual void resume_input() = 0;
};

}  // namespace tidepool::session

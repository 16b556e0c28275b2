// Passthrough: users that the configuration does not list log in with accounts of TiDB. Asks TiDB
// about their passwords by dialling, remembers what it said, and says who is to have a pool.
//
// Owned by the server. On the main thread; only the questions come from others.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>

#include "passthrough_users.h"
#include "proof_memory.h"
#include "proof_queue.h"
#include "tidepool/backend/dial.h"
#include "tidepool/base/error.h"
#include "tidepool/net/loop.h"
#include "tidepool/net/timer.h"
#include "tidepool/session/password_proofs.h"
#include "tidepool/session/session_stats.h"

namespace tidepool::proxy {

class Passthrough {
 public:
  struct Events {
    // Puts a configuration in force: all of it, or of it the users and their pools.
    std::function<Result<void>(const config::Config&)> apply_all;
    std::function<void(const config::Config&)> apply_users;
    PassthroughUsers::IsFree is_free;
    PassthroughUsers::HasSessions has_sessions;
  };

  // `proofs` and `stats` are borrowed and outlive it.
  Passthrough(net::Loop& loop, session::PasswordProofs& proofs, session::ProofStats& stats,
              Events events);
  Passthrough(const Passthrough&) = delete;
  Passthrough& operator=(const Passthrough&) = delete;
  ~Passthrough() = default;

  // What the configuration says: at the start, and when it has changed. An error: nothing has.
  void set_base(config::Config base);
  [[nodiscard]] Result<void> change_base(const config::Config& base);
  [[nodiscard]] const config::Config& base() const { return users_.base(); }

  // From time to time: users without sessions go.
  void tick();
  // No more questions are answered.
  void stop();

 private:
  using Answer = session::PasswordProofs::Answer;
  struct Dial {
    ProofQueue::Handle job;
    backend::DialHandle handle;
  };
  using Dials = std::list<Dial>;

  void on_question(session::PasswordProofs::Question question);
  void pump();
  void begin_dial(ProofQueue::Handle job);
  void set_limits();
  void on_dialled(Dials::iterator dial, const Result<void>& outcome);
  Answer answer_to(const ProofQueue::Job& job, const Result<void>& outcome);
  Answer let_in(const std::string& user, const Secret& password);
  void on_refused(const std::string& user, const Secret& password);
  void apply();

  net::Loop& loop_;
  session::PasswordProofs& proofs_;
  session::ProofStats& stats_;
  const Events events_;
  PassthroughUsers users_;
  ProofMemory memory_;
  ProofQueue queue_;
  Dials dials_;
  net::Timer timer_;  // until the next dial may begin
  bool is_stopped_ = false;
};

}  // namespace tidepool::proxy

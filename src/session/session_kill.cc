// KILL, from both sides: what a client asks for, and what it does to its target. Whom an id means,
// kill_reach.h knows. Facts: executor/simple.go executeKillStmt, planbuilder.go KillStmt, and seen
// on release-8.5.
#include <algorithm>
#include <utility>

#include "own_errors.h"
#include "tidepool/session/session.h"
#include "tidepool/tracking/warnings.h"

namespace tidepool::session {

// False: TiDB is to answer, for the id is none of this process, or no id at all. Among several
// statements, one that the client may not do has none of them executed.
bool Session::answer_kill(const ClientCommand& command) {
  const bool executes =
      command.type == protocol::Command::kQuery || command.type == protocol::Command::kStmtExecute;
  const sql::Script& script = command.effects();
  if (!executes || environment_.registry == nullptr) return false;
  if (script.size() > 1) return is_denied_kill(script) && deny_kill();
  if (script.empty() || !script.front().kill) return false;
  const sql::KillTarget& target = *script.front().kill;
  const KillReach::Meaning meaning = target.own_connection
                                         ? KillReach::Meaning{KillReach::Kind::kSession, id_}
                                         : kill_reach().of(target.id);
  if (meaning.kind == KillReach::Kind::kUnknown) return false;
  if (meaning.kind == KillReach::Kind::kDenied) return deny_kill();
  const bool is_own = meaning.kind == KillReach::Kind::kSession && meaning.session == id_;
  if (is_own && !target.query_only) {
    close();
    return true;
  }
  model_.facts.note_local_answer();
  model_.facts.forget_backend_warnings();
  if (is_own) {
    refuse(interrupted());
    return true;
  }
  kill_reach().carry_out(target, meaning);
  send_ok();
  return true;
}

bool Session::is_denied_kill(const sql::Script& script) const {
  for (std::size_t i = 0; i < script.size(); ++i) {
    const std::optional<sql::KillTarget>& target = script[i].kill;
    if (!target || target->own_connection) continue;
    if (kill_reach().of(target->id).kind == KillReach::Kind::kDenied) return true;
  }
  return false;
}

// True: it is answered.
bool Session::deny_kill() {
  model_.facts.note_local_answer();
  model_.facts.forget_backend_warnings();
  refuse({Code::kBackend,
          "Access denied; you need (at least one of) the SUPER or CONNECTION_ADMIN "
          "privilege(s) for this operation",
          1227, "42000"});
  return true;
}

// TiDB does not know the ids of sessions here, and is not to be told its own of backends here.
void Session::plan_kills() {
  ClientCommand& command = *command_;
  command.attempt.kills.clear();
  const sql::Script& script = command.effects();
  if (script.size() < 2 || environment_.registry == nullptr) return;
  for (std::size_t i = 0; i < script.size(); ++i) {
    const std::optional<sql::KillTarget>& target = script[i].kill;
    if (!target || target->own_connection) continue;
    if (kill_reach().of(target->id).kind != KillReach::Kind::kUnknown)
      command.attempt.kills.push_back({i, *target});
  }
}

// What a number means now counts: what is somebody else's by now is left alone, as what is gone.
void Session::carry_out_kills() {
  std::vector<tracking::PlannedKill>& kills = command_->attempt.kills;
  const protocol::ResponseSummary& answer = command_->attempt.exchange.summary();
  const std::uint32_t done = answer.has_error() ? answer.results - 1 : answer.results;
  auto kill = kills.begin();
  for (; kill != kills.end() && kill->index < done; ++kill)
    kill_reach().carry_out(kill->target);
  kills.erase(kills.begin(), kill);
}

void Session::refuse(const Error& error) {
  model_.facts.note_own_error(tracking::warnings_of(error, model_.status_flags()));
  send_error(error, answer_sequence_);
}

// Another session wants this one's statement, or this one itself, to end.
void Session::on_kill(KillKind kind) {
  const bool query_only = kind == KillKind::kQuery;
  switch (state_) {
    case State::kAcquiring:
      if (!query_only || command_->is_login_check()) return query_only ? void() : close();
      ticket_.cancel();
      pause_.reset();
      model_.facts.note_local_answer();
      model_.facts.note_own_error(tracking::warnings_of(interrupted(), model_.status_flags()));
      return on_no_lease(interrupted());
    case State::kExecuting:
    case State::kStreaming:
      if (query_only) return kill_statement();
      if (!leave()) close();
      return;
    case State::kClosing: return;
    default:
      if (!query_only) close();
      return;
  }
}

// The statement runs on a backend, and another one can be had to end it.
bool Session::can_kill_statement() const {
  const bool runs =
      command_ != nullptr && lease_ && !command_->is_login_check() && !command_->attempt.is_relayed;
  return runs && command_->attempt.exchange.relay_written() && !waits_for_infile_ &&
         lease_.tidb_connection() != 0 && account_->pool->pool->broker().stats().cap.value() > 1;
}

void Session::kill_statement() {
  if (killer_ != nullptr || !can_kill_statement()) return;
  killer_ = std::make_unique<StatementKiller>(environment_.loop, *account_->pool->pool, variant_,
                                              lease_.tidb_connection(), Departure::kKillTimeout,
                                              [this] { on_killed(); });
}

void Session::on_killed() {
  environment_.loop.retire(std::move(killer_));  // we are in its callback
  if (command_ != nullptr && lease_ && command_->attempt.is_relayed) write_steps();
}

// The KILL must not hit what comes after the statement on this backend, or after its lease.
bool Session::awaits_kill() {
  if (killer_ == nullptr || !command_->attempt.is_relayed) return false;
  if (killer_->is_sent()) return true;
  killer_.reset();
  return false;
}

// The client is sent away. What runs for it is ended in TiDB, and its backend kept.
bool Session::leave() {
  if (has_left() || !can_kill_statement()) return has_left();
  kill_statement();
  departure().leave();
  channel_.stream().pause(net::PauseReason::kClosing);
  channel_.stream().shutdown();
  lease_.stream().resume(net::PauseReason::kPeerFull);
  timer_ = std::make_unique<net::Timer>(environment_.loop);
  timer_->start(Departure::kKillTimeout, [this] { close(); });
  return true;
}

}  // namespace tidepool::session

// Clients that are silent for too long, and answers that take too long.
#include <utility>

#include "own_errors.h"
#include "tidepool/base/log.h"
#include "tidepool/protocol/packet.h"
#include "tidepool/session/session.h"
#include "tidepool/tracking/warnings.h"

namespace tidepool::session {
namespace {

// Between the KILL of a statement and its end; then its backend is closed.
constexpr std::chrono::seconds kStopTimeout{5};

}  // namespace

// TiDB closes a connection that is silent for wait_timeout, counted from the end of a command
// (conn.go, getWaitTimeout). Its default of 8 hours is not enforced on clients, which cost nothing.
void Session::watch_silence() {
  const auto limit = silence_limit(account_->timeouts, model_.desired.wait_timeout(),
                                   model_.keeps_lease(), model_.in_transaction);
  if (!limit) return silence_timer_.reset();
  if (silence_timer_ == nullptr) {
    silence_timer_ = std::make_unique<net::Timer>(environment_.loop);
  }
  silence_timer_->start(limit->after, [this] { on_silence(); });
}

// The end of a command under way starts the wait anew.
void Session::on_silence() {
  const bool is_turn = state_ == State::kIdle || state_ == State::kParked ||
                       state_ == State::kCapturing || state_ == State::kIdlePinned;
  const auto limit = silence_limit(account_->timeouts, model_.desired.wait_timeout(),
                                   model_.keeps_lease(), model_.in_transaction);
  if (!is_turn || !limit) return;
  stats().timeouts[limit->kind].add();
  log::info("client silent for too long", {{"session", id_}, {"limit", to_string(limit->kind)}});
  close();
}

// A command that is run again has the rest of its time.
void Session::watch_query() {
  if (command_->is_timed || command_->is_login_check() || command_->is_capture()) return;
  const Duration limit = account_->timeouts.query;
  if (limit <= Duration::zero()) return;
  command_->is_timed = true;
  if (query_timer_ == nullptr) query_timer_ = std::make_unique<net::Timer>(environment_.loop);
  query_timer_->start(limit, [this] { on_query_timeout(); });
}

// Stopped by KILL QUERY where that can be; else, and if that does not end it in time, its backend
// is closed, of which the client is told what is known.
void Session::on_query_timeout() {
  if (is_replaying()) {  // for the statement whose time is up
    stats().timeouts[TimeoutKind::kQuery].add();
    return replay_in_vain(ReplayResult::kLostAgain);
  }
  if (command_ == nullptr || !command_->is_timed || command_->attempt.is_relayed) return;
  const bool was_overdue = std::exchange(command_->is_overdue, true);
  if (!was_overdue) {
    stats().timeouts[TimeoutKind::kQuery].add();
    log::info("statement takes too long", {{"session", id_}, {"state", to_string(state_)}});
  }
  if (state_ == State::kAcquiring) {  // to be run again
    ticket_.cancel();
    pause_.reset();
    model_.facts.note_local_answer();
    note_stopped();
    return on_no_lease(took_too_long());
  }
  if (!lease_) return;
  if (!was_overdue && can_kill_statement()) {
    kill_statement();
    return query_timer_->start(kStopTimeout, [this] { on_query_timeout(); });
  }
  on_backend_lost({Code::kTimeout, "the statement took longer than query_timeout allows"});
}

// For each answer anew. The client's own statements take as long as they like: see watch_query().
void Session::watch_own_steps() {
  if (!command_->attempt.exchange.awaits_own_step()) {
    if (own_step_timer_ != nullptr) own_step_timer_->stop();
    return;
  }
  const PoolAccess& access = command_->is_login_check() ? *login_account_->pool : *account_->pool;
  if (own_step_timer_ == nullptr) {
    own_step_timer_ = std::make_unique<net::Timer>(environment_.loop);
  }
  own_step_timer_->start(access.control_timeout, [this] { on_own_step_timeout(); });
}

void Session::on_own_step_timeout() {
  if (!lease_ || command_ == nullptr || !command_->attempt.exchange.awaits_own_step()) return;
  on_backend_lost({Code::kTimeout, "TiDB did not answer Tidepool within control_timeout"});
}

// The client has the next step: to take its answer, or to send its file.
void Session::watch_stall() {
  if (environment_.client_stall_timeout <= Duration::zero()) return;
  if (stall_timer_ == nullptr) stall_timer_ = std::make_unique<net::Timer>(environment_.loop);
  stalled_bytes_ = channel_.stream().untaken_bytes();
  stall_timer_->start(environment_.client_stall_timeout, [this] { on_stall(); });
}

void Session::on_stall() {
  const bool is_full = channel_.queued_bytes() > kHighWatermark;
  if (!is_full && !waits_for_infile_) return;
  if (is_full && channel_.stream().untaken_bytes() < stalled_bytes_) return watch_stall();
  stats().timeouts[TimeoutKind::kClientStall].add();
  log::info("client stalls", {{"session", id_}, {"state", to_string(state_)}});
  if (!leave()) close();
}

// The whole answer is TiDB's word that the statement was killed, because it took too long.
bool Session::tells_of_stop(std::string_view bytes) const {
  if (!command_->is_overdue) return false;
  const protocol::ResponseSummary& answer = command_->attempt.exchange.summary();
  if (!answer.has_error() || answer.error_number != interrupted().mysql_errno) return false;
  const auto byte = [&](std::size_t at) {
    return std::size_t{static_cast<std::uint8_t>(bytes[at])};
  };
  return bytes.size() > protocol::kHeaderBytes &&
         bytes.size() == protocol::kHeaderBytes + (byte(0) | byte(1) << 8U | byte(2) << 16U);
}

void Session::note_stopped() {
  model_.facts.note_own_error(tracking::warnings_of(took_too_long(), model_.status_flags()));
}

}  // namespace tidepool::session

// A client that leaves: what it had sent is still executed, for as long as departure.h says.
#include <utility>

#include "tidepool/base/log.h"
#include "tidepool/session/session.h"

namespace tidepool::session {
namespace {

bool is_boundary(const sql::Statement& statement) {
  switch (statement.transaction) {
    case sql::TransactionEffect::kBegin:
    case sql::TransactionEffect::kCommit:
    case sql::TransactionEffect::kRollback: return true;
    // SET autocommit
    case sql::TransactionEffect::kUnknown: return statement.kind == sql::StatementKind::kSet;
    case sql::TransactionEffect::kImplicitCommit:
    case sql::TransactionEffect::kNone: return false;
  }
  return false;
}

bool has_boundary(const sql::Script& script) {
  for (std::size_t i = 0; i < script.size(); ++i)
    if (is_boundary(script[i])) return true;
  return false;
}

}  // namespace

Departure& Session::departure() {
  if (departure_ == nullptr) {
    departure_ = std::make_unique<Departure>(environment_.disconnect_grace);
  }
  return *departure_;
}

// Nothing more comes from the client.
void Session::end_input() {
  departure().end_input(Clock::now());
  if (state_ == State::kClosing) return;
  const bool waits_for_login = state_ == State::kAcquiring && command_->is_login_check();
  if (waits_for_login && channel_.is_empty()) return depart();
  watch_departure();
  resume_input();
}

// What it had sent is executed all the same: TiDB does not look at its answers' fate either.
void Session::lose_answers(const Error& error) {
  log::debug("client takes no more answers", {{"session", id_}, {"error", error.message}});
  departure().refuse_answers();
  if (lease_) lease_.stream().resume(net::PauseReason::kPeerFull);
}

// No more of the client is to be executed: it has left, or everything that it sent is done.
bool Session::is_departed() const {
  if (departure_ == nullptr) return false;
  return departure_->has_left() || (departure_->has_ended() && channel_.is_empty());
}

// A drain does not wait for clients that may send more.
bool Session::is_drained() const {
  const bool sends_no_more = departure_ != nullptr && departure_->has_ended();
  return draining_ && !sends_no_more;
}

void Session::depart() {
  if (state_ == State::kHandshake && !counted_) {
    environment_.logins->failures[LoginFailure::kClosed].add();
  }
  close();
}

// The transaction of a statement that was killed is not committed without it.
bool Session::must_roll_back() const {
  return departure_ != nullptr && departure_->has_killed() &&
         (model_.in_transaction || !model_.desired.autocommit());
}

void Session::watch_departure() {
  const auto next = departure_->judge(running_statement(), Clock::now());
  if (next.verdict == Departure::Verdict::kKill) {
    departure_->note_kill(Clock::now());
    kill_statement();
  }
  if (next.verdict == Departure::Verdict::kGiveUp) {
    log::info("a statement of a client that is gone does not end", {{"session", id_}});
    return close();
  }
  if (departure_timer_ == nullptr) {
    departure_timer_ = std::make_unique<net::Timer>(environment_.loop);
  }
  departure_timer_->start(next.again, [this] { watch_departure(); });
}

std::optional<Departure::Running> Session::running_statement() const {
  const bool runs = command_ != nullptr && lease_ && !command_->is_login_check() &&
                    !command_->attempt.is_relayed && command_->attempt.exchange.relay_written();
  if (!runs) return std::nullopt;
  return Departure::Running{.since = command_->sent,
                            .is_boundary = has_boundary(command_->effects()),
                            .can_be_killed = killer_ != nullptr || can_kill_statement()};
}

}  // namespace tidepool::session

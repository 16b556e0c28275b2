// The plans that TiDB keeps of prepared statements: none is met by a session for which it was not
// made, and each client is told what making its own warned of. And how many statements it keeps.
#include "tidepool/session/session.h"
#include "tidepool/tracking/plan_mark.h"

namespace tidepool::session {

// TiDB has as many statements as it may have in all its connections together. Those that are only
// kept make way: the least recently used ones here first, then, with their backends, those of
// others. True: what was to be prepared is on its way again, or its lease gone and the next
// awaited.
bool Session::prepares_again() {
  constexpr std::uint16_t kTooManyStatements = 1461;
  ClientCommand& command = *command_;
  const auto& failure = command.attempt.exchange.prepare_error();
  const protocol::ResponseSummary& answer = command.attempt.exchange.summary();
  const bool is_full = failure ? failure->mysql_errno == kTooManyStatements
                               : answer.error_number == kTooManyStatements;
  // What the client has a part of cannot be answered once more.
  if (!is_full || command.script.size() > 1 || command.attempt.exchange.relay_answered())
    return false;
  tracking::PreparedCache& known = lease_.memory().prepared;
  known.forget_next_id();  // TiDB has counted it
  prepare_memory().keep_fewer(known.size() / 2, command.received);
  const std::vector<std::uint32_t> ids = known.make_way(known.size() / 2);
  if (ids.empty()) return waits_for_others_statements();
  close_on_backend(ids);
  return prepares_here();
}

bool Session::prepares_here() {
  ClientCommand& command = *command_;
  for (const tracking::TextUse& use : command.texts.uses)
    lease_.memory().texts[use.name] = {};
  command.attempt.exchange = {};
  if (command.attempt.answer != nullptr) command.attempt.answer->clear();
  return plan_steps();
}

bool Session::waits_for_others_statements() {
  constexpr unsigned kMostTries = 5;
  constexpr Duration kPause = std::chrono::milliseconds(200);
  if (is_replaying() || command_->retries >= kMostTries) return false;
  if (command_->retries == 0) {
    account_->pool->pool->broker().with([this](pool::Broker& broker, pool::Orders& orders) {
      broker.renew_all(environment_.loop.now(), orders);
    });
  }
  if (model_.is_bound()) {
    wait_here(kPause);
    return true;
  }
  end_lease(model_.next_isolation.empty() ? pool::Release::kClean : pool::Release::kReset);
  repeat(FailureKind::kUnavailable, kPause);
  return true;
}

// The refused prepare has changed nothing: the transaction lives on, and so does the lease.
void Session::wait_here(Duration pause) {
  stats().retries[RetryReason::kUnavailable].add();
  ++command_->retries;
  command_->attempt.is_paused = true;
  command_->attempt.exchange = {};
  if (pause_ == nullptr) pause_ = std::make_unique<net::Timer>(environment_.loop);
  pause_->start(pause, [this] { go_on_here(); });
}

void Session::go_on_here() {
  // The timer may outlive the command that it was set for.
  if (command_ == nullptr || !std::exchange(command_->attempt.is_paused, false)) return;
  if (!prepares_here()) return on_backend_lost({Code::kBackend, "it cannot be restored any more"});
  write_steps();
}

}  // namespace tidepool::session

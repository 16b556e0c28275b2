// A transaction whose backend is lost, run again on another one: the statements of its log one by
// one, each answer compared with the first one, and then the command that was interrupted. The
// client sees nothing of it unless an answer differs.
#include <random>
#include <utility>

#include "tidepool/base/log.h"
#include "tidepool/protocol/status.h"
#include "tidepool/session/session.h"

namespace tidepool::session {
namespace {

// For one command of the client: a deadlock that comes back as often may do so for ever. A TiDB
// that is lost again and again comes back at some time, which the budget bounds.
constexpr unsigned kMostConflicts = 5;

}  // namespace

bool Session::replay_is_due() const {
  return replay_ != nullptr && replay_->phase == Replay::Phase::kDue;
}

bool Session::is_replaying() const {
  return replay_ != nullptr && replay_->phase == Replay::Phase::kRunning;
}

// Whether what was under way when the backend was lost may be sent once more, after the replay: a
// COMMIT only if it was not sent at all.
bool Session::may_come_after_replay() const {
  // A silent client loses its transaction by its own wait_timeout.
  if (command_ == nullptr) return state_ == State::kIdlePinned && !model_.desired.wait_timeout();
  const ClientCommand& command = *command_;
  if (command.is_login_check() || command.is_capture() || command.attempt.is_relayed) return false;
  if (command.is_overdue) return false;
  if (!command.attempt.exchange.relay_written()) return true;
  if (command.attempt.exchange.relay_answered()) return false;
  const tracking::ReplayUse use = replay_use(command);
  return use == tracking::ReplayUse::kSkip || use == tracking::ReplayUse::kRecord;
}

// A transaction was recorded, and a reload has not turned replays off meanwhile.
bool Session::has_replay() const {
  return replay_ != nullptr && account_->replay_bytes > 0 &&
         account_->pool->retry_budget > Duration::zero();
}

bool Session::may_replay() {
  if (!has_replay() || !model_.in_transaction || has_left() || killer_ != nullptr ||
      !model_.is_replayable())
    return false;
  if (!may_come_after_replay()) return false;
  switch (replay_->log.state()) {
    case tracking::ReplayLog::State::kOpen: return true;
    case tracking::ReplayLog::State::kTooLarge:
      stats().replays[ReplayResult::kTooLarge].add();
      break;
    case tracking::ReplayLog::State::kNotReplayable:
      stats().replays[ReplayResult::kNotReplayable].add();
      break;
    case tracking::ReplayLog::State::kEmpty: break;
  }
  return false;
}

// True: the client need not know yet.
bool Session::replays_after_loss(const Error& cause) {
  if (is_replaying()) {
    drop_lease();
    command_ = std::move(replay_->interrupted);
    if (has_left() || killer_ != nullptr) {
      replay_in_vain(ReplayResult::kLostAgain);
    } else {
      await_replay(FailureKind::kLost);
    }
    return true;
  }
  if (command_ != nullptr && command_->attempt.is_deferred && !has_left()) {
    const bool nobody_knows = model_.in_transaction;  // the ping has not told
    drop_lease();
    replay_after_error(nobody_knows);
    return true;
  }
  if (!may_replay()) return false;
  replay_->cause = cause;
  note_before_replay();
  drop_lease();
  await_replay(FailureKind::kLost);
  return true;
}

void Session::note_before_replay() {
  replay_->before = model_.facts;
  replay_->knew_insert_id = lease_.memory().insert_id.has_value();
}

// An ERR may have ended the transaction: only the ping after it tells, and until then the client
// does not get it.
void Session::defer_error() {
  ClientCommand& command = *command_;
  if (!command.attempt.summary.has_error() ||
      !tracking::is_replayed_error(command.attempt.summary.error_number))
    return;
  const bool is_held = command.executes() && !command.attempt.exchange.relay_answered();
  if (!is_held || command.attempt.answer == nullptr || !has_replay() || killer_ != nullptr) return;
  const bool can = replay_->log.state() == tracking::ReplayLog::State::kOpen &&
                   model_.is_replayable() && replay_use(command) == tracking::ReplayUse::kRecord;
  if (!can) return;
  note_before_replay();
  command.attempt.is_deferred = true;
}

// The client's answer, or what stands for it until the replay is over.
void Session::pass_on_error(std::string error) {
  if (command_->attempt.is_deferred) {
    replay_->error_answer = std::move(error);
  } else if (!error.empty()) {
    pass_on(error);
  }
}

// The ping has told. If the transaction lives on, the error is the client's after all.
void Session::settle_deferred() {
  if (model_.in_transaction) {
    command_->attempt.is_deferred = false;
    pass_on(std::exchange(replay_->error_answer, {}));
    return;
  }
  plan_captures();
}

// TiDB's error has ended the transaction, and is settled as if the client had it.
void Session::replay_after_error(bool ends_session) {
  replay_->ends_session = ends_session;
  replay_->after = model_.facts;
  model_.facts = replay_->before;
  model_.in_transaction = true;
  set_pins({sql::Pin::kTransaction});
  if (lease_) {
    lease_.memory().last_session = 0;
    lease_.memory().insert_id.reset();
    end_lease(pool::Release::kReset);
  }
  await_replay(FailureKind::kConflict);
}

// The lease is gone; the command, if there is one, is the interrupted one.
void Session::await_replay(FailureKind kind) {
  Replay& replay = *replay_;
  replay.phase = Replay::Phase::kDue;
  if (command_ == nullptr) return enter(State::kIdle);
  command_->attempt = {};
  const Failure failure{.kind = kind,
                        .statement = Repeatability::kHarmless,
                        .attempt = replay.attempts,
                        .elapsed = Clock::now() - command_->received};
  std::uniform_real_distribution<double> jitter(0.0, 1.0);
  const Decision decision =
      decide(failure, account_->pool->retry_budget, jitter(environment_.random));
  const bool is_conflict = kind == FailureKind::kConflict;
  if (decision.verdict != Verdict::kRepeat || (is_conflict && replay.conflicts == kMostConflicts)) {
    return replay_in_vain(ReplayResult::kLostAgain);
  }
  ++replay.attempts;
  replay.conflicts += is_conflict ? 1U : 0U;
  if (decision.delay <= Duration::zero()) return acquire();
  enter(State::kAcquiring);
  if (pause_ == nullptr) pause_ = std::make_unique<net::Timer>(environment_.loop);
  pause_->start(decision.delay, [this] { acquire(); });
}

// On a new lease, or after an answer that was the same.
void Session::replay_next() {
  Replay& replay = *replay_;
  if (replay.phase == Replay::Phase::kDue) {
    watch_query();  // the replay takes its time from the client's command
    replay.phase = Replay::Phase::kRunning;
    replay.player.emplace(replay.log);
    replay.interrupted = std::move(command_);
    model_.facts.forget_backend_insert_id();  // as it was when the transaction began
  }
  const tracking::ReplayStatement* next = replay.player->next();
  if (next == nullptr) return end_replay();
  command_ =
      std::make_unique<ClientCommand>(next->command, next->payload, replay.interrupted->received);
  command_->statement = next->prepared.get();
  command_->view = replay.interrupted->view;
  if (next->command == protocol::Command::kQuery) {
    command_->script = sql::classify(command_->argument(), model_.desired.lex_mode());
  }
  command_->attempt.answer = std::make_unique<StreamHash>();
  if (!plan_steps()) {
    command_ = std::move(replay.interrupted);
    end_lease(pool::Release::kReset);
    return await_replay(FailureKind::kLost);
  }
  lease_.memory().last_session = id_;
  write_steps();
}

void Session::on_replay_relayed() {
  ClientCommand& command = *command_;
  if (command.type == protocol::Command::kStmtExecute && repeat_execute()) return;
  command.attempt.is_relayed = true;
  command.attempt.summary = command.attempt.exchange.summary();
  (void)command.attempt.exchange.take_held();
  if (!command.attempt.summary.has_error()) return;
  command.attempt.exchange.add({.kind = tracking::StepKind::kProbe,
                                .command = protocol::Command::kPing,
                                .bytes = tracking::framed(protocol::Command::kPing)});
}

// An answer is there, and after an error the ping's.
void Session::on_replayed() {
  if (has_left()) return close();
  if (killer_ != nullptr) return replay_in_vain(ReplayResult::kDifferent);
  const ClientCommand& command = *command_;
  const bool is_open = (command.attempt.summary.status & protocol::status::kInTransaction) != 0;
  const tracking::AnswerDigest answer{command.attempt.answer->bytes(),
                                      command.attempt.answer->value()};
  if (!replay_->player->compare(answer, is_open)) {
    return replay_in_vain(ReplayResult::kDifferent, pool::Release::kReset);
  }
  replay_next();
}

// The transaction is where it was: the client's command goes on.
void Session::end_replay() {
  Replay& replay = *replay_;
  log::info("transaction replayed",
            {{"session", id_}, {"statements", replay.log.statements().size()}});
  stats().replays[ReplayResult::kReplayed].add();
  replay.phase = Replay::Phase::kRecording;
  replay.player.reset();
  replay.error_answer.clear();
  command_ = std::move(replay.interrupted);
  model_.facts = std::move(replay.before);
  if (!replay.knew_insert_id) lease_.memory().insert_id.reset();
  execute();
}

// The client gets the error that it would have had without a replay.
void Session::replay_in_vain(ReplayResult result, pool::Release how) {
  Replay& replay = *replay_;
  log::info("transaction not replayed", {{"session", id_}, {"result", to_string(result)}});
  stats().replays[result].add();
  if (is_replaying() && replay.interrupted != nullptr) command_ = std::move(replay.interrupted);
  replay.phase = Replay::Phase::kRecording;
  replay.player.reset();
  replay.attempts = replay.conflicts = 0;
  replay.log.end();
  killer_.reset();
  if (lease_) {
    if (how == pool::Release::kDiscard) lease_.set_broken();
    end_lease(how);
  }
  const std::string error = std::exchange(replay.error_answer, {});
  if (error.empty()) {
    send_error(lost_error(replay.cause, Verdict::kNotExecuted), answer_sequence_);
    return close();
  }
  model_.facts = std::move(replay.after);
  model_.in_transaction = false;
  set_pins({});
  send(error);
  if (replay.ends_session) return close();
  enter(State::kIdle);
  end_command(Source::kBackend, true);
}

}  // namespace tidepool::session

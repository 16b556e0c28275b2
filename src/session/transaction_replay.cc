#include "tidepool/session/transaction_replay.h"

#include <utility>

#include "own_errors.h"
#include "tidepool/base/check.h"
#include "tidepool/base/log.h"
#include "tidepool/protocol/status.h"
#include "tidepool/tracking/retry_here.h"

namespace tidepool::session {
namespace {

// For one command of the client: a deadlock that comes back as often may do so for ever. A TiDB
// that is lost again and again comes back at some time, which the budget bounds.
constexpr unsigned kMostConflicts = 5;

}  // namespace

void TransactionReplay::Run::enter(ReplayPhase next) {
  if (next == phase) return;
  TIDEPOOL_CHECK(may_follow(phase, next));
  phase = next;
}

// Whether what was under way when the backend was lost may be sent once more, after the replay: a
// COMMIT only if it was not sent at all.
bool TransactionReplay::may_come_after(const ClientCommand* command) const {
  // A silent client loses its transaction by its own wait_timeout.
  if (command == nullptr)
    return context_.status.state() == State::kIdlePinned && !context_.model.desired.wait_timeout();
  if (command->attempt.is_relayed || command->is_overdue) return false;
  if (!command->attempt.exchange.relay_written()) return true;
  if (command->attempt.exchange.relay_answered()) return false;
  const tracking::ReplayUse use = tracking::replay_use(*command);
  return use == tracking::ReplayUse::kSkip || use == tracking::ReplayUse::kRecord;
}

// A transaction was recorded, and a reload has not turned replays off meanwhile.
bool TransactionReplay::is_on() const {
  return run_ != nullptr && context_.account->replay_bytes > 0 &&
         context_.access().retry_budget > Duration::zero();
}

bool TransactionReplay::may_begin(const ClientCommand* command) const {
  if (!is_on() || !context_.model.in_transaction || context_.client.has_left() ||
      runner_.is_killing() || !context_.model.is_replayable())
    return false;
  if (!may_come_after(command)) return false;
  switch (run_->log.state()) {
    case tracking::ReplayLog::State::kOpen: return true;
    case tracking::ReplayLog::State::kTooLarge:
      context_.stats().replays[ReplayResult::kTooLarge].add();
      break;
    case tracking::ReplayLog::State::kNotReplayable:
      context_.stats().replays[ReplayResult::kNotReplayable].add();
      break;
    case tracking::ReplayLog::State::kEmpty: break;
  }
  return false;
}

bool TransactionReplay::begins_after_loss(const Error& cause, ClientCommand* command) {
  if (!may_begin(command)) return false;
  run_->cause = cause;
  interrupted_ = command;
  note_before();
  context_.drop_lease();
  await(FailureKind::kLost);
  return true;
}

void TransactionReplay::note_before() {
  run_->before = context_.model.diagnostics;
  run_->knew_insert_id = context_.backend.model().insert_id.has_value();
}

void TransactionReplay::defer_error(ClientCommand& command) {
  if (!command.attempt.summary.has_error() ||
      !tracking::is_replayed_error(command.attempt.summary.error_number))
    return;
  const bool is_held = command.executes() && !command.attempt.exchange.relay_answered();
  if (!is_held || command.attempt.answer == nullptr || !is_on() || runner_.is_killing()) return;
  const bool can = run_->log.state() == tracking::ReplayLog::State::kOpen &&
                   context_.model.is_replayable() &&
                   tracking::replay_use(command) == tracking::ReplayUse::kRecord;
  if (!can) return;
  note_before();
  command.attempt.is_deferred = true;
}

void TransactionReplay::begin_after_error(ClientCommand& command, bool ends_session) {
  tracking::SessionModel& model = context_.model;
  interrupted_ = &command;
  run_->ends_session = ends_session;
  run_->after = model.diagnostics;
  model.diagnostics = run_->before;
  model.in_transaction = true;
  context_.set_pins({sql::Pin::kTransaction});
  if (context_.has_lease()) {
    context_.backend.model().last_session = 0;
    context_.backend.model().insert_id.reset();
    context_.end_lease(pool::Release::kReset);
  }
  await(FailureKind::kConflict);
}

// The lease is gone; the client's command, if there is one, is the interrupted one.
void TransactionReplay::await(FailureKind kind) {
  run_->enter(ReplayPhase::kDue);
  runner_.end();
  if (interrupted_ == nullptr) return context_.status.enter(State::kIdle);
  interrupted_->attempt = {};
  const Decision decision = judge_harmless(context_, kind, run_->attempts, interrupted_->received);
  const bool is_conflict = kind == FailureKind::kConflict;
  if (decision.verdict != Verdict::kRetry || (is_conflict && run_->conflicts == kMostConflicts)) {
    return give_up(ReplayResult::kLostAgain);
  }
  ++run_->attempts;
  run_->conflicts += is_conflict ? 1U : 0U;
  if (decision.delay <= Duration::zero()) return acquire();
  context_.backend.set_user(*this);
  context_.status.enter(State::kAcquiring);
  if (pause_ == nullptr) pause_ = std::make_unique<net::Timer>(context_.environment.loop);
  pause_->start(decision.delay, [this] { acquire(); });
}

void TransactionReplay::acquire_for(ClientCommand& command) {
  interrupted_ = &command;
  acquire();
}

void TransactionReplay::acquire() {
  context_.backend.set_user(*this);
  const std::string& database = context_.model.desired.database();
  if (context_.backend.acquire(context_.access(), context_.request(*context_.account, database)))
    return on_lease();
  context_.status.enter(State::kAcquiring);
}

void TransactionReplay::on_lease() {
  context_.backend.begin_turn();
  context_.status.enter(State::kExecuting);
  runner_.watch_time(*interrupted_);  // the replay takes its time from the client's command
  run_->enter(ReplayPhase::kRunning);
  run_->player.emplace(run_->log);
  context_.model.diagnostics.forget_backend_insert_id();  // as it was when the transaction began
  next_statement();
}

void TransactionReplay::on_no_lease(const Error& /*error*/) {
  give_up(ReplayResult::kLostAgain);
}

void TransactionReplay::on_interrupted(const Error& /*error*/) {
  context_.backend.stop_waiting();
  pause_.reset();
  give_up(ReplayResult::kLostAgain);
}

// For the client's command, or for the statement of the log whose time is up.
void TransactionReplay::on_time_up() {
  if (!interrupted_->is_timed) return;
  if (!std::exchange(interrupted_->is_overdue, true)) {
    context_.stats().timeouts[TimeoutKind::kQuery].add();
    log::info("statement takes too long",
              {{"session", context_.id}, {"state", to_string(context_.status.state())}});
  }
  on_interrupted(took_too_long());
}

void TransactionReplay::on_backend_lost(const Error& /*error*/) {
  context_.drop_lease();
  runner_.end();
  statement_.reset();
  if (context_.client.has_left() || runner_.is_killing()) return give_up(ReplayResult::kLostAgain);
  await(FailureKind::kLost);
}

// On a new lease, or after an answer that was the same.
void TransactionReplay::next_statement() {
  const tracking::ReplayStatement* next = run_->player->next();
  if (next == nullptr) return end();
  runner_.end();
  statement_ =
      std::make_unique<tracking::Command>(next->command, next->payload, interrupted_->received);
  statement_->statement = next->prepared.get();
  statement_->view = interrupted_->view;
  if (next->command == protocol::Command::kQuery) {
    statement_->script = sql::classify(statement_->argument(), context_.model.desired.lex_mode());
  }
  statement_->attempt.answer = std::make_unique<StreamHash>();
  if (!context_.plan(*statement_)) {
    statement_.reset();
    context_.end_lease(pool::Release::kReset);
    return await(FailureKind::kLost);
  }
  context_.backend.model().last_session = context_.id;
  runner_.begin(*statement_, context_.access(), *this);
  runner_.write_steps();
}

Flow TransactionReplay::on_answer(const tracking::Exchange::Progress& progress,
                                  std::string_view bytes) {
  if (progress.step == tracking::StepKind::kRelay) statement_->attempt.answer->add(bytes);
  return Flow::kGoOn;
}

// No such statement is in the log.
Flow TransactionReplay::on_file_wanted() {
  give_up(ReplayResult::kDifferent);
  return Flow::kEnded;
}

void TransactionReplay::on_relayed() {
  tracking::Command& command = *statement_;
  if (command.type == protocol::Command::kStmtExecute) {
    tracking::CommandContext context = context_.command_context(command);
    const tracking::RetryHere retry = tracking::retry_execute(context);
    context_.close_on_backend(retry.drop);
    if (retry.is_due && context_.plan(command)) return;
  }
  command.attempt.is_relayed = true;
  command.attempt.summary = command.attempt.exchange.summary();
  (void)command.attempt.exchange.take_held();
  if (command.attempt.summary.has_error()) tracking::add_probe(command.attempt.exchange);
}

void TransactionReplay::on_probed() {
  statement_->attempt.summary.status = statement_->attempt.exchange.summary().status;
}

void TransactionReplay::on_restore_failed() {
  give_up(ReplayResult::kDifferent, pool::Release::kReset);
}

void TransactionReplay::on_prepare_failed() {
  const bool has_room = statements_.make_room(*statement_) == SessionStatements::Room::kMade;
  if (has_room && statements_.plan_again(*statement_)) return runner_.write_steps();
  give_up(ReplayResult::kDifferent, pool::Release::kReset);
}

// An answer is there, and after an error the ping's.
void TransactionReplay::on_over() {
  if (context_.client.has_left()) return host_.close();
  if (runner_.is_killing()) return give_up(ReplayResult::kDifferent);
  const tracking::CommandAttempt& attempt = statement_->attempt;
  const bool is_open = (attempt.summary.status & protocol::status::kInTransaction) != 0;
  const tracking::AnswerDigest answer{attempt.answer->bytes(), attempt.answer->value()};
  if (!run_->player->compare(answer, is_open))
    return give_up(ReplayResult::kDifferent, pool::Release::kReset);
  next_statement();
}

// The transaction is where it was: the client's command goes on.
void TransactionReplay::end() {
  log::info("transaction replayed",
            {{"session", context_.id}, {"statements", run_->log.statements().size()}});
  context_.stats().replays[ReplayResult::kReplayed].add();
  run_->enter(ReplayPhase::kRecording);
  run_->player.reset();
  run_->error_answer.clear();
  runner_.end();
  statement_.reset();
  context_.model.diagnostics = std::move(run_->before);
  if (!run_->knew_insert_id) context_.backend.model().insert_id.reset();
  sink_->on_replayed();
}

// The client gets the error that it would have had without a replay.
void TransactionReplay::give_up(ReplayResult result, pool::Release how) {
  log::info("transaction not replayed", {{"session", context_.id}, {"result", to_string(result)}});
  context_.stats().replays[result].add();
  run_->enter(ReplayPhase::kRecording);
  run_->player.reset();
  run_->attempts = run_->conflicts = 0;
  run_->log.end();
  runner_.end();
  runner_.stop_killing();
  statement_.reset();
  if (context_.has_lease()) {
    if (how == pool::Release::kDiscard) context_.backend.lease().set_broken();
    context_.end_lease(how);
  }
  const std::string error = take_error();
  if (error.empty()) {
    context_.client.answer_error(lost_error(run_->cause, Verdict::kNotExecuted));
    return host_.close();
  }
  context_.model.diagnostics = std::move(run_->after);
  context_.model.in_transaction = false;
  context_.set_pins({});
  context_.client.send(error);
  if (run_->ends_session) return host_.close();
  context_.status.enter(State::kIdle);
  sink_->on_replay_failed();
}

}  // namespace tidepool::session

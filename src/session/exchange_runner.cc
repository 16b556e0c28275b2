#include "tidepool/session/exchange_runner.h"

#include <utility>

#include "tidepool/tracking/plan_prepared.h"
#include "tidepool/tracking/settle_captures.h"

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

void ExchangeRunner::begin(tracking::Command& command, PoolAccess& access, ExchangeSink& sink) {
  command_ = &command;
  access_ = &access;
  sink_ = &sink;
}

void ExchangeRunner::write_steps() {
  if (awaits_kill()) return;                // on_killed() goes on
  if (command_->attempt.is_paused) return;  // whose command it is does
  tracking::Exchange& exchange = command_->attempt.exchange;
  for (std::string bytes = exchange.take_writable(); !bytes.empty();) {
    command_->sent = Clock::now();
    if (context_.backend.write(std::move(bytes)) == Flow::kEnded) return;
    bytes = exchange.has_cut() ? exchange.take_writable() : std::string();
  }
  watch_own_steps();
  if (command_->attempt.exchange.is_over()) sink_->on_over();
}

Flow ExchangeRunner::on_backend_bytes(std::string_view bytes) {
  while (!bytes.empty()) {
    if (command_ == nullptr) return lose("TiDB sent bytes that nobody asked for");
    const auto progress = command_->attempt.exchange.feed(bytes);
    if (!progress) return lose(progress.error().message);
    if (const auto& answer = command_->attempt.exchange.summary();
        progress->ended && answer.has_error()) {
      context_.backend.lease().note_error(answer.error_number, answer.message);
    }
    const std::string_view answer = bytes.substr(0, progress->consumed);
    bytes.remove_prefix(progress->consumed);
    if (on_progress(*progress, answer, !bytes.empty()) == Flow::kEnded) return Flow::kEnded;
  }
  return Flow::kGoOn;
}

// `has_more`: TiDB has sent bytes behind these already.
Flow ExchangeRunner::on_progress(const tracking::Exchange::Progress& progress,
                                 std::string_view bytes, bool has_more) {
  const std::uint64_t turn = context_.backend.turn();
  if (sink_->on_answer(progress, bytes) == Flow::kEnded) return Flow::kEnded;
  if (progress.ended) {
    if (command_->attempt.exchange.is_over() && has_more) {
      return lose("TiDB sent bytes that nobody asked for");
    }
    on_step_ended(*progress.ended);
    return context_.backend.flow_since(turn);
  }
  return command_->attempt.exchange.wants_local_infile() ? sink_->on_file_wanted() : Flow::kGoOn;
}

void ExchangeRunner::on_step_ended(tracking::StepKind kind) {
  const std::uint64_t turn = context_.backend.turn();
  const tracking::Exchange& exchange = command_->attempt.exchange;
  if (exchange.failure()) {
    if (exchange.is_over()) sink_->on_restore_failed();
    return;
  }
  if (exchange.prepare_error()) {
    if (exchange.is_over()) sink_->on_prepare_failed();
    return;
  }
  settle_step(kind);
  if (context_.backend.flow_since(turn) == Flow::kEnded || command_ == nullptr) return;
  write_steps();
}

void ExchangeRunner::settle_step(tracking::StepKind kind) {
  switch (kind) {
    case tracking::StepKind::kPrepare: return on_prepared();
    case tracking::StepKind::kRelay: return sink_->on_relayed();
    case tracking::StepKind::kProbe:
      // Nobody knows whether the transaction lives on; the client has its answer, so only its
      // connection can tell it.
      if (const auto& answer = command_->attempt.exchange.summary(); answer.has_error())
        return (void)context_.backend.lose(tracking::error_of(answer));
      return sink_->on_probed();
    case tracking::StepKind::kCapture: {
      tracking::CommandContext context = context_.command_context(*command_);
      tracking::settle_capture(context);
      return context_.count_pins();
    }
    case tracking::StepKind::kRestore:
      if (const std::uint32_t id = command_->attempt.exchange.summary().statement_id; id != 0) {
        context_.backend.model().prepared.note_id(id);  // prepared for its warnings only
        context_.close_on_backend({id});
      }
      return;
    case tracking::StepKind::kFence:
    case tracking::StepKind::kSilent: return;
  }
}

// What the client prepared elsewhere is prepared here too.
void ExchangeRunner::on_prepared() {
  tracking::CommandAttempt& attempt = command_->attempt;
  const std::uint32_t id = attempt.exchange.summary().statement_id;
  tracking::PreparedCache& known = context_.backend.model().prepared;
  if (command_->statement == nullptr) return;  // PREPARE as text
  tracking::PreparedStatement& statement = *command_->statement;
  context_.close_on_backend(known.insert(statement.key, id, context_.schema_view(*command_).time));
  context_.close_on_backend(known.limit(context_.prepare_cache().most_kept(command_->received)));
  attempt.has_other_id = attempt.exchange.relay_written() && attempt.guessed_id != id;
  attempt.exchange.set_relay_bytes(tracking::statement_bytes(*command_, id));
}

// For each answer anew. The client's own statements take as long as they like: see watch_time().
void ExchangeRunner::watch_own_steps() {
  if (!command_->attempt.exchange.awaits_own_step()) {
    if (own_step_timer_ != nullptr) own_step_timer_->stop();
    return;
  }
  if (own_step_timer_ == nullptr) {
    own_step_timer_ = std::make_unique<net::Timer>(context_.environment.loop);
  }
  own_step_timer_->start(access_->control_timeout, [this] { on_own_step_timeout(); });
}

void ExchangeRunner::on_own_step_timeout() {
  if (!context_.has_lease() || command_ == nullptr || !command_->attempt.exchange.awaits_own_step())
    return;
  (void)context_.backend.lose(
      {Code::kTimeout, "TiDB did not answer Tidepool within control_timeout"});
}

std::optional<Departure::Running> ExchangeRunner::running() const {
  const bool runs = command_ != nullptr && context_.has_lease() && !command_->attempt.is_relayed &&
                    command_->attempt.exchange.relay_written();
  if (!runs) return std::nullopt;
  return Departure::Running{.since = command_->sent,
                            .is_boundary = has_boundary(command_->executed_script()),
                            .can_be_killed = is_killing() || can_kill()};
}

bool ExchangeRunner::can_kill() const {
  const bool runs = command_ != nullptr && context_.has_lease() && !command_->attempt.is_relayed;
  return runs && command_->attempt.exchange.relay_written() && !context_.client.sends_file() &&
         context_.backend.tidb_connection() != 0 && access_->pool->broker().stats().cap.value() > 1;
}

void ExchangeRunner::kill() {
  if (is_killing() || !can_kill()) return;
  killer_ = std::make_unique<StatementKiller>(context_.environment.loop, *access_->pool,
                                              context_.profile, context_.backend.tidb_connection(),
                                              Departure::kKillTimeout, [this] { on_killed(); });
}

void ExchangeRunner::on_killed() {
  context_.environment.loop.retire(std::move(killer_));  // we are in its callback
  if (command_ != nullptr && context_.has_lease() && command_->attempt.is_relayed) write_steps();
}

// The KILL must not hit what comes after the statement on this backend, or after its lease.
bool ExchangeRunner::awaits_kill() {
  if (killer_ == nullptr || !command_->attempt.is_relayed) return false;
  if (killer_->is_sent()) return true;
  killer_.reset();
  return false;
}

void ExchangeRunner::watch_time(tracking::Command& command) {
  const Duration limit = context_.account->timeouts.query;
  if (command.is_timed || limit <= Duration::zero()) return;
  command.is_timed = true;
  watch_time_again(limit);
}

void ExchangeRunner::watch_time_again(Duration limit) {
  if (time_timer_ == nullptr) {
    time_timer_ = std::make_unique<net::Timer>(context_.environment.loop);
  }
  time_timer_->start(limit, [this] { context_.backend.user().on_time_up(); });
}

void ExchangeRunner::stop() {
  killer_.reset();
  for (const auto& timer : {&own_step_timer_, &time_timer_})
    if (*timer != nullptr) (*timer)->stop();
}

}  // namespace tidepool::session

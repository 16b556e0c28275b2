#include "tidepool/session/execution.h"

#include <utility>

#include "own_errors.h"
#include "tidepool/protocol/packet.h"
#include "tidepool/tracking/plan_diagnostics.h"
#include "tidepool/tracking/planner.h"
#include "tidepool/tracking/settle_prepared.h"
#include "tidepool/tracking/settler.h"

namespace tidepool::session {
namespace {

// So many backends in a row that cannot be brought to the session's state mean that none can.
constexpr unsigned kMaxIncompatibleBackends = 4;

// In the EOF that ends the answer: its header byte, warnings, status flags.
void set_eof_warnings(std::string& answer, std::uint16_t warnings) {
  const std::size_t at = answer.size() - 4;
  answer[at] = static_cast<char>(warnings & 0xffU);
  answer[at + 1] = static_cast<char>(warnings >> 8U);
}

// One of 16 MiB and more, as it came.
std::string framed_again(const protocol::Packet& packet) {
  std::string bytes;
  const std::size_t count = packet.payload.size() / protocol::kMaxPayloadBytes + 1;
  auto sequence = static_cast<std::uint8_t>(packet.next_sequence - count);
  protocol::append_packet(bytes, sequence, packet.payload);
  return bytes;
}

}  // namespace

Execution::Execution(const Parts& parts)
    : context_(parts.context),
      runner_(parts.runner),
      statements_(parts.statements),
      kills_(parts.kills),
      answers_(parts.answers),
      replay_(parts.replay),
      host_(parts.host) {
  replay_.set_sink(*this);
}

void Execution::start(std::unique_ptr<ClientCommand> command) {
  command_ = std::move(command);
  context_.backend.set_user(*this);
  statements_.note_schema_changes(*command_);
  if (context_.has_lease() && !context_.backend.lease().unpark()) {
    const Error error{Code::kClosed, "TiDB closed the connection"};
    if (context_.model.is_bound()) return (void)context_.backend.lose(error);
    context_.drop_lease();
  }
  if (context_.has_lease()) return execute();
  if (replay_.is_due()) return replay_.start(*command_);
  acquire();
}

void Execution::acquire() {
  context_.backend.set_user(*this);
  const std::string& database = context_.model.desired.database();
  if (context_.backend.acquire(context_.access(), context_.request(*context_.account, database)))
    return execute();
  context_.status.enter(State::kAcquiring);
}

void Execution::on_no_lease(const Error& error) {
  context_.status.enter(State::kIdle);
  context_.client.answer_error(error);
  // What a client had sent before it left is not to wait once more for each command: there may be
  // thousands, and a BEGIN that failed among them.
  if (context_.client.has_ended()) context_.client.departure().leave();
  context_.count_command(*command_, Source::kProxy, true);
  command_.reset();
  host_.end_turn();
}

void Execution::execute() {
  context_.backend.begin_turn();
  context_.status.enter(State::kExecuting);
  runner_.begin(*command_, context_.access(), *this);
  if (prefetch()) return runner_.write_steps();
  replay_.prepare_recording(*command_);
  if (command_->executed_script().info_functions().contains(sql::InfoFunction::kStatus))
    command_->status.emplace(net::encryption_of(context_.client.stream().tls()));
  if (!plan()) {
    // No commands can bring this backend to the session's state: another one is needed.
    runner_.end();
    context_.end_lease(pool::Release::kReset);
    if (++command_->incompatible_backends < kMaxIncompatibleBackends) return acquire();
    return on_no_lease({Code::kBackend, "no TiDB connection can be brought to this session's state",
                        1105, "HY000"});
  }
  if (!command_->attempt.has_diagnostics)
    context_.model.diagnostics.leave_backend();  // unless the command leaves some of its own
  context_.backend.model().last_session = context_.id;
  runner_.watch_time(*command_);
  runner_.write_steps();
}

// Returns whether the command has questions of its own: then it is planned when they are answered.
bool Execution::prefetch() {
  tracking::CommandContext context = context_.command_context(*command_);
  if (!tracking::add_prefetch(context)) return false;
  context_.count_captures(*command_);
  return true;
}

void Execution::on_prefetched() {
  command_->attempt.prefetching = false;
  command_->attempt.exchange = {};
  context_.backend.model().last_session = 0;
  context_.model.diagnostics.leave_backend();
  context_.model.pins.insert(context_.model.desired.pins());
  context_.count_pins();
  if (command_->type != protocol::Command::kQuery || !answers_.answer_captured(*command_))
    return execute();
  command_->attempt.is_relayed = true;
  context_.status.enter(State::kStreaming);
  on_over();
}

// Returns false if no commands can bring this backend to the session's state.
bool Execution::plan() {
  if (command_->type == protocol::Command::kQuery) kills_.plan(*command_);
  return context_.plan(*command_);
}

Flow Execution::on_answer(const tracking::Exchange::Progress& progress, std::string_view bytes) {
  tracking::CommandAttempt& attempt = command_->attempt;
  if (progress.step == tracking::StepKind::kRelay) {
    if (attempt.answer != nullptr) attempt.answer->add(bytes);
    if (!attempt.kills.empty()) kills_.carry_out(attempt);
  }
  if (retries_after_error(progress)) return Flow::kEnded;
  if (progress.relay && !bytes.empty()) pass_on(bytes);
  return Flow::kGoOn;
}

// What was held back of the answer comes first.
void Execution::pass_on(std::string_view bytes) {
  const bool is_stopped = context_.status.state() != State::kStreaming && tells_of_stop(bytes);
  context_.status.enter(State::kStreaming);
  tracking::CommandAttempt& attempt = command_->attempt;
  const std::string held = attempt.exchange.take_held();
  attempt.exchange.note_relay_answered();
  ClientConnection& client = context_.client;
  if (is_stopped) return client.answer_error(took_too_long());
  if (attempt.shown) return client.send(attempt.shown->feed(held) + attempt.shown->feed(bytes));
  if (command_->status)
    return client.send(command_->status->feed(held) + command_->status->feed(bytes));
  if (!held.empty()) client.send(held);
  client.send(bytes);
}

Flow Execution::on_file_wanted() {
  const std::uint64_t turn = context_.backend.turn();
  context_.client.begin_file(command_->attempt.exchange.next_sequence());
  context_.client.watch_stall();
  host_.resume_input();
  return context_.backend.flow_since(turn);
}

void Execution::on_file_packet(const protocol::Packet& packet) {
  ClientConnection& client = context_.client;
  const bool is_last = packet.payload.empty();
  client.watch_stall();
  const std::string joined = packet.frame.empty() ? framed_again(packet) : std::string();
  const std::string_view bytes = joined.empty() ? packet.frame : std::string_view(joined);
  if (context_.backend.write_copy(bytes) == Flow::kEnded) return;
  client.channel().expect_sequence(packet.next_sequence);
  if (!is_last) return;
  client.end_file();
  command_->attempt.exchange.on_local_infile_sent(packet.next_sequence);
}

// The client's command is answered: first what makes that none of the client's answers, then what
// it tells of the session, then what the client gets of it.
void Execution::on_relayed() {
  if (retries_here()) return;
  ClientCommand& command = *command_;
  command.attempt.is_relayed = true;
  command.attempt.summary = command.attempt.exchange.summary();
  if (command.type == protocol::Command::kStmtPrepare) return on_client_prepared();
  replay_.defer_error(command);
  settle_answer();
}

void Execution::settle_answer() {
  ClientCommand& command = *command_;
  tracking::CommandAttempt& attempt = command.attempt;
  const std::string held = attempt.exchange.take_held();
  tracking::CommandContext context = context_.command_context(command);
  context_.close_on_backend(
      tracking::settle_relayed(context, *context_.environment.global_settings, held));
  if (!command.named.refs.empty()) statements_.count_named_bytes();
  if (command.type == protocol::Command::kStmtExecute) statements_.note_schema_use(command);
  if (command.statement != nullptr) statements_.count_bytes(*command.statement);
  context_.count_pins();
  if (command.repeats_last_ok()) return repeat_last_ok(held);
  if (command.repeats_last_warnings()) return repeat_last_warnings(held);
  if (attempt.is_deferred) return replay_.keep_error(held);
  if (!held.empty()) pass_on(held);
}

// COM_STMT_PREPARE is.
void Execution::on_client_prepared() {
  const std::string answer = statements_.settle_prepare(*command_);
  if (command_->attempt.summary.has_error()) {
    tracking::add_probe(command_->attempt.exchange);  // what it warned of before it failed
  }
  context_.status.enter(State::kStreaming);
  context_.client.send(answer);
}

void Execution::repeat_last_ok(const std::string& answer) {
  context_.status.enter(State::kStreaming);
  if (command_->attempt.summary.has_error()) return context_.client.send(answer);
  context_.send_last_ok();
}

void Execution::repeat_last_warnings(std::string answer) {
  context_.status.enter(State::kStreaming);
  if (!command_->attempt.summary.has_error())
    set_eof_warnings(answer, context_.model.diagnostics.last_ok().warnings);
  context_.client.send(answer);
}

void Execution::on_probed() {
  tracking::CommandAttempt& attempt = command_->attempt;
  tracking::CommandContext context = context_.command_context(*command_);
  tracking::settle_probe(context);
  context_.count_pins();
  if (command_->is_overdue && attempt.summary.error_number == interrupted().mysql_errno)
    note_stopped();
  if (!attempt.is_deferred) return;
  if (context_.model.in_transaction) {  // which lives on: the error is the client's after all
    attempt.is_deferred = false;
    return pass_on(replay_.take_error());
  }
  tracking::add_captures(context);
  context_.count_captures(*command_);
}

void Execution::on_over() {
  if (command_->attempt.prefetching) return on_prefetched();
  if (command_->type == protocol::Command::kStmtSendLongData) note_statement_use();
  if (command_->attempt.is_deferred && !context_.client.has_left())
    return replay_.begin_after_error(*command_, false);
  replay_.record(*command_);
  finish(command_->attempt.summary.has_error());
  host_.rest();
}

// The session's statement was used by the command under way.
void Execution::note_statement_use() {
  tracking::CommandContext context = context_.command_context(*command_);
  context_.close_on_backend(tracking::settle_statement_use(context));
  statements_.count_bytes(*command_->statement);
  context_.count_pins();
}

void Execution::on_replayed() {
  context_.backend.set_user(*this);
  execute();
}

void Execution::on_replay_failed() {
  finish(true);
  host_.end_turn();
}

void Execution::finish(bool failed) {
  context_.count_command(*command_, Source::kBackend, failed);
  runner_.end();
  command_.reset();
}

}  // namespace tidepool::session

// A command on its backend: its steps written, their answers followed and passed on, what they tell
// settled.
#include <utility>

#include "own_errors.h"
#include "tidepool/protocol/packet.h"
#include "tidepool/protocol/status.h"
#include "tidepool/session/session.h"
#include "tidepool/sql/transaction_mode.h"
#include "tidepool/tracking/effects.h"
#include "tidepool/tracking/holdings.h"
#include "tidepool/tracking/next_isolation.h"
#include "tidepool/tracking/planner.h"
#include "tidepool/tracking/settle_captures.h"
#include "tidepool/tracking/settle_texts.h"
#include "tidepool/tracking/settler.h"

namespace tidepool::session {
namespace {

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

void Session::write_steps() {
  if (awaits_kill()) return;                // on_killed() goes on
  if (command_->attempt.is_paused) return;  // go_on_here() does
  tracking::Exchange& exchange = command_->attempt.exchange;
  for (std::string bytes = exchange.take_writable(); !bytes.empty();) {
    command_->sent = Clock::now();
    const std::size_t size = bytes.size();
    if (note_written(lease_.stream().write_large(std::move(bytes)), size) == Flow::kEnded) return;
    bytes = exchange.has_cut() ? exchange.take_writable() : std::string();
  }
  watch_own_steps();
  if (command_->attempt.exchange.is_over()) settle();
}

// What the backend cannot take is queued; then the client is not read.
Session::Flow Session::note_written(const Result<void>& written, std::size_t size) {
  stats().backend.sent.add(size);
  if (!written) {
    on_backend_lost(written.error());
    return Flow::kEnded;
  }
  if (lease_.stream().queued_bytes() > kHighWatermark) {
    channel_.stream().pause(net::PauseReason::kPeerFull);
  }
  return Flow::kGoOn;
}

void Session::on_backend_drained() {
  channel_.stream().resume(net::PauseReason::kPeerFull);
}

void Session::on_backend_readable() {
  while (lease_) {
    const auto result = lease_.stream().read(environment_.loop.scratch());
    if (!result) return on_backend_lost(result.error());
    if (result->status == net::ReadResult::Status::kEnd) {
      return on_backend_lost({Code::kClosed, "TiDB closed the connection"});
    }
    if (result->status == net::ReadResult::Status::kWouldBlock) return;
    stats().backend.received.add(result->bytes);
    const bool maybe_more = result->bytes == environment_.loop.scratch().size();
    const std::string_view bytes{environment_.loop.scratch().data(), result->bytes};
    if (on_backend_bytes(bytes) == Flow::kEnded) return;
    if (!maybe_more && !lease_.stream().has_buffered()) return;
    if (lease_.stream().is_paused()) return;
  }
}

// The backend is out of step.
Session::Flow Session::lose_backend(const std::string& reason) {
  on_backend_lost({Code::kProtocol, reason});
  return Flow::kEnded;
}

Session::Flow Session::on_backend_bytes(std::string_view bytes) {
  while (!bytes.empty()) {
    if (command_ == nullptr) return lose_backend("TiDB sent bytes that nobody asked for");
    const auto progress = command_->attempt.exchange.feed(bytes);
    if (!progress) return lose_backend(progress.error().message);
    if (const auto& answer = command_->attempt.exchange.summary();
        progress->ended && answer.has_error()) {
      lease_.note_error(answer.error_number, answer.message);
    }
    const std::string_view answer = bytes.substr(0, progress->consumed);
    bytes.remove_prefix(progress->consumed);
    if (on_progress(*progress, answer, !bytes.empty()) == Flow::kEnded) return Flow::kEnded;
  }
  return Flow::kGoOn;
}

// `has_more`: TiDB has sent bytes behind these already.
Session::Flow Session::on_progress(const tracking::Exchange::Progress& progress,
                                   std::string_view bytes, bool has_more) {
  const std::uint64_t turn = turn_;
  note_answer(progress, bytes);
  if (progress.step == tracking::StepKind::kRelay && !command_->attempt.kills.empty())
    carry_out_kills();
  if (repeats(progress)) return Flow::kEnded;
  if (progress.relay && !bytes.empty() && !is_replaying()) pass_on(bytes);
  if (progress.ended) {
    if (command_->attempt.exchange.is_over() && has_more) {
      return lose_backend("TiDB sent bytes that nobody asked for");
    }
    on_step_ended(*progress.ended);
    return flow_since(turn);
  }
  return command_->attempt.exchange.wants_local_infile() ? begin_local_infile() : Flow::kGoOn;
}

// What was held back of the answer comes first.
void Session::pass_on(std::string_view bytes) {
  const bool is_stopped = state_ != State::kStreaming && tells_of_stop(bytes);
  enter(State::kStreaming);
  const std::string held = command_->attempt.exchange.take_held();
  command_->attempt.exchange.note_relay_answered();
  if (is_stopped) return send_error(took_too_long(), answer_sequence_);
  if (command_->attempt.shown)
    return send(command_->attempt.shown->feed(held) + command_->attempt.shown->feed(bytes));
  if (command_->status) return send(command_->status->feed(held) + command_->status->feed(bytes));
  if (!held.empty()) send(held);
  send(bytes);
}

Session::Flow Session::begin_local_infile() {
  const std::uint64_t turn = turn_;
  waits_for_infile_ = true;
  channel_.continue_command(true);
  channel_.expect_sequence(command_->attempt.exchange.next_sequence());
  watch_stall();
  resume_input();
  return flow_since(turn);
}

void Session::on_step_ended(tracking::StepKind kind) {
  const std::uint64_t turn = turn_;
  tracking::Exchange& exchange = command_->attempt.exchange;
  if (exchange.failure()) {
    if (exchange.is_over()) fail_exchange();
    return;
  }
  if (exchange.prepare_error()) {
    if (exchange.is_over()) on_prepare_failed();
    return;
  }
  switch (kind) {
    case tracking::StepKind::kPrepare: on_prepared(); break;
    case tracking::StepKind::kRelay: on_relayed(); break;
    case tracking::StepKind::kProbe:
      // Nobody knows whether the transaction lives on; the client has its answer, so only its
      // connection can tell it.
      if (exchange.summary().has_error())
        return on_backend_lost(tracking::error_of(exchange.summary()));
      if (is_replaying()) {
        command_->attempt.summary.status = exchange.summary().status;
        break;
      }
      settle_probe();
      if (command_->is_overdue &&
          command_->attempt.summary.error_number == interrupted().mysql_errno) {
        note_stopped();
      }
      if (command_->attempt.is_deferred) settle_deferred();
      break;
    case tracking::StepKind::kCapture: {
      tracking::CommandContext context = command_context();
      tracking::settle_capture(context);
      count_pins();
      break;
    }
    case tracking::StepKind::kRestore:
      if (const std::uint32_t id = exchange.summary().statement_id; id != 0) {
        lease_.memory().prepared.note_id(id);  // prepared for its warnings only
        close_on_backend({id});
      }
      break;
    case tracking::StepKind::kFence:
    case tracking::StepKind::kSilent: break;
  }
  if (flow_since(turn) == Flow::kEnded || command_ == nullptr) return;
  if (command_->attempt.asks_first && exchange.is_over()) return on_asked();
  write_steps();
}

void Session::on_relayed() {
  if (is_replaying()) return on_replay_relayed();
  if (resend_original()) return;
  ClientCommand& command = *command_;
  const bool is_execute = command.type == protocol::Command::kStmtExecute;
  if (is_execute && repeat_execute()) return;
  if (!is_execute && command.attempt.exchange.summary().has_error() && prepares_again()) return;
  command.attempt.is_relayed = true;
  command.attempt.summary = command.attempt.exchange.summary();
  const protocol::ResponseSummary& answer = command.attempt.summary;
  if (command.type == protocol::Command::kStmtPrepare) return on_client_prepared();
  std::string lock_answer;
  if (command.asks_for_lock()) lock_answer = command.attempt.exchange.take_held();
  defer_error();
  tracking::CommandContext context = command_context();
  tracking::settle_answer(context, *environment_.global_settings, lock_answer);
  tracking::settle_texts(context);
  if (!command.texts.uses.empty()) count_text_bytes();
  count_pins();
  if (command.executes()) pass_on_error(command.attempt.exchange.take_held());
  if (is_execute) note_schema_use();
  if (command.statement != nullptr) note_statement_use();
  if (command.repeats_last_ok()) on_repeating_ok();
  if (command.repeats_last_warnings()) on_repeating_warnings();
  if (answer.has_status && !answer.has_error()) note_status(answer.status);
  if (command.executes() && answer.has_error()) probe();
  if (!lock_answer.empty()) pass_on(lock_answer);
}

void Session::note_status(std::uint16_t status) {
  tracking::CommandContext context = command_context();
  tracking::settle_status(context, status);
  count_pins();
}

// The ping after an error is answered.
void Session::settle_probe() {
  tracking::CommandContext context = command_context();
  tracking::settle_status(context, context.exchange().summary().status);
  tracking::settle_failure(context);
  count_pins();
}

void Session::probe() {
  command_->attempt.exchange.add({.kind = tracking::StepKind::kProbe,
                                  .command = protocol::Command::kPing,
                                  .bytes = tracking::framed(protocol::Command::kPing)});
}

void Session::on_repeating_ok() {
  const std::string answer = command_->attempt.exchange.take_held();
  enter(State::kStreaming);
  if (command_->attempt.summary.has_error()) {
    send(answer);
    return;
  }
  note_status(command_->attempt.summary.status);
  send_last_ok();
}

void Session::on_repeating_warnings() {
  std::string answer = command_->attempt.exchange.take_held();
  enter(State::kStreaming);
  if (!command_->attempt.summary.has_error())
    set_eof_warnings(answer, model_.facts.last_ok().warnings);
  send(answer);
}

// Everything of the command is answered. What has no answer comes here too.
void Session::settle() {
  if (command_->type == protocol::Command::kStmtSendLongData) note_statement_use();
  if (command_->is_capture()) return end_captures();
  if (is_replaying()) return on_replayed();
  if (command_->attempt.is_deferred && !has_left()) return replay_after_error(false);
  const bool failed = command_->attempt.summary.has_error();
  if (command_->is_login_check()) {
    const std::string database(command_->argument());
    lease_.memory().actual.apply({.kind = sql::ChangeKind::kUseDatabase, .name = database});
    login_account_->pool->databases.add(database, environment_.loop.now());
    command_.reset();
    begin_session();
    return resume_input();
  }
  record();
  count_command(Source::kBackend, failed);
  command_.reset();
  rest();
}

void Session::on_local_infile_packet(const protocol::Packet& packet) {
  const bool is_last = packet.payload.empty();
  watch_stall();
  const std::string joined = packet.frame.empty() ? framed_again(packet) : std::string();
  const std::string_view bytes = joined.empty() ? packet.frame : std::string_view(joined);
  if (note_written(lease_.stream().write(bytes), bytes.size()) == Flow::kEnded) return;
  channel_.expect_sequence(packet.next_sequence);
  if (!is_last) return;
  end_infile();
  command_->attempt.exchange.on_local_infile_sent(packet.next_sequence);
}

// The client's next packet begins a command.
void Session::end_infile() {
  waits_for_infile_ = false;
  channel_.continue_command(false);
  channel_.expect_sequence(0);
}

// TiDB quotes the text in a syntax error, so it is to see the client's own. True: its answer is
// still to come.
bool Session::resend_original() {
  constexpr std::uint16_t kSyntaxError = 1064;
  ClientCommand& command = *command_;
  const protocol::ResponseSummary& answer = command.attempt.exchange.summary();
  const bool refused = answer.has_error() && !command.attempt.exchange.relay_answered();
  if (command.attempt.substituted.empty() || !refused) return false;
  command.attempt.substituted.clear();
  if (answer.error_number == kSyntaxError) {
    if (command.attempt.answer != nullptr) command.attempt.answer->clear();
    tracking::CommandContext plan = command_context();
    tracking::add_relay(plan, tracking::framed(command.payload), false, false);
    return true;
  }
  pass_on(command.attempt.exchange.take_held());
  return false;
}

}  // namespace tidepool::session

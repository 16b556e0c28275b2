#include "turns.h"

#include <utility>

#include <gtest/gtest.h>

#include "tidepool/protocol/packet.h"
#include "tidepool/protocol/reply_messages.h"
#include "tidepool/protocol/statement_messages.h"
#include "tidepool/protocol/status.h"
#include "tidepool/protocol/text_result.h"
#include "tidepool/tracking/plan_diagnostics.h"
#include "tidepool/tracking/plan_prepared.h"
#include "tidepool/tracking/planner.h"
#include "tidepool/tracking/settle_captures.h"
#include "tidepool/tracking/settle_named.h"
#include "tidepool/tracking/settle_prepared.h"
#include "tidepool/tracking/settler.h"

namespace tidepool::tracking {
namespace {

using Type = protocol::Command;

std::string describe(std::string_view payload) {
  const std::string_view argument = payload.substr(1);
  const auto id = [&] { return std::to_string(protocol::parse_statement_id(payload).value_or(0)); };
  switch (static_cast<Type>(payload.front())) {
    case Type::kQuery: return std::string(argument);
    case Type::kStmtPrepare: return "PREPARE " + std::string(argument);
    case Type::kStmtExecute: return "EXECUTE " + id();
    case Type::kStmtClose: return "CLOSE " + id();
    case Type::kStmtFetch: return "FETCH " + id();
    case Type::kStmtReset: return "RESET_STATEMENT " + id();
    case Type::kStmtSendLongData: return "DATA " + id();
    case Type::kPing: return "PING";
    case Type::kResetConnection: return "RESET";
    case Type::kSetOption: return "SET_OPTION";
    default: return "command " + std::to_string(payload.front());
  }
}

std::unique_ptr<tracking::Command> make(Type type, std::string_view argument) {
  return std::make_unique<tracking::Command>(type, static_cast<char>(type) + std::string(argument),
                                             TimePoint{});
}

std::string id_bytes(std::uint32_t id) {
  std::string bytes;
  for (unsigned shift = 0; shift < 32; shift += 8)
    bytes += static_cast<char>(id >> shift);
  return bytes;
}

}  // namespace

std::string ok_packets(std::uint64_t insert_id, std::uint16_t warnings, std::uint16_t status) {
  return protocol::ok_packet({.affected_rows = insert_id == 0 ? 0U : 1U,
                              .last_insert_id = insert_id,
                              .status = status,
                              .warnings = warnings},
                             1);
}

std::string number_packets(std::uint64_t number) {
  return protocol::make_text_result({protocol::integer_column("x")}, {{std::to_string(number)}}, 2,
                                    0);
}

std::string text_packets(const std::string& text) {
  return protocol::make_text_result({protocol::string_column("x")}, {{text}}, 2, 0);
}

std::string rows_packets(std::uint16_t warnings, std::uint16_t status) {
  return protocol::make_text_result({protocol::integer_column("x")}, {{"1"}}, status, warnings);
}

std::string cursor_packets(std::uint16_t warnings) {
  constexpr std::size_t kEofPacketBytes = 9;
  const auto status =
      static_cast<std::uint16_t>(protocol::status::kAutocommit | protocol::status::kCursorExists);
  std::string packets =
      protocol::make_text_result({protocol::integer_column("x")}, {}, status, warnings);
  packets.resize(packets.size() - kEofPacketBytes);  // the one behind the rows
  return packets;
}

std::string error_packets(std::uint16_t number, std::string_view message) {
  return protocol::err_packet(
      {.number = number, .sqlstate = "HY000", .message = std::string(message)}, 1);
}

std::string prepared_packets(std::uint32_t id, std::uint16_t warnings) {
  std::string packets;
  std::uint8_t sequence = 1;
  protocol::append_packet(
      packets, sequence,
      protocol::encode_stmt_prepare_ok({.statement_id = id, .warnings = warnings}));
  return packets;
}

std::string shown_packets(const std::vector<std::string>& levels) {
  std::vector<protocol::Row> rows;
  rows.reserve(levels.size());
  for (const std::string& level : levels)
    rows.push_back({level, "1365", "message"});
  return protocol::make_text_result(
      {protocol::string_column("Level"), protocol::integer_column("Code"),
       protocol::string_column("Message")},
      rows, 2, 0);
}

Turns::Steps Turns::query(BackendModel& backend, std::string_view text) {
  const auto command = make(Type::kQuery, text);
  command->script = sql::classify(command->argument(), model.desired.lex_mode());
  NameOwner last{model.id, model.last_named + 1};
  command->named = refs_of(command->script, model.named, model.desired, last);
  model.last_named = last.number;
  return run(backend, *command);
}

Turns::Steps Turns::init_database(BackendModel& backend, std::string_view database) {
  const auto command = make(Type::kInitDb, database);
  command->payload = static_cast<char>(Type::kQuery) + use_text(command->argument());
  command->script = sql::classify(command->argument(), model.desired.lex_mode());
  return run(backend, *command);
}

Turns::Steps Turns::set_multi_statements(BackendModel& backend, bool enabled) {
  answer("SET_OPTION", protocol::eof_packet({}, 1));
  const auto command = make(Type::kSetOption, std::string_view(enabled ? "\0\0" : "\1\0", 2));
  return run(backend, *command);
}

Turns::Steps Turns::prepare(BackendModel& backend, std::string_view text, std::uint32_t& id,
                            std::uint16_t params) {
  const auto command = make(Type::kStmtPrepare, text);
  command->script = sql::classify(command->argument(), model.desired.lex_mode());
  Steps steps = run(backend, *command);
  if (told_.has_error()) return steps;
  PreparedStatement& made = model.prepared.add(text, model.desired, params, model.id);
  model.diagnostics.note_prepare(made.shared_text, made.script, told_.warnings,
                                 command->attempt.has_diagnostics);
  closed_ = backend.prepared.insert(made.key, told_.statement_id);
  id = made.id;
  return steps;
}

Turns::Steps Turns::execute(BackendModel& backend, std::uint32_t id, std::string_view types,
                            std::uint8_t cursor_flags) {
  const std::string nulls(1, '\1');  // the only parameter is NULL
  const bool has_params = model.prepared.find(id)->params > 0;
  const protocol::StmtExecute execute{
      .statement_id = id,
      .cursor_flags = cursor_flags,
      .has_types = !types.empty(),
      .null_bitmap = has_params ? std::string_view(nulls) : std::string_view(),
      .types = types,
      .values = {}};
  return use_statement(backend, Type::kStmtExecute, id,
                       protocol::encode_stmt_execute(execute).substr(1));
}

Turns::Steps Turns::send_long_data(BackendModel& backend, std::uint32_t id) {
  return use_statement(backend, Type::kStmtSendLongData, id,
                       id_bytes(id) + std::string(2, '\0') + "data");
}

Turns::Steps Turns::fetch(BackendModel& backend, std::uint32_t id) {
  return use_statement(backend, Type::kStmtFetch, id, id_bytes(id) + id_bytes(1));
}

Turns::Steps Turns::reset_statement(BackendModel& backend, std::uint32_t id) {
  return use_statement(backend, Type::kStmtReset, id, id_bytes(id));
}

Turns::Steps Turns::use_statement(BackendModel& backend, Type type, std::uint32_t id,
                                  std::string_view argument) {
  const auto command = make(type, argument);
  command->statement = model.prepared.find(id);
  return run(backend, *command);
}

Turns::Steps Turns::check_login(BackendModel& backend, std::string_view database) {
  const auto command = make(Type::kInitDb, database);
  command->purpose = CommandPurpose::kLoginCheck;
  return run(backend, *command);
}

Turns::Steps Turns::capture(BackendModel& backend) {
  const auto command = make(Type::kPing, {});
  command->purpose = CommandPurpose::kCapture;
  CommandContext context{.model = model, .backend = backend, .command = *command};
  add_captures(context);
  Steps steps = exchange(context);
  model.pins.insert(model.desired.pins());
  return steps;
}

Turns::Steps Turns::run(BackendModel& backend, tracking::Command& command) {
  CommandContext context{.model = model, .backend = backend, .command = command};
  told_ = {};
  closed_.clear();
  payloads_.clear();
  Steps steps;
  if (add_prefetch(context)) {
    steps = exchange(context);
    command.attempt.prefetching = false;
    command.attempt.exchange = {};
    backend.last_session = 0;
    model.diagnostics.leave_backend();
    model.pins.insert(model.desired.pins());
  }
  found_no_way_ = !add_steps(context);
  if (found_no_way_) return steps;
  if (!command.attempt.has_diagnostics) model.diagnostics.leave_backend();
  backend.last_session = model.id;
  const Steps own = exchange(context);
  steps.insert(steps.end(), own.begin(), own.end());
  settle_failed_exchange(context);
  if (command.type == Type::kStmtSendLongData) closed_ = settle_statement_use(context);
  return steps;
}

Turns::Steps Turns::exchange(CommandContext& context) {
  Steps steps;
  for (std::string bytes = context.exchange().take_writable(); !bytes.empty();
       bytes = context.exchange().take_writable()) {
    std::string answers;
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t length = static_cast<unsigned char>(bytes[at]) |
                                 std::size_t{static_cast<unsigned char>(bytes[at + 1])} << 8U;
      const std::string_view payload = std::string_view(bytes).substr(at + 4, length);
      steps.push_back(describe(payload));
      payloads_.emplace_back(payload);
      answers += answer_to(payload);
      at += 4 + length;
    }
    for (std::string_view left = answers; !left.empty();) {
      const auto progress = context.exchange().feed(left);
      if (!progress) {
        ADD_FAILURE() << "no answer to a step: " << progress.error().message;
        return steps;
      }
      left.remove_prefix(progress->consumed);
      if (progress->ended) follow(context, *progress->ended);
    }
  }
  return steps;
}

void Turns::follow(CommandContext& context, StepKind ended) {
  if (context.exchange().failure() || context.exchange().prepare_error()) return;
  switch (ended) {
    case StepKind::kCapture: return settle_capture(context);
    case StepKind::kPrepare: return follow_prepare(context);
    case StepKind::kRelay: return settle_relay(context);
    case StepKind::kProbe:
      settle_status(context, context.exchange().summary().status);
      return settle_failure(context);
    case StepKind::kRestore: {
      const std::uint32_t id = context.exchange().summary().statement_id;
      if (id == 0) return;
      context.backend.prepared.note_id(id);  // prepared for its warnings only
      return closed_.push_back(id);
    }
    case StepKind::kFence:
    case StepKind::kSilent: return;
  }
}

void Turns::follow_prepare(CommandContext& context) {
  tracking::Command& command = context.command;
  if (command.statement == nullptr) return;  // PREPARE as text
  const std::uint32_t id = context.exchange().summary().statement_id;
  closed_ = context.backend.prepared.insert(command.statement->key, id);
  context.exchange().set_relay_bytes(statement_bytes(command, id));
}

void Turns::settle_relay(CommandContext& context) {
  static const GlobalSettings globals;
  tracking::Command& command = context.command;
  command.attempt.summary = context.exchange().summary();
  told_ = command.attempt.summary;
  if (command.type == Type::kStmtPrepare) return settle_prepare(context);
  const std::string lock = command.asks_for_lock() ? context.exchange().take_held() : "";
  settle_answer(context, globals, lock);
  settle_named(context);
  if (command.statement != nullptr) {
    const auto ids = settle_statement_use(context);
    closed_.insert(closed_.end(), ids.begin(), ids.end());
  }
  if (told_.has_status && !told_.has_error()) settle_status(context, told_.status);
  if (!command.executes() || !told_.has_error()) return;
  context.exchange().add(
      {.kind = StepKind::kProbe, .command = Type::kPing, .bytes = framed(Type::kPing)});
}

void Turns::settle_prepare(CommandContext& context) {
  model.pins = model.held.settle_prepare(model.pins, context.command.script, told_);
  if (told_.has_error()) {
    settle_diagnostics(context);
    context.exchange().add(
        {.kind = StepKind::kProbe, .command = Type::kPing, .bytes = framed(Type::kPing)});
  }
  settle_planned(context);
}

// What was to be prepared cannot be: the client is told so.
void Turns::settle_failed_exchange(CommandContext& context) {
  tracking::Command& command = context.command;
  const std::optional<Error>& failure = context.exchange().prepare_error()
                                            ? context.exchange().prepare_error()
                                            : context.exchange().failure();
  if (!failure) return;
  told_.outcome = protocol::ResponseSummary::Outcome::kError;
  told_.error_number = failure->mysql_errno;
  command.attempt.summary = told_;
  if (!context.exchange().prepare_error()) return;
  model.diagnostics.note_local_answer();
  model.diagnostics.forget_backend_warnings();
  forget_failed_named(context, *failure);
  if (command.type == Type::kStmtExecute) closed_ = settle_statement_use(context);
}

std::string Turns::answer_to(std::string_view payload) {
  const auto known = answers_.find(describe(payload));
  if (known != answers_.end()) return known->second;
  switch (static_cast<Type>(payload.front())) {
    case Type::kStmtPrepare: return prepared_packets(++last_statement_);
    case Type::kStmtFetch: return protocol::eof_packet({}, 1);
    case Type::kStmtSendLongData:
    case Type::kStmtClose: return {};
    default: return ok_packets();
  }
}

}  // namespace tidepool::tracking

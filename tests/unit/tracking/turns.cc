#include "turns.h"

#include <utility>

#include <gtest/gtest.h>

#include "tidepool/protocol/packet.h"
#include "tidepool/protocol/reply_messages.h"
#include "tidepool/protocol/statement_messages.h"
#include "tidepool/protocol/text_result.h"
#include "tidepool/tracking/plan_diagnostics.h"
#include "tidepool/tracking/plan_prepared.h"
#include "tidepool/tracking/planner.h"
#include "tidepool/tracking/settle_captures.h"
#include "tidepool/tracking/settle_prepared.h"
#include "tidepool/tracking/settle_texts.h"
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

std::string prepare_ok(std::uint32_t id) {
  std::string payload(1, '\0');
  for (int shift = 0; shift < 32; shift += 8)
    payload += static_cast<char>(id >> shift);
  payload += std::string(7, '\0');  // no columns, no parameters, no warnings
  std::string packets;
  std::uint8_t sequence = 1;
  protocol::append_packet(packets, sequence, payload);
  return packets;
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

std::string error_packets(std::uint16_t number) {
  return protocol::err_packet({.number = number, .sqlstate = "HY000", .message = "no"}, 1);
}

Turns::Steps Turns::query(BackendModel& backend, std::string_view text) {
  auto command = make(Type::kQuery, text);
  command->script = sql::classify(command->argument(), model.desired.lex_mode());
  TextOwner last{model.id, model.last_text + 1};
  command->texts = plan_texts(command->script, model.texts, model.desired, last);
  model.last_text = last.number;
  return run(backend, std::move(command));
}

Turns::Steps Turns::prepare(BackendModel& backend, std::string_view text, std::uint32_t& id) {
  auto command = make(Type::kStmtPrepare, text);
  command->script = sql::classify(command->argument(), model.desired.lex_mode());
  Steps steps = run(backend, std::move(command));
  const PreparedStatement& made = model.prepared.add(text, model.desired, 0, model.id);
  (void)backend.prepared.insert(made.key, last_statement_);
  id = made.id;
  return steps;
}

Turns::Steps Turns::execute(BackendModel& backend, std::uint32_t id) {
  auto command = make(Type::kStmtExecute, std::string(9, '\0'));
  command->statement = model.prepared.find(id);
  return run(backend, std::move(command));
}

Turns::Steps Turns::check_login(BackendModel& backend, std::string_view database) {
  auto command = make(Type::kInitDb, database);
  command->purpose = CommandPurpose::kLoginCheck;
  return run(backend, std::move(command));
}

Turns::Steps Turns::capture(BackendModel& backend) {
  auto command = make(Type::kPing, {});
  command->purpose = CommandPurpose::kCapture;
  CommandContext context{.model = model, .backend = backend, .command = *command};
  add_captures(context);
  return exchange(context);
}

Turns::Steps Turns::run(BackendModel& backend, std::unique_ptr<tracking::Command> command) {
  CommandContext context{.model = model, .backend = backend, .command = *command};
  Steps steps;
  if (add_prefetch(context)) {
    steps = exchange(context);
    command->attempt.exchange = {};
    backend.last_session = 0;
    model.facts.leave_backend();
  }
  found_no_way_ = !add_steps(context);
  if (found_no_way_) return steps;
  if (!command->attempt.knows_facts) model.facts.leave_backend();
  backend.last_session = model.id;
  const Steps own = exchange(context);
  steps.insert(steps.end(), own.begin(), own.end());
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
  static const GlobalSettings globals;
  tracking::Command& command = context.command;
  switch (ended) {
    case StepKind::kCapture: return settle_capture(context);
    case StepKind::kPrepare: {
      const std::uint32_t id = context.exchange().summary().statement_id;
      if (command.statement == nullptr) return;
      (void)context.backend.prepared.insert(command.statement->key, id);
      return context.exchange().set_relay_bytes(statement_bytes(command, id));
    }
    case StepKind::kRelay: {
      command.attempt.summary = context.exchange().summary();
      if (command.type == Type::kStmtPrepare) return settle_planned(context);
      settle_answer(context, globals, {});
      settle_texts(context);
      if (command.statement != nullptr) (void)settle_statement_use(context);
      if (!command.attempt.summary.has_error())
        settle_status(context, command.attempt.summary.status);
      return;
    }
    default: return;
  }
}

std::string Turns::answer_to(std::string_view payload) {
  const auto known = answers_.find(describe(payload));
  if (known != answers_.end()) return known->second;
  switch (static_cast<Type>(payload.front())) {
    case Type::kStmtPrepare: return prepare_ok(++last_statement_);
    case Type::kStmtClose: return {};
    default: return ok_packets();
  }
}

}  // namespace tidepool::tracking

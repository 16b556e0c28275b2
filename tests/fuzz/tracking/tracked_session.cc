#include "tracked_session.h"

#include <array>
#include <cstdlib>
#include <span>
#include <utility>
#include <vector>

#include "../session/trace.h"
#include "tidepool/protocol/packet.h"
#include "tidepool/protocol/reply_messages.h"
#include "tidepool/protocol/statement_messages.h"
#include "tidepool/sql/parse/own_answer.h"
#include "tidepool/tracking/next_isolation.h"
#include "tidepool/tracking/plan_diagnostics.h"
#include "tidepool/tracking/plan_prepared.h"
#include "tidepool/tracking/planner.h"
#include "tidepool/tracking/script_outcome.h"
#include "tidepool/tracking/settle_captures.h"
#include "tidepool/tracking/settle_named.h"
#include "tidepool/tracking/settle_prepared.h"
#include "tidepool/tracking/settler.h"

namespace tidepool::fuzz {
namespace {

using tracking::Command;
using tracking::CommandContext;
using tracking::StepKind;
using Type = protocol::Command;

constexpr auto kTexts = std::to_array<std::string_view>({
    "SELECT 1",
    "SELECT a FROM t",
    "UPDATE t SET a = 1",
    "INSERT INTO t VALUES ()",
    "SELECT ROW_COUNT(), 1",
    "SELECT FOUND_ROWS(), 1",
    "SELECT LAST_INSERT_ID(), 1",
    "SELECT @@warning_count, 1",
    "SELECT LAST_INSERT_ID(4)",
    "SHOW WARNINGS",
    "SHOW WARNINGS; SELECT 1",
    "SELECT ROW_COUNT()",
    "SELECT 1; SELECT LAST_INSERT_ID(), 2",
    "SET @a = 1",
    "SET @a = 2, @b = 3",
    "SET @c = 1 + 1",
    "SET time_zone = '+01:00'",
    "SET time_zone = CONCAT('+05', ':00')",
    "SET time_zone = DEFAULT",
    "SET div_precision_increment = 9",
    "SET @a = 3, time_zone = '+02:00'",
    "SET sql_mode = 'ANSI_QUOTES'",
    "SET NAMES latin1",
    "USE app",
    "USE shop",
    "BEGIN",
    "COMMIT",
    "SET autocommit = 0",
    "SET autocommit = 1",
    "SET TRANSACTION ISOLATION LEVEL READ COMMITTED",
    "CREATE TEMPORARY TABLE app.n (id INT)",
    "DROP TABLE app.n",
    "SELECT GET_LOCK('a', 1)",
    "SELECT RELEASE_LOCK('a')",
    "SET ROLE NONE",
    "SET ROLE ALL",
    "SET RESOURCE GROUP rg",
    "PREPARE s FROM 'SELECT a FROM t'",
    "PREPARE s FROM 'SELECT ROW_COUNT() + 1'",
    "PREPARE r FROM 'UPDATE t SET a = 1'",
    "EXECUTE s",
    "EXECUTE r",
    "EXECUTE s; EXECUTE r",
    "DEALLOCATE PREPARE s",
    "FROBNICATE",
});

constexpr auto kStatements = std::to_array<std::string_view>({
    "SELECT a FROM t WHERE b = ?",
    "SELECT a FROM t",
    "SELECT ROW_COUNT() + ?",
    "UPDATE t SET a = ?",
    "SELECT LAST_INSERT_ID(), ?",
    "INSERT INTO t VALUES ()",
});

constexpr std::uint16_t kExecutionError = 1105;
constexpr std::uint16_t kUnknownStatement = 1243;

std::string_view without_mark(std::string_view text) {
  return text.substr(std::min(text.size(), text.find_first_not_of(" \t\r\f")));
}

bool same_database(const sql::SessionState& one, const sql::SessionState& other) {
  return one.database().empty() || one.database() == other.database();
}

std::vector<protocol::Row> rows_of(const std::string& answer) {
  const auto result = protocol::parse_text_result(answer);
  return result ? result->rows : std::vector<protocol::Row>();
}

}  // namespace

bool is_known(const sql::SessionState& state) {
  return state.is_exact() && !state.role().is_computed;
}

bool same_state(const sql::SessionState& one, const sql::SessionState& other) {
  const auto plain = [](sql::SessionState state) {
    const sql::VariableId zone = sql::find_variable("time_zone");
    for (const sql::SessionState::Item& item : state.items()) {
      if (item.variable != zone || item.value != "SYSTEM") continue;
      state.apply({.kind = sql::ChangeKind::kSetDefault, .name = "time_zone"});
      break;
    }
    return state;
  };
  return plain(one) == plain(other);
}

void require(bool holds, std::string_view what) {
  if (holds) return;
  trace("violated:", 0, what);
  std::abort();
}

// ---- Choices ----

unsigned Choices::next(unsigned count) {
  if (input_.empty()) return 0;
  const auto byte = static_cast<unsigned char>(input_.front());
  input_.remove_prefix(1);
  return byte % count;
}

Outcome Choices::outcome() {
  Outcome chosen;
  const unsigned what = next(64);
  chosen.error = what % 8 == 7 ? kExecutionError : std::uint16_t{0};
  chosen.warnings = what / 8 == 7 ? std::uint16_t{2} : std::uint16_t{0};
  chosen.rows = what % 4;
  chosen.is_generated = what % 2 == 0;
  chosen.insert_id = ++ids_;
  chosen.opens_cursor = what / 8 > 3;
  return chosen;
}

// Of a restore that may fail it depends on nothing what comes of it.
Outcome Choices::own_outcome(std::string_view payload) {
  const auto begins = [&](std::string_view text) { return payload.substr(1).starts_with(text); };
  const bool is_prepare = static_cast<Type>(payload.front()) == Type::kStmtPrepare;
  const bool is_restore = static_cast<Type>(payload.front()) == Type::kQuery &&
                          (begins("SET") || begins("USE") || begins("PREPARE")) &&
                          !begins("SET RESOURCE") && !begins("SET ROLE");
  Outcome chosen;
  if ((is_prepare || is_restore) && next(32) == 31) chosen.error = kExecutionError;
  return chosen;
}

// ---- The client's commands ----

TrackedSession::CommandPtr TrackedSession::text_command(Type type, std::string_view text) {
  auto command =
      std::make_unique<Command>(type, static_cast<char>(type) + std::string(text), TimePoint{});
  own_payload_ = command->payload;
  if (type == Type::kInitDb)
    command->payload = static_cast<char>(Type::kQuery) + tracking::use_text(command->argument());
  command->script = sql::classify(command->argument(), model_.desired.lex_mode());
  if (type == Type::kQuery) {
    tracking::NameOwner last{model_.id, model_.last_named + 1};
    command->named = tracking::refs_of(command->script, model_.named, model_.desired, last);
    model_.last_named = last.number;
  }
  return command;
}

// One of a statement that the client has; a query if it has none.
TrackedSession::CommandPtr TrackedSession::statement_command(Type type) {
  if (own_ids_.empty()) return text_command(Type::kQuery, "SELECT 1");
  const auto chosen =
      std::next(own_ids_.begin(), choices_.next(static_cast<unsigned>(own_ids_.size())));
  const std::uint32_t id = chosen->first;
  tracking::PreparedStatement* statement = model_.prepared.find(id);
  require(statement != nullptr, "statement != nullptr");
  std::string payload = protocol::encode_statement_command(type, id);
  if (type == Type::kStmtExecute) {
    const std::string nulls(1, '\1');
    const std::array<std::string, 3> all{std::string(), std::string("\x08\0", 2),
                                         std::string("\x05\0", 2)};
    const std::string& types = all[choices_.next(3)];
    const bool has_types = statement->params > 0 && !types.empty();
    payload = protocol::encode_stmt_execute(
        {.statement_id = id,
         .cursor_flags = static_cast<std::uint8_t>(choices_.next(2)),
         .has_types = has_types,
         .null_bitmap = statement->params > 0 ? std::string_view(nulls) : std::string_view(),
         .types = has_types ? std::string_view(types) : std::string_view(),
         .values = {}});
  } else if (type == Type::kStmtSendLongData) {
    // What one with data asks about the statement before is a known difference.
    const bool asks = statement->script.info_functions().contains(sql::InfoFunction::kRowCount);
    if (statement->params == 0 || asks) return text_command(Type::kQuery, "SELECT 1");
    payload += std::string(2, '\0') + "x";
  }
  auto command = std::make_unique<Command>(type, payload, TimePoint{});
  command->statement = statement;
  own_payload_ = payload;
  require(protocol::patch_statement_id(std::span(own_payload_), chosen->second),
          "protocol::patch_statement_id(std::span(own_payload_), chosen->second)");
  return command;
}

TrackedSession::CommandPtr TrackedSession::choose() {
  switch (choices_.next(16)) {
    case 0: return statement_command(Type::kStmtExecute);
    case 1: return statement_command(Type::kStmtExecute);
    case 2: return statement_command(Type::kStmtSendLongData);
    case 3: return statement_command(Type::kStmtReset);
    case 4:
    case 5:
      return text_command(Type::kStmtPrepare,
                          kStatements[choices_.next(static_cast<unsigned>(kStatements.size()))]);
    case 6: return text_command(Type::kInitDb, choices_.next(2) == 0 ? "app" : "shop");
    case 7: {
      auto command = std::make_unique<Command>(
          Type::kSetOption,
          static_cast<char>(Type::kSetOption) +
              std::string(1, static_cast<char>(choices_.next(2))) + std::string(1, '\0'),
          TimePoint{});
      own_payload_ = command->payload;
      return command;
    }
    default:
      return text_command(Type::kQuery,
                          kTexts[choices_.next(static_cast<unsigned>(kTexts.size()))]);
  }
}

// ---- A turn ----

// Warnings that were read are the proxy's to show, whatever is on a backend.
bool TrackedSession::shows_warnings(const Command& command) {
  if (command.type != Type::kQuery || model_.diagnostics.warnings_on_backend()) return false;
  if (sql::own_answer(command.script, command.argument()) != sql::OwnAnswer::kShown) return false;
  const auto known = model_.diagnostics.answer_about_warnings(command.script.front());
  if (!known) return false;
  own_answer_ = own_.execute(own_payload_, {});
  require(known->rows.size() == rows_of(own_answer_).size(), "as many warnings are shown");
  return true;
}

// What the proxy knows it answers by itself while it holds no backend.
bool TrackedSession::answers_itself(const Command& command) {
  if (command.type != Type::kQuery) return false;
  switch (sql::own_answer(command.script, command.argument())) {
    case sql::OwnAnswer::kSetting:
      model_.desired.apply(command.script.front().changes);
      model_.diagnostics.note_local_answer();
      break;
    case sql::OwnAnswer::kInfoFunction:
    case sql::OwnAnswer::kShown: {
      const auto known = model_.diagnostics.answer(command.script.front());
      if (!known) return false;
      own_answer_ = own_.execute(own_payload_, {});
      require(known->rows.size() == rows_of(own_answer_).size(),
              "known->rows.size() == rows_of(own_answer_).size()");
      if (known->rows.size() == 1)
        require(known->rows[0][0] == rows_of(own_answer_)[0][0],
                "known->rows[0][0] == rows_of(own_answer_)[0][0]");
      model_.next_isolation.clear();
      return true;
    }
    default: return false;
  }
  (void)own_.execute(own_payload_, {});
  model_.next_isolation = tracking::next_isolation_after(command.script.front());
  return true;
}

TrackedSession::Ending TrackedSession::turn(PooledBackend& backend) {
  const unsigned what = choices_.next(64);
  if (what == 63) {
    reset(backend);
    return Ending::kDone;
  }
  if (what > 58 && !own_ids_.empty()) {
    close_statement(backend, own_ids_.begin()->first);
    return Ending::kDone;
  }
  const CommandPtr command = choose();
  if (backend.holder == this ? shows_warnings(*command) : answers_itself(*command))
    return Ending::kDone;
  backend.holder = this;
  is_repeated_ = false;
  return run(backend, *command);
}

void TrackedSession::reset(PooledBackend& backend) {
  if (backend.holder == this) leave(backend);
  own_payload_ = static_cast<char>(Type::kResetConnection);
  (void)own_.execute(own_payload_, {});
  own_ids_.clear();
  model_.pins = {};
  model_.desired.reset();
  model_.begin_anew();
}

void TrackedSession::close_statement(PooledBackend& backend, std::uint32_t id) {
  tracking::PreparedStatement& statement = *model_.prepared.find(id);
  const bool holds = (statement.has_cursor || statement.has_long_data) && backend.holder == this;
  if (statement.has_warned) model_.prepared.forget_plans(statement);
  model_.diagnostics.note_close(statement.shared_text);
  if (holds) {
    if (const auto there = backend.model().prepared.find(*statement.key)) {
      (void)backend.tidb.execute(protocol::encode_statement_command(Type::kStmtClose, *there), {});
    }
    backend.model().prepared.erase(*statement.key);
  }
  (void)own_.execute(protocol::encode_statement_command(Type::kStmtClose, own_ids_.at(id)), {});
  own_ids_.erase(id);
  model_.prepared.erase(id);
  model_.note_cursors();
}

TrackedSession::Ending TrackedSession::run(PooledBackend& backend, Command& command) {
  CommandContext context{.model = model_, .backend = backend.model(), .command = command};
  if (choices_.next(64) == 63) {  // TiDB hangs up before it has seen anything of it
    // What only that backend knew is lost; a session that had any there ends, to be exact again.
    const tracking::Diagnostics& facts = model_.diagnostics;
    const bool was_bound = model_.is_bound() || facts.warnings_on_backend() ||
                           facts.insert_id_on_backend() || facts.found_rows_on_backend();
    backend.lose();
    model_.diagnostics.note_backend_gone();
    return was_bound ? Ending::kClosed : Ending::kLost;
  }
  if (tracking::add_prefetch(context)) {
    if (!exchange(context, backend)) return Ending::kClosed;
    command.attempt.prefetching = false;
    command.attempt.exchange = {};
    backend.model().last_session = 0;
    model_.diagnostics.leave_backend();
    model_.pins.insert(model_.desired.pins());
    if (shows_warnings(command)) return Ending::kDone;
  }
  if (!plan(context)) {
    leave(backend);
    return Ending::kLost;  // another one is needed, or none will do
  }
  if (!exchange(context, backend)) return Ending::kClosed;
  return finish(context, backend);
}

bool TrackedSession::plan(CommandContext& context) {
  if (!tracking::add_steps(context)) return false;
  if (!context.command.attempt.has_diagnostics) model_.diagnostics.leave_backend();
  context.backend.last_session = model_.id;
  return true;
}

// Returns false if TiDB's answer could not be followed, which must not be.
bool TrackedSession::exchange(CommandContext& context, PooledBackend& backend) {
  constexpr int kMostWrites = 64;
  int writes = 0;
  for (std::string bytes = context.exchange().take_writable(); !bytes.empty();
       bytes = context.exchange().take_writable()) {
    require(++writes < kMostWrites, "++writes < kMostWrites");
    while (!bytes.empty()) {
      const std::size_t length = static_cast<unsigned char>(bytes[0]) |
                                 std::size_t{static_cast<unsigned char>(bytes[1])} << 8U;
      const std::string payload = bytes.substr(protocol::kHeaderBytes, length);
      bytes.erase(0, protocol::kHeaderBytes + length);
      answer_step(context, backend, payload);
    }
  }
  require(context.exchange().is_over(), "context.exchange().is_over()");
  return true;
}

void TrackedSession::answer_step(CommandContext& context, PooledBackend& backend,
                                 std::string_view payload) {
  const auto type = static_cast<Type>(payload.front());
  const bool is_silent = protocol::has_no_reply(type);
  const bool is_relay =
      !context.command.is_capture() && !context.command.attempt.prefetching &&
      (is_silent ? type == context.command.type : !context.exchange().awaits_own_step());
  const bool has_failed = context.exchange().failure() || context.exchange().prepare_error();
  Outcome outcome = is_relay ? choices_.outcome() : choices_.own_outcome(payload);
  // Prepared again for its warnings: nothing is to depend on that.
  if (type == Type::kStmtPrepare && context.command.statement == nullptr) outcome.error = 0;
  // Among several statements one that cannot be made again is an error of its EXECUTE alone.
  if (!is_relay && context.command.script.size() > 1 && payload.substr(1).starts_with("PREPARE"))
    outcome.error = 0;
  if (is_relay && !has_failed) check_relay(context.command, payload, backend.tidb);
  if (is_relay && context.exchange().failure()) {  // nothing is lost when it runs all the same
    const sql::Script& script = context.command.executed_script();
    const bool finds_nothing = script.size() == 1 && script[0].verb == sql::Verb::kDeallocate;
    require(tracking::is_harmless(script) || finds_nothing || type == Type::kStmtPrepare,
            "a command behind a failed restore is harmless");
  }
  trace(is_relay ? "client's" : "own", model_.id, payload);
  const bool is_missing =
      type == Type::kStmtExecute &&
      !backend.tidb.prepared().contains(protocol::parse_statement_id(payload).value_or(0));
  std::string answer = backend.tidb.execute(payload, outcome);
  if (is_relay && !has_failed && !is_missing) own_answer_ = own_.execute(own_payload_, outcome);
  trace("answer to", model_.id, answer);
  has_opened_cursor_ =
      has_opened_cursor_ || (is_relay && outcome.opens_cursor && type == Type::kStmtExecute);
  for (std::string_view left = answer; !left.empty();) {
    const auto progress = context.exchange().feed(left);
    require(progress.has_value() && progress->consumed > 0,
            "progress.has_value() && progress->consumed > 0");
    require(!(progress->relay && has_failed), "!(progress->relay && has_failed)");
    left.remove_prefix(progress->consumed);
    if (progress->ended) follow(context, backend, *progress->ended, answer);
  }
}

void TrackedSession::follow(CommandContext& context, PooledBackend& backend, StepKind ended,
                            const std::string& answer) {
  Command& command = context.command;
  if (context.exchange().failure() || context.exchange().prepare_error()) return;
  const std::uint32_t id = context.exchange().summary().statement_id;
  switch (ended) {
    case StepKind::kCapture: return tracking::settle_capture(context);
    case StepKind::kPrepare: {
      if (command.statement == nullptr) return;
      for (const std::uint32_t old : backend.model().prepared.insert(command.statement->key, id))
        (void)backend.tidb.execute(protocol::encode_statement_command(Type::kStmtClose, old), {});
      command.attempt.has_other_id =
          context.exchange().relay_written() && command.attempt.guessed_id != id;
      return context.exchange().set_relay_bytes(tracking::statement_bytes(command, id));
    }
    case StepKind::kRelay: return relayed(context, answer);
    case StepKind::kProbe:
      tracking::settle_status(context, context.exchange().summary().status);
      return tracking::settle_failure(context);
    case StepKind::kRestore:
      if (id != 0) {
        backend.model().prepared.note_id(id);
        (void)backend.tidb.execute(protocol::encode_statement_command(Type::kStmtClose, id), {});
      }
      return;
    case StepKind::kFence:
    case StepKind::kSilent: return;
  }
}

void TrackedSession::relayed(CommandContext& context, const std::string& answer) {
  Command& command = context.command;
  const protocol::ResponseSummary& summary = context.exchange().summary();
  if (command.type == Type::kStmtExecute && summary.error_number == kUnknownStatement &&
      !is_repeated_) {
    is_repeated_ = true;
    if (!command.attempt.has_other_id) context.backend.prepared.erase(*command.statement->key);
    command.attempt.exchange = {};
    require(plan(context), "plan(context)");
    return;
  }
  require(summary.error_number != kUnknownStatement, "summary.error_number != kUnknownStatement");
  command.attempt.summary = summary;
  check_answer(context, answer);
  if (command.type == Type::kStmtPrepare) return prepared(context);
  const std::string lock = command.asks_for_lock() ? context.exchange().take_held() : "";
  tracking::settle_answer(context, globals_, lock);
  tracking::settle_named(context);
  if (command.statement != nullptr) {
    for (const std::uint32_t id : tracking::settle_statement_use(context))
      require(id != 0, "id != 0");
  }
  if (command.attempt.summary.has_status && !command.attempt.summary.has_error())
    tracking::settle_status(context, command.attempt.summary.status);
  if (!command.executes() || !command.attempt.summary.has_error()) return;
  context.exchange().add(
      {.kind = StepKind::kProbe, .command = Type::kPing, .bytes = tracking::framed(Type::kPing)});
}

void TrackedSession::prepared(CommandContext& context) {
  Command& command = context.command;
  const protocol::ResponseSummary& summary = command.attempt.summary;
  model_.pins = model_.held.settle_prepare(model_.pins, command.script, summary);
  if (summary.has_error()) {
    tracking::settle_diagnostics(context);
    context.exchange().add(
        {.kind = StepKind::kProbe, .command = Type::kPing, .bytes = tracking::framed(Type::kPing)});
  } else {
    const tracking::PreparedStatement& made =
        model_.prepared.add(command.argument(), model_.desired, summary.params, model_.id);
    model_.diagnostics.note_prepare(made.shared_text, made.script, 0,
                                    command.attempt.has_diagnostics);
    (void)context.backend.prepared.insert(made.key, summary.statement_id);
    own_ids_[made.id] = own_.last_id();
  }
  tracking::settle_planned(context);
}

// The answers are there.
TrackedSession::Ending TrackedSession::finish(CommandContext& context, PooledBackend& backend) {
  if (context.command.type == Type::kStmtSendLongData)
    (void)tracking::settle_statement_use(context);
  if (context.exchange().prepare_error() && !context.exchange().failure()) {
    leave(backend);
    return Ending::kClosed;  // its client is told, and does without
  }
  if (!context.exchange().failure()) return Ending::kDone;
  has_sent_all_types_ = has_sent_all_types_ && context.command.type != Type::kStmtExecute;
  const bool was_bound = model_.is_bound();
  leave(backend);
  backend.model().reset();
  (void)backend.tidb.execute("\x1f", {});
  return was_bound ? Ending::kClosed : Ending::kDone;
}

// ---- Between two commands ----

bool TrackedSession::rest(PooledBackend& backend) {
  const bool must = model_.must_capture(backend.model().actual);
  if (model_.keeps_lease() && !model_.joins_warnings()) return false;
  if (!must && !model_.diagnostics.warnings_on_backend() && model_.desired.is_exact()) return true;
  if (!must && choices_.next(2) == 0) return false;  // parked
  capture(backend);
  return !model_.is_bound();
}

void TrackedSession::recall(PooledBackend& backend) {
  capture(backend);
}

void TrackedSession::capture(PooledBackend& backend) {
  Command command(Type::kPing, "\x0e", {});
  command.purpose = tracking::CommandPurpose::kCapture;
  CommandContext context{.model = model_, .backend = backend.model(), .command = command};
  tracking::add_captures(context);
  require(exchange(context, backend), "exchange(context, backend)");
  model_.pins.insert(model_.desired.pins());
}

void TrackedSession::leave(PooledBackend& backend) {
  if (model_.is_bound() || std::exchange(model_.shows_read_time, false)) {
    backend.model().reset();
    (void)backend.tidb.execute("\x1f", {});
  }
  model_.in_transaction = false;
  backend.holder = nullptr;
}

// ---- What must be so ----

// When the client's command is executed, all is as on a connection of its own.
void TrackedSession::check_relay(const Command& command, std::string_view payload,
                                 const SimulatedTidb& there) const {
  if (command.chooses_database()) {  // it need not be in the old one
    sql::SessionState state = there.state();
    state.apply({.kind = sql::ChangeKind::kUseDatabase, .name = own_.state().database()});
    require(same_state(state, own_.state()), "state == own_.state()");
  } else if (command.executes() && command.attempt.substituted.empty()) {
    require(there.state().database() == own_.state().database(),
            "there.state().database() == own_.state().database()");
    require(there.state().user_variables() == own_.state().user_variables(),
            "there.state().user_variables() == own_.state().user_variables()");
    require(there.state().charset() == own_.state().charset(),
            "there.state().charset() == own_.state().charset()");
    require(there.state().role() == own_.state().role(),
            "there.state().role() == own_.state().role()");
  }
  if (tracking::takes_next_isolation(command))
    require(there.next_isolation() == own_.next_isolation(),
            "there.next_isolation() == own_.next_isolation()");
  require(there.is_in_transaction() == own_.is_in_transaction(),
          "there.is_in_transaction() == own_.is_in_transaction()");
  check_execute(command, payload, there);
}

void TrackedSession::check_execute(const Command& command, std::string_view payload,
                                   const SimulatedTidb& there) const {
  for (const tracking::StatementRef& ref : command.named.refs) {
    if (ref.kind != sql::ChangeKind::kExecuteNamed || ref.index > 0) continue;
    const auto own = own_.named().find(ref.name);
    const auto found = there.named().find(ref.name);
    require((own == own_.named().end()) == (found == there.named().end()),
            "(own == own_.named().end()) == (found == there.named().end())");
    if (own == own_.named().end()) continue;
    require(same_database(own->second.context, found->second.context),
            "same_database(own->second.context, found->second.context)");
    if (ref.statement != nullptr && ref.statement->script.info_functions().empty())
      require(without_mark(found->second.text) == own->second.text,
              "without_mark(found->second.text) == own->second.text");
  }
  if (command.statement == nullptr) return;
  const auto found = there.prepared().find(protocol::parse_statement_id(payload).value_or(0));
  if (found == there.prepared().end()) return;  // TiDB refuses it, and nothing has happened
  const auto& own = own_.prepared().at(own_ids_.at(command.statement->id));
  require(same_database(own.context, found->second.context),
          "same_database(own.context, found->second.context)");
  require(own.context.lex_mode() == found->second.context.lex_mode(),
          "own.context.lex_mode() == found->second.context.lex_mode()");
  if (command.statement->script.info_functions().empty())
    require(without_mark(found->second.text) == own.text,
            "without_mark(found->second.text) == own.text");
  if (command.type != Type::kStmtSendLongData)
    require(found->second.data == own.data, "found->second.data == own.data");
  if (command.type != Type::kStmtExecute) return;
  const auto sent = protocol::parse_stmt_execute(payload, command.statement->params);
  const auto asked = protocol::parse_stmt_execute(own_payload_, command.statement->params);
  if (!sent || !asked || command.statement->params == 0) return;
  // The client's own connection has not seen those of an execute whose restore failed.
  if (!asked->has_types && !has_sent_all_types_) return;
  if (!asked->has_types && own.types.empty()) return;
  const std::string_view types = asked->has_types ? asked->types : std::string_view(own.types);
  const std::string_view there_types =
      sent->has_types ? sent->types : std::string_view(found->second.types);
  require(types == there_types, "types == there_types");
}

void TrackedSession::check_answer(const CommandContext& context, std::string answer) const {
  const Command& command = context.command;
  if (command.type == Type::kStmtPrepare) return;
  if (command.attempt.shown) {
    tracking::ShownWarnings shown = *command.attempt.shown;
    answer = shown.feed(answer);
  }
  require(answer.substr(4, 1) == own_answer_.substr(4, 1),
          "answer.substr(4, 1) == own_answer_.substr(4, 1)");
  if (command.named.refs.size() > 1) return;  // so is what such an EXECUTE asks
  // The rows that a cursor found go with the warnings behind them, if there are any.
  const bool asks_rows =
      command.executed_script().info_functions().contains(sql::InfoFunction::kFoundRows);
  if (asks_rows && has_opened_cursor_) return;
  // And LAST_INSERT_ID() with data, of a session that has none: no SET makes it 0 again.
  const bool has_data = command.statement != nullptr && command.statement->has_long_data;
  if (has_data && own_.last_insert_id() == 0) return;
  require(rows_of(answer) == rows_of(own_answer_), "rows_of(answer) == rows_of(own_answer_)");
}

void TrackedSession::check() const {
  if (is_known(model_.desired))
    require(same_state(model_.desired, own_.state()), "model_.desired == own_.state()");
  require(model_.in_transaction == own_.is_in_transaction(),
          "model_.in_transaction == own_.is_in_transaction()");
  require(own_.next_isolation().empty() || model_.is_one_shot_pending(),
          "own_.next_isolation().empty() || model_.is_one_shot_pending()");
  const auto pinned = [&](bool holds, sql::Pin pin) {
    require(!holds || model_.pins.contains(pin), "!holds || model_.pins.contains(pin)");
  };
  pinned(own_.is_in_transaction(), sql::Pin::kTransaction);
  pinned(own_.has_temporary_table(), sql::Pin::kTemporaryTable);
  pinned(own_.has_lock(), sql::Pin::kLock);
  for (const auto& [id, own] : own_ids_) {
    const SimulatedTidb::Prepared& statement = own_.prepared().at(own);
    pinned(statement.has_cursor, sql::Pin::kCursor);
    pinned(statement.data > 0, sql::Pin::kLongData);
  }
  if (!model_.diagnostics.insert_id_on_backend())
    require(model_.diagnostics.last_insert_id() == own_.last_insert_id(),
            "model_.diagnostics.last_insert_id() == own_.last_insert_id()");
}

}  // namespace tidepool::fuzz

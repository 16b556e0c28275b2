#include "tidepool/session/session_statements.h"

#include <algorithm>
#include <span>
#include <utility>

#include "own_errors.h"
#include "tidepool/protocol/packet.h"
#include "tidepool/protocol/statement_messages.h"
#include "tidepool/session/prepare_answer.h"
#include "tidepool/sql/parse/account_change.h"
#include "tidepool/tracking/schema_change.h"
#include "tidepool/tracking/settle_prepared.h"
#include "tidepool/tracking/settler.h"

namespace tidepool::session {
namespace {

// TiDB sends this error as 1105: writeError() in pkg/server/conn.go keeps the code of a
// terror.Error only, and this one is a mysql.SQLError.
Error unknown_statement(std::uint32_t id, const char* command) {
  return Error{Code::kBackend,
               "ERROR 1243 (HY000): Unknown prepared statement handler " + std::to_string(id) +
                   " given to " + command,
               1105, "HY000"};
}

Error malformed() {
  return {Code::kBackend, "malform packet error", 1105, "HY000"};
}

// Of a statement without columns: what is no DML, or has variables, warns when it is prepared,
// since its plan is not cached (IsASTCacheable).
bool is_cacheable(const sql::Script& script) {
  if (script.size() != 1) return true;
  const sql::Statement& statement = script.front();
  return statement.kind == sql::StatementKind::kWrite &&
         statement.text.find('@') == std::string_view::npos;
}

// Of those that TiDB looks at before it looks for the statement (handleStmtExecute, StmtFetchCmd).
bool has_wrong_length(const ClientCommand& command) {
  constexpr std::size_t kShortestExecute = 10;  // command, id, flags, iterations
  constexpr std::size_t kFetch = 9;             // command, id, rows
  switch (command.type) {
    case protocol::Command::kStmtExecute: return command.payload.size() < kShortestExecute;
    case protocol::Command::kStmtFetch: return command.payload.size() != kFetch;
    default: return false;
  }
}

const char* statement_word(protocol::Command command) {
  switch (command) {
    case protocol::Command::kStmtFetch: return "stmt_fetch";
    case protocol::Command::kStmtReset: return "stmt_reset";
    case protocol::Command::kStmtSendLongData: return "stmt_send_longdata";
    default: return "stmt_execute";
  }
}

// Makes the statement of that name a text, and does nothing else. Several statements are not
// refused for one of them: what they make is bounded by NamedStatements.
const tracking::NamedStatement* only_text_made(const ClientCommand& command) {
  const auto& refs = command.named.refs;
  const bool makes_one = command.script.size() == 1 && refs.size() == 1 &&
                         refs.front().kind == sql::ChangeKind::kPrepareNamed;
  return makes_one ? refs.front().statement.get() : nullptr;
}

// Nullopt: it is not what an answer to a prepare looks like.
std::optional<RememberedPrepare> remembered_of(const ClientCommand& command,
                                               std::string_view answer) {
  auto remembered = parse_prepare_answer(answer);
  if (remembered && remembered->status_places.empty() && !is_cacheable(command.script)) {
    remembered->warnings = 1;  // which TiDB would tell in an EOF, if there was one
  }
  return remembered;
}

}  // namespace

void SessionStatements::begin_anew() {
  context_.model.begin_anew();
  count_named_bytes();
}

void SessionStatements::join_pool() {
  context_.prepared_bytes.join(context_.access().prepared_bytes);
}

bool SessionStatements::find(ClientCommand& command) {
  const auto id = protocol::parse_statement_id(command.payload);
  command.statement = id ? context_.model.prepared.find(*id) : nullptr;
  const bool is_data = command.type == protocol::Command::kStmtSendLongData;
  const auto data = protocol::parse_long_data(command.payload);
  const bool is_malformed = !id || has_wrong_length(command) || (is_data && !data);
  if (command.type == protocol::Command::kStmtFetch) {  // clears the warnings, found or not
    context_.model.diagnostics.note_fetch(!is_malformed && command.statement != nullptr);
  }
  if (is_malformed) {
    context_.client.answer_error(malformed());
    return false;
  }
  if (command.statement == nullptr) {
    context_.client.answer_error(unknown_statement(*id, statement_word(command.type)));
    return false;
  }
  // TiDB answers this one with an error, which the protocol does not know: no backend may do so.
  if (is_data && data->param >= command.statement->params) {
    context_.client.answer_error({Code::kBackend,
                                  "ERROR 1210 (HY000): Incorrect arguments to stmt_send_longdata",
                                  1105, "HY000"});
    return false;
  }
  return true;
}

std::unique_ptr<ClientCommand> SessionStatements::close(std::string_view payload) {
  tracking::SessionModel& model = context_.model;
  const auto id = protocol::parse_statement_id(payload);
  tracking::PreparedStatement* statement = id ? model.prepared.find(*id) : nullptr;
  if (statement == nullptr) return nullptr;
  const bool holds = (statement->has_cursor || statement->has_long_data) && context_.has_lease();
  if (statement->has_warned) model.prepared.forget_plans(*statement);
  model.diagnostics.note_close(statement->shared_text);
  if (!holds) {
    model.prepared.erase(*id);
    return nullptr;
  }
  // Its cursor or data must not be there for the next session that executes the same text.
  auto command =
      std::make_unique<ClientCommand>(protocol::Command::kStmtClose, payload, Clock::now());
  tracking::PreparedCache& known = context_.backend.model().prepared;
  // TiDB has none of number 0.
  protocol::patch_statement_id(command->payload, known.find(*statement->key).value_or(0));
  known.erase(*statement->key);
  model.prepared.erase(*id);
  model.note_cursors();
  context_.count_pins();
  return command;
}

std::optional<Error> SessionStatements::refusal_to_prepare(ClientCommand& command) {
  const tracking::SessionModel& model = context_.model;
  tracking::PreparedBytes& limits = context_.prepared_bytes;
  std::size_t bytes = 0;
  if (command.type == protocol::Command::kStmtPrepare) {
    bytes = tracking::bytes_to_prepare(command.argument(), model.desired, command.script);
  } else if (const tracking::NamedStatement* made = only_text_made(command)) {
    const tracking::NamedStatementPtr before = model.named.find(made->name);
    const std::size_t freed = before == nullptr ? 0 : tracking::bytes_of(*before);
    bytes = tracking::bytes_of(*made);
    bytes -= std::min(bytes, freed);
  }
  if (bytes == 0) return std::nullopt;
  limits.set_limit(context_.account->max_prepared_memory);
  switch (command.prepared_share.try_set(limits, bytes)) {
    case tracking::PreparedLimit::kNone: return std::nullopt;
    case tracking::PreparedLimit::kSession:
      context_.stats().prepares_refused_by_session.add();
      return too_much_prepared("users[].max_prepared_memory", limits.limit());
    case tracking::PreparedLimit::kPool:
      context_.stats().prepares_refused_by_pool.add();
      return too_much_prepared("pools[].max_prepared_memory", limits.pool_limit());
  }
  return std::nullopt;
}

bool SessionStatements::answer_prepare(ClientCommand& command) {
  tracking::SessionModel& model = context_.model;
  PrepareCache& memory = context_.prepare_cache();
  if (!memory.is_on() || !is_memorable(command.script, model.desired, model.pins)) return false;
  const auto found = memory.find(prepare_context(model.desired), command.argument(),
                                 context_.schema_view(command), command.received);
  if (!found.prepare) return false;
  const tracking::PreparedStatement& statement =
      add(command, found.prepare->params, found.prepare->columns, found.seen);
  model.diagnostics.note_prepare(statement.shared_text, statement.script, found.prepare->warnings,
                                 false);
  context_.stats().prepares[PrepareSource::kMemory].add();
  context_.client.send(prepare_answer(*found.prepare, statement.id, model.status_flags()));
  return true;
}

std::string SessionStatements::settle_prepare(ClientCommand& command) {
  tracking::CommandContext context = context_.command_context(command);
  tracking::SessionModel& model = context_.model;
  std::string answer = context.exchange().take_held();
  context_.stats().prepares[PrepareSource::kTidb].add();
  model.pins = model.held.settle_prepare(model.pins, command.script, command.attempt.summary);
  if (command.attempt.summary.has_error()) {
    tracking::settle_diagnostics(context);
  } else {
    add_prepared(command, answer);
  }
  tracking::settle_planned(context);
  context_.count_pins();
  return answer;
}

// `answer`: TiDB's, which gets the session's id of the statement.
void SessionStatements::add_prepared(ClientCommand& command, std::string& answer) {
  tracking::SessionModel& model = context_.model;
  const protocol::ResponseSummary& summary = command.attempt.summary;
  const PrepareCache::View& view = context_.schema_view(command);
  auto remembered = remembered_of(command, answer);
  const tracking::PreparedStatement& statement =
      add(command, summary.params, static_cast<std::uint16_t>(summary.columns), view.time);
  model.diagnostics.note_prepare(statement.shared_text, statement.script,
                                 remembered ? remembered->warnings : std::uint16_t{0},
                                 command.attempt.has_diagnostics);
  protocol::patch_statement_id(std::span(answer).subspan(protocol::kHeaderBytes), statement.id);
  PrepareCache& memory = context_.prepare_cache();
  tracking::PreparedCache& known = context_.backend.model().prepared;
  context_.close_on_backend(known.insert(statement.key, summary.statement_id, view.time));
  context_.close_on_backend(known.limit(memory.most_kept(command.received)));
  if (remembered && is_memorable(command.script, model.desired, model.pins)) {
    memory.add(statement.memory_context, statement.text(), std::move(*remembered), view);
  }
}

tracking::PreparedStatement& SessionStatements::add(ClientCommand& command, std::uint16_t params,
                                                    std::uint16_t columns, TimePoint seen) {
  tracking::SessionModel& model = context_.model;
  tracking::PreparedStatement& statement =
      model.prepared.add(command.argument(), model.desired, params, context_.id);
  statement.columns = columns;
  statement.seen = seen;
  statement.memory_context = prepare_context(model.desired);
  statement.share = std::move(command.prepared_share);
  count_bytes(statement);
  return statement;
}

// The pools may be accounts of one cluster.
void SessionStatements::note_schema_changes(ClientCommand& command) {
  if (command.type == protocol::Command::kStmtPrepare) return;
  Environment& environment = context_.environment;
  if (sql::changes_accounts(command.executed_script())) {
    for (const auto& access : environment.pools)
      command.account_changes.emplace_back(*access->pool);
  }
  environment.global_settings->note(command.executed_script());
  if (!tracking::may_change_schema(command.executed_script())) return;
  for (const auto& access : environment.pools)
    command.schema_changes.emplace_back(*access->prepares);
}

void SessionStatements::note_schema_use(const ClientCommand& command) {
  const protocol::ResponseSummary& answer = command.attempt.summary;
  const tracking::PreparedStatement& statement = *command.statement;
  const bool has_rows = answer.outcome == protocol::ResponseSummary::Outcome::kResultSet;
  const bool is_other = has_rows && answer.columns != statement.columns;
  const bool failed = answer.has_error() && tells_of_schema_change(answer.error_number);
  if (is_other || failed)
    context_.prepare_cache().forget(statement.memory_context, statement.text());
}

// Its types, and what is executed in the place of its text, come with its executes.
void SessionStatements::count_bytes(tracking::PreparedStatement& statement) {
  statement.share.set(context_.prepared_bytes, tracking::bytes_of(statement));
}

void SessionStatements::count_named_bytes() {
  named_share_.set(context_.prepared_bytes, context_.model.named.bytes());
}

SessionStatements::Room SessionStatements::make_room(tracking::Command& command) {
  constexpr std::uint16_t kTooManyStatements = 1461;
  const tracking::Exchange& exchange = command.attempt.exchange;
  const auto& failure = exchange.prepare_error();
  const std::uint16_t number = failure ? failure->mysql_errno : exchange.summary().error_number;
  // What the client has a part of cannot be answered once more.
  if (number != kTooManyStatements || command.script.size() > 1 || exchange.relay_answered())
    return Room::kThere;
  tracking::PreparedCache& known = context_.backend.model().prepared;
  known.forget_next_id();  // TiDB has counted it
  context_.prepare_cache().keep_fewer(known.size() / 2, command.received);
  const std::vector<std::uint32_t> ids = known.make_way(known.size() / 2);
  if (ids.empty()) return Room::kNotMade;
  context_.close_on_backend(ids);
  return Room::kMade;
}

bool SessionStatements::plan_again(tracking::Command& command) {
  for (const tracking::StatementRef& ref : command.named.refs)
    context_.backend.model().named[ref.name] = {};
  command.attempt.exchange = {};
  if (command.attempt.answer != nullptr) command.attempt.answer->clear();
  return context_.plan(command);
}

}  // namespace tidepool::session

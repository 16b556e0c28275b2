#include "tidepool/session/session_context.h"

#include <utility>

#include "tidepool/base/stream_hash.h"
#include "tidepool/protocol/reply_messages.h"
#include "tidepool/protocol/statement_messages.h"
#include "tidepool/tracking/planner.h"
#include "tidepool/tracking/warnings.h"

namespace tidepool::session {
namespace {

// What the statistics count it as.
CommandKind kind_of(protocol::Command command) {
  switch (command) {
    case protocol::Command::kQuery: return CommandKind::kQuery;
    case protocol::Command::kStmtExecute: return CommandKind::kExecute;
    case protocol::Command::kStmtPrepare: return CommandKind::kPrepare;
    default: return CommandKind::kOther;
  }
}

}  // namespace

SessionContext::SessionContext(Environment& environment_of_worker, std::uint32_t session_id,
                               net::UniqueFd fd, net::StreamSink* sink, ClientEvents& events)
    : environment(environment_of_worker),
      id(session_id),
      status(session_id),
      client(environment, session_id, std::move(fd), sink, events),
      model(session_id),
      backend(environment.loop, session_id, client, status) {}

void SessionContext::begin_as(Account& new_account, const protocol::LoginRequest& login) {
  account = &new_account;
  status.count_in(stats());
  client.count_in(stats().client);
  capabilities = login.capabilities;
  user = login.user;
}

void SessionContext::send_ok() {
  protocol::OkMessage ok;
  ok.status = model.status_flags();
  client.send(protocol::ok_packet(ok, client.answer_sequence()));
}

void SessionContext::send_last_ok() {
  protocol::OkMessage ok = model.diagnostics.last_ok();
  ok.status = model.status_flags();
  client.send(protocol::ok_packet(ok, client.answer_sequence()));
}

bool SessionContext::send_result(const std::optional<protocol::TextResult>& result) {
  if (!result) return false;
  client.send(protocol::make_text_result(result->columns, result->rows, model.status_flags(),
                                         result->warnings));
  return true;
}

void SessionContext::refuse(const Error& error) {
  model.diagnostics.note_own_error(tracking::warnings_of(error, model.status_flags()));
  client.answer_error(error);
}

void SessionContext::note_local_statement() {
  model.diagnostics.note_local_answer();
  model.diagnostics.forget_backend_warnings();
}

void SessionContext::count_command(const ClientCommand& command, Source source, bool failed) const {
  SessionStats& counts = stats();
  counts.queries[kind_of(command.type)][failed ? Outcome::kError : Outcome::kOk].add();
  const TimePoint now = Clock::now();
  counts.query_duration.observe(now - command.received);
  if (source == Source::kProxy) {
    counts.answered_locally.add();
  } else {
    counts.backend_duration.observe(now - command.sent);
  }
}

void SessionContext::set_pins(sql::PinReasons pins) {
  model.pins = pins;
  count_pins();
}

pool::LeaseRequest SessionContext::request(const Account& user_account,
                                           std::string_view database) const {
  pool::LeaseRequest request{
      .profile = profile, .state = model.desired.hash(), .last = backend.last()};
  request.user = user_account.key;
  request.holder = id;
  request.max_leases = user_account.max_leases;
  if (user_account.pool->limits_leases_by_database && !database.empty()) {
    request.database = keyed_number(database);
  }
  return request;
}

tracking::CommandContext SessionContext::command_context(tracking::Command& command) {
  return {.model = model,
          .backend = backend.model(),
          .command = command,
          .tidb_connection = backend.lease().tidb_connection(),
          .client_capabilities = capabilities};
}

bool SessionContext::plan(tracking::Command& command) {
  tracking::CommandContext context = command_context(command);
  const bool can_be = tracking::add_steps(context);
  if (context.restore_statements > 0) {
    pool::PoolStats& stats = access().pool->broker().stats();
    stats.restores.add();
    stats.restore_statements.add(context.restore_statements);
  }
  return can_be;
}

void SessionContext::count_captures(const tracking::Command& command) {
  access().pool->broker().stats().captures.add(command.attempt.captures.size());
}

void SessionContext::close_on_backend(const std::vector<std::uint32_t>& ids) {
  for (const std::uint32_t statement : ids) {
    // A failure shows when the answer to the next command does not come.
    (void)backend.lease().stream().write(tracking::framed(
        protocol::encode_statement_command(protocol::Command::kStmtClose, statement)));
  }
}

const tracking::SchemaView& SessionContext::schema_view(const tracking::Command& command) const {
  return model.in_transaction ? model.transaction_view : command.view;
}

void SessionContext::release_lease() {
  end_lease(model.is_bound() ? pool::Release::kReset : pool::Release::kClean);
  model.in_transaction = false;
  set_pins({});
}

void SessionContext::drop_lease() {
  model.shows_read_time = false;
  backend.forget();
  model.diagnostics.note_backend_gone();
}

}  // namespace tidepool::session

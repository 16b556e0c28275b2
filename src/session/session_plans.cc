// The plans that TiDB keeps of prepared statements: none is met by a session for which it was not
// made, and each client is told what making its own warned of. And how many statements it keeps.
#include "tidepool/session/plan_mark.h"
#include "tidepool/session/session.h"

namespace tidepool::session {
namespace {

bool changes_state(const sql::Script& script) {
  for (std::size_t i = 0; i < script.size(); ++i)
    if (!script[i].changes.empty()) return true;
  return false;
}

}  // namespace

// Where TiDB's key of a plan tells too little, the text tells the rest.
void Session::mark_plan(PreparedStatement& statement) {
  const bool uses = command_->type == protocol::Command::kStmtExecute ||
                    command_->type == protocol::Command::kStmtSendLongData;
  if (!uses || !has_kept_plan(statement.script)) return;
  if (!statement.mark.update(plan_source(statement))) return;
  statement.key = key_of_sent_text(statement.text_key, statement);
  statement.key_types.clear();
}

PlanSource Session::plan_source(const PreparedStatement& statement) const {
  return {.text = statement.text(),
          .prepared = statement.context,
          .executed = model_.desired,
          .session = id_};
}

// One with a cursor or data stays what it is on its backend, whatever the state has become since.
bool Session::may_keep_plan(const PreparedStatement& statement) const {
  const bool is_fixed = statement.has_long_data || statement.has_cursor;
  return !is_fixed || !has_kept_plan(statement.script) ||
         !statement.mark.differs(plan_source(statement));
}

// The same for what is executed by name.
std::string Session::text_mark(const TextStatement& statement) const {
  const bool is_executed =
      command_->type == protocol::Command::kQuery && command_->texts.is_lone_execute();
  if (!is_executed || !has_kept_plan(statement.script)) return {};
  PlanMark mark;
  (void)mark.update({.text = statement.text,
                     .prepared = statement.context,
                     .executed = model_.desired,
                     .session = id_});
  return mark.white_space();
}

// Whether TiDB's key of a plan tells enough of what the command executes by name among others, or
// of which TiDB alone knows the text.
bool Session::may_keep_text_plans() const {
  const TextPlan& plan = command_->texts;
  if (command_->type != protocol::Command::kQuery || plan.is_lone_execute()) return true;
  bool executes = false;
  for (const TextUse& use : plan.uses) {
    if (use.kind == sql::ChangeKind::kPrepareText) return true;  // with the plan cache, then
    if (use.kind != sql::ChangeKind::kExecuteText) continue;
    executes = true;
    if (use.statement == nullptr) {
      if (model_.pins.contains(sql::Pin::kPreparedText)) return false;  // TiDB alone knows its text
      continue;
    }
    const PlanSource source{.text = use.statement->text,
                            .prepared = use.statement->context,
                            .executed = model_.desired,
                            .session = id_};
    if (has_kept_plan(use.statement->script) && !plan_context(source).empty()) return false;
  }
  // Those before it may change the state.
  return !executes || plan.effects.size() == 1 || !changes_state(plan.effects);
}

// For one statement; the next restore starts it again. Nothing restores a state of which the
// backend alone knows a part. True: the statement must not go ahead if this fails.
bool Session::stop_plan_cache() {
  static const sql::StateChange stop{sql::ChangeKind::kSetVariable,
                                     "tidb_enable_prepared_plan_cache", "OFF"};
  sql::SessionState& actual = lease_.memory().actual;
  if (!model_.desired.is_exact()) return false;
  keep_warnings();
  command_->attempt.exchange.add(
      {.kind = StepKind::kRestore,
       .bytes = framed(protocol::Command::kQuery, "SET " + stop.name + "=OFF")});
  actual.apply(stop);
  return true;
}

// Its client has not executed it yet, and is to see what TiDB warns of when it makes the plan,
// which it made for others here.
bool Session::must_plan_anew(const PreparedStatement& statement) {
  if (statement.has_plan || statement.has_long_data || !has_kept_plan(statement.script))
    return false;
  return lease_.memory().prepared.warns_when_planned(*statement.key) &&
         !model_.prepared.other_has_plan(statement);
}

void Session::note_plan(PreparedStatement& statement) {
  const bool has_warned = command_->attempt.summary.warnings > 0;
  if (!statement.has_plan || command_->attempt.prepares > 0)  // else it is not the first time there
    lease_.memory().prepared.note_executed(*statement.key, has_warned);
  statement.has_plan = true;
  statement.has_warned = statement.has_warned || has_warned;
}

// TiDB has as many statements as it may have in all its connections together. Those that are only
// kept make way: the least recently used ones here first, then, with their backends, those of
// others. True: what was to be prepared is on its way again, or its lease gone and the next
// awaited.
bool Session::prepares_again() {
  constexpr std::uint16_t kTooManyStatements = 1461;
  ClientCommand& command = *command_;
  const auto& failure = command.attempt.exchange.prepare_error();
  const protocol::ResponseSummary& answer = command.attempt.exchange.summary();
  const bool is_full = failure ? failure->mysql_errno == kTooManyStatements
                               : answer.error_number == kTooManyStatements;
  // What the client has a part of cannot be answered once more.
  if (!is_full || command.script.size() > 1 || command.attempt.exchange.relay_answered())
    return false;
  pool::PreparedCache& known = lease_.memory().prepared;
  known.forget_next_id();  // TiDB has counted it
  prepare_memory().keep_fewer(known.size() / 2, command.received);
  const std::vector<std::uint32_t> ids = known.make_way(known.size() / 2);
  if (ids.empty()) return waits_for_others_statements();
  close_on_backend(ids);
  return prepares_here();
}

bool Session::prepares_here() {
  ClientCommand& command = *command_;
  for (const TextUse& use : command.texts.uses)
    lease_.memory().texts[use.name] = {};
  command.attempt.exchange = {};
  if (command.attempt.answer != nullptr) command.attempt.answer->clear();
  return add_steps();
}

bool Session::waits_for_others_statements() {
  constexpr unsigned kMostTries = 5;
  constexpr Duration kPause = std::chrono::milliseconds(200);
  if (is_replaying() || command_->retries >= kMostTries) return false;
  if (command_->retries == 0) {
    account_->pool->pool->broker().with([this](pool::Broker& broker, pool::Orders& orders) {
      broker.renew_all(environment_.loop.now(), orders);
    });
  }
  if (model_.is_bound()) {
    wait_here(kPause);
    return true;
  }
  end_lease(model_.next_isolation.empty() ? pool::Release::kClean : pool::Release::kReset);
  repeat(FailureKind::kUnavailable, kPause);
  return true;
}

// The refused prepare has changed nothing: the transaction lives on, and so does the lease.
void Session::wait_here(Duration pause) {
  stats().retries[RetryReason::kUnavailable].add();
  ++command_->retries;
  command_->attempt.is_paused = true;
  command_->attempt.exchange = {};
  if (pause_ == nullptr) pause_ = std::make_unique<net::Timer>(environment_.loop);
  pause_->start(pause, [this] { go_on_here(); });
}

void Session::go_on_here() {
  // The timer may outlive the command that it was set for.
  if (command_ == nullptr || !std::exchange(command_->attempt.is_paused, false)) return;
  if (!prepares_here()) return on_backend_lost({Code::kBackend, "it cannot be restored any more"});
  write_steps();
}

}  // namespace tidepool::session

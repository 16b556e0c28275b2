#include "tidepool/tracking/replay_log.h"

#include <utility>

#include "tidepool/sql/parse/directive.h"

namespace tidepool::tracking {
namespace {

// What a statement costs beyond its text: the vector has room for twice as many.
constexpr std::size_t kOverhead = 2 * sizeof(ReplayStatement) + 32;

bool changes_rows(sql::Verb verb) {
  switch (verb) {
    case sql::Verb::kInsert:
    case sql::Verb::kReplace:
    case sql::Verb::kUpdate:
    case sql::Verb::kDelete:
    case sql::Verb::kWith: return true;
    default: return false;
  }
}

// SAVEPOINT, RELEASE SAVEPOINT, ROLLBACK TO.
bool is_about_savepoint(sql::Verb verb) {
  return verb == sql::Verb::kSavepoint || verb == sql::Verb::kRelease ||
         verb == sql::Verb::kRollback;
}

// The answers to other questions depend on what the backend did before the transaction, or on what
// the proxy put in their place.
bool asks_only_what_stays(const sql::Statement& statement) {
  sql::InfoFunctions others = statement.info_functions;
  others.erase(sql::InfoFunctions{sql::InfoFunction::kConnectionId,
                                  sql::InfoFunction::kUserVariable,
                                  sql::InfoFunction::kTransactionTime});
  return others.empty();
}

bool stays_in_transaction(const sql::Statement& statement) {
  sql::PinReasons releases = statement.releases;
  releases.erase(sql::Pin::kStaleRead);  // which BEGIN and SELECT use up, if it is there
  return statement.pins.empty() && releases.empty() && statement.changes.empty() &&
         !statement.changes_server && !statement.requests_local_file && !statement.kill &&
         asks_only_what_stays(statement) && !sql::forbids_retry(statement.text);
}

ReplayUse use_of(const sql::Statement& statement) {
  using Kind = sql::StatementKind;
  if (!stays_in_transaction(statement)) return ReplayUse::kGiveUp;
  if (statement.kind == Kind::kBegin) return ReplayUse::kBegin;
  if (statement.transaction != sql::TransactionEffect::kNone) return ReplayUse::kGiveUp;
  bool is_known = false;
  switch (statement.kind) {
    case Kind::kRead: is_known = statement.is_read || !statement.acts_outside_transaction; break;
    case Kind::kWrite:
      is_known = changes_rows(statement.verb) && !statement.acts_outside_transaction;
      break;
    case Kind::kOther: is_known = is_about_savepoint(statement.verb); break;
    default: break;
  }
  return is_known ? ReplayUse::kRecord : ReplayUse::kGiveUp;
}

}  // namespace

ReplayUse replay_use(protocol::Command command, const sql::Script& script) {
  using protocol::Command;
  switch (command) {
    case Command::kPing:
    case Command::kStatistics:
    case Command::kFieldList:
    case Command::kStmtPrepare:
    case Command::kStmtReset:
    case Command::kStmtClose: return ReplayUse::kSkip;
    case Command::kQuery:
    case Command::kStmtExecute: break;
    default: return ReplayUse::kGiveUp;
  }
  if (script.empty()) return ReplayUse::kRecord;
  return script.size() == 1 ? use_of(script.front()) : ReplayUse::kGiveUp;
}

ReplayUse replay_use(const Command& command) {
  return replay_use(command.type,
                    command.statement != nullptr ? command.statement->script : command.script);
}

bool is_replayed_error(std::uint16_t error_number) {
  switch (error_number) {
    case 1213:  // deadlock
    case 8002:  // a SELECT … FOR UPDATE that TiDB cannot repeat itself
    case 8022:  // a lock was gone
    case 8028:  // the information schema has changed
    case 9007:  // write conflict
      return true;
    default: return false;
  }
}

void ReplayLog::begin() {
  forget(State::kOpen);
}

void ReplayLog::end() {
  forget(State::kEmpty);
}

void ReplayLog::give_up() {
  if (state_ == State::kOpen) forget(State::kNotReplayable);
}

void ReplayLog::forget(State state) {
  state_ = state;
  bytes_ = 0;
  statements_ = {};
}

void ReplayLog::add(ReplayStatement statement) {
  if (state_ != State::kOpen) return;
  bytes_ += statement.payload.size() + kOverhead;
  if (statement.prepared != nullptr) bytes_ += statement.prepared->text().size();
  if (bytes_ > max_bytes_) return forget(State::kTooLarge);
  statements_.push_back(std::move(statement));
}

const ReplayStatement* ReplayPlayer::next() const {
  return done_ < log_.statements().size() ? &log_.statements()[done_] : nullptr;
}

bool ReplayPlayer::compare(const AnswerDigest& answer, bool in_transaction) {
  const ReplayStatement* expected = next();
  if (expected == nullptr || !in_transaction || expected->answer != answer) return false;
  ++done_;
  return true;
}

}  // namespace tidepool::tracking

// What only the backend knows of a session: left there while the session gets the same backend
// again, read back before anybody else gets it.
#include <utility>

#include "tidepool/protocol/reply_messages.h"
#include "tidepool/protocol/text_result.h"
#include "tidepool/session/session.h"
#include "tidepool/session/warnings.h"
#include "tidepool/sql/capture.h"

namespace tidepool::session {

// The command is over, and it is the client's turn: the lease is kept, parked or given back.
void Session::rest() {
  if (has_left_ || (draining_ && !in_transaction_)) {
    enter(lease_ ? State::kIdlePinned : State::kIdle);
    return close();
  }
  watch_silence();
  const bool must = lease_ && must_capture();
  if (!lease_) {
    enter(State::kIdle);
  } else if (keeps_lease() && !joins_warnings()) {
    enter(State::kIdlePinned);
  } else if (!must && !warnings_on_backend_ && desired_.is_exact()) {
    end_lease(pool::Release::kClean);
    enter(State::kIdle);
  } else if (!must && lease_.park(*this)) {
    enter(State::kParked);
  } else {
    return capture();
  }
  resume_input();
}

// The backend has what the session cannot do without.
bool Session::is_bound() const {
  return keeps_lease() || !desired_.is_exact() || desired_.role().is_computed;
}

// A later statement of this session on the same backend would not find all as it must be: it might
// see what another session left, or a restore comes before it (after a USE that failed). Or it
// could not be read without knowing the state.
bool Session::must_capture() {
  const bool needs_restore = lease_.memory().actual.hash() != desired_.hash();
  const sql::LexMode mode = desired_.lex_mode();
  return insert_id_on_backend_ || desired_.role().is_computed || added_warnings_ > 0 ||
         found_rows_on_backend_ || (warnings_on_backend_ && needs_restore) || mode.uncertain ||
         mode.collation == 0;
}

// The backend is kept, but was asked for its warnings before the statement that added to them: it
// would show those of the proxy's question instead. A question would use up SET TRANSACTION, and
// has no place in a transaction.
bool Session::joins_warnings() const {
  return added_warnings_ > 0 && !in_transaction_ && !pins_.contains(sql::Pin::kOneShotTransaction);
}

void Session::on_recall() {
  if (state_ == State::kParked) capture();
}

void Session::capture() {
  enter(State::kCapturing);
  command_ = std::make_unique<ClientCommand>(protocol::Command::kPing, "\x0e", Clock::now());
  command_->is_capture = true;
  command_->is_relayed = true;  // the client has all its answers
  add_captures();
  write_steps();
}

void Session::add_captures() {
  const auto ask = [&](CaptureKind kind, const std::string& text) { add_capture(kind, text); };
  // Each of these two is the end of the other; FETCH leaves no warnings.
  if (found_rows_on_backend_ && !warnings_on_backend_)
    ask(CaptureKind::kFoundRows, "SELECT FOUND_ROWS()");
  found_rows_on_backend_ = false;
  if (warnings_on_backend_) add_warning_captures();
  if (insert_id_on_backend_) ask(CaptureKind::kLastInsertId, "SELECT LAST_INSERT_ID()");
  ask(CaptureKind::kSystemVariables, sql::system_variables_query(desired_));
  ask(CaptureKind::kUserVariables, sql::user_variables_query(desired_));
  if (desired_.role().is_computed) ask(CaptureKind::kRole, "SELECT CURRENT_ROLE()");
  account_->pool->pool->broker().stats().captures.add(command_->captures.size());
}

void Session::add_capture(CaptureKind kind, const std::string& text) {
  if (text.empty()) return;
  command_->captures.push_back(kind);
  command_->exchange.add({.kind = StepKind::kCapture,
                          .command = protocol::Command::kQuery,
                          .bytes = framed(protocol::Command::kQuery, text),
                          .hold_answer = true});
}

// Before those that refused statements have added may be those of a prepare, which are found by
// preparing again.
void Session::add_warning_captures() {
  add_capture(CaptureKind::kWarnings, "SHOW WARNINGS");
  if (added_warnings_ == 0 || last_prepare_.empty()) return;
  command_->exchange.add({.kind = StepKind::kRestore,
                          .command = protocol::Command::kStmtPrepare,
                          .bytes = framed(protocol::Command::kStmtPrepare, last_prepare_),
                          .may_fail = true});
  add_capture(CaptureKind::kPrepareWarnings, "SHOW WARNINGS");
}

void Session::on_captured() {
  const CaptureKind kind = command_->captures.front();
  command_->captures.pop_front();
  const std::string answer = command_->exchange.take_held();
  // After these the client's command follows.
  if (kind == CaptureKind::kTextSource) return note_source(answer);
  if (kind == CaptureKind::kLoginGroup) return note_login_group(answer);
  // The capture was a statement of its own; or the client's follows.
  if (command_->is_capture) lease_.memory().last_session = 0;
  switch (kind) {
    case CaptureKind::kWarnings: return note_warnings(answer);
    case CaptureKind::kPrepareWarnings: return note_prepare_warnings(answer);
    case CaptureKind::kFoundRows: return note_found_rows(answer);
    case CaptureKind::kLastInsertId: return note_insert_id(answer);
    case CaptureKind::kSystemVariables:
    case CaptureKind::kUserVariables: return note_variables(kind, answer);
    case CaptureKind::kRole: return note_role(answer);
    case CaptureKind::kTextSource:
    case CaptureKind::kLoginGroup: return;
  }
}

// A refused statement leaves the warnings before it and adds its own; the backend's before it may
// be another session's.
void Session::note_warnings(const std::string& answer) {
  warnings_on_backend_ = false;
  const std::size_t added = std::exchange(added_warnings_, 0U);
  auto result = protocol::parse_text_result(answer);
  if (!result) return warnings_answer_.clear();
  if (added == 0) {
    warnings_answer_ = answer;
    return;
  }
  keep_all(with_last_of(known_warnings(), *std::move(result), added));
}

void Session::note_prepare_warnings(const std::string& answer) {
  last_prepare_.clear();
  const auto before = protocol::parse_text_result(answer);
  protocol::TextResult added = known_warnings();
  const std::size_t count = added.rows.size();
  if (before) keep_all(with_last_of(*before, std::move(added), count));
}

void Session::keep_all(const protocol::TextResult& warnings) {
  const auto count = static_cast<std::uint16_t>(warnings.rows.size());
  last_ok_.warnings = counts_no_warnings_ ? std::uint16_t{0} : count;
  warnings_answer_ = protocol::make_text_result(warnings.columns, warnings.rows, warnings.status,
                                                warnings.warnings);
}

void Session::note_found_rows(const std::string& answer) {
  const auto result = protocol::parse_text_result(answer);
  if (!result || result->rows.size() != 1 || result->rows[0].empty()) return;
  found_rows_ = std::strtoull(result->rows[0][0].value_or("0").c_str(), nullptr, 10);
}

void Session::note_insert_id(const std::string& answer) {
  insert_id_on_backend_ = false;
  const auto result = protocol::parse_text_result(answer);
  if (!result || result->rows.size() != 1 || result->rows[0].empty()) return;
  const std::uint64_t found = std::strtoull(result->rows[0][0].value_or("0").c_str(), nullptr, 10);
  // A row with an id of its own leaves LAST_INSERT_ID() alone: then this is what another session
  // left there.
  std::optional<std::uint64_t>& before = lease_.memory().insert_id;
  const bool is_told = found != 0 && found == last_ok_.last_insert_id;
  if (found != before || is_told) last_insert_id_ = found;
  before = found;
  if (last_sets_insert_id_) last_ok_.last_insert_id = last_insert_id_;
}

void Session::note_variables(CaptureKind kind, const std::string& answer) {
  facts_on_backend_ = false;
  lease_.memory().last_session = 0;  // the capture was a statement of its own
  std::vector<sql::CapturedValue> row;
  auto result = protocol::parse_text_result(answer);
  const bool has_row = result && result->rows.size() == 1;
  for (std::size_t i = 0; has_row && i < result->columns.size(); ++i) {
    const protocol::Column& column = result->columns[i];
    row.push_back({std::move(result->rows[0][i]), column.charset, column.length, column.type,
                   column.flags, column.decimals});
  }
  const sql::StateChanges changes = kind == CaptureKind::kUserVariables
                                        ? sql::captured_user_variables(desired_, row)
                                        : sql::captured_system_variables(desired_, row);
  desired_.apply(changes);
  sql::SessionState& actual = lease_.memory().actual;
  actual.apply(changes);
  for (const sql::StateChange& change : changes) {
    if (change.kind == sql::ChangeKind::kSetUserString) actual.apply(sql::not_trusted(change));
  }
}

void Session::note_role(const std::string& answer) {
  lease_.memory().last_session = 0;  // as above
  const auto result = protocol::parse_text_result(answer);
  const bool is_single = result && result->rows.size() == 1 && result->rows[0].size() == 1;
  const auto names = sql::role_names(is_single ? result->rows[0][0].value_or("") : "");
  if (!names) {
    sql::PinReasons pins = pins_;
    pins.insert(sql::Pin::kRole);
    return set_pins(pins);
  }
  const sql::StateChange change{.kind = sql::ChangeKind::kSetRole, .value = *names};
  desired_.apply(change);
  lease_.memory().actual.apply(change);
}

// Before the first SET RESOURCE GROUP on a backend: the next session may need what is there now.
void Session::add_login_group_capture() {
  const sql::SessionState& actual = lease_.memory().actual;
  if (!actual.login_group().empty() || !actual.resource_group().empty()) return;
  if (pins_.contains(sql::Pin::kOneShotTransaction)) return;  // it would take that
  keep_warnings();
  command_->captures.push_back(CaptureKind::kLoginGroup);
  command_->exchange.add(
      {.kind = StepKind::kCapture,
       .command = protocol::Command::kQuery,
       .bytes = framed(protocol::Command::kQuery, "SELECT CURRENT_RESOURCE_GROUP()"),
       .may_fail = true,
       .hold_answer = true});
  found_rows_here_ = false;
}

void Session::note_login_group(const std::string& answer) {
  const auto result = protocol::parse_text_result(answer);
  const bool is_single = result && result->rows.size() == 1 && result->rows[0].size() == 1;
  if (!is_single) return;
  const auto name = sql::resource_group_name(result->rows[0][0].value_or(""));
  if (name) lease_.memory().actual.set_login_group(*name);
}

void Session::end_captures() {
  command_.reset();
  // What could not be read back has to stay here.
  sql::PinReasons pins = pins_;
  pins.insert(desired_.pins());
  set_pins(pins);
  if (is_bound()) {
    (void)lease_.unpark();  // a loss shows with the next command
  } else {
    end_lease(pool::Release::kClean);
  }
  rest();
}

}  // namespace tidepool::session

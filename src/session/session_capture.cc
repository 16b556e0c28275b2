// What only the backend knows of a session: left there while the session gets the same backend
// again, read back before anybody else gets it.
#include <utility>

#include "tidepool/protocol/reply_messages.h"
#include "tidepool/protocol/text_result.h"
#include "tidepool/session/plan_diagnostics.h"
#include "tidepool/session/session.h"
#include "tidepool/sql/capture.h"

namespace tidepool::session {

// The command is over, and it is the client's turn: the lease is kept, parked or given back.
void Session::rest() {
  if (is_departed() || (is_drained() && !model_.in_transaction)) {
    enter(lease_ ? State::kIdlePinned : State::kIdle);
    return close();
  }
  watch_silence();
  const bool must = lease_ && must_capture();
  if (!lease_) {
    enter(State::kIdle);
  } else if (model_.keeps_lease() && !joins_warnings()) {
    enter(State::kIdlePinned);
  } else if (!must && !model_.facts.warnings_on_backend() && model_.desired.is_exact()) {
    end_lease(pool::Release::kClean);
    enter(State::kIdle);
  } else if (!must && lease_.park(*this)) {
    enter(State::kParked);
  } else {
    return capture();
  }
  resume_input();
}

// A later statement of this session on the same backend would not find all as it must be: it might
// see what another session left, or a restore comes before it (after a USE that failed). Or it
// could not be read without knowing the state.
bool Session::must_capture() {
  const auto needs_restore = [this] { return lease_.memory().actual != model_.desired; };
  const sql::LexMode mode = model_.desired.lex_mode();
  return model_.facts.insert_id_on_backend() || model_.desired.role().is_computed ||
         model_.facts.has_added_warnings() || model_.facts.found_rows_on_backend() ||
         (model_.facts.warnings_on_backend() && needs_restore()) || mode.uncertain ||
         mode.collation == 0;
}

// The backend is kept, but was asked for its warnings before the statement that added to them: it
// would show those of the proxy's question instead. A question would use up SET TRANSACTION, and
// has no place in a transaction.
bool Session::joins_warnings() const {
  return model_.facts.has_added_warnings() && !model_.in_transaction &&
         !model_.pins.contains(sql::Pin::kOneShotTransaction);
}

void Session::on_recall() {
  if (state_ == State::kParked) capture();
}

void Session::capture() {
  enter(State::kCapturing);
  command_ = std::make_unique<ClientCommand>(protocol::Command::kPing, "\x0e", Clock::now());
  command_->purpose = CommandPurpose::kCapture;
  command_->attempt.is_relayed = true;  // the client has all its answers
  plan_captures();
  write_steps();
}

void Session::on_captured() {
  const CaptureKind kind = command_->attempt.captures.front();
  command_->attempt.captures.erase(command_->attempt.captures.begin());
  const std::string answer = command_->attempt.exchange.take_held();
  // After these the client's command follows.
  if (kind == CaptureKind::kTextSource) return note_source(answer);
  if (kind == CaptureKind::kLoginGroup) return note_login_group(answer);
  // The capture was a statement of its own; or the client's follows.
  if (command_->is_capture()) lease_.memory().last_session = 0;
  switch (kind) {
    case CaptureKind::kErrors: return model_.facts.note_errors(answer);
    case CaptureKind::kWarnings:
      return model_.facts.note_warnings(answer, model_.desired.select_limit());
    case CaptureKind::kPrepareWarnings: return model_.facts.note_prepare_warnings(answer);
    case CaptureKind::kFoundRows: return model_.facts.note_found_rows(answer);
    case CaptureKind::kLastInsertId:
      return model_.facts.note_insert_id(answer, lease_.memory().insert_id);
    case CaptureKind::kSystemVariables:
    case CaptureKind::kUserVariables: return note_variables(kind, answer);
    case CaptureKind::kRole: return note_role(answer);
    case CaptureKind::kTextSource:
    case CaptureKind::kLoginGroup: return;
  }
}

void Session::note_variables(CaptureKind kind, const std::string& answer) {
  model_.facts.leave_backend();
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
                                        ? sql::captured_user_variables(model_.desired, row)
                                        : sql::captured_system_variables(model_.desired, row);
  model_.desired.apply(changes);
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
    sql::PinReasons pins = model_.pins;
    pins.insert(sql::Pin::kRole);
    return set_pins(pins);
  }
  const sql::StateChange change{.kind = sql::ChangeKind::kSetRole, .value = *names};
  model_.desired.apply(change);
  lease_.memory().actual.apply(change);
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
  sql::PinReasons pins = model_.pins;
  pins.insert(model_.desired.pins());
  set_pins(pins);
  if (model_.is_bound()) {
    (void)lease_.unpark();  // a loss shows with the next command
  } else {
    end_lease(pool::Release::kClean);
  }
  rest();
}

}  // namespace tidepool::session

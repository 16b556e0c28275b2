#include "tidepool/tracking/settle_captures.h"

#include <utility>
#include <vector>

#include "tidepool/protocol/text_result.h"
#include "tidepool/sql/restore/capture.h"
#include "tidepool/sql/state/resource_group.h"
#include "tidepool/sql/state/role.h"
#include "tidepool/tracking/settle_named.h"

namespace tidepool::tracking {
namespace {

void note_variables(CommandContext& context, CaptureKind kind, const std::string& answer) {
  context.diagnostics().leave_backend();
  context.backend.last_session = 0;  // the capture was a statement of its own
  std::vector<sql::CapturedValue> row;
  auto result = protocol::parse_text_result(answer);
  const bool has_row = result && result->rows.size() == 1;
  for (std::size_t i = 0; has_row && i < result->columns.size(); ++i) {
    const protocol::Column& column = result->columns[i];
    row.push_back({std::move(result->rows[0][i]), column.charset, column.length, column.type,
                   column.flags, column.decimals});
  }
  const sql::StateChanges changes =
      kind == CaptureKind::kUserVariables
          ? sql::captured_user_variables(context.model.desired, row)
          : sql::captured_system_variables(context.model.desired, row);
  context.model.desired.apply(changes);
  sql::SessionState& actual = context.backend.actual;
  actual.apply(changes);
  for (const sql::StateChange& change : changes) {
    if (change.kind == sql::ChangeKind::kSetUserString) actual.apply(sql::not_trusted(change));
  }
}

void note_role(CommandContext& context, const std::string& answer) {
  context.backend.last_session = 0;  // the question ran last
  const auto result = protocol::parse_text_result(answer);
  const bool is_single = result && result->rows.size() == 1 && result->rows[0].size() == 1;
  const auto names = sql::role_names(is_single ? result->rows[0][0].value_or("") : "");
  if (!names) {
    context.model.pins.insert(sql::Pin::kRole);
    return;
  }
  const sql::StateChange change{.kind = sql::ChangeKind::kSetRole, .value = *names};
  context.model.desired.apply(change);
  context.backend.actual.apply(change);
}

void note_login_group(CommandContext& context, const std::string& answer) {
  const auto result = protocol::parse_text_result(answer);
  const bool is_single = result && result->rows.size() == 1 && result->rows[0].size() == 1;
  if (!is_single) return;
  const auto name = sql::resource_group_name(result->rows[0][0].value_or(""));
  if (name) context.backend.actual.set_login_group(*name);
}

}  // namespace

void settle_capture(CommandContext& context) {
  const CaptureKind kind = context.command.attempt.captures.front();
  context.command.attempt.captures.erase(context.command.attempt.captures.begin());
  const std::string answer = context.exchange().take_held();
  // After these the client's command follows.
  if (kind == CaptureKind::kNamedSource) return settle_named_source(context, answer);
  if (kind == CaptureKind::kLoginGroup) return note_login_group(context, answer);
  // The capture was a statement of its own; or the client's follows.
  if (context.command.is_capture()) context.backend.last_session = 0;
  switch (kind) {
    case CaptureKind::kErrors: return context.diagnostics().note_errors(answer);
    case CaptureKind::kWarnings:
      return context.diagnostics().note_warnings(answer, context.model.desired.select_limit());
    case CaptureKind::kPrepareWarnings: return context.diagnostics().note_prepare_warnings(answer);
    case CaptureKind::kFoundRows: return context.diagnostics().note_found_rows(answer);
    case CaptureKind::kLastInsertId:
      return context.diagnostics().note_insert_id(answer, context.backend.insert_id);
    case CaptureKind::kSystemVariables:
    case CaptureKind::kUserVariables: return note_variables(context, kind, answer);
    case CaptureKind::kRole: return note_role(context, answer);
    case CaptureKind::kNamedSource:
    case CaptureKind::kLoginGroup: return;
  }
}

}  // namespace tidepool::tracking

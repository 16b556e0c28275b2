#include "tidepool/tracking/settle_named.h"

#include "tidepool/protocol/text_result.h"
#include "tidepool/sql/state/collation.h"
#include "tidepool/tracking/script_outcome.h"
#include "tidepool/tracking/warnings.h"

namespace tidepool::tracking {
namespace {

void note_rewritten_statement(CommandContext& context, const StatementRef& ref, bool is_done) {
  if (ref.kind != sql::ChangeKind::kExecuteNamed || ref.statement == nullptr) return;
  const protocol::ResponseSummary answer =
      is_done ? protocol::ResponseSummary() : context.command.attempt.summary;
  if (rewrites_itself(ref.statement->script, answer)) context.model.named.note_rewritten(ref.name);
}

void note_named(CommandContext& context, const StatementRef& ref) {
  BackendModel& backend = context.backend;
  if (ref.kind == sql::ChangeKind::kExecuteNamed) return;
  context.model.named.erase(ref.name);
  backend.named.erase(ref.name);
  if (ref.kind == sql::ChangeKind::kDeallocateNamed) return;
  backend.prepared.forget_next_id();
  if (ref.statement == nullptr) {
    backend.named[ref.name] = {context.model.id, 0};
    return;
  }
  backend.named[ref.name] = ref.statement->owner;
  context.model.named.set(ref.statement);
}

}  // namespace

void settle_named(CommandContext& context) {
  const Command& command = context.command;
  if (is_about_unknown(command.executed_script())) context.backend.prepared.forget_next_id();
  const std::size_t done = executed_of(command.script, command.attempt.summary);
  for (const StatementRef& ref : command.named.refs) {
    if (ref.index <= done) note_rewritten_statement(context, ref, ref.index < done);
    if (ref.index < done) note_named(context, ref);
  }
}

void forget_failed_named(CommandContext& context, const Error& error) {
  if (context.command.named.refs.empty()) return;
  for (const StatementRef& ref : context.command.named.refs)
    context.backend.named[ref.name] = {};
  context.diagnostics().note_own_error(warnings_of(error, context.model.status_flags()));
  context.diagnostics().note_lost_text(context.command.executed_script().front());
}

void settle_named_source(CommandContext& context, const std::string& answer) {
  const auto result = protocol::parse_text_result(answer);
  const bool is_single = result && result->rows.size() == 1 && result->rows[0].size() == 1;
  if (!is_single || !result->rows[0][0]) return;
  const std::string& text = *result->rows[0][0];
  const std::uint16_t charset = context.model.desired.charset().results;
  const bool shows_all = charset == 0 || sql::charset_of_any_collation(charset) == "utf8mb4";
  for (const char byte : text) {
    if (static_cast<unsigned char>(byte) >= 0x80 && !shows_all) return;
  }
  set_source(context.command.named, text, context.model.named, context.model.desired,
             context.model.next_named());
}

}  // namespace tidepool::tracking

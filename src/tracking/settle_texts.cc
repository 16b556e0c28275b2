#include "tidepool/tracking/settle_texts.h"

#include "tidepool/protocol/text_result.h"
#include "tidepool/sql/collation.h"
#include "tidepool/tracking/effects.h"
#include "tidepool/tracking/warnings.h"

namespace tidepool::tracking {
namespace {

void note_wear(CommandContext& context, const TextUse& use, bool is_done) {
  if (use.kind != sql::ChangeKind::kExecuteText || use.statement == nullptr) return;
  const protocol::ResponseSummary answer =
      is_done ? protocol::ResponseSummary() : context.command.attempt.summary;
  if (wears(use.statement->script, answer)) context.model.texts.wear(use.name);
}

void note_text(CommandContext& context, const TextUse& use) {
  BackendModel& memory = context.backend;
  if (use.kind == sql::ChangeKind::kExecuteText) return;
  context.model.texts.erase(use.name);
  memory.texts.erase(use.name);
  if (use.kind == sql::ChangeKind::kDeallocateText) return;
  memory.prepared.forget_next_id();
  if (use.statement == nullptr) {
    memory.texts[use.name] = {context.model.id, 0};
    return;
  }
  memory.texts[use.name] = use.statement->owner;
  context.model.texts.set(use.statement);
}

}  // namespace

void settle_texts(CommandContext& context) {
  const Command& command = context.command;
  if (is_about_unknown(command.effects())) context.backend.prepared.forget_next_id();
  const std::size_t done = executed_of(command.script, command.attempt.summary);
  for (const TextUse& use : command.texts.uses) {
    if (use.index <= done) note_wear(context, use, use.index < done);
    if (use.index < done) note_text(context, use);
  }
}

void forget_failed_texts(CommandContext& context, const Error& error) {
  if (context.command.texts.uses.empty()) return;
  for (const TextUse& use : context.command.texts.uses)
    context.backend.texts[use.name] = {};
  context.diagnostics().note_own_error(warnings_of(error, context.model.status_flags()));
  context.diagnostics().note_lost_text(context.command.effects().front());
}

void settle_text_source(CommandContext& context, const std::string& answer) {
  const auto result = protocol::parse_text_result(answer);
  const bool is_single = result && result->rows.size() == 1 && result->rows[0].size() == 1;
  if (!is_single || !result->rows[0][0]) return;
  const std::string& text = *result->rows[0][0];
  const std::uint16_t charset = context.model.desired.charset().results;
  const bool shows_all = charset == 0 || sql::charset_of_any_collation(charset) == "utf8mb4";
  for (const char byte : text) {
    if (static_cast<unsigned char>(byte) >= 0x80 && !shows_all) return;
  }
  set_source(context.command.texts, text, context.model.texts, context.model.desired,
             context.model.next_text());
}

}  // namespace tidepool::tracking

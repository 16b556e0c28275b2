#include "tidepool/tracking/retry_here.h"

#include "tidepool/tracking/planner.h"
#include "tidepool/tracking/settle_prepared.h"

namespace tidepool::tracking {
namespace {

void forget_answer(CommandAttempt& attempt) {
  if (attempt.answer != nullptr) attempt.answer->clear();
}

}  // namespace

Resent resend_original(CommandContext& context) {
  constexpr std::uint16_t kSyntaxError = 1064;
  CommandAttempt& attempt = context.command.attempt;
  const protocol::ResponseSummary& answer = attempt.exchange.summary();
  const bool is_refused = answer.has_error() && !attempt.exchange.relay_answered();
  if (attempt.substituted.empty() || !is_refused) return Resent::kNo;
  attempt.substituted.clear();
  if (answer.error_number != kSyntaxError) return Resent::kAnswered;
  forget_answer(attempt);
  add_relay(context, framed(context.command.payload), false, false);
  return Resent::kOriginal;
}

RetryHere retry_execute(CommandContext& context) {
  constexpr std::uint16_t kSchemaChanged = 8113;
  CommandAttempt& attempt = context.command.attempt;
  const protocol::ResponseSummary& answer = attempt.exchange.summary();
  const PreparedStatement& statement = *context.command.statement;
  if (!answer.has_error() || attempt.is_retried || statement.has_long_data) return {};
  if (attempt.exchange.relay_answered()) return {};
  PreparedCache& known = context.backend.prepared;
  const auto asked = known.asked(*statement.key);
  const bool is_outdated =
      answer.error_number == kSchemaChanged && asked && *asked < statement.seen;
  if (!is_outdated && !is_unknown_statement(answer.error_number, answer.message)) return {};
  RetryHere retry;
  retry.is_due = true;
  attempt.is_retried = true;
  if (is_outdated) retry.drop = drop_on_backend(context);
  if (!attempt.has_other_id) known.erase(*statement.key);
  attempt.exchange = {};
  forget_answer(attempt);
  return retry;
}

bool is_unknown_statement(std::uint16_t error, std::string_view message) {
  // TiDB wraps it; 8111 comes when the connection knows the id but its session does not.
  return error == 1243 || error == 8111 ||
         (error == 1105 && message.starts_with("ERROR 1243 (HY000)"));
}

}  // namespace tidepool::tracking

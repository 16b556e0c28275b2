#include "tidepool/session/effects.h"

#include <algorithm>

namespace tidepool::session {
namespace {

// TiDB parses a text as a whole first: with this error nothing of it was executed.
constexpr std::uint16_t kParseError = 1064;

void apply(const sql::StateChanges& changes, sql::SessionState& desired,
           sql::SessionState& actual) {
  desired.apply(changes);
  actual.apply(changes);
}

// A SET of several that failed has applied those before the bad one: which, only the backend knows.
bool may_be_half_done(const sql::Statement& statement) {
  return statement.kind == sql::StatementKind::kSet &&
         statement.text.find(',') != std::string_view::npos;
}

}  // namespace

sql::PinReasons apply_effects(const sql::Script& script, const protocol::ResponseSummary& answer,
                              sql::PinReasons pins, sql::SessionState& desired,
                              sql::SessionState& actual) {
  const bool failed = answer.has_error();
  if (failed && answer.error_number == kParseError) return pins;
  const std::size_t done =
      failed ? std::min<std::size_t>(script.size(), std::max(answer.results, 1U) - 1)
             : script.size();
  for (std::size_t i = 0; i < done; ++i) {
    pins.erase(sql::Pin::kOneShotTransaction);  // consumed by any statement
    apply(script[i].changes, desired, actual);
    pins.insert(script[i].pins);
    pins.erase(script[i].releases);
  }
  if (failed && done < script.size()) {
    pins.insert(script[done].pins);
    if (may_be_half_done(script[done])) pins.insert(sql::Pin::kSessionVariable);
  }
  if (!desired.is_exact()) pins.insert(sql::Pin::kSessionVariable);
  return pins;
}

bool must_probe(const sql::Script& script, const protocol::ResponseSummary& answer,
                bool in_transaction, const sql::SessionState& desired) {
  if (!answer.has_error()) return false;
  return in_transaction || !desired.autocommit() || script.size() > 1;
}

bool is_harmless(const sql::Script& script) {
  if (script.size() != 1) return false;
  return script.front().is_read || script.front().kind == sql::StatementKind::kBegin;
}

}  // namespace tidepool::session

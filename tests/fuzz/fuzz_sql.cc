// Lexing is total and in order, classification never fails, and what is followed can be restored.
// The first byte chooses the mode, the rest is the text.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "parse/lexer.h"
#include "tidepool/base/check.h"
#include "tidepool/sql/parse/statement.h"
#include "tidepool/sql/restore/restore.h"
#include "tidepool/sql/state/session_state.h"

namespace tidepool::sql {
namespace {

LexMode mode_of(std::uint8_t choice) {
  return LexMode{(choice & 1U) != 0, (choice & 2U) != 0, (choice & 4U) != 0,
                 static_cast<TextEncoding>((choice >> 3U) & 3U)};
}

void lex(std::string_view text, LexMode mode) {
  Lexer lexer(text, mode);
  const char* last = text.data();
  for (Token token = lexer.next(); token.kind != TokenKind::kEnd; token = lexer.next()) {
    TIDEPOOL_CHECK(!token.text.empty());
    TIDEPOOL_CHECK(token.text.data() >= last);
    last = token.text.data() + token.text.size();
    TIDEPOOL_CHECK(last <= text.data() + text.size());
  }
  TIDEPOOL_CHECK(lexer.offset() == text.size());
}

void follow(std::string_view text, LexMode mode) {
  const Script script = classify(text, mode);
  SessionState state;
  const char* last = text.data();
  for (std::size_t at = 0; at < script.size(); ++at) {
    const Statement& statement = script[at];
    TIDEPOOL_CHECK(statement.text.data() >= last);
    last = statement.text.data() + statement.text.size();
    TIDEPOOL_CHECK(last <= text.data() + text.size());
    const bool is_unknown = statement.kind == StatementKind::kUnknown;
    TIDEPOOL_CHECK(is_unknown == statement.pins.contains(Pin::kUnknownStatement) ||
                   statement.kind == StatementKind::kUse);
    TIDEPOOL_CHECK(!statement.is_read || statement.pins.empty());
    state.apply(statement.changes);
  }
  const RestorePlan plan = plan_restore(SessionState{}, state);
  TIDEPOOL_CHECK(plan.is_possible == state.is_exact());
  // What is computed pins only where it cannot be read back.
  TIDEPOOL_CHECK(state.pins().empty() || !state.is_exact());
  SessionState reached;
  for (const RestoreStep& step : plan.steps) {
    const Script steps = classify(step.text, reached.lex_mode());
    for (std::size_t at = 0; at < steps.size(); ++at)
      reached.apply(steps[at].changes);
  }
  if (plan.is_possible) TIDEPOOL_CHECK(reached == state && reached.hash() == state.hash());
  TIDEPOOL_CHECK(plan_restore(state, SessionState{}).is_possible);
}

}  // namespace
}  // namespace tidepool::sql

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const tidepool::sql::LexMode mode = tidepool::sql::mode_of(data[0]);
  tidepool::sql::lex(text, mode);
  tidepool::sql::follow(text, mode);
  return 0;
}

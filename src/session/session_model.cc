#include "tidepool/session/session_model.h"

#include "tidepool/protocol/status.h"

namespace tidepool::session {

void SessionModel::begin_anew() {
  holdings.clear();
  in_transaction = false;
  next_isolation.clear();
  prepared.clear();
  texts.clear();
  facts = {};
}

bool SessionModel::is_bound() const {
  return keeps_lease() || !desired.is_exact() || desired.role().is_computed;
}

bool SessionModel::is_replayable() const {
  sql::PinReasons others = pins;
  others.erase(sql::Pin::kTransaction);
  return others.empty() && next_isolation.empty() && desired.is_exact() &&
         !desired.role().is_computed;
}

bool SessionModel::is_one_shot_pending() const {
  return pins.contains(sql::Pin::kOneShotTransaction) || !next_isolation.empty();
}

std::uint16_t SessionModel::status_flags() const {
  std::uint16_t flags = 0;
  if (desired.autocommit()) flags |= protocol::status::kAutocommit;
  if (desired.lex_mode().no_backslash_escapes) flags |= protocol::status::kNoBackslashEscapes;
  if (in_transaction) flags |= protocol::status::kInTransaction;
  return flags;
}

}  // namespace tidepool::session

// What a session's prepared statements take, and the refusal of what is beyond the limits. Data
// that COM_STMT_SEND_LONG_DATA brings is the backend's at once, and kept by nobody here.
#include <algorithm>
#include <optional>

#include "own_errors.h"
#include "tidepool/session/session.h"

namespace tidepool::session {
namespace {

// Makes the statement of that name a text, and does nothing else. Several statements are not
// refused for one of them: what they make is bounded by TextStatements.
const tracking::TextStatement* only_text_made(const ClientCommand& command) {
  const auto& uses = command.texts.uses;
  const bool makes_one = command.script.size() == 1 && uses.size() == 1 &&
                         uses.front().kind == sql::ChangeKind::kPrepareText;
  return makes_one ? uses.front().statement.get() : nullptr;
}

}  // namespace

// The error, if the command prepares what there is no room for.
std::optional<Error> Session::refusal_to_prepare(ClientCommand& command) {
  std::size_t bytes = 0;
  if (command.type == protocol::Command::kStmtPrepare) {
    bytes = tracking::bytes_to_prepare(command.argument(), model_.desired, command.script);
  } else if (const tracking::TextStatement* made = only_text_made(command)) {
    const tracking::TextStatementPtr before = model_.texts.find(made->name);
    const std::size_t freed = before == nullptr ? 0 : tracking::bytes_of(*before);
    bytes = tracking::bytes_of(*made);
    bytes -= std::min(bytes, freed);
  }
  if (bytes == 0) return std::nullopt;
  prepared_bytes_.set_limit(account_->max_prepared_memory);
  switch (command.prepared_share.try_set(prepared_bytes_, bytes)) {
    case tracking::PreparedLimit::kNone: return std::nullopt;
    case tracking::PreparedLimit::kSession:
      stats().prepares_refused_by_session.add();
      return too_much_prepared("users[].max_prepared_memory", prepared_bytes_.limit());
    case tracking::PreparedLimit::kPool:
      stats().prepares_refused_by_pool.add();
      return too_much_prepared("pools[].max_prepared_memory", prepared_bytes_.pool_limit());
  }
  return std::nullopt;
}

// Its types, and what is executed in the place of its text, come with its executes.
void Session::count_bytes(tracking::PreparedStatement& statement) {
  statement.share.set(prepared_bytes_, tracking::bytes_of(statement));
}

void Session::count_text_bytes() {
  text_share_.set(prepared_bytes_, model_.texts.bytes());
}

}  // namespace tidepool::session

#include "tidepool/session/prepared.h"

#include <algorithm>

namespace tidepool::session {

namespace {

bool defines(const sql::Script& script) {
  return script.size() == 1 && script.front().kind == sql::StatementKind::kDdl;
}

}  // namespace

bool wears(const sql::Script& script, const protocol::ResponseSummary& answer) {
  constexpr std::uint16_t kTableExists = 1050;
  return defines(script) && (!answer.has_error() || answer.error_number == kTableExists);
}

pool::PreparedCache::Key prepared_key(std::string_view text, const sql::SessionState& context) {
  // Names of what the meaning depends on, then the text; a hash of the state is enough of a name
  // for it.
  std::string key = std::to_string(context.hash());
  key += ':';
  key += text;
  return std::make_shared<const std::string>(std::move(key));
}

pool::PreparedCache::Key private_key(const PreparedStatement& statement, std::uint64_t session) {
  return std::make_shared<const std::string>("session " + std::to_string(session) + " statement " +
                                             std::to_string(statement.serial));
}

pool::PreparedCache::Key key_of_sent_text(const pool::PreparedCache::Key& text_key,
                                          const std::string& sent_text) {
  if (sent_text.empty()) return text_key;
  return std::make_shared<const std::string>(*text_key + '\0' + sent_text);
}

pool::PreparedCache::Key key_of_types(const pool::PreparedCache::Key& key, std::string_view types) {
  std::string typed = *key;
  typed += '\0';
  typed += types;
  return std::make_shared<const std::string>(std::move(typed));
}

sql::SessionState preparing_state(const sql::SessionState& state) {
  sql::SessionState part = state;
  part.apply({.kind = sql::ChangeKind::kSetRole});  // privileges are looked at when it is executed
  part.apply({.kind = sql::ChangeKind::kSetResourceGroup});
  for (const sql::SessionState::Item& item : state.items()) {
    const std::string name(sql::variable(item.variable).name);
    if (name != "sql_mode") part.apply({.kind = sql::ChangeKind::kSetDefault, .name = name});
  }
  return part;
}

PreparedStatement& PreparedStatements::add(std::string_view text, const sql::SessionState& state,
                                           std::uint16_t params, std::uint64_t session) {
  auto made = std::make_shared<PreparedStatement>();
  made->id = next_id_++;
  made->serial = next_serial_++;
  made->text = text;
  made->script = sql::classify(made->text, state.lex_mode());
  made->context = preparing_state(state);
  // TiDB changes a definition when it executes it, see sql/worn_definition.h; and keeps the types
  // that user variables had in the first execute (server/internal/resultset, Columns).
  const bool is_shared = state.is_exact() && !defines(made->script) &&
                         !made->script.facts().contains(sql::Fact::kUserVariable);
  made->key = is_shared ? prepared_key(text, made->context) : private_key(*made, session);
  made->text_key = made->key;
  made->params = params;
  PreparedStatement& statement = *made;
  statements_[statement.id] = std::move(made);
  return statement;
}

PreparedStatement* PreparedStatements::find(std::uint32_t id) {
  const auto found = statements_.find(id);
  return found == statements_.end() ? nullptr : found->second.get();
}

std::shared_ptr<PreparedStatement> PreparedStatements::share(
    const PreparedStatement& statement) const {
  const auto found = statements_.find(statement.id);
  return found == statements_.end() ? nullptr : found->second;
}

void PreparedStatements::erase(std::uint32_t id) {
  statements_.erase(id);
}

void PreparedStatements::clear() {
  statements_.clear();
  next_id_ = 1;
}

bool PreparedStatements::other_holds(const PreparedStatement& statement) const {
  return std::any_of(statements_.begin(), statements_.end(), [&](const auto& one) {
    const PreparedStatement& other = *one.second;
    return &other != &statement && (other.has_cursor || other.has_long_data) &&
           *other.key == *statement.key;
  });
}

bool PreparedStatements::any_cursor() const {
  return std::any_of(statements_.begin(), statements_.end(),
                     [](const auto& one) { return one.second->has_cursor; });
}

bool PreparedStatements::any_long_data() const {
  return std::any_of(statements_.begin(), statements_.end(),
                     [](const auto& one) { return one.second->has_long_data; });
}

}  // namespace tidepool::session

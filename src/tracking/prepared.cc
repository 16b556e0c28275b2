#include "tidepool/tracking/prepared.h"

#include <algorithm>
#include <array>

#include "tidepool/base/encoding.h"
#include "tidepool/protocol/sha256.h"
#include "tidepool/sql/state/state_encoding.h"

namespace tidepool::tracking {

namespace {

// What a part of a key is.
enum Part : std::uint8_t { kShared, kPrivate, kSentText, kTypes };

// Backends and statements keep many keys: of a long text its digest, which has no other text.
void add_text(Encoding& key, std::string_view text) {
  constexpr std::size_t kLong = 1024;
  const bool is_long = text.size() > kLong;
  key.number(is_long ? 1 : 0);
  if (is_long) {
    key.number(text.size()).text(protocol::sha256({text}));
  } else {
    key.text(text);
  }
}

PreparedCache::Key extended(const PreparedCache::Key& key, Part part, std::string_view text) {
  Encoding longer(*key);
  longer.number(part);
  add_text(longer, text);
  return std::make_shared<const std::string>(longer.take());
}

// That the meaning does not depend on user variables is known of a text that was understood.
bool is_understood(const sql::Script& script) {
  return script.size() == 1 && script.front().kind != sql::StatementKind::kUnknown;
}

// Those whose value at the prepare counts, whatever it is when the statement is executed: read by
// the parser, or by what decides whether the plan may be kept (planner/core, IsASTCacheable). All
// can be set and set back without a reset.
bool matters_to_prepare(std::string_view name) {
  static constexpr std::array kNames = {
      std::string_view("sql_mode"),
      std::string_view("default_collation_for_utf8mb4"),
      std::string_view("tidb_enable_plan_cache_for_param_limit"),
      std::string_view("tidb_enable_plan_cache_for_subquery"),
      std::string_view("tidb_enable_prepared_plan_cache"),
      std::string_view("tidb_enable_strict_double_type_check"),
      std::string_view("tidb_enable_window_function"),
      std::string_view("tidb_opt_fix_control"),
      std::string_view("tidb_partition_prune_mode"),
      std::string_view("tidb_sysdate_is_now"),
  };
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

bool defines(const sql::Script& script) {
  return script.size() == 1 && script.front().kind == sql::StatementKind::kDdl;
}

std::size_t bytes_of(const sql::SessionState& state) {
  std::size_t bytes = state.database().size() + state.reset_database().size();
  for (const sql::SessionState::Item& item : state.items())
    // The plan's mark has them too.
    bytes += 2 * (sizeof(sql::SessionState::Item) + item.value.size());
  for (const sql::UserVariable& variable : state.user_variables().all())
    bytes += sizeof variable + variable.name.size() + variable.value.size();
  return bytes;
}

// What one costs besides: itself, its key, its place among the others.
constexpr std::size_t kOverhead = sizeof(PreparedStatement) + 256;

}  // namespace

std::size_t bytes_of(const PreparedStatement& statement) {
  const std::size_t texts = statement.text().size() + statement.text_after_execution.size() +
                            statement.sent_text.size() + statement.memory_context.size();
  const std::size_t types = statement.key_types.size() + statement.param_types.size();
  return kOverhead + statement.context_bytes + texts + types;
}

std::size_t bytes_to_prepare(std::string_view text, const sql::SessionState& state,
                             const sql::Script& script) {
  return kOverhead + text.size() + bytes_of(state) + script.bytes();
}

bool rewrites_itself(const sql::Script& script, const protocol::ResponseSummary& answer) {
  constexpr std::uint16_t kTableExists = 1050;
  return defines(script) && (!answer.has_error() || answer.error_number == kTableExists);
}

PreparedCache::Key prepared_key(std::string_view text, const sql::SessionState& context) {
  Encoding key;
  key.number(kShared).text(sql::encode_system_state(context));
  add_text(key, text);
  return std::make_shared<const std::string>(key.take());
}

PreparedCache::Key private_key(const PreparedStatement& statement, std::uint64_t session) {
  Encoding key;
  key.number(kPrivate).number(session).number(statement.serial);
  return std::make_shared<const std::string>(key.take());
}

PreparedCache::Key key_of_sent_text(const PreparedCache::Key& text_key,
                                    const PreparedStatement& statement) {
  const std::string sent_text = statement.mark.white_space() + statement.sent_text;
  if (sent_text.empty()) return text_key;
  return extended(text_key, kSentText, sent_text);
}

PreparedCache::Key key_of_types(const PreparedCache::Key& key, std::string_view types) {
  return extended(key, kTypes, types);
}

sql::SessionState preparing_state(const sql::SessionState& state) {
  sql::SessionState part = state;
  part.apply({.kind = sql::ChangeKind::kSetRole});  // privileges are looked at when it is executed
  part.apply({.kind = sql::ChangeKind::kSetResourceGroup});
  for (const sql::SessionState::Item& item : state.items()) {
    const std::string name(sql::variable(item.variable).name);
    if (!matters_to_prepare(name)) part.apply({.kind = sql::ChangeKind::kSetDefault, .name = name});
  }
  return part;
}

PreparedStatement& PreparedStatements::add(std::string_view text, const sql::SessionState& state,
                                           std::uint16_t params, std::uint64_t session) {
  auto made = std::make_shared<PreparedStatement>();
  made->id = next_id_++;
  made->serial = next_serial_++;
  made->shared_text = std::make_shared<const std::string>(text);
  made->script = sql::classify(made->text(), state.lex_mode());
  made->context = preparing_state(state);
  made->context_bytes = bytes_of(made->context) + made->script.bytes();
  // TiDB changes a definition when it executes it, see sql/restore/definition_after_execution.h;
  // and keeps the types that user variables had in the first execute (server/internal/resultset,
  // Columns).
  const bool is_shared = state.is_exact() && is_understood(made->script) &&
                         !defines(made->script) &&
                         !made->script.info_functions().contains(sql::InfoFunction::kUserVariable);
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

bool PreparedStatements::other_has_plan(const PreparedStatement& statement) const {
  return std::any_of(statements_.begin(), statements_.end(), [&](const auto& one) {
    const PreparedStatement& other = *one.second;
    return &other != &statement && other.has_plan && *other.key == *statement.key;
  });
}

void PreparedStatements::forget_plans(const PreparedStatement& statement) {
  for (const auto& [id, other] : statements_)
    if (*other->key == *statement.key) other->has_plan = false;
}

bool PreparedStatements::any_cursor() const {
  return std::any_of(statements_.begin(), statements_.end(),
                     [](const auto& one) { return one.second->has_cursor; });
}

bool PreparedStatements::any_long_data() const {
  return std::any_of(statements_.begin(), statements_.end(),
                     [](const auto& one) { return one.second->has_long_data; });
}

}  // namespace tidepool::tracking

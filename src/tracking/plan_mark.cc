#include "tidepool/tracking/plan_mark.h"

#include <algorithm>
#include <array>

#include "tidepool/protocol/sha256.h"
#include "tidepool/sql/state/collation.h"

namespace tidepool::tracking {
namespace {

using Item = sql::SessionState::Item;

// What TiDB's key has of its own, and what no plan depends on. What is not named here counts.
constexpr std::array kHarmless = {
    std::string_view("autocommit"),
    std::string_view("character_set_filesystem"),
    std::string_view("default_storage_engine"),
    std::string_view("foreign_key_checks"),
    std::string_view("innodb_lock_wait_timeout"),
    std::string_view("interactive_timeout"),
    std::string_view("lc_messages"),
    std::string_view("lock_wait_timeout"),
    std::string_view("long_query_time"),
    std::string_view("max_execution_time"),
    std::string_view("net_buffer_length"),
    std::string_view("net_read_timeout"),
    std::string_view("net_write_timeout"),
    std::string_view("profiling"),
    std::string_view("query_cache_size"),
    std::string_view("query_cache_type"),
    std::string_view("session_track_gtids"),
    std::string_view("session_track_schema"),
    std::string_view("session_track_state_change"),
    std::string_view("session_track_system_variables"),
    std::string_view("sql_auto_is_null"),
    std::string_view("sql_log_off"),
    std::string_view("sql_mode"),  // compared with the prepare's
    std::string_view("sql_notes"),
    std::string_view("sql_quote_show_create"),
    std::string_view("sql_select_limit"),
    std::string_view("sql_warnings"),
    std::string_view("storage_engine"),
    std::string_view("tidb_idle_transaction_timeout"),
    std::string_view("tidb_isolation_read_engines"),
    std::string_view("tidb_mem_quota_query"),
    std::string_view("tidb_session_alias"),
    std::string_view("tidb_skip_isolation_level_check"),
    std::string_view("transaction_isolation"),
    std::string_view("transaction_read_only"),
    std::string_view("unique_checks"),
    std::string_view("wait_timeout"),
};

// By VariableId, so that each of a session's variables costs one look.
std::vector<bool> find_harmless() {
  std::vector<bool> known;
  for (const std::string_view name : kHarmless) {
    const sql::VariableId id = sql::find_variable(name);
    if (id == sql::kNoVariable) continue;
    if (known.size() <= id) known.resize(id + std::size_t{1});
    known[id] = true;
  }
  return known;
}

bool is_harmless(sql::VariableId id) {
  static const std::vector<bool> known = find_harmless();
  return id < known.size() && known[id];
}

// Returns null for the backend's GLOBAL sql_mode, which is no value like the others.
const std::string* sql_mode_of(const sql::SessionState& state) {
  static const sql::VariableId mode = sql::find_variable("sql_mode");
  const auto& items = state.items();
  const auto found = std::find_if(items.begin(), items.end(),
                                  [](const Item& item) { return item.variable == mode; });
  return found == items.end() ? nullptr : &found->value;
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char byte) { return static_cast<unsigned char>(byte) < 0x80; });
}

// Four kinds of white space that neither TiDB's parser nor its errors count as lines.
constexpr std::string_view kDigits = " \t\r\f";
constexpr std::size_t kMarkBytes = 64;

// Whether a client's text begins with what might be a mark.
bool is_marked(std::string_view text) {
  return text.size() >= kMarkBytes &&
         text.substr(0, kMarkBytes).find_first_not_of(kDigits) == std::string_view::npos;
}

// 128 bits of its digest: texts with the same mark have the same context, even if a client chose
// them.
std::string mark_of(std::string_view context) {
  const std::string digest = protocol::sha256({context});
  std::string mark;
  mark.reserve(kMarkBytes);
  for (std::size_t i = 0; i < kMarkBytes / 4; ++i) {
    const auto byte = static_cast<unsigned char>(digest[i]);
    for (const unsigned shift : {0U, 2U, 4U, 6U})
      mark += kDigits[(byte >> shift) & 3U];
  }
  return mark;
}

// Why a part is there, so that no two contexts have the same encoding.
class ContextEncoding {
 public:
  void add(char reason, std::string_view name, std::string_view value) {
    bytes_ += reason;
    for (const std::string_view part : {name, value}) {
      bytes_ += std::to_string(part.size());
      bytes_ += ':';
      bytes_ += part;
    }
  }
  void add(char reason, std::uint64_t number) { add(reason, {}, std::to_string(number)); }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

void add_prepare(ContextEncoding& encoding, const PlanSource& source) {
  const sql::SessionState& prepared = source.prepared;
  const std::uint16_t connection = prepared.charset().connection;
  const std::string* mode = sql_mode_of(prepared);
  const std::string* now = sql_mode_of(source.executed);
  const bool is_same_mode = mode == nullptr || now == nullptr ? mode == now : *mode == *now;
  if (connection != source.executed.charset().connection) encoding.add('c', connection);
  if (!is_same_mode) encoding.add(mode == nullptr ? 'g' : 'm', {}, mode == nullptr ? "" : *mode);
  const bool reads_bytes = prepared.lex_mode().encoding != sql::TextEncoding::kUtf8;
  if (reads_bytes && !is_ascii(source.text)) encoding.add('b', prepared.charset().client);
  for (const Item& item : prepared.items())
    if (!is_harmless(item.variable))
      encoding.add('p', sql::variable(item.variable).name, item.value);
}

void add_execute(ContextEncoding& encoding, const PlanSource& source) {
  const sql::SessionState& executed = source.executed;
  for (const Item& item : executed.items())
    if (!is_harmless(item.variable))
      encoding.add('e', sql::variable(item.variable).name, item.value);
  if (executed.is_exact()) return;
  const std::vector<sql::VariableId> computed = executed.computed();
  if (!computed.empty()) encoding.add('s', source.session);  // no other session knows the values
}

}  // namespace

std::string plan_context(const PlanSource& source) {
  ContextEncoding encoding;
  add_prepare(encoding, source);
  add_execute(encoding, source);
  if (is_marked(source.text)) encoding.add('t', 0);
  return encoding.take();
}

bool has_kept_plan(const sql::Script& script) {
  // With variables, or functions that ask about the session, it keeps none (UnCacheableFunctions).
  if (script.size() != 1) return false;
  sql::InfoFunctions functions = script.front().info_functions;
  functions.erase(sql::InfoFunctions{sql::InfoFunction::kFoundRows, sql::InfoFunction::kSequence});
  if (!functions.empty()) return false;
  const sql::StatementKind kind = script.front().kind;
  return kind == sql::StatementKind::kRead || kind == sql::StatementKind::kWrite;
}

std::string new_plan_mark(std::uint64_t number) {
  ContextEncoding encoding;
  encoding.add('n', number);
  return mark_of(encoding.take());
}

bool PlanMark::is_made_for(const PlanSource& source) const {
  return is_made_ && connection_ == source.executed.charset().connection &&
         source.executed.is_exact() && items_ == source.executed.items();
}

bool PlanMark::differs(const PlanSource& source) const {
  if (is_made_for(source)) return false;
  const std::string context = plan_context(source);
  return (context.empty() ? std::string() : mark_of(context)) != white_space_;
}

bool PlanMark::update(const PlanSource& source) {
  if (is_made_for(source)) return false;
  is_made_ = source.executed.is_exact();
  items_ = source.executed.items();
  connection_ = source.executed.charset().connection;
  const std::string context = plan_context(source);
  std::string mark = context.empty() ? std::string() : mark_of(context);
  if (mark == white_space_) return false;
  white_space_ = std::move(mark);
  return true;
}

}  // namespace tidepool::tracking

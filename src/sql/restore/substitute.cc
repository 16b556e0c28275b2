#include "tidepool/sql/restore/substitute.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "parse/names.h"
#include "parse/select_fields.h"

namespace tidepool::sql {
namespace {

// Tables with TiDB's numbers of connections in them.
constexpr std::array<std::string_view, 8> kConnectionTables = {
    "PROCESSLIST", "CLUSTER_PROCESSLIST", "TIDB_TRX",        "CLUSTER_TIDB_TRX",
    "SLOW_QUERY",  "CLUSTER_SLOW_QUERY",  "DATA_LOCK_WAITS", "SESSION_CONNECT_ATTRS"};

struct Edit {
  std::size_t at = 0;
  std::size_t length = 0;
  std::string text{};
};

std::string apply(std::string_view text, std::vector<Edit> edits) {
  std::stable_sort(edits.begin(), edits.end(),
                   [](const Edit& left, const Edit& right) { return left.at < right.at; });
  std::string out;
  std::size_t done = 0;
  for (const Edit& edit : edits) {
    out += text.substr(done, edit.at - done);
    out += edit.text;
    done = edit.at + edit.length;
  }
  return out += text.substr(done);
}

std::string quoted_name(std::string_view name) {
  std::string out = "`";
  for (const char byte : name) {
    out += byte;
    if (byte == '`') out += byte;
  }
  return out + "`";
}

bool begins_field(const Token& before) {
  return before.symbol == ',' || is_keyword(before.text, "SELECT");
}

bool ends_field(const Token& next) {
  switch (next.kind) {
    case TokenKind::kWord: return !is_operator_word(next);
    case TokenKind::kSymbol: return next.symbol == ',' || next.symbol == ')';
    default: return true;
  }
}

// Rewrites one statement.
class Substitution {
 public:
  Substitution(std::string_view text, LexMode mode, const InfoValues& values)
      : text_(text), mode_(mode), values_(values), fields_(text) {}

  std::string run();

 private:
  Edit edit_at(const Token& before, const Token& token, Lexer behind) const;
  bool opens_lock(const Token& before, const Token& token, Lexer behind) const;
  void follow_locks(const Token& token, std::vector<Edit>& edits);
  std::string function(std::string_view name) const;
  std::string variable(const Token& token, bool is_field) const;
  std::string insert_id(std::string_view source) const;
  static std::string unfolded(const std::string& number);
  static std::string count_variable(std::string_view variable, std::uint64_t count, bool is_field);

  std::string_view text_;
  LexMode mode_;
  const InfoValues& values_;
  SelectFields fields_;
  bool explains_ = false;
  bool sets_ = false;
  struct OpenLock {
    std::size_t at;
    int depth;
    bool is_bare;  // an INTERVAL stands before it
  };
  std::vector<OpenLock> open_locks_;  // calls that are not closed yet
  int depth_ = 0;                     // of parentheses
};

std::string Substitution::unfolded(const std::string& number) {
  return "(FOUND_ROWS()&0|" + number + ")";
}

// A variable is a constant of no known length that may be NULL; what is folded from it may not.
std::string Substitution::count_variable(std::string_view variable, std::uint64_t count,
                                         bool is_field) {
  const std::string name(variable);
  const std::string literal = ",'" + std::to_string(count) + "')";
  return is_field ? "IF(FOUND_ROWS()&0," + name + literal
                  : "REPLACE(" + name + "," + name + literal;
}

std::string Substitution::insert_id(std::string_view source) const {
  std::string own = std::to_string(*values_.insert_id);
  if (!values_.foreign_id) return own;
  const std::string there(source);
  return "IF(" + there + "=" + std::to_string(*values_.foreign_id) + "," + own + "," + there + ")";
}

std::string Substitution::function(std::string_view name) const {
  if (values_.row_count && is_keyword(name, "ROW_COUNT")) {
    return "(ROW_COUNT()*0+" + std::to_string(*values_.row_count) + ")";
  }
  if (values_.found_rows && !explains_ && is_keyword(name, "FOUND_ROWS")) {
    return unfolded(std::to_string(*values_.found_rows));
  }
  if (values_.insert_id && is_keyword(name, "LAST_INSERT_ID")) {
    return "(LAST_INSERT_ID()&0|" + insert_id("LAST_INSERT_ID()") + ")";
  }
  if (values_.connection_id && is_keyword(name, "CONNECTION_ID")) {
    return "(CONNECTION_ID()&0|" + std::to_string(*values_.connection_id) + ")";
  }
  return {};
}

std::string Substitution::variable(const Token& token, bool is_field) const {
  if (has_global_scope(token.text)) return {};
  const std::string_view name = unscoped(token.text);
  if (values_.warnings && is_keyword(name, "WARNING_COUNT")) {
    return count_variable(token.text, *values_.warnings, is_field);
  }
  if (values_.errors && is_keyword(name, "ERROR_COUNT")) {
    return count_variable(token.text, *values_.errors, is_field);
  }
  const bool is_insert_id = is_keyword(name, "LAST_INSERT_ID") || is_keyword(name, "IDENTITY");
  if (!values_.insert_id || !is_insert_id) return {};
  // With the variable in it, so that TiDB still warns that the plan of a prepared one is not kept.
  const std::string unfolds = is_field ? "FOUND_ROWS()&0|" : "";
  return "(" + std::string(token.text) + "&0|" + unfolds + insert_id(token.text) + ")";
}

// For a token that asks; `behind` reads on after it. Empty for any other.
Edit Substitution::edit_at(const Token& before, const Token& token, Lexer behind) const {
  if (before.symbol == '.') return {};
  const auto at = static_cast<std::size_t>(token.text.data() - text_.data());
  const Token next = behind.next();
  if (token.kind == TokenKind::kSystemVariable) {
    // A plan shows a constant as what it is, and what is not folded as a call.
    const bool is_field = !explains_ && begins_field(before) && ends_field(next);
    const bool is_target = sets_ && (next.symbol == '=' || next.text == ":=");
    return is_target ? Edit{} : Edit{at, token.text.size(), variable(token, is_field)};
  }
  const std::optional<std::string> name = name_of(token);
  const Token close = behind.next();
  if (!name || next.symbol != '(' || close.symbol != ')') return {};
  const char* end = close.text.data() + close.text.size();
  std::string text = function(*name);
  // INTERVAL ( begins a call of the function of that name.
  if (!text.empty() && is_keyword(before.text, "INTERVAL")) text = text.substr(1, text.size() - 2);
  return {at, static_cast<std::size_t>(end - token.text.data()), std::move(text)};
}

// The call stays where it is, with its argument, and is evaluated once: NULL and 1 come out as they
// are, the backend's number as the session's.
bool Substitution::opens_lock(const Token& before, const Token& token, Lexer behind) const {
  if (!values_.connection_id || values_.backend_id <= 1 || before.symbol == '.') return false;
  const std::optional<std::string> name = name_of(token);
  return name && is_keyword(*name, "IS_USED_LOCK") && behind.next().symbol == '(';
}

// Edits of a call whose parenthesis this token closes. Calls may be nested deeply: each token is
// looked at once.
void Substitution::follow_locks(const Token& token, std::vector<Edit>& edits) {
  if (token.symbol == '(') ++depth_;
  if (token.symbol != ')') return;
  --depth_;
  if (open_locks_.empty() || open_locks_.back().depth != depth_) return;
  const OpenLock lock = open_locks_.back();
  open_locks_.pop_back();
  const std::string back = "-1) DIV " + std::to_string(values_.backend_id - 1) + "*" +
                           std::to_string(*values_.connection_id - 1);
  const auto end = static_cast<std::size_t>(token.text.data() + token.text.size() - text_.data());
  edits.push_back({lock.at, 0, lock.is_bare ? "1+(" : "(1+("});
  edits.push_back({end, 0, lock.is_bare ? back : back + ")"});
}

std::string Substitution::run() {
  std::vector<Edit> edits;
  Lexer lexer(text_, mode_);
  Token before;
  bool is_first = true;
  for (Token token = lexer.next(); token.kind != TokenKind::kEnd; token = lexer.next()) {
    if (std::exchange(is_first, false)) {
      sets_ = is_keyword(token.text, "SET");
      explains_ = is_keyword(token.text, "EXPLAIN") || is_keyword(token.text, "DESC") ||
                  is_keyword(token.text, "DESCRIBE");
    }
    follow_locks(token, edits);
    const bool is_lock = opens_lock(before, token, lexer);
    if (is_lock) {
      const auto at = static_cast<std::size_t>(token.text.data() - text_.data());
      open_locks_.push_back({at, depth_, is_keyword(before.text, "INTERVAL")});  // as in edit_at()
    }
    Edit edit = is_lock ? Edit{} : edit_at(before, token, lexer);
    fields_.pass(token, is_lock || !edit.text.empty());
    if (!edit.text.empty()) edits.push_back(std::move(edit));
    before = token;
  }
  if (!open_locks_.empty()) return std::string(text_);  // TiDB refuses it
  fields_.pass({}, false);
  for (const NamedField& field : fields_.changed())
    edits.push_back({field.end, 0, " AS " + quoted_name(field.name)});
  return apply(text_, std::move(edits));
}

bool may_be_rewritten(const Statement& statement) {
  return statement.kind == StatementKind::kRead || statement.kind == StatementKind::kWrite ||
         statement.kind == StatementKind::kSet;
}

bool reads_connections(std::string_view text, LexMode mode) {
  Lexer lexer(text, mode);
  for (Token token = lexer.next(); token.kind != TokenKind::kEnd; token = lexer.next()) {
    const std::string name = upper(name_of(token).value_or(std::string()));
    if (std::find(kConnectionTables.begin(), kConnectionTables.end(), name) !=
        kConnectionTables.end()) {
      return true;
    }
  }
  return false;
}

// Leaves FOUND_ROWS() as it is, in any case.
bool finds_no_rows(const Statement& statement) {
  switch (statement.kind) {
    case StatementKind::kBegin:
    case StatementKind::kEnd:
    case StatementKind::kSet:
    case StatementKind::kUse: return true;
    default: break;
  }
  switch (statement.verb) {
    case Verb::kInsert:
    case Verb::kReplace:
    case Verb::kUpdate:
    case Verb::kDelete:
    case Verb::kDo:
    case Verb::kLoad:
    case Verb::kAnalyze:
    case Verb::kCreate:
    case Verb::kDrop:
    case Verb::kAlter:
    case Verb::kRename:
    case Verb::kTruncate:
    case Verb::kGrant:
    case Verb::kRevoke:
    case Verb::kFlush:
    case Verb::kLock:
    case Verb::kUnlock:
    case Verb::kPrepare:
    case Verb::kDeallocate:
    case Verb::kCommit:
    case Verb::kRollback:
    case Verb::kSavepoint:
    case Verb::kRelease: return true;
    default: return false;
  }
}

// What of the values this statement of the script asks for. `knows_found_rows`: the ones before it
// find no rows of their own.
InfoValues values_for(const Script& script, std::size_t index, LexMode mode, const InfoValues& all,
                      bool knows_found_rows) {
  const Statement& statement = script[index];
  InfoValues values = index == 0 ? all : InfoValues{};
  values.done_here.clear();
  if (knows_found_rows) values.found_rows = all.found_rows;
  values.insert_id = all.insert_id;
  values.foreign_id = all.foreign_id;
  values.connection_id = all.connection_id;
  values.backend_id = all.backend_id;
  const bool asks = statement.info_functions.contains(InfoFunction::kConnectionId);
  if (!asks || reads_connections(statement.text, mode)) values.connection_id.reset();
  return values;
}

std::optional<std::string> in_place_of(const Script& script, std::size_t index, LexMode mode,
                                       const InfoValues& values, bool knows_found_rows) {
  if (std::binary_search(values.done_here.begin(), values.done_here.end(), index)) return "DO 0";
  const Statement& statement = script[index];
  if (statement.info_functions.empty() || !may_be_rewritten(statement)) return std::nullopt;
  const InfoValues wanted = values_for(script, index, mode, values, knows_found_rows);
  if (wanted.empty()) return std::nullopt;
  return Substitution(statement.text, mode, wanted).run();
}

}  // namespace

std::string substitute(const Script& script, std::string_view text, LexMode mode,
                       const InfoValues& values) {
  std::string out;
  std::size_t done = 0;
  bool knows_found_rows = true;
  for (std::size_t i = 0; i < script.size(); ++i) {
    const Statement& statement = script[i];
    const std::optional<std::string> other = in_place_of(script, i, mode, values, knows_found_rows);
    knows_found_rows = knows_found_rows && finds_no_rows(statement);
    if (!other) continue;
    const auto begin = static_cast<std::size_t>(statement.text.data() - text.data());
    out += text.substr(done, begin - done);
    out += *other;
    done = begin + statement.text.size();
  }
  return out += text.substr(done);
}

}  // namespace tidepool::sql

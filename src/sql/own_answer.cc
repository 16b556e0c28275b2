#include "tidepool/sql/own_answer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "select_fields.h"
#include "tidepool/sql/collation.h"

namespace tidepool::sql {
namespace {

bool is_switch(std::string_view value) {
  return value == "0" || value == "1" || is_keyword(value, "ON") || is_keyword(value, "OFF");
}

bool is_certain(const StateChange& change) {
  if (change.kind == ChangeKind::kNextIsolation) return is_ordinary_isolation(change.value);
  if (change.kind == ChangeKind::kSetVariable) {
    return change.name == "autocommit" && is_switch(change.value);
  }
  if (change.kind != ChangeKind::kSetNames) return false;
  const Collation* charset = default_collation(change.value);
  if (charset == nullptr) return false;
  if (change.collation.empty()) return true;
  if (is_keyword(change.collation, "BINARY")) return false;  // TiDB wants quotes around it
  const Collation* collation = collation_by_name(change.collation);
  return collation != nullptr && collation->charset == charset->charset;
}

bool is_certain_setting(const Statement& statement) {
  PinReasons pins = statement.pins;
  pins.erase(Pin::kOneShotTransaction);  // held by the session
  const bool is_plain = pins.empty() && !statement.changes_server && statement.facts.empty() &&
                        !statement.changes.empty();
  return is_plain && std::all_of(statement.changes.begin(), statement.changes.end(), is_certain);
}

OwnAnswer of_kind(const Statement& statement) {
  switch (statement.kind) {
    case StatementKind::kEnd: return OwnAnswer::kEnd;
    case StatementKind::kSet:
      return is_certain_setting(statement) ? OwnAnswer::kSetting : OwnAnswer::kNone;
    case StatementKind::kRead:
      if (statement.keeps_diagnostics) {
        return shown_diagnostics(statement) ? OwnAnswer::kShown : OwnAnswer::kNone;
      }
      return lone_fact(statement) ? OwnAnswer::kFact : OwnAnswer::kNone;
    default: return statement.kill ? OwnAnswer::kKill : OwnAnswer::kNone;
  }
}

// Reads the words that a rule expects, in order.
class Words {
 public:
  explicit Words(std::string_view text) : lexer_(text, {}), token_(lexer_.next()) {}

  const Token& token() const { return token_; }

  bool skip(std::string_view keyword) {
    return pass(token_.kind == TokenKind::kWord && is_keyword(token_.text, keyword));
  }
  bool skip_symbol(char symbol) { return pass(token_.symbol == symbol); }
  bool at_end() const { return token_.kind == TokenKind::kEnd; }
  const char* end() const { return token_.text.data() + token_.text.size(); }

 private:
  bool pass(bool is_there) {
    if (is_there) token_ = lexer_.next();
    return is_there;
  }

  Lexer lexer_;
  Token token_;
};

// `COUNT(*)`, as TiDB has it by default: no blank before the parenthesis.
bool skip_count(Words& words, bool* is_there) {
  const char* end = words.end();
  *is_there = words.skip("COUNT");
  if (!*is_there) return true;
  const bool is_call = words.token().text.data() == end;
  return is_call && words.skip_symbol('(') && words.skip_symbol('*') && words.skip_symbol(')');
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char byte) { return static_cast<unsigned char>(byte) < 0x80; });
}

struct FactFunction {
  Fact fact;
  std::string_view name;
};

constexpr std::array kFactFunctions = {FactFunction{Fact::kLastInsertId, "LAST_INSERT_ID"},
                                       FactFunction{Fact::kRowCount, "ROW_COUNT"},
                                       FactFunction{Fact::kFoundRows, "FOUND_ROWS"}};

// The column of the statement's first field, whose text is of `function`.
std::string name_of_field(std::string_view text, const Token& function) {
  SelectFields fields(text);
  Lexer lexer(text, {});
  for (Token token = lexer.next(); token.kind != TokenKind::kEnd; token = lexer.next())
    fields.pass(token, token.text.data() == function.text.data());
  fields.pass({}, false);
  return fields.changed().empty() ? std::string() : fields.changed().front().name;
}

}  // namespace

bool is_ordinary_isolation(std::string_view level) {
  return level == "REPEATABLE-READ" || level == "READ-COMMITTED";
}

OwnAnswer own_answer(const Script& script, std::string_view text) {
  if (script.size() != 1) return OwnAnswer::kNone;
  const OwnAnswer answer = of_kind(script.front());
  // TiDB's parser warns of a hint in a place that takes none.
  const bool may_warn = answer != OwnAnswer::kNone && text.find("/*+") != std::string_view::npos;
  return may_warn ? OwnAnswer::kNone : answer;
}

std::optional<ShownDiagnostics> shown_diagnostics(const Statement& statement) {
  Words words(statement.text);
  ShownDiagnostics shown;
  if (!words.skip("SHOW") || !skip_count(words, &shown.counts)) return std::nullopt;
  shown.errors = words.skip("ERRORS");
  if (!shown.errors && !words.skip("WARNINGS")) return std::nullopt;
  return words.at_end() ? std::optional(shown) : std::nullopt;
}

std::optional<LoneFact> lone_fact(const Statement& statement) {
  for (const FactFunction& known : kFactFunctions) {
    if (statement.facts != Facts{known.fact}) continue;
    Words words(statement.text);
    if (!words.skip("SELECT")) return std::nullopt;
    const Token function = words.token();
    const bool matches = words.skip(known.name) && words.skip_symbol('(') &&
                         words.skip_symbol(')') && words.at_end();
    if (!matches) return std::nullopt;
    std::string name = name_of_field(statement.text, function);
    if (!is_ascii(name)) return std::nullopt;  // of a comment; TiDB converts it
    return LoneFact{known.fact, std::move(name)};
  }
  return std::nullopt;
}

}  // namespace tidepool::sql

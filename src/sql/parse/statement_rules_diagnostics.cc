// Statements that ask for diagnostics of the statement before, and for nothing else: the proxy may
// know the answer.
#include <algorithm>
#include <array>
#include <string_view>

#include "parse/statement_rules.h"

namespace tidepool::sql {
namespace {

struct LoneFunction {
  InfoFunction function;
  std::string_view name;
};

// Whose values the proxy knows.
constexpr std::array kLoneFunctions = {LoneFunction{InfoFunction::kLastInsertId, "LAST_INSERT_ID"},
                                       LoneFunction{InfoFunction::kRowCount, "ROW_COUNT"},
                                       LoneFunction{InfoFunction::kFoundRows, "FOUND_ROWS"}};

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char byte) { return static_cast<unsigned char>(byte) < 0x80; });
}

bool at_diagnostics(const Cursor& cursor) {
  return cursor.at("WARNINGS") || cursor.at("ERRORS");
}

}  // namespace

void read_lone_info_function(Cursor& cursor, Statement& statement) {
  const auto* function =
      std::find_if(kLoneFunctions.begin(), kLoneFunctions.end(),
                   [&cursor](const LoneFunction& one) { return cursor.at(one.name); });
  if (function == kLoneFunctions.end()) return;
  const std::size_t begin = cursor.offset();
  cursor.advance();
  const bool is_alone = cursor.skip_symbol('(') && cursor.skip_symbol(')') && cursor.at_end();
  // A comment may belong to the name of the column, which TiDB then converts.
  if (is_alone && is_ascii(cursor.text_since(begin)))
    statement.lone_info_function = function->function;
}

bool read_diagnostics(Cursor& cursor, Statement& statement) {
  ShownDiagnostics shown;
  const Token first = cursor.token();
  shown.counts = cursor.skip("COUNT");
  // As TiDB has it by default: no blank before the parenthesis.
  const bool is_call =
      !shown.counts || cursor.token().text.data() == first.text.data() + first.text.size();
  if (shown.counts && !(cursor.skip_symbol('(') && cursor.skip_symbol('*') &&
                        cursor.skip_symbol(')') && at_diagnostics(cursor))) {
    statement = make(StatementKind::kUnknown);
    return true;
  }
  if (!at_diagnostics(cursor)) return false;
  shown.errors = cursor.at("ERRORS");
  statement.keeps_diagnostics = true;
  statement.info_functions.insert(shown.errors ? InfoFunction::kErrors : InfoFunction::kWarnings);
  cursor.advance();
  if (is_call && cursor.at_end()) statement.shown = shown;
  return true;
}

}  // namespace tidepool::sql

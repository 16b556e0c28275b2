#include "tidepool/tracking/pre_execution_error.h"

#include <algorithm>

namespace tidepool::tracking {
namespace {

constexpr std::uint16_t kUnknownCharset = 1115;
constexpr std::uint16_t kUnknownCollation = 1273;

// A SET whose values TiDB looks up when it executes it: the collation of NAMES, and what is given
// to a variable; the parser has looked up the character sets of NAMES and of expressions.
bool looks_up(const sql::Statement& statement, std::uint16_t error) {
  if (statement.kind != sql::StatementKind::kSet) return false;
  const std::string_view word = error == kUnknownCharset ? "character_set_" : "collation_";
  return std::any_of(statement.changes.begin(), statement.changes.end(),
                     [&](const sql::StateChange& change) {
                       return change.kind == sql::ChangeKind::kSetNames
                                  ? error == kUnknownCollation && !change.collation.empty()
                                  : change.name.starts_with(word);
                     });
}

// From the parser.
bool is_unreadable(const sql::Script& script, std::uint16_t error, sql::TextEncoding encoding) {
  constexpr std::uint16_t kSyntax = 1064;
  constexpr std::uint16_t kInvalidCharacter = 1300;
  if (error == kSyntax) return true;
  if (error == kInvalidCharacter) {
    return encoding == sql::TextEncoding::kSingleByte || encoding == sql::TextEncoding::kGbk;
  }
  if (error != kUnknownCharset && error != kUnknownCollation) return false;
  return script.empty() || !looks_up(script.front(), error);
}

PreExecutionError error_of_query(const sql::Script& script, std::uint16_t error,
                                 sql::TextEncoding encoding) {
  constexpr std::uint16_t kManyStatements = 8130;
  constexpr std::uint16_t kNotAllowed = 1148;
  constexpr std::uint16_t kNotPrepared = 8111;
  if (error == kManyStatements) return PreExecutionError::kKeepsDiagnostics;
  const bool is_single = script.size() == 1;
  // LOAD DATA LOCAL by a client without LOCAL_FILES (handleStmt, preprocessLoadDataLocal).
  if (error == kNotAllowed && is_single && script.front().requests_local_file)
    return PreExecutionError::kKeepsDiagnostics;
  // ResetContextOfStmt itself looks for what EXECUTE names.
  if (error == kNotPrepared && is_single && script.front().verb == sql::Verb::kExecute)
    return PreExecutionError::kAppendsWarning;
  // In PREPARE it may be the prepared text that cannot be read.
  const bool prepares = is_single && script.front().kind == sql::StatementKind::kPrepared;
  return is_unreadable(script, error, encoding) && !prepares ? PreExecutionError::kAppendsWarning
                                                             : PreExecutionError::kNone;
}

}  // namespace

bool may_warn_when_parsed(const sql::Script& script) {
  for (std::size_t i = 0; i < script.size(); ++i) {
    const bool has_hint = script[i].text.find("/*+") != std::string_view::npos;
    if (has_hint || script[i].kind == sql::StatementKind::kDdl) return true;
  }
  return false;
}

PreExecutionError pre_execution_error_of(protocol::Command command, const sql::Script& script,
                                         const protocol::ResponseSummary& answer,
                                         sql::TextEncoding encoding) {
  constexpr std::uint16_t kPreparesMany = 8115;
  constexpr std::uint16_t kUnknown = 1105;
  if (!answer.has_error() || answer.results > 1) return PreExecutionError::kNone;
  const std::uint16_t error = answer.error_number;
  switch (command) {
    case protocol::Command::kStmtPrepare:
      return is_unreadable(script, error, encoding) || error == kPreparesMany
                 ? PreExecutionError::kKeepsDiagnostics
                 : PreExecutionError::kNone;
    case protocol::Command::kStmtExecute:  // without the types of its parameters
      return error == kUnknown && answer.message == "malform packet error"
                 ? PreExecutionError::kKeepsDiagnostics
                 : PreExecutionError::kNone;
    default: return error_of_query(script, error, encoding);
  }
}

}  // namespace tidepool::tracking

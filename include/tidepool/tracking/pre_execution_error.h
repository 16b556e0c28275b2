// Errors that TiDB gives before it begins to execute a statement: the diagnostics of the statement
// before stay (ResetContextOfStmt has not run), but for a warning that may be appended. Pure.
#pragma once

#include <cstdint>

#include "tidepool/protocol/commands.h"
#include "tidepool/protocol/response_tracker.h"
#include "tidepool/sql/parse/statement.h"

namespace tidepool::tracking {

enum class PreExecutionError : std::uint8_t {
  kNone,              // an error of the execution, or none at all
  kKeepsDiagnostics,  // the diagnostics are as they were
  kAppendsWarning,    // but the error stands behind the warnings of the statement before
};

// Whether TiDB's parser may warn of it: of hints that it does not understand, of options that it
// ignores.
bool may_warn_when_parsed(const sql::Script& script);

// `script`: what the command executes or prepares; `encoding`: of the command's text. The parser
// looks for bytes that are no characters (1300) in other texts than UTF-8 (lexer.go,
// convert2Connection); the same error also comes from functions that convert strings.
PreExecutionError pre_execution_error_of(protocol::Command command, const sql::Script& script,
                                         const protocol::ResponseSummary& answer,
                                         sql::TextEncoding encoding = sql::TextEncoding::kUtf8);

}  // namespace tidepool::tracking

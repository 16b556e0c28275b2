// Names and literals as tokens write them, turned into values.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "parse/lexer.h"
#include "state/letters.h"

namespace tidepool::sql {

// What is between the quotes of a string, with escapes and doubled quotes resolved (lexer.go,
// handleEscape).
std::string unquote(std::string_view quoted, bool escapes);

// A name, quoted or not; nothing for any other token.
std::optional<std::string> name_of(const Token& token);

// @@session.x, @@local.x, @@global.x and @@x without @@ and scope, quotes removed.
std::string_view unscoped(std::string_view system_variable);
bool has_global_scope(std::string_view system_variable);

// @x, @`x`, @'x' in lower case without @ and quotes.
std::string user_variable_name(const Token& token);

}  // namespace tidepool::sql

#include "parse/names.h"

#include <algorithm>

namespace tidepool::sql {
namespace {

char escaped(char byte) {
  switch (byte) {
    case 'n': return '\n';
    case '0': return '\0';
    case 'b': return '\b';
    case 'Z': return '\x1a';
    case 'r': return '\r';
    case 't': return '\t';
    default: return byte;
  }
}

// The scope at the start of what follows @@, with its dot; empty if there is none.
std::string_view scope_of(std::string_view name) {
  for (std::string_view scope : {"GLOBAL.", "SESSION.", "LOCAL."}) {
    if (is_keyword(name.substr(0, scope.size()), scope)) return name.substr(0, scope.size());
  }
  return {};
}

bool is_quote(char byte) {
  return byte == '`' || byte == '\'' || byte == '"';
}

}  // namespace

std::string unquote(std::string_view quoted, bool escapes) {
  const char quote = quoted.front();
  const std::string_view inner = quoted.substr(1, quoted.size() - 2);
  std::string result;
  result.reserve(inner.size());
  for (std::size_t at = 0; at < inner.size(); ++at) {
    const char byte = inner[at];
    if (byte == quote) {
      ++at;  // the lexer has seen that it is doubled
    } else if (byte == '\\' && escapes && at + 1 < inner.size()) {
      const char next = inner[++at];
      if (next == '%' || next == '_') result.push_back('\\');
      result.push_back(escaped(next));
      continue;
    }
    result.push_back(byte);
  }
  return result;
}

std::optional<std::string> name_of(const Token& token) {
  if (token.kind == TokenKind::kWord) return std::string(token.text);
  if (token.kind == TokenKind::kQuotedName) return unquote(token.text, false);
  return std::nullopt;
}

std::string_view unscoped(std::string_view system_variable) {
  std::string_view name = system_variable.substr(2);
  name.remove_prefix(scope_of(name).size());
  if (name.size() >= 2 && is_quote(name.front())) name = name.substr(1, name.size() - 2);
  return name;
}

bool has_global_scope(std::string_view system_variable) {
  return is_keyword(scope_of(system_variable.substr(2)), "GLOBAL.");
}

std::string user_variable_name(const Token& token) {
  const std::string_view name = token.text.substr(1);
  if (!name.empty() && is_quote(name.front())) return lower(unquote(name, name.front() != '`'));
  return lower(name);
}

}  // namespace tidepool::sql

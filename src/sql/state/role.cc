#include "tidepool/sql/state/role.h"

namespace tidepool::sql {
namespace {

// `name`; false if it does not begin with one.
bool skip_name(std::string_view& text) {
  if (text.empty() || text.front() != '`') return false;
  std::size_t end = 1;
  while (end < text.size() && text[end] != '`') {
    if (static_cast<unsigned char>(text[end]) >= 0x80) return false;
    ++end;
  }
  if (end == text.size()) return false;
  text.remove_prefix(end + 1);
  return true;
}

bool skip(std::string_view& text, char symbol) {
  if (text.empty() || text.front() != symbol) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::optional<std::string> role_names(std::string_view current_role) {
  if (current_role == "NONE") return std::string(current_role);
  std::string_view rest = current_role;
  do {
    if (!skip_name(rest) || !skip(rest, '@') || !skip_name(rest)) return std::nullopt;
  } while (skip(rest, ','));
  if (!rest.empty()) return std::nullopt;
  return std::string(current_role);
}

}  // namespace tidepool::sql

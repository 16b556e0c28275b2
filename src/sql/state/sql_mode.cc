#include "state/sql_mode.h"

#include <algorithm>
#include <initializer_list>

#include "state/letters.h"

namespace tidepool::sql {
namespace {

// sql_mode is a list; these names contain ANSI_QUOTES (const.go, CombinationSQLMode).
bool has_mode(std::string_view modes, std::initializer_list<std::string_view> wanted) {
  while (!modes.empty()) {
    const std::size_t comma = std::min(modes.find(','), modes.size());
    std::string_view mode = modes.substr(0, comma);
    while (!mode.empty() && mode.back() == ' ')
      mode.remove_suffix(1);
    for (std::string_view name : wanted) {
      if (is_keyword(mode, name)) return true;
    }
    modes.remove_prefix(std::min(comma + 1, modes.size()));
  }
  return false;
}

}  // namespace

bool has_ansi_quotes(std::string_view modes) {
  return has_mode(modes, {"ANSI_QUOTES", "ANSI", "DB2", "MAXDB", "MSSQL", "ORACLE", "POSTGRESQL"});
}

bool has_no_backslash_escapes(std::string_view modes) {
  return has_mode(modes, {"NO_BACKSLASH_ESCAPES"});
}

}  // namespace tidepool::sql

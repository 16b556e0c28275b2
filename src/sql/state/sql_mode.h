// What of sql_mode's value matters to reading text.
#pragma once

#include <string_view>

namespace tidepool::sql {

bool has_ansi_quotes(std::string_view modes);
bool has_no_backslash_escapes(std::string_view modes);

}  // namespace tidepool::sql

// Letter case, of ASCII letters only: names of variables, databases and modes, and keywords.
// Private to the layer sql.
#pragma once

#include <string>
#include <string_view>

namespace tidepool::sql {

std::string lower(std::string_view text);
std::string upper(std::string_view text);

// Returns whether the word equals `keyword` (given in capitals) in any letter case.
bool is_keyword(std::string_view word, std::string_view keyword);

}  // namespace tidepool::sql

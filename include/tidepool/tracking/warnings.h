// What SHOW WARNINGS and SHOW ERRORS say, put together from answers that TiDB gave before. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tidepool/base/error.h"
#include "tidepool/protocol/text_result.h"

namespace tidepool::tracking {

// The answer to SHOW WARNINGS after statements that left the warnings before them and added `added`
// of their own: `now` is the answer of a backend that knows only the end of `before`, or another
// session's.
protocol::TextResult with_last_of(const protocol::TextResult& before, protocol::TextResult now,
                                  std::size_t added);

// All of the `count` warnings, of which sql_select_limit lets SHOW WARNINGS show the first ones
// only and SHOW ERRORS all errors. What else is hidden can only be counted, and stands there as
// some warning.
protocol::TextResult with_hidden(protocol::TextResult shown, const protocol::TextResult& errors,
                                 std::size_t count);

// Gives the columns of an answer of SHOW the widths that TiDB gives them for its rows.
void fit_widths(protocol::TextResult& result);

// The answer to SHOW ERRORS where SHOW WARNINGS would be answered with `warnings`.
protocol::TextResult only_errors(protocol::TextResult warnings);

// The answer to SHOW WARNINGS after a statement that failed so.
protocol::TextResult error_warning(std::uint16_t number, std::string_view message);

// The answer to SHOW WARNINGS after an error that the proxy answered with. `status`: its flags.
std::string warnings_of(const Error& error, std::uint16_t status);

}  // namespace tidepool::tracking

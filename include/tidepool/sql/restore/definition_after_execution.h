// What a prepared CREATE TABLE is after it was executed: TiDB completes the columns where they
// stand in its statement, and so finds display widths there the next time, of which it warns (1681;
// the setters in ddl/add_column.go, setCharsetCollationFlenDecimal; tried on release-8.5). A text
// with these widths written out is that statement, prepared anew on another backend. Pure.
#pragma once

#include <string>
#include <string_view>

#include "tidepool/sql/state/lex_mode.h"

namespace tidepool::sql {

// The text itself if nothing changes it.
std::string definition_after_execution(std::string_view text, LexMode mode);

}  // namespace tidepool::sql

// TiDB mutates the AST of a prepared CREATE TABLE when it executes it: it completes the columns in
// place, finds display widths there the next time, and warns of them (1681; the setters in
// ddl/add_column.go, setCharsetCollationFlenDecimal; tried on release-8.5). Preparing a text with
// these widths written out makes the same statement on another backend. Pure.
#pragma once

#include <string>
#include <string_view>

#include "tidepool/sql/state/lex_mode.h"

namespace tidepool::sql {

// The text itself if nothing changes it.
std::string definition_after_execution(std::string_view text, LexMode mode);

}  // namespace tidepool::sql

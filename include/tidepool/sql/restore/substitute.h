// Puts what the proxy knows in the place of what a statement asks of the connection: ROW_COUNT(),
// FOUND_ROWS(), @@warning_count and their like, for a backend that does not know, and
// CONNECTION_ID() and IS_USED_LOCK() everywhere.
//
// Each is replaced by an expression of the same value, type, length and flags, with the function or
// variable still in it, because TiDB does not cache the plan of a prepared text that has it, and
// warns of that (seen on release-8.5: what has no table in it is folded to a constant, a BIGINT NOT
// NULL, by + signed and by | unsigned; FOUND_ROWS() is not folded, and so not NOT NULL; IF takes
// the length of a string variable from the variable). A select field without an alias gets its own
// text as one, so that its column keeps its name (buildProjectionFieldNameFromExpressions). Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tidepool/sql/parse/statement.h"

namespace tidepool::sql {

// What is not set is left as it is written.
struct InfoValues {
  std::optional<std::int64_t> row_count;
  std::optional<std::uint64_t> found_rows;
  std::optional<std::uint64_t> warnings;  // @@warning_count
  std::optional<std::uint64_t> errors;    // @@error_count
  // LAST_INSERT_ID(), @@last_insert_id, @@identity. With `foreign_id`: only where the backend still
  // has that other session's value.
  std::optional<std::uint64_t> insert_id;
  std::optional<std::uint64_t> foreign_id;
  std::optional<std::uint64_t> connection_id;
  // TiDB's number of the backend, which IS_USED_LOCK() gives for a lock of the session's own (it
  // gives 1 for others': session.go, IsUsedAdvisoryLock); 0: not known. Only with `connection_id`.
  std::uint64_t backend_id = 0;
  // Statements that the proxy carries out by itself, by their indexes, in order: nothing is done
  // in their places.
  std::vector<std::size_t> done_here{};

  bool empty() const {
    return !row_count && !found_rows && !warnings && !errors && !insert_id && !connection_id;
  }
};

// `text` as it is to be sent; `script` is what classify() made of it in that mode. Only in its
// first statement the information functions about the statement before are replaced: the others ask
// about that one. What reads TiDB's own list of connections beside CONNECTION_ID() keeps TiDB's
// number of it.
std::string substitute(const Script& script, std::string_view text, LexMode mode,
                       const InfoValues& values);

}  // namespace tidepool::sql

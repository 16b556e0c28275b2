// The warnings of the statement before, where the proxy keeps them and another backend is asked for
// them ahead of other statements of a text: that one is made to have as many, and what it shows of
// its own is replaced on the way to the client. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tidepool/protocol/text_result.h"
#include "tidepool/sql/parse/statement.h"

namespace tidepool::tracking {

constexpr std::uint64_t kAllWarnings = std::numeric_limits<std::uint64_t>::max();

// Statements after which a backend has as many warnings and errors as `warnings`, an answer to SHOW
// WARNINGS, shows. Most of them fail. Nothing if there are too many.
std::optional<std::vector<std::string>> texts_that_warn(const protocol::TextResult& warnings);

// Returns what `statement` shows where there are `warnings`, of which sql_select_limit lets SHOW
// WARNINGS (and not SHOW ERRORS) show `most`; nothing if it is not SHOW WARNINGS, SHOW ERRORS or
// the COUNT(*) of one, without LIKE and WHERE.
std::optional<protocol::TextResult> shown_by(const sql::Statement& statement,
                                             protocol::TextResult warnings,
                                             std::uint64_t most = kAllWarnings);

// Replaces the first results of an answer.
class ShownWarnings {
 public:
  // What the first statements of the script show: those that shown_by() knows.
  ShownWarnings(const sql::Script& script, const protocol::TextResult& warnings,
                std::uint64_t most = kAllWarnings,
                protocol::RowFormat format = protocol::RowFormat::kText);

  // Bytes of the answer in, bytes for the client out. What is no result with columns, or has other
  // than as many packets, ends it: from there on the answer stays as it is.
  std::string feed(std::string_view bytes);
  // Nothing (more) is replaced.
  bool is_over() const { return results_.empty(); }

 private:
  protocol::RowFormat format_;
  std::deque<protocol::TextResult> results_;  // still to come
  std::string buffered_;
};

}  // namespace tidepool::tracking

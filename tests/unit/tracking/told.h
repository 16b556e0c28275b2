// Told: what a client's statements did, one after the other, as Diagnostics is told of it; and
// the answers that tell.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tidepool/protocol/reply_messages.h"
#include "tidepool/protocol/text_result.h"
#include "tidepool/tracking/diagnostics.h"

namespace tidepool::tracking {

using protocol::ResponseSummary;

inline ResponseSummary ok(std::uint64_t affected_rows, std::uint64_t insert_id = 0,
                          std::uint16_t warnings = 0) {
  ResponseSummary answer;
  answer.outcome = ResponseSummary::Outcome::kOk;
  answer.results = 1;
  answer.affected_rows = affected_rows;
  answer.last_insert_id = insert_id;
  answer.ok_insert_id = insert_id;
  answer.warnings = warnings;
  return answer;
}

inline ResponseSummary rows(std::uint64_t count) {
  ResponseSummary answer;
  answer.outcome = ResponseSummary::Outcome::kResultSet;
  answer.results = 1;
  answer.result_sets = 1;
  answer.rows = count;
  answer.last_rows = count;
  answer.found_rows = count;
  return answer;
}

inline ResponseSummary error(std::uint16_t number) {
  ResponseSummary answer;
  answer.outcome = ResponseSummary::Outcome::kError;
  answer.results = 1;
  answer.error_number = number;
  return answer;
}

inline std::string one_value(const char* value) {
  return protocol::make_text_result({protocol::integer_column("x")}, {{value}}, 0, 0);
}

inline std::string shown(const std::vector<const char*>& levels) {
  std::vector<protocol::Row> rows;
  for (const char* level : levels)
    rows.push_back({level, "1", std::string("message ") + level});
  return protocol::make_text_result(
      {protocol::string_column("Level"), protocol::integer_column("Code"),
       protocol::string_column("Message")},
      rows, 0, 0);
}

inline ResponseSummary failed_after(std::uint32_t done, std::uint16_t number) {
  ResponseSummary answer = error(number);
  answer.results = done + 1;
  return answer;
}

class Told {
 public:
  bool run(const char* text, const ResponseSummary& answer, bool locks_rows = false,
           sql::LexMode mode = {}) {
    const sql::Script script = sql::classify(text, mode);
    return diagnostics.note_answer({protocol::Command::kQuery, script, answer}, locks_rows);
  }
  void prepare(const char* text, std::uint16_t warnings, bool had_diagnostics = false) {
    diagnostics.note_prepare(std::make_shared<const std::string>(text), sql::classify(text, {}),
                             warnings, had_diagnostics);
  }
  // The only value of the answer; nothing if TiDB must be asked.
  std::string ask(const char* text) {
    const sql::Script script = sql::classify(text, {});
    const auto result = diagnostics.answer(script.front());
    return result ? result->rows.at(0).at(0).value_or("NULL") : "";
  }

  Diagnostics diagnostics;
};

}  // namespace tidepool::tracking

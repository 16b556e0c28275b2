// SimulatedTidb: one connection of a TiDB, as far as the tracking layer tells connections apart:
// the session's state, its prepared statements, and what later statements may ask about the last
// one. It does what it is sent, whoever sends it, and knows nothing of models. A client's session
// is played twice: on pooled ones, and on one of its own, which shows what the client must see.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tidepool/sql/parse/statement.h"
#include "tidepool/sql/state/session_state.h"

namespace tidepool::fuzz {

// What becomes of a command that TiDB can execute.
struct Outcome {
  std::uint16_t error = 0;      // of the last of its statements; 0: none
  std::uint16_t warnings = 0;   // that a query or write leaves
  std::uint64_t rows = 0;       // found, or affected
  std::uint64_t insert_id = 0;  // of an INSERT
  bool is_generated = false;    // the id; otherwise the client gave it
  bool opens_cursor = false;
};

class SimulatedTidb {
 public:
  struct Prepared {
    std::string text;
    sql::SessionState context;
    std::string types{};  // of its last execute
    unsigned data = 0;    // pieces that wait for its execute
    bool has_cursor = false;
  };
  struct Named {
    std::string text;
    sql::SessionState context;
  };

  // The whole answer; empty for a command without one.
  std::string execute(std::string_view payload, const Outcome& outcome);

  const sql::SessionState& state() const { return state_; }
  const std::map<std::uint32_t, Prepared>& prepared() const { return prepared_; }
  const std::map<std::string, Named>& named() const { return named_; }
  const std::string& next_isolation() const { return next_isolation_; }
  bool is_in_transaction() const { return in_transaction_; }
  bool has_temporary_table() const { return has_table_; }
  bool has_lock() const { return locks_ > 0; }
  std::uint32_t last_id() const { return last_id_; }  // of a COM_STMT_PREPARE
  std::uint64_t last_insert_id() const { return last_insert_id_; }
  std::uint64_t ok_affected() const { return ok_affected_; }
  std::size_t ok_warnings() const { return ok_warnings_; }

 private:
  std::string query(std::string_view text, const Outcome& outcome);
  std::string run(const sql::Statement& statement, const Outcome& outcome, std::uint8_t sequence);
  std::string run_text(const sql::Statement& statement, const Outcome& outcome,
                       std::uint8_t sequence);
  std::string fail(std::uint16_t error, bool selects, std::uint8_t sequence);
  std::string refuse(std::uint16_t error);
  std::string rows(const sql::Statement& statement, const Outcome& outcome, std::uint8_t sequence);
  std::string write(const sql::Statement& statement, const Outcome& outcome, std::uint8_t sequence);
  std::string show_warnings(std::uint8_t sequence);
  std::string prepare(std::string_view text);
  std::string execute_prepared(std::string_view payload, const Outcome& outcome);
  std::string ok(std::uint8_t sequence) const;
  std::string answer_of(std::vector<std::vector<std::string>> rows, std::uint8_t sequence) const;
  void apply(const sql::Statement& statement);
  void begin_statement(std::int64_t row_count);
  void reset();
  std::uint16_t status() const;

  sql::SessionState state_;
  std::map<std::uint32_t, Prepared> prepared_;
  std::map<std::string, Named> named_;
  std::uint32_t last_id_ = 0;
  std::string next_isolation_;
  bool in_transaction_ = false;
  bool has_table_ = false;
  unsigned locks_ = 0;
  bool has_more_ = false;  // statements of the text under way

  std::uint64_t last_insert_id_ = 0;
  std::int64_t row_count_ = 0;
  std::uint64_t found_rows_ = 0;
  std::vector<std::string> warnings_;  // their levels
  // What an OK repeats.
  std::uint64_t ok_affected_ = 0;
  std::uint64_t ok_insert_id_ = 0;
  std::uint16_t ok_warnings_ = 0;
};

}  // namespace tidepool::fuzz

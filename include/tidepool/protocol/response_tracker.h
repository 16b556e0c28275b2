// Follows the backend's answer to one command, to know where it ends and what came of it, without
// copying or decoding rows.
// Owned by the one that relays the answer; begin() for each command. Fed with the backend's bytes
// in any pieces. Skipping a row is header arithmetic; only the packets that matter (OK, ERR, EOF,
// column counts) are looked at, and of those at most kMaxGatheredBytes are kept, in the rare case
// that one is split over chunks. Sources: MySQL manual "Command Phase"; TiDB pkg/server/conn.go.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tidepool/base/error.h"
#include "tidepool/protocol/commands.h"
#include "tidepool/protocol/packet.h"

namespace tidepool::protocol {

struct ResponseSummary {
  enum class Outcome : std::uint8_t { kNone, kOk, kError, kResultSet };

  Outcome outcome = Outcome::kNone;  // of the last result; kError ends a multi-result too
  std::uint16_t error_number = 0;
  std::string sqlstate;
  std::string message;  // possibly cut

  std::uint64_t rows = 0;       // of all results
  std::uint64_t last_rows = 0;  // of the last one with columns
  // Of the last one with columns that came to its end. Not set if there was none, or its rows come
  // by FETCH.
  std::optional<std::uint64_t> found_rows;
  std::uint32_t result_sets = 0;  // results with columns
  std::uint32_t results = 0;      // results of any kind, errors included

  // Status flags, warnings: of the last OK or EOF. MORE_RESULTS never stays set in a complete
  // answer but for an ERR.
  bool has_status = false;
  std::uint16_t status = 0;
  std::uint16_t warnings = 0;

  std::uint64_t affected_rows = 0;   // of the last OK
  std::uint64_t last_insert_id = 0;  // the last one that was not 0
  std::uint64_t ok_insert_id = 0;    // of the last OK; 0 after an ERR
  std::string info;                  // of the last OK, possibly cut

  std::uint32_t statement_id = 0;  // STMT_PREPARE
  std::uint16_t params = 0;        // STMT_PREPARE
  std::uint32_t columns = 0;       // of the last result set, or of STMT_PREPARE

  [[nodiscard]] bool has_error() const { return outcome == Outcome::kError; }
};

class ResponseTracker {
 public:
  struct Context {
    bool deprecate_eof = false;
    std::uint8_t first_sequence = 1;
    // The command may be answered with a LOCAL INFILE request. It is out of step anywhere else: a
    // server could ask for any file of any client.
    bool may_request_file = false;
  };

  static constexpr std::size_t kMaxGatheredBytes = 1024;

  // Forgets the previous answer. A command without a reply is complete at once.
  void begin(Command command, Context context);
  void begin(Command command) { begin(command, Context{}); }

  // Returns how many bytes of `bytes` belong to this answer: all of them, or fewer if it ends or a
  // LOCAL INFILE request stops it. kProtocol if they cannot be an answer (of a server that awaits a
  // file: any byte): the backend is out of step and must go; then so does every further call.
  Result<std::size_t> feed(std::string_view bytes);

  // The last byte has been seen.
  [[nodiscard]] bool complete() const { return phase_ == Phase::kComplete; }

  // The backend asked for a file: the client's packets up to an empty one go to it, then
  // on_local_infile_sent().
  [[nodiscard]] bool wants_local_infile() const { return phase_ == Phase::kLocalInfile; }

  // `next_sequence`: of the backend's next packet (Packet::next_sequence of the client's empty
  // packet).
  void on_local_infile_sent(std::uint8_t next_sequence);

  // The number of the next packet, in either direction.
  [[nodiscard]] std::uint8_t next_sequence() const { return sequence_; }

  [[nodiscard]] const ResponseSummary& summary() const { return summary_; }

 private:
  enum class Phase : std::uint8_t {
    kHead,            // the first packet of a result
    kDefinitions,     // column or parameter definitions, counted
    kDefinitionsEnd,  // the EOF after them
    kRows,            // rows until EOF or ERR
    kFieldList,       // definitions until EOF or ERR
    kLocalInfile,     // on_local_infile_sent()
    kComplete,
    kFailed,
  };

  Result<void> on_header();
  [[nodiscard]] bool is_of_interest(std::uint8_t first) const;
  std::size_t take_body(std::string_view bytes);
  Result<void> on_packet_end(std::string_view body);
  Result<void> on_head(std::string_view body);
  Result<void> on_query_head(std::string_view body);
  Result<void> on_prepare_head(std::string_view body);
  Result<void> on_definition();
  Result<void> on_definitions_end(std::string_view body);
  Result<void> on_row_end(std::string_view body);
  Result<void> on_ok(std::string_view body);
  Result<void> on_err(std::string_view body);
  void note_eof(std::string_view body);
  void end_result();
  void begin_definitions(std::uint32_t count);
  Result<void> broken(std::string message);

  // One packet under way.
  std::uint32_t left_ = 0;          // bytes of its body to come
  std::uint32_t length_ = 0;        // of its body
  std::uint8_t header_filled_ = 0;  // bytes of the next header received
  std::uint8_t sequence_ = 1;
  bool continues_ = false;  // it continues one of 0xffffff bytes
  bool gathers_ = false;    // it matters

  Phase phase_ = Phase::kComplete;
  Command command_ = Command::kSleep;
  bool deprecate_eof_ = false;
  bool may_request_file_ = false;
  std::uint32_t definitions_left_ = 0;
  std::uint32_t columns_to_come_ = 0;  // of STMT_PREPARE, after its parameters
  std::array<std::uint8_t, kHeaderBytes> header_{};
  std::string gathered_;
  ResponseSummary summary_;
};

}  // namespace tidepool::protocol

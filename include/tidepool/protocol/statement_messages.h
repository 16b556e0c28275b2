// Messages of prepared statements that the session must read or change: the statement id, and the
// parameter types that a client sends with its first execute only (MySQL manual "Prepared
// Statements"; TiDB pkg/server/conn_stmt.go).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "tidepool/base/error.h"
#include "tidepool/protocol/commands.h"

namespace tidepool::protocol {

// COM_STMT_PREPARE_OK, the first packet of the answer.
struct StmtPrepareOk {
  std::uint32_t statement_id = 0;
  std::uint16_t columns = 0;
  std::uint16_t params = 0;
  std::uint16_t warnings = 0;

  bool operator==(const StmtPrepareOk&) const = default;
};

std::string encode_stmt_prepare_ok(const StmtPrepareOk& ok);
Result<StmtPrepareOk> parse_stmt_prepare_ok(std::string_view payload);

// The statement id stands in bytes 1 to 4 of a STMT_PREPARE_OK and of the commands EXECUTE, FETCH,
// CLOSE, RESET and SEND_LONG_DATA alike. Both want the payload (a frame from its fifth byte on);
// too short a one fails, or stays as it is (false).
Result<std::uint32_t> parse_statement_id(std::string_view payload);
bool patch_statement_id(std::span<char> payload, std::uint32_t statement_id);

// The payload of a command that has nothing but a statement id: CLOSE, RESET.
std::string encode_statement_command(Command command, std::uint32_t statement_id);

inline constexpr std::uint8_t kCursorNone = 0x00;
inline constexpr std::uint8_t kCursorReadOnly = 0x01;

// COM_STMT_EXECUTE. The views point into the parsed payload.
struct StmtExecute {
  std::uint32_t statement_id = 0;
  std::uint8_t cursor_flags = kCursorNone;
  std::uint32_t iterations = 1;
  bool has_types = false;        // new_params_bound
  std::string_view null_bitmap;  // (params + 7) / 8 bytes
  std::string_view types;        // 2 bytes a parameter; empty unless has_types
  std::string_view values;       // as many as are neither NULL nor sent as long data
};

// `payload` with its command byte; `params` as the prepare announced. A client without parameters
// may leave out the rest.
Result<StmtExecute> parse_stmt_execute(std::string_view payload, std::uint16_t params);

// COM_STMT_SEND_LONG_DATA: a piece of a parameter's value.
struct LongData {
  std::uint32_t statement_id = 0;
  std::uint16_t param = 0;
};
Result<LongData> parse_long_data(std::string_view payload);

// The payload of `execute` with whatever id and types it now holds: to put remembered types back,
// set has_types and types.
std::string encode_stmt_execute(const StmtExecute& execute);

}  // namespace tidepool::protocol

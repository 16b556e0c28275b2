// OK, EOF and ERR: payloads, without the packet header (MySQL manual "Generic Response Packets";
// TiDB pkg/server/conn.go writeOkWith, writeEOF, writeError). Session-tracking blocks are neither
// written nor expected: TiDB has none.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tidepool/base/error.h"
#include "tidepool/protocol/capabilities.h"
#include "tidepool/protocol/status.h"

namespace tidepool::protocol {

inline constexpr std::uint8_t kOkHeader = 0x00;
inline constexpr std::uint8_t kLocalInfileHeader = 0xfb;
inline constexpr std::uint8_t kEofHeader = 0xfe;
inline constexpr std::uint8_t kErrHeader = 0xff;
// An EOF packet is shorter than this; a row that begins with 0xfe is at least 16 MiB long.
inline constexpr std::uint32_t kEofPayloadLimit = 9;

struct OkMessage {
  std::uint64_t affected_rows = 0;
  std::uint64_t last_insert_id = 0;
  std::uint16_t status = status::kAutocommit;
  std::uint16_t warnings = 0;
  std::string info = {};
  std::uint8_t header = kOkHeader;  // kEofHeader where DEPRECATE_EOF puts an OK in an EOF's place

  bool operator==(const OkMessage&) const = default;
};

std::string encode_ok(const OkMessage& ok);
Result<OkMessage> parse_ok(std::string_view payload);

struct EofMessage {
  std::uint16_t warnings = 0;
  std::uint16_t status = status::kAutocommit;

  bool operator==(const EofMessage&) const = default;
};

std::string encode_eof(const EofMessage& eof);
Result<EofMessage> parse_eof(std::string_view payload);

struct ErrMessage {
  std::uint16_t number = 0;
  std::string sqlstate = "HY000";  // empty: without the `#SQLSTATE` marker, as TiDB does before it
                                   // knows the capabilities
  std::string message;

  bool operator==(const ErrMessage&) const = default;
};

std::string encode_err(const ErrMessage& err);
Result<ErrMessage> parse_err(std::string_view payload);

// One framed packet, for answers that are a single OK or ERR. `sequence` is that packet's number.
std::string ok_packet(const OkMessage& ok, std::uint8_t sequence);
std::string eof_packet(const EofMessage& eof, std::uint8_t sequence);
std::string err_packet(const ErrMessage& err, std::uint8_t sequence);

}  // namespace tidepool::protocol

// Server status flags carried by OK and EOF packets (MySQL's mysql_com.h). TiDB sets only those
// marked with (T).
#pragma once

#include <cstdint>

namespace tidepool::protocol::status {

inline constexpr std::uint16_t kInTransaction = 1U << 0;  // (T) exact in TiDB
inline constexpr std::uint16_t kAutocommit = 1U << 1;     // (T)
inline constexpr std::uint16_t kMoreResults = 1U << 3;    // (T)
inline constexpr std::uint16_t kNoGoodIndexUsed = 1U << 4;
inline constexpr std::uint16_t kNoIndexUsed = 1U << 5;
inline constexpr std::uint16_t kCursorExists = 1U << 6;  // (T)
inline constexpr std::uint16_t kLastRowSent = 1U << 7;   // (T)
inline constexpr std::uint16_t kDbDropped = 1U << 8;
inline constexpr std::uint16_t kNoBackslashEscapes = 1U << 9;  // (T) follows sql_mode
inline constexpr std::uint16_t kMetadataChanged = 1U << 10;
inline constexpr std::uint16_t kQueryWasSlow = 1U << 11;
inline constexpr std::uint16_t kPsOutParams = 1U << 12;
inline constexpr std::uint16_t kInReadOnlyTransaction = 1U << 13;
inline constexpr std::uint16_t kSessionStateChanged = 1U << 14;

}  // namespace tidepool::protocol::status

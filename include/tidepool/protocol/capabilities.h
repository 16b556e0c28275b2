// Client capability flags of the MySQL handshake, as in MySQL's include/mysql_com.h and TiDB's
// pkg/parser/mysql/const.go.
#pragma once

#include <cstdint>

namespace tidepool::protocol::capability {

inline constexpr std::uint32_t kLongPassword = 1U << 0;
inline constexpr std::uint32_t kFoundRows = 1U << 1;  // affected rows count matched rows
inline constexpr std::uint32_t kLongFlag = 1U << 2;
inline constexpr std::uint32_t kConnectWithDb = 1U << 3;
inline constexpr std::uint32_t kNoSchema = 1U << 4;
inline constexpr std::uint32_t kCompress = 1U << 5;  // zlib
inline constexpr std::uint32_t kOdbc = 1U << 6;
inline constexpr std::uint32_t kLocalFiles = 1U << 7;
inline constexpr std::uint32_t kIgnoreSpace = 1U << 8;
inline constexpr std::uint32_t kProtocol41 = 1U << 9;
inline constexpr std::uint32_t kInteractive = 1U << 10;  // wait_timeout := interactive_timeout
inline constexpr std::uint32_t kSsl = 1U << 11;
inline constexpr std::uint32_t kIgnoreSigpipe = 1U << 12;
inline constexpr std::uint32_t kTransactions = 1U << 13;
inline constexpr std::uint32_t kReserved = 1U << 14;
inline constexpr std::uint32_t kSecureConnection = 1U << 15;
inline constexpr std::uint32_t kMultiStatements = 1U << 16;
inline constexpr std::uint32_t kMultiResults = 1U << 17;
inline constexpr std::uint32_t kPsMultiResults = 1U << 18;
inline constexpr std::uint32_t kPluginAuth = 1U << 19;
inline constexpr std::uint32_t kConnectAttrs = 1U << 20;
inline constexpr std::uint32_t kPluginAuthLenencClientData = 1U << 21;
inline constexpr std::uint32_t kCanHandleExpiredPasswords = 1U << 22;
inline constexpr std::uint32_t kSessionTrack = 1U << 23;
inline constexpr std::uint32_t kDeprecateEof = 1U << 24;
inline constexpr std::uint32_t kOptionalResultsetMetadata = 1U << 25;
inline constexpr std::uint32_t kZstd = 1U << 26;
inline constexpr std::uint32_t kQueryAttributes = 1U << 27;

// What Tidepool announces to clients: TiDB's own set without DEPRECATE_EOF, which backends dialled
// by Connector/C 3.3 do not negotiate. kSsl is added where TLS is offered.
inline constexpr std::uint32_t kOffered = kLongPassword | kFoundRows | kLongFlag | kConnectWithDb |
                                          kCompress | kLocalFiles | kProtocol41 | kInteractive |
                                          kTransactions | kSecureConnection | kMultiStatements |
                                          kMultiResults | kPluginAuth | kConnectAttrs | kZstd;

}  // namespace tidepool::protocol::capability

// How to reach TiDB: plain values, filled by the configuration, read by dial().
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tidepool/base/clock.h"
#include "tidepool/base/secret.h"

namespace tidepool::backend {

enum class TlsMode : std::uint8_t {
  kVerifyIdentity,  // chain and host name
  kVerifyCa,        // chain only
  kRequired,        // encrypted, nothing verified
  kDisabled,        // plaintext
};

// The word of the configuration, such as "verify_identity".
const char* to_string(TlsMode mode);

// The oldest one to accept.
enum class TlsVersion : std::uint8_t { k12, k13 };

struct Endpoint {
  std::string host;  // a name, or an IPv4 or IPv6 address without brackets; the name that the
                     // certificate must have
  std::uint16_t port = 4000;
};

// What a client asked for in its handshake and what changes TiDB's answers: a session may only be
// lent a backend whose profile equals its own. TiDB's COM_RESET_CONNECTION goes back to it.
struct ConnectionProfile {
  bool found_rows = false;
  bool interactive = false;
  bool local_files = false;
  bool multi_statements =
      false;                    // COM_SET_OPTION changes it later: Connection::set_multi_statements
  std::uint8_t collation = 45;  // number of the handshake's collation: 45 is utf8mb4_general_ci

  auto operator<=>(const ConnectionProfile&) const = default;
};

// The handshake's capability bits of a profile (FOUND_ROWS, INTERACTIVE, LOCAL_FILES,
// MULTI_STATEMENTS), as in the protocol.
std::uint32_t client_flags(const ConnectionProfile& profile);

struct DialOptions {
  std::vector<Endpoint> endpoints;  // tried in order, each with all addresses of its name
  std::string user;
  Secret password;
  std::string database;  // empty: none
  TlsMode tls = TlsMode::kVerifyIdentity;
  TlsVersion tls_min_version = TlsVersion::k12;
  std::string ca_file;          // PEM; empty: the system's certificate authorities
  std::string server_key_file;  // PEM of the key that the certificate must have, besides what `tls`
                                // asks for; empty: any
  Duration connect_timeout = std::chrono::seconds(15);  // of the whole dial, all endpoints together
  // Of an address, to accept the connection; 0: as long as there is time.
  Duration accept_timeout{};
  ConnectionProfile profile;
  // Connection attributes besides the library's own.
  std::vector<std::pair<std::string, std::string>> attributes;
  // How long sent bytes may stay unacknowledged before the connection counts as dead.
  Duration user_timeout = std::chrono::seconds(30);
};

}  // namespace tidepool::backend

// What Connector/C reports at the end of a failed dial, as an Error. Pure. Private to the backend
// layer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tidepool/base/error.h"

namespace tidepool::backend {

// The library's errmsg.h is not installed everywhere; these numbers are part of the protocol's
// ecosystem since 1998.
enum LibraryError : unsigned {
  kFirst = 2000,
  kConnection = 2002,
  kConnectHost = 2003,
  kUnknownHost = 2005,
  kServerGone = 2006,
  kVersion = 2007,
  kServerHandshake = 2012,
  kServerLost = 2013,
  kTlsFailed = 2026,
  kMalformedPacket = 2027,
  kCannotLoadPlugin = 2059,
  kLast = 2999,
  kFirstMariadb = 5000,
  kPluginNotAllowed = 5010,
  kLastMariadb = 5999,
};

// A number of the library itself (CR_*), as against one that the server has sent.
bool is_library_error(unsigned number);

// An ERR packet of the server: kAuth for what concerns the account, kTls for 3159, kBackend for the
// rest; number, SQLSTATE and text unchanged.
Error server_error(unsigned number, std::string sqlstate, std::string text);

// A server that nothing has verified asks for the password itself.
Error unverified_server(const std::string& where);

// The library wraps an ERR that comes instead of the greeting, such as 1040, when TLS is asked for:
// this is what was in it.
std::optional<Error> early_server_error(const std::string& library_text);

// One of the library's own errors; `where` is "host:port", `phase` what it was at, such as "logging
// in".
Error library_error(unsigned number, const std::string& text, const std::string& where,
                    const std::string& phase);

}  // namespace tidepool::backend

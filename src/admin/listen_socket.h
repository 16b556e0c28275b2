// The socket that the HTTP port listens on.
#pragma once

#include "tidepool/admin/http_server.h"
#include "tidepool/net/fd.h"

namespace tidepool::admin {

// Nonblocking. Without SO_REUSEPORT, with which two processes would share a port unnoticed.
Result<net::UniqueFd> open_socket(const ListenAddress& address);

}  // namespace tidepool::admin

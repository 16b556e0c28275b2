// How a client came in.
#pragma once

#include <memory>
#include <string>

#include "tidepool/base/clock.h"
#include "tidepool/net/fd.h"
#include "tidepool/net/tls_context.h"
#include "tidepool/session/login_places.h"

namespace tidepool::session {

struct AcceptedClient {
  net::UniqueFd fd;
  std::string peer;     // for logs, and its host for the text of 1045
  std::string network;  // see net::network_of()
  bool is_unix = false;
  // Null: not offered. Shared with the listener, whose certificate may change during the login.
  std::shared_ptr<net::TlsContext> tls;
  bool tls_required = false;
  bool asks_for_clear_password = false;
  std::unique_ptr<LoginPlace> place = nullptr;  // null: nobody counts
  Duration waited{};                            // of the time for the login: for a PROXY header
};

}  // namespace tidepool::session

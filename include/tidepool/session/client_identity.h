// What a connection itself shows of who the client is, before any password.
#pragma once

#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "tidepool/net/stream.h"
#include "tidepool/protocol/proof.h"

namespace tidepool::session {

struct ClientIdentity {
  std::vector<std::string> certificate_names = {};  // see net::certificate_names_of()
  std::optional<uid_t> unix_user = std::nullopt;    // see net::peer_user_of()
};

ClientIdentity identity_of(const net::Stream& stream, bool is_unix_socket);

// Who may log in as some user without a password.
struct Trusted {
  std::vector<std::string> certificate_names = {};
  std::vector<uid_t> unix_users = {};

  [[nodiscard]] std::optional<protocol::Proof> prove(const ClientIdentity& client) const;
};

}  // namespace tidepool::session

#include "tidepool/session/client_identity.h"

#include <algorithm>

#include "tidepool/net/client_certificate.h"
#include "tidepool/net/peer_user.h"

namespace tidepool::session {

ClientIdentity identity_of(const net::Stream& stream, bool is_unix_socket) {
  if (is_unix_socket) return {.unix_user = net::peer_user_of(stream.fd())};
  return {.certificate_names = net::certificate_names_of(stream.tls())};
}

std::optional<protocol::Proof> Trusted::prove(const ClientIdentity& client) const {
  const auto is_trusted = [](const auto& trusted, const auto& shown) {
    return std::find(trusted.begin(), trusted.end(), shown) != trusted.end();
  };
  const auto& names = client.certificate_names;
  if (std::any_of(names.begin(), names.end(),
                  [&](const std::string& name) { return is_trusted(certificate_names, name); }))
    return protocol::Proof::kCertificate;
  if (client.unix_user && is_trusted(unix_users, *client.unix_user))
    return protocol::Proof::kUnixUser;
  return std::nullopt;
}

}  // namespace tidepool::session

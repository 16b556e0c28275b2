// Who a client's certificate says that it is.
#pragma once

#include <string>
#include <vector>

struct ssl_st;

namespace tidepool::net {

// The common names of the subject, and the DNS, mail and URI names beside it, of the certificate
// that the peer has proved to be its own; empty unless an authority that the listener trusts has
// signed it, and it is valid now (in a resumed session it may have expired since). Null:
// no TLS.
std::vector<std::string> certificate_names_of(const ssl_st* tls);

// The peer has shown a certificate that is not valid now. In a whole handshake that is found out
// anyway, but not in one that resumes an older session.
bool has_stale_certificate(const ssl_st* tls);

}  // namespace tidepool::net

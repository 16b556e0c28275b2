// What OpenSSL has to say about its last failure, as an Error. On the thread where it failed.
#pragma once

#include <string>

#include "tidepool/base/error.h"

struct ssl_st;

namespace tidepool::net {

// The reason of the oldest error in OpenSSL's queue, which is then empty; "unknown reason" if there
// is none.
std::string take_tls_reason();

// After SSL_read, SSL_write or SSL_accept returned `result` and SSL_get_error `kind`: kClosed,
// kTls, or the socket's error.
Error error_of_tls(const char* what, int kind, int saved_errno);

}  // namespace tidepool::net

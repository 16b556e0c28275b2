// A BIO over a nonblocking socket that first gives bytes which were read from it already,
// and writes without raising SIGPIPE. Private to the net layer.
#pragma once

#include <string_view>

struct bio_st;
struct ssl_st;

namespace tidepool::net {

// The caller owns the result and hands it to SSL_set_bio; null if there is no memory. `fd` is not
// closed.
bio_st* make_early_bio(const ssl_st* tls, int fd, std::string_view early);

}  // namespace tidepool::net

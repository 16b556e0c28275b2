// What is wrong with a certificate, in words. Private to the backend layer.
#pragma once

#include <string>

struct x509_store_ctx_st;

namespace tidepool::backend {

// Called while OpenSSL verifies a chain and has found a problem. `host` is the name that the
// certificate should have, `authorities` says whose authorities were accepted.
std::string describe_problem(x509_store_ctx_st* store, const std::string& host,
                             const std::string& authorities);

}  // namespace tidepool::backend

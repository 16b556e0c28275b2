// OpenSSL tells us of every TLS session that is made (an ex_data index with a constructor), so that
// verification and the server name in the client's hello are set by us: the library has no option
// for what we need.
#include "library.h"

#include <openssl/ssl.h>

#include "dial_attempt.h"
#include "mariadb.h"
#include "plugins.h"
#include "tidepool/base/check.h"

namespace tidepool::backend {
namespace {

void on_new_tls_session(void* session, void*, CRYPTO_EX_DATA*, int, long, void*) noexcept {
  if (DialAttempt* attempt = DialAttempt::current()) {
    attempt->on_tls_session(static_cast<SSL*>(session));
  }
}

bool initialize() {
  return mysql_library_init(0, nullptr, nullptr) == 0 && register_plugins() &&
         SSL_get_ex_new_index(0, nullptr, on_new_tls_session, nullptr, nullptr) >= 0;
}

}  // namespace

void initialize_library() {
  static const bool ready = initialize();
  TIDEPOOL_CHECK(ready);
}

}  // namespace tidepool::backend

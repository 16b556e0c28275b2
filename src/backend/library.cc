// Two hooks let us in where the library has no option for what we need. OpenSSL tells us of every
// TLS session that is made (an ex_data index with a constructor), so that verification and the
// server name in the client's hello are set by us. An authentication plugin that knows nothing but
// how to be replaced (the server answers with a switch to the account's own) runs right before the
// login packet is written, which carries a collation that the library offers no option for.
#include "library.h"

#include <array>

#include <openssl/ssl.h>

#include "dial_attempt.h"
#include "mariadb.h"
#include "tidepool/base/check.h"

namespace tidepool::backend {
namespace {

// As in the library's mysql/client_plugin.h, which cannot be compiled: it includes a header that is
// not installed.
constexpr int kAuthenticationPlugin = 2;
constexpr unsigned kInterfaceVersion = 0x0100;
struct AuthenticationPlugin {
  int type;
  unsigned interface_version;
  const char* name;
  const char* author;
  const char* description;
  std::array<unsigned, 3> version;
  const char* license;
  void* mysql_api;
  int (*init)(char*, size_t, int, va_list);
  int (*deinit)();
  int (*options)(const char*, const void*);
  int (*authenticate_user)(MYSQL_PLUGIN_VIO*, MYSQL*);
};

void on_new_tls_session(void* session, void*, CRYPTO_EX_DATA*, int, long, void*) noexcept {
  if (DialAttempt* attempt = DialAttempt::current()) {
    attempt->on_tls_session(static_cast<SSL*>(session));
  }
}

int log_in(MYSQL_PLUGIN_VIO* vio, MYSQL*) noexcept {
  if (DialAttempt* attempt = DialAttempt::current()) attempt->on_login();
  return vio->write_packet(vio, nullptr, 0) != 0 ? CR_ERROR : CR_OK;
}

bool register_collation_plugin() {
  static AuthenticationPlugin plugin{};  // the library keeps the pointer
  plugin.type = kAuthenticationPlugin;
  plugin.interface_version = kInterfaceVersion;
  plugin.name = kCollationPlugin;
  plugin.author = "Tidepool";
  plugin.description = "forces the collation of the handshake";
  plugin.license = "Apache-2.0";
  plugin.authenticate_user = log_in;
  const MysqlPtr mysql(mysql_init(nullptr));
  return mysql_client_register_plugin(
             mysql.get(), reinterpret_cast<st_mysql_client_plugin*>(&plugin)) != nullptr;
}

bool initialize() {
  return mysql_library_init(0, nullptr, nullptr) == 0 && register_collation_plugin() &&
         SSL_get_ex_new_index(0, nullptr, on_new_tls_session, nullptr, nullptr) >= 0;
}

}  // namespace

void initialize_library() {
  static const bool ready = initialize();
  TIDEPOOL_CHECK(ready);
}

}  // namespace tidepool::backend

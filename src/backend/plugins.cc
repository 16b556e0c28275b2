// Two plugins. The one of the collation knows nothing but how to be replaced (the server answers
// with a switch to the account's own) and runs right before the login packet is written, which
// carries a collation that the library offers no option for. The one of caching_sha2_password
// replaces the library's, which sends the password itself over any TLS, or asks any server for a
// key to encrypt it with: ours sends it to a verified server only.
#include "plugins.h"

#include <array>
#include <string>
#include <string_view>

#include "dial_attempt.h"
#include "mariadb.h"
#include "tidepool/protocol/auth.h"

namespace tidepool::backend {
namespace {

// As in the library's mysql/client_plugin.h, which cannot be compiled: it includes a header that is
// not installed.
constexpr int kAuthenticationPlugin = 2;
constexpr unsigned kInterfaceVersion = 0x0100;
using Authenticate = int (*)(MYSQL_PLUGIN_VIO*, MYSQL*);
struct AuthenticationPlugin {
  int type = kAuthenticationPlugin;
  unsigned interface_version = kInterfaceVersion;
  const char* name;
  const char* author = "Tidepool";
  const char* description;
  std::array<unsigned, 3> version = {1, 0, 0};
  const char* license = "Apache-2.0";
  void* mysql_api = nullptr;
  int (*init)(char*, size_t, int, va_list) = nullptr;
  int (*deinit)() = nullptr;
  int (*options)(const char*, const void*) = nullptr;
  Authenticate authenticate_user;
};

int log_in_by_collation(MYSQL_PLUGIN_VIO* vio, MYSQL*) noexcept {
  if (DialAttempt* attempt = DialAttempt::current()) attempt->on_login();
  return vio->write_packet(vio, nullptr, 0) != 0 ? CR_ERROR : CR_OK;
}

// What the server says after the scramble (MySQL sql/auth/sha2_password.cc). TiDB always asks for
// the password (pkg/server/conn.go, authSha).
constexpr unsigned char kFastSuccess = 3;
constexpr unsigned char kPerformFull = 4;

bool write(MYSQL_PLUGIN_VIO* vio, std::string_view bytes) {
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  return vio->write_packet(vio, data, static_cast<int>(bytes.size())) == 0;
}

int log_in_by_sha2(MYSQL_PLUGIN_VIO* vio, MYSQL* mysql) noexcept {
  constexpr int kSaltSize = 20;
  DialAttempt* attempt = DialAttempt::current();
  unsigned char* packet = nullptr;
  const int size = vio->read_packet(vio, &packet);
  if (attempt == nullptr || size < kSaltSize) return CR_ERROR;
  const std::string_view password = mysql->passwd != nullptr ? mysql->passwd : "";
  if (password.empty()) return vio->write_packet(vio, nullptr, 0) != 0 ? CR_ERROR : CR_OK;
  const std::string_view salt(reinterpret_cast<const char*>(packet), kSaltSize);
  if (!write(vio, protocol::sha2_scramble(password, salt))) return CR_ERROR;
  if (vio->read_packet(vio, &packet) != 1) return CR_ERROR;
  if (*packet == kFastSuccess) return CR_OK;
  if (*packet != kPerformFull) return CR_ERROR;
  if (!attempt->may_hand_over_password()) return CR_ERROR;
  const bool is_written = write(vio, {password.data(), password.size() + 1});
  wipe_password(mysql);  // also where the server refuses it: then the library gives it back
  return is_written ? CR_OK : CR_ERROR;
}

bool register_plugin(MYSQL* mysql, AuthenticationPlugin& plugin) {
  return mysql_client_register_plugin(mysql, reinterpret_cast<st_mysql_client_plugin*>(&plugin)) !=
         nullptr;
}

}  // namespace

bool register_plugins() {
  // The library keeps the pointers.
  static AuthenticationPlugin collation{.name = kCollationPlugin,
                                        .description = "forces the collation of the handshake",
                                        .authenticate_user = log_in_by_collation};
  static AuthenticationPlugin sha2{.name = "caching_sha2_password",
                                   .description = "hands the password to verified servers only",
                                   .authenticate_user = log_in_by_sha2};
  const MysqlPtr mysql(mysql_init(nullptr));
  return register_plugin(mysql.get(), collation) && register_plugin(mysql.get(), sha2);
}

}  // namespace tidepool::backend

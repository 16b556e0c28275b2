// Connector/C, and the internals of it that the raw stream needs: where the socket's TLS session
// is, and whether the library has read ahead. The only file that names its headers.
#pragma once

#define HAVE_TLS  // as the library was built; ma_pvio.h needs it
#include <mysql.h>
using uchar = unsigned char;  // ma_pvio.h includes ma_tls.h before it defines it
extern "C" {
#include <ma_pvio.h>
#include <mysql/plugin_auth.h>
}

#include <cstring>
#include <memory>

#include "tidepool/base/secret.h"

struct ssl_st;

namespace tidepool::backend {

struct MysqlClose {
  void operator()(MYSQL* mysql) const noexcept { mysql_close(mysql); }
};
using MysqlPtr = std::unique_ptr<MYSQL, MysqlClose>;

// Null: plaintext, or not connected.
inline ssl_st* tls_of(const MYSQL* mysql) {
  const MARIADB_PVIO* pvio = mysql->net.pvio;
  return pvio != nullptr && pvio->ctls != nullptr ? static_cast<ssl_st*>(pvio->ctls->ssl) : nullptr;
}

// The library's copy of the password, which it needs for the login only, and what it has sent.
inline void wipe_password(MYSQL* mysql) {
  if (mysql->passwd != nullptr) wipe(mysql->passwd, std::strlen(mysql->passwd));
  const NET& net = mysql->net;
  if (net.buff != nullptr) wipe(net.buff, static_cast<std::size_t>(net.buff_end - net.buff));
}

// Bytes in the library's own buffer would be missing from the raw stream.
inline bool has_read_ahead(const MYSQL* mysql) {
  const MARIADB_PVIO* pvio = mysql->net.pvio;
  return pvio->cache != nullptr && pvio->cache_pos < pvio->cache + pvio->cache_size;
}

}  // namespace tidepool::backend

#include "tidepool/net/encryption.h"

#include <openssl/ssl.h>

namespace tidepool::net {

Encryption encryption_of(const ssl_st* tls) {
  Encryption found;
  if (tls == nullptr) return found;
  found.cipher = SSL_get_cipher_name(tls);
  found.version = SSL_get_version(tls);
  for (int i = 0; const char* name = SSL_get_cipher_list(tls, i); ++i)
    found.ciphers.append(name).append(":");
  return found;
}

}  // namespace tidepool::net

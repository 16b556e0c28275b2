// OpenSSL's digests, looked up once: EVP_sha1() and the others are looked up by their names each
// time that they are used, which takes longer than the digest of a password.
#pragma once

#include <openssl/evp.h>

#include "tidepool/base/check.h"

namespace tidepool::protocol {

// For the life of the process; any thread. `name` is one that OpenSSL has.
inline const EVP_MD* find_digest(const char* name) {
  const EVP_MD* const digest = EVP_MD_fetch(nullptr, name, nullptr);
  TIDEPOOL_CHECK(digest != nullptr);
  return digest;
}

inline const EVP_MD* sha1_digest() {
  static const EVP_MD* const digest = find_digest("SHA1");
  return digest;
}

inline const EVP_MD* sha256_digest() {
  static const EVP_MD* const digest = find_digest("SHA256");
  return digest;
}

}  // namespace tidepool::protocol

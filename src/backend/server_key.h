// The public key that a server's certificate must have. Private to the backend layer.
#pragma once

#include <memory>
#include <string>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "tidepool/base/error.h"

namespace tidepool::backend {

class ServerKey {
 public:
  // From a PEM file that holds the key, or a certificate with it. kConfig: it holds neither.
  static Result<ServerKey> read(const std::string& path);

  [[nodiscard]] bool is_key_of(const X509* certificate) const;

 private:
  struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  };
  using Key = std::unique_ptr<EVP_PKEY, Free>;
  explicit ServerKey(Key key) : key_(std::move(key)) {}

  Key key_;
};

}  // namespace tidepool::backend

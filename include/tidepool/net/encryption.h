// What a TLS connection is encrypted with, by OpenSSL's names.
#pragma once

#include <string>

struct ssl_st;

namespace tidepool::net {

// All empty: not encrypted.
struct Encryption {
  std::string cipher;
  std::string ciphers;  // that our side would take, each with a colon behind it
  std::string version;
};

// Of an established connection, or null.
Encryption encryption_of(const ssl_st* tls);

}  // namespace tidepool::net

// TIDB_URL as applications have it: for SQLAlchemy with any MySQL driver, and for the drivers of
// other languages.
//
// scheme://user:password@host:port/database?ssl_ca=…&ssl_mode=…, with `mysql`, `mariadb` or `tidb`
// and any `+driver`. User, password and database are percent-decoded; a password need not be
// encoded where SQLAlchemy takes it raw.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tidepool/base/error.h"
#include "tidepool/config/config.h"

namespace tidepool::config {

struct Url {
  std::string user;
  std::optional<std::string> password;  // nothing: the URL names none, not even an empty one
  std::string host;                     // without brackets
  std::uint16_t port = 4000;
  std::string database;             // empty: none
  std::optional<TlsMode> tls_mode;  // nothing: the URL does not say
  std::string ca;                   // of ssl_ca; empty: none
  std::vector<std::string> warnings;
};

// All that is wrong with the text, or what it means. No message holds the password.
tl::expected<Url, std::vector<std::string>> parse_url(const std::string& text);

}  // namespace tidepool::config

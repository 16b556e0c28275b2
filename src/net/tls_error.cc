#include "tls_error.h"

#include <array>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "tidepool/net/socket.h"

namespace tidepool::net {

std::string take_tls_reason() {
  const unsigned long number = ERR_get_error();
  ERR_clear_error();
  if (number == 0) return "unknown reason";
  if (const char* reason = ERR_reason_error_string(number)) return reason;
  std::array<char, 256> text{};
  ERR_error_string_n(number, text.data(), text.size());
  return text.data();
}

Error error_of_tls(const char* what, int kind, int saved_errno) {
  if (kind == SSL_ERROR_SYSCALL && ERR_peek_error() == 0) {
    if (saved_errno != 0) return error_of_errno(what, saved_errno);
    return Error{Code::kClosed, std::string(what) + ": the peer ended the connection"};
  }
  if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    ERR_clear_error();
    return Error{Code::kClosed, std::string(what) + ": the peer ended the connection"};
  }
  return Error{Code::kTls, std::string(what) + ": " + take_tls_reason()};
}

}  // namespace tidepool::net

// The one error type of the program, and the result that carries it.
//
// Expected failures (network, peer, configuration, overload) travel as values; nothing of ours
// throws. An Error that is to reach a MySQL client may carry the number and SQLSTATE that its
// driver understands; else the session chooses them.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include <tl/expected.hpp>

namespace tidepool {

enum class Code : std::uint8_t {
  kTimeout,   // a deadline passed
  kClosed,    // the peer ended the connection
  kRefused,   // the port is closed, or the name does not resolve
  kTls,       // no TLS, or a certificate that does not verify
  kProtocol,  // bytes that the MySQL protocol does not allow here
  kAuth,      // wrong user, password or database
  kNotTidb,   // what answers speaks the protocol, but is another server
  kBackend,   // TiDB answered with an error
  kBusy,      // a limit of the proxy is reached
  kConfig,    // the configuration is wrong
  kCanceled,  // the asker is gone
  kInternal,  // none of the above
};

// The word for logs and metric labels, such as "timeout".
const char* to_string(Code code);

struct [[nodiscard]] Error {
  Code code = Code::kInternal;
  std::string message;            // one sentence for a human, without a trailing full stop
  std::uint16_t mysql_errno = 0;  // 0: none known
  std::string sqlstate = {};      // five characters, or empty
};

// A T, or why there is none.
template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
};

// Shorthand for `return fail(Code::kTls, "…")`.
inline tl::unexpected<Error> fail(Code code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message)});
}

}  // namespace tidepool

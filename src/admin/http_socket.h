// The listening socket of the HTTP server. Not httplib's, which shuts the socket down at its end:
// another process may listen on it too.
#pragma once

#include <cstdint>

#include "tidepool/admin/http_server.h"

namespace tidepool::admin {

class HttpSocket {
 public:
  // `inherited`: one that listens already and becomes this one's; -1: the address is bound.
  static Result<HttpSocket> open(const ListenAddress& address, int inherited);

  HttpSocket(const HttpSocket&) = delete;
  HttpSocket& operator=(const HttpSocket&) = delete;
  HttpSocket(HttpSocket&& other) noexcept;
  HttpSocket& operator=(HttpSocket&&) = delete;
  ~HttpSocket();

  int fd() const { return fd_; }
  std::uint16_t port() const;
  // The next connection, close-on-exec and blocking; -1: none, or `wake` has become readable.
  int accept(int wake) const;

 private:
  explicit HttpSocket(int fd) : fd_(fd) {}

  int fd_;
};

}  // namespace tidepool::admin

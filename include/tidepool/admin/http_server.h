// The HTTP port: answers the routes that it was given.
//
// Owned by the proxy. One thread with a loop of its own reads and writes, two run handlers, and one
// runs the handlers of the probes; nothing of a worker's is touched. A peer has a deadline for a
// whole request and a limit on its size, from its route; there are at most 128 connections, and who
// has waited longest goes for one that comes. Some descriptors are reserved for the time when the
// process has none left. Every answer ends its connection. No login, no TLS: bind it to an address
// that only operators reach; the Host header must name this port, so that no page of a browser
// reaches it by a name of its own (DNS rebinding).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tidepool/admin/http_route.h"
#include "tidepool/base/error.h"

namespace tidepool::admin {

struct ListenAddress {
  std::string host;        // an IP address, IPv6 without brackets, or a name of this machine
  std::uint16_t port = 0;  // 0: any that is free
};

class HttpServer {
 public:
  // A peer that connects from the moment it returns is answered once serve() was called.
  // `inherited`: a socket that listens there already, which becomes this one's; -1: none. An
  // address that cannot be bound is Code::kConfig, and the text names it.
  static Result<std::unique_ptr<HttpServer>> listen(const ListenAddress& address,
                                                    std::vector<HttpRoute> routes,
                                                    int inherited = -1);
  // The names by which clients may call it besides IP addresses and localhost.
  void set_hosts(std::vector<std::string> names);
  void serve();
  // A peer that connects from now on is answered by another process that has the socket too, or
  // waits until serve() is called again.
  void pause();

  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // What it listens on; until stop().
  std::uint16_t port() const;
  int fd() const;

  // Answers what has begun, for two seconds at most, and ends the threads, once handlers under way
  // have returned. Another process that has the socket listens on. Idempotent.
  void stop();

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace tidepool::admin

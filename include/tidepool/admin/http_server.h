// The HTTP side of operations: /metrics, /healthz, /readyz, / (the status page) and /status.json.
//
// Owned by the proxy. It runs on three threads of its own (one accepts, two answer), on which it
// calls the functions that it was given. Every answer ends its connection, nobody may be silent for
// more than a second or two, and connections beyond a handful wait in the kernel: a client of this
// port cannot use up the proxy's descriptors. No login, no TLS: bind it to an address that only
// operators reach.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "tidepool/admin/status.h"
#include "tidepool/base/error.h"

namespace tidepool::admin {

struct ListenAddress {
  std::string host;        // an IP address, IPv6 without brackets, or a name of this machine
  std::uint16_t port = 0;  // 0: any that is free
};

// Called from the server's threads, two at a time, from serve() until stop() has returned.
struct HttpSources {
  std::function<std::string()> metrics;  // Exporter::render()
  std::function<Readiness()> readiness;
  std::function<Status()> status;
};

class HttpServer {
 public:
  // Whoever connects from the moment it returns is answered once serve() was called. `inherited`: a
  // socket that listens there already, which becomes this one's; -1: none. An address that cannot
  // be bound is Code::kConfig, and the text names it.
  static Result<std::unique_ptr<HttpServer>> listen(const ListenAddress& address,
                                                    HttpSources sources, int inherited = -1);
  void serve();
  // Whoever connects from now on is answered by another process that has the socket too, or waits
  // until serve() is called again.
  void pause();

  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // What it listens on; until stop().
  std::uint16_t port() const;
  int fd() const;

  // Answers what has begun and ends the threads; takes about two seconds at worst, if a client is
  // silent. Whoever else has the socket listens on. Idempotent.
  void stop();

 private:
  class Listener;
  explicit HttpServer(std::unique_ptr<Listener> listener);

  std::unique_ptr<Listener> listener_;
};

}  // namespace tidepool::admin

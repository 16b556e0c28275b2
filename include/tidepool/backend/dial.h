// dial: open an authenticated connection to TiDB without blocking the loop.
//
// The whole of it (name, TCP, TLS with verification, login) runs on a thread of libuv's pool within
// connect_timeout; only the system's resolver keeps its own time limit. Errors say what is the
// matter in a sentence:
// | kRefused  | the port is closed, no route, the name does not resolve            |
// | kTimeout  | connect_timeout has passed                                         |
// | kTls      | no TLS, wrong name, unknown authority, expired, …                  |
// | kClosed   | the server hung up during the login                                |
// | kAuth     | user, password, database or plugin; TiDB's number and text         |
// | kProtocol | not a MySQL server                                                 |
// | kBackend  | another ERR, such as 1040: TiDB's number, SQLSTATE and text        |
// | kConfig   | the CA file is unusable                                            |
// Nothing secret leaves before the server has proved what `tls` asks for.
#pragma once

#include <functional>
#include <memory>

#include "tidepool/backend/connection.h"
#include "tidepool/backend/options.h"
#include "tidepool/base/error.h"
#include "tidepool/net/blocking.h"
#include "tidepool/net/loop.h"

namespace tidepool::backend {

class DialCanceler;  // private to dial.cc

// Destroying it means that `done` never runs; the attempt is interrupted at once (unless it is in
// the resolver) and what it has opened is closed. Move-only.
class DialHandle {
 public:
  DialHandle();
  DialHandle(std::shared_ptr<DialCanceler> canceler, net::Blocking work);
  DialHandle(const DialHandle&) = delete;
  DialHandle& operator=(const DialHandle&) = delete;
  DialHandle(DialHandle&& other) noexcept;
  DialHandle& operator=(DialHandle&& other) noexcept;
  ~DialHandle();

  bool is_pending() const { return work_.is_pending(); }

 private:
  std::shared_ptr<DialCanceler> canceler_;  // shared with the thread that dials
  net::Blocking work_;
};

using OnDialled = std::function<void(Result<std::unique_ptr<Connection>>)>;

// `done` runs on the loop's thread on a later turn; the connection is not attached yet.
[[nodiscard]] DialHandle dial(net::Loop& loop, DialOptions options, OnDialled done);

}  // namespace tidepool::backend

// What a Connection holds. Private to the backend layer.
#pragma once

#include <memory>

#include "mariadb.h"
#include "tidepool/backend/connection.h"
#include "tidepool/net/loop.h"
#include "tidepool/net/stream.h"

namespace tidepool::backend {

struct ControlOperationDelete {
  void operator()(ControlOperation* operation) const noexcept;
};

struct Connection::State {
  ServerInfo info;
  ConnectionProfile profile;
  TimePoint dialled_at;
  bool broken = false;
  std::unique_ptr<MARIADB_CHARSET_INFO> charset;  // may be what mysql->charset points to
  MysqlPtr mysql;                                 // owns the socket and the TLS session
  int fd = -1;
  // After mysql: off the loop before the library closes the socket.
  std::unique_ptr<net::Stream> stream;
  // Last: it watches the stream.
  std::unique_ptr<ControlOperation, ControlOperationDelete> operation;
};

}  // namespace tidepool::backend

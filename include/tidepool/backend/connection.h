// Connection: one authenticated connection to TiDB, as dial() hands it over.
//
// It owns Connector/C's connection. Between control calls its bytes belong to the proxy: attach()
// gives a net::Stream over the library's own socket and TLS session, on which whole packets are
// written and read raw. Control calls (ping, reset, small statements) run through the library's
// nonblocking API on the same socket while no raw exchange is under way. One loop at a time:
// attach() on that loop's thread, detach() there before it moves to another. Everything else, the
// destructor included, on the thread of the loop that it is attached to (any thread when detached).
// Nothing here blocks.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tidepool/backend/options.h"
#include "tidepool/base/clock.h"
#include "tidepool/base/error.h"
#include "tidepool/net/loop.h"
#include "tidepool/net/stream.h"

namespace tidepool::backend {

// What the login told; fixed for the connection's life.
struct ServerInfo {
  std::string version;              // as in the greeting, such as "8.0.11-TiDB-v8.5.4"
  std::uint32_t connection_id = 0;  // as in the greeting; behind a gateway not TiDB's own
  // In effect on this connection: what the server offers and the library asked for.
  std::uint32_t capabilities = 0;
  std::uint32_t server_capabilities = 0;  // what the server offers
  std::uint8_t collation = 0;             // the server's, from the greeting
  Endpoint endpoint;                      // the one of the options that answered
  std::string peer;                       // "192.0.2.1:4000"
  std::string tls_version;                // "TLSv1.3"; empty: plaintext
  std::string tls_cipher;
};

struct Column {
  std::string name;
  std::uint8_t type = 0;  // MYSQL_TYPE_*, as in the protocol
  std::uint16_t flags = 0;
  std::uint16_t collation = 0;
  std::uint8_t decimals = 0;
};

// The whole answer to a control statement, in memory.
struct QueryResult {
  std::vector<Column> columns;                                // empty: no result set
  std::vector<std::vector<std::optional<std::string>>> rows;  // nullopt: NULL
  std::uint64_t affected_rows = 0;
  std::uint64_t insert_id = 0;
  std::uint16_t warnings = 0;
  std::uint16_t status = 0;  // SERVER_STATUS_* bits
};

struct ControlOperation;  // private to control.cc

// Owner's end of one control call: while it lives, the callback may still come. Destroying it means
// that the callback never runs; the call itself goes on, so the connection stays busy
// (is_controlled) until it ends or times out. Move-only.
class ControlCall {
 public:
  ControlCall() = default;
  explicit ControlCall(ControlOperation* operation);
  ControlCall(const ControlCall&) = delete;
  ControlCall& operator=(const ControlCall&) = delete;
  ControlCall(ControlCall&& other) noexcept;
  ControlCall& operator=(ControlCall&& other) noexcept;
  ~ControlCall() { cancel(); }

  void cancel();
  bool is_pending() const { return operation_ != nullptr; }

 private:
  friend struct ControlOperation;
  ControlOperation* operation_ = nullptr;
};

class Connection {
 public:
  using OnDone = std::function<void(Result<void>)>;
  using OnResult = std::function<void(Result<QueryResult>)>;

  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  // Never blocks. Says goodbye (COM_QUIT) if the connection is idle and sound, then closes.
  ~Connection();

  const ServerInfo& info() const;
  const ConnectionProfile& profile() const;
  // After the server answered COM_SET_OPTION, which the session sends raw.
  void set_multi_statements(bool on);

  // Puts the connection on a loop. The stream lives until detach() or the connection's end.
  net::Stream& attach(net::Loop& loop, net::StreamSink* sink);
  // Takes it off its loop, between exchanges and control calls only; afterwards another thread may
  // attach it. Bytes that the library or OpenSSL holds stay with the connection.
  void detach();
  // Only while attached.
  net::Stream& stream();

  // Control calls: only while attached, with no raw exchange or other control call under way.
  // `done` runs once, on a later turn, unless its ControlCall goes first. After kTimeout, kClosed
  // or kProtocol the connection is_broken(); an ERR of the server (kBackend, with number, SQLSTATE
  // and text) leaves it usable. The stream's sink hears nothing meanwhile.
  [[nodiscard]] ControlCall ping(Duration timeout, OnDone done);
  [[nodiscard]] ControlCall reset(Duration timeout, OnDone done);  // COM_RESET_CONNECTION
  // One statement with a small answer. Several results (CALL, multi-statements) are an error and
  // break the connection.
  [[nodiscard]] ControlCall query(std::string sql, Duration timeout, OnResult done);
  bool is_controlled() const;

  // Of no further use, except to be destroyed. Who sees a raw exchange fail says so, so that no
  // goodbye is tried.
  bool is_broken() const;
  void set_broken();

  TimePoint dialled_at() const;

  struct State;  // private to the layer
  explicit Connection(std::unique_ptr<State> state);

 private:
  ControlCall control(int step, std::string sql, Duration timeout, OnResult done);

  std::unique_ptr<State> state_;
};

}  // namespace tidepool::backend

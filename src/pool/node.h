// Node: a backend as its worker's pool keeps it. While it is idle or says goodbye, it listens to
// its own stream.
#pragma once

#include <memory>

#include "tidepool/backend/connection.h"
#include "tidepool/net/stream.h"
#include "tidepool/net/timer.h"
#include "tidepool/pool/broker_types.h"
#include "tidepool/pool/lease.h"
#include "tidepool/pool/memory.h"

namespace tidepool::pool {

class WorkerPool;

class Node : public net::StreamSink {
 public:
  enum class State : std::uint8_t {
    kNew,        // being looked at after its dial
    kPinging,    // nobody's, COM_PING is under way
    kIdle,       // nobody's; any event on its socket but a TLS ticket means that it is lost
    kLeased,     // a session listens to its stream
    kResetting,  // COM_RESET_CONNECTION is under way
    kGoodbye,    // COM_QUIT is sent; waits for TiDB to close, so that the cap holds on TiDB's side
                 // too
  };

  Node(WorkerPool& pool, std::unique_ptr<backend::Connection> made, const sql::SessionState& fresh,
       std::size_t max_prepared)
      : memory(fresh, max_prepared), owner(&pool), connection(std::move(made)) {}

  void on_readable() override;
  void on_error(Error error) override;

  BackendId id = 0;
  State state = State::kNew;
  Memory memory;
  WorkerPool* owner;              // changes when the node moves to another worker
  TimePoint idle_since{};         // or parked since
  LeaseKeeper* keeper = nullptr;  // while it is parked
  EndpointIndex endpoint = 0;
  bool is_unfit = false;              // TiDB has said that it should not be used again
  std::uint64_t tidb_connection = 0;  // CONNECTION_ID() there
  std::unique_ptr<backend::Connection> connection;
  backend::ControlCall call;            // after the connection: its call goes first
  std::unique_ptr<net::Timer> goodbye;  // only in kGoodbye
};

}  // namespace tidepool::pool

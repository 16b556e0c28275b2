// PooledConnection: a backend as its worker's pool keeps it; the broker's BackendRecord of the same
// id is what all workers know of it. While it is idle or closes, it listens to its own stream.
#pragma once

#include <memory>
#include <utility>

#include "connection_states.h"
#include "tidepool/backend/connection.h"
#include "tidepool/base/check.h"
#include "tidepool/net/stream.h"
#include "tidepool/net/timer.h"
#include "tidepool/pool/broker_types.h"
#include "tidepool/pool/lease.h"
#include "tidepool/tracking/backend_model.h"

namespace tidepool::pool {

class WorkerPool;

class PooledConnection : public net::StreamSink {
 public:
  using State = ConnectionState;

  PooledConnection(WorkerPool& pool, std::unique_ptr<backend::Connection> made,
                   const sql::SessionState& fresh, std::size_t max_prepared)
      : model(fresh, max_prepared), owner(&pool), connection(std::move(made)) {}

  State state() const { return state_; }
  // Requires a move that the table has.
  void enter(State state) {
    TIDEPOOL_CHECK(may_follow(state_, state));
    state_ = state;
  }

  void on_readable() override;
  void on_error(Error error) override;

  BackendId id = 0;
  tracking::BackendModel model;
  WorkerPool* owner;              // changes when it moves to another worker
  TimePoint idle_since{};         // or parked since
  LeaseKeeper* keeper = nullptr;  // while it is parked
  EndpointIndex endpoint = 0;
  bool is_unfit = false;              // TiDB has said that it should not be used again
  std::uint64_t tidb_connection = 0;  // CONNECTION_ID() there
  std::unique_ptr<backend::Connection> connection;
  backend::ControlCall call;               // after the connection: its call goes first
  std::unique_ptr<net::Timer> quit_timer;  // only in kClosing

 private:
  State state_ = State::kNew;
};

}  // namespace tidepool::pool

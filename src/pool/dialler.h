// Dialler: the dials of one worker's pool. A connection is opened, looked at, and handed over as a
// backend that is ready to be lent; the broker is told of each dial that fails.
//
// Owned by its WorkerPool; everything on that loop's thread. Private to the pool layer.
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>

#include "pooled_connection.h"
#include "tidepool/backend/dial.h"
#include "tidepool/net/loop.h"
#include "tidepool/pool/failure_log.h"
#include "tidepool/pool/shared_broker.h"

namespace tidepool::pool {

struct WorkerPoolOptions;

class Dialler {
 public:
  // Takes a new backend, which the broker does not know yet.
  using Admit = std::function<void(DialId, std::unique_ptr<PooledConnection>)>;

  // `options` may change; each dial goes by what they are when it begins.
  Dialler(WorkerPool& owner, net::Loop& loop, SharedBroker& broker,
          const WorkerPoolOptions& options, Admit admit)
      : owner_(owner), loop_(loop), broker_(broker), options_(options), admit_(std::move(admit)) {}
  Dialler(const Dialler&) = delete;
  Dialler& operator=(const Dialler&) = delete;
  ~Dialler() = default;

  void start(const DialOrder& order);
  bool is_empty() const { return dials_.empty(); }

 private:
  struct Dialling {
    backend::DialHandle handle;                // until the connection is there
    std::unique_ptr<PooledConnection> pooled;  // then until it has been looked at
    EndpointIndex endpoint = 0;
    TimePoint begun;
  };

  void on_dialled(DialId dial, Result<std::unique_ptr<backend::Connection>> result);
  void on_inspected(DialId dial, const Result<backend::QueryResult>& answer);
  void fail(DialId dial, const Error& error);

  WorkerPool& owner_;
  net::Loop& loop_;
  SharedBroker& broker_;
  const WorkerPoolOptions& options_;
  const Admit admit_;
  std::unordered_map<DialId, Dialling> dials_;
  FailureLog failed_dials_;
};

}  // namespace tidepool::pool

// The broker as all workers share it: one mutex, touched at most once to take a lease and once to
// give it back, and the way for orders to the workers that they are for.
//
// Owned by the server; outlives the workers' pools. Any thread.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tidepool/backend/connection.h"
#include "tidepool/pool/broker.h"
#include "tidepool/pool/pool_stats.h"
#include "tidepool/sql/state/session_state.h"

namespace tidepool::pool {

// What was learnt about TiDB from the last backend that was dialled.
struct PoolInfo {
  backend::ServerInfo server;
  sql::Baseline baseline;
};

class SharedBroker {
 public:
  // Takes orders to their worker; called from any thread, must not call back into the broker.
  using Deliver = std::function<void(Orders)>;

  SharedBroker(const Limits& limits, std::uint64_t seed, PoolStats& stats);

  // How worker `index` gets its orders. All workers have joined before any uses the broker.
  void join(WorkerIndex index, Deliver deliver);

  // Runs `use(broker, orders)` under the mutex; sends each worker its orders, the caller's own too.
  // Never inline.
  template <class Use>
  auto with(Use use) {
    Sender sender(*this);
    return use(broker_, sender.orders);
  }

  void set_limits(const Limits& limits);

  BrokerCounts counts() const;
  std::string last_dial_error() const;  // empty: the last dial succeeded

  void set_info(PoolInfo info);
  std::shared_ptr<const PoolInfo> info() const;  // null until the first dial succeeded

  PoolStats& stats() { return stats_; }

 private:
  // Holds the mutex while it lives, and delivers what was ordered after giving it up.
  struct Sender {
    explicit Sender(SharedBroker& owner) : broker(owner), lock(owner.mutex_) {}
    Sender(const Sender&) = delete;
    Sender& operator=(const Sender&) = delete;
    ~Sender();

    SharedBroker& broker;
    std::unique_lock<std::mutex> lock;
    Orders orders;
  };

  void publish();  // under the mutex

  mutable std::mutex mutex_;
  Broker broker_;                         // under mutex_
  std::shared_ptr<const PoolInfo> info_;  // under mutex_
  std::vector<Deliver> deliver_;          // constant once one uses the broker
  PoolStats& stats_;
};

}  // namespace tidepool::pool

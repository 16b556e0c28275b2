// One worker's share of a pool: it dials on this worker's loop, owns and watches the backends that
// live there, lends them to this worker's sessions, and carries out the broker's orders.
//
// Owned by the worker, declared after its loop; everything on that loop's thread. Sessions
// are gone before it is.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "tidepool/backend/dial.h"
#include "tidepool/net/loop.h"
#include "tidepool/net/timer.h"
#include "tidepool/pool/lease.h"
#include "tidepool/pool/shared_broker.h"

namespace tidepool::pool {

struct WorkerPoolOptions {
  std::string name;           // for logs
  backend::DialOptions dial;  // the profile is filled in for each dial
  std::size_t max_prepared = 256;
  // Of a reset, and of the first look at a new backend.
  Duration control_timeout = std::chrono::seconds(10);
  Duration ping_timeout = std::chrono::seconds(5);
  Duration quit_timeout = std::chrono::seconds(1);  // for TiDB to close after COM_QUIT
};

// The client flags that a session needs of its backend, as the broker's number for them.
std::uint64_t profile_key(const backend::ConnectionProfile& profile);

class Dialler;

class WorkerPool {
 public:
  WorkerPool(net::Loop& loop, WorkerIndex index, SharedBroker& broker, WorkerPoolOptions options);
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;
  ~WorkerPool();

  // For the backends that are dialled from now on.
  void set_options(WorkerPoolOptions options) { options_ = std::move(options); }
  // Of a pool that is drained: it dials no more, unless it gets options again.
  void forget_password() { options_.dial.password.clear(); }

  // Before it is used: the same pool's parts on all workers, by index, this one included.
  void set_peers(std::vector<WorkerPool*> peers) { peers_ = std::move(peers); }

  // A lease at once, if an idle backend of this worker suits.
  [[nodiscard]] std::optional<Lease> try_acquire(const LeaseRequest& request);
  // A lease later, or an error at the latest after `timeout`. The ticket must not outlive the sink.
  [[nodiscard]] Ticket wait(const LeaseRequest& request, Duration timeout, LeaseSink& sink);

  // Only the worker with index 0: starts the broker's clock, and keeps dialling until one backend
  // has told what the server is (for readiness and the greeting).
  void start_clock();

  // An account may have been changed: what TiDB refused is tried again at once.
  void forget_refusals();

  // Closes what is idle now, and each leased backend when it is given back.
  void drain();
  void resume();  // after drain()
  bool is_empty() const;

  SharedBroker& broker() { return broker_; }
  std::shared_ptr<const PoolInfo> info() const { return broker_.info(); }

 private:
  friend class Lease;
  friend class Ticket;
  friend class PooledConnection;

  struct Waiting {
    LeaseSink* sink;
    LeaseRequest request;
    TimePoint since;
    TimePoint deadline;
  };

  void carry_out(const Orders& orders);
  void admit(DialId dial, std::unique_ptr<PooledConnection> pooled);
  void grant(const GrantOrder& order);
  void fail_waiter(const FailOrder& order);
  void requeue(WaiterId waiter);
  void move(const MoveOrder& order);
  void adopt(std::unique_ptr<PooledConnection> pooled, WaiterId waiter);
  Lease lend(PooledConnection& pooled, TimePoint since);
  bool is_alive(PooledConnection& pooled);
  bool park(PooledConnection& pooled, LeaseKeeper& keeper);
  bool unpark(PooledConnection& pooled);
  void recall(const RecallOrder& order);
  void retire(const RetireOrder& order);
  void retire_unfit(PooledConnection& pooled);
  void send_quit(PooledConnection& pooled, RetireReason reason);
  void ping(const PingOrder& order);
  void on_event(PooledConnection& pooled);
  void release(PooledConnection& pooled, Release how);
  void give_back(PooledConnection& pooled);
  void stay_idle(PooledConnection& pooled);
  void reset(PooledConnection& pooled);
  void lose(PooledConnection& pooled, RetireReason reason);
  void forget(PooledConnection& pooled);
  void cancel(WaiterId waiter);
  PooledConnection* find(BackendId backend);

  net::Loop& loop_;
  const WorkerIndex index_;
  SharedBroker& broker_;
  WorkerPoolOptions options_;
  std::vector<WorkerPool*> peers_;
  net::Timer clock_;
  const std::unique_ptr<Dialler> dialler_;
  std::unordered_map<BackendId, std::unique_ptr<PooledConnection>> connections_;
  std::unordered_map<WaiterId, Waiting> waiting_;
};

}  // namespace tidepool::pool
